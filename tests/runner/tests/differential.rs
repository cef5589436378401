//! Random sequences of operations, played in every placement: the answers must be equal, except for
//! the differences declared in `conformance::script`.
//!
//! `DIFFERENTIAL_SEED` sets the first seed, `DIFFERENTIAL_COUNT` the number of sequences.

use std::env;
use std::path::Path;
use std::thread;

use conformance_runner::{Directory, Launcher, Placement, Suite};

/// The default number of sequences.
const COUNT: u64 = 10_000;

/// A file system in memory, where `sync` is fast.
const IN_MEMORY: &str = "/dev/shm";

fn number(variable: &str, otherwise: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => otherwise,
    }
}

fn play(suite: &Suite, placement: Placement, seed: u64, count: u64) -> Vec<String> {
    let directory =
        Directory::new_in(Path::new(IN_MEMORY)).or_else(|_| Directory::new()).expect("a directory");
    let said = suite.script(placement, directory.path(), seed, count);
    let said =
        said.unwrap_or_else(|problem| panic!("{placement}, {count} from seed {seed}: {problem}"));
    said.lines().map(str::to_owned).collect()
}

/// The answers of both placements to one sequence, up to the first difference.
fn explain(suite: &Suite, seed: u64, placement: Placement) -> String {
    let (native, other) =
        (play(suite, Placement::Native, seed, 1), play(suite, placement, seed, 1));
    let mut told = format!("seed {seed} (DIFFERENTIAL_SEED={seed} DIFFERENTIAL_COUNT=1):\n");
    for (native, other) in native.iter().zip(&other) {
        if native != other {
            return told + &format!("native:    {native}\n{placement}: {other}\n");
        }
        told = told + native + "\n";
    }
    told + "played alone, it answers the same everywhere\n"
}

#[test]
fn placements_agree() {
    let (seed, count) = (number("DIFFERENTIAL_SEED", 1), number("DIFFERENTIAL_COUNT", COUNT));
    let suite = &Suite::new(Launcher::new(env!("CARGO_BIN_EXE_conformance-case"), &[]), None);
    // Not in parallel with the others: the native ledger belongs to the process, and a sandbox has
    // a scratch directory in it.
    let native = play(suite, Placement::Native, seed, count);
    let others = thread::scope(|scope| {
        let run = |placement| (placement, scope.spawn(move || play(suite, placement, seed, count)));
        let running = [Placement::Component, Placement::Host].map(run);
        running.map(|(placement, played)| (placement, played.join().expect("it was played")))
    });
    for (placement, played) in &others {
        assert_eq!(native.len(), played.len(), "{placement} played another number of sequences");
        let differ = native.iter().zip(played).filter(|(native, other)| native != other);
        let seeds: Vec<u64> = differ
            .map(|(line, _)| match count {
                1 => seed,
                _ => line.split(' ').next().and_then(|seed| seed.parse().ok()).expect("a seed"),
            })
            .collect();
        if let Some(first) = seeds.first() {
            panic!(
                "{} of {count} sequences differ in the {placement} placement. The first:\n{}",
                seeds.len(),
                explain(suite, *first, *placement)
            );
        }
    }
}
