//! Plugins that take all they can get, each up to its limit, side by side with one that needs
//! little.

use std::fs;
use std::path::Path;
use std::thread;

use getrandom::SysRng;
use rand_core::TryRng;
use wasi_tempfile_host::provider::{Counts, Limits};
use wasi_tempfile_host::{Capture, Ending, Plugin, RunOptions, ScratchRoot};

use crate::endings::open_files;
use crate::figure::{Scale, Tally, figure};
use crate::plugins::{Provider, Running, sandboxed};
use crate::support::World;

figure!(
    not_a_byte_over_the_limit_and_the_neighbour_writes_on,
    plugins_without_a_limit,
    a_neighbour_with_less_than_it_needs,
);

/// What a plugin is kept from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limited {
    AsItIsSaid,
    NotAtAll,
}

fn not_a_byte_over_the_limit_and_the_neighbour_writes_on(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let plugin = sandboxed(Provider::Host);
    // First, so that the runtime has its own descriptors when those of the process are counted.
    sparse(&plugin, scale.pick(30, 1000), Limited::AsItIsSaid, &mut tally);
    crammed(&plugin, scale.pick(30, 1000), &mut tally);
    beside(&plugin, scale.pick(10, 300), 100_000, &mut tally);
    tally
}

fn plugins_without_a_limit() -> Tally {
    let mut tally = Tally::default();
    let plugin = sandboxed(Provider::Host);
    sparse(&plugin, 5, Limited::NotAtAll, &mut tally);
    tally
}

fn a_neighbour_with_less_than_it_needs() -> Tally {
    let mut tally = Tally::default();
    beside(&sandboxed(Provider::Host), 1, 50_000, &mut tally);
    tally
}

fn draw(below: u64) -> u64 {
    SysRng.try_next_u64().expect("randomness") % below
}

/// A plugin takes every byte it can get, in files that have names and in one that moved to disk;
/// what is there is then looked at from outside.
fn crammed(plugin: &Plugin, times: u64, tally: &mut Tally) {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let before = open_files();
    for _ in 0..times {
        let limit = 1 + draw(100_000);
        let limits = Limits { bytes: Some(limit), ..Limits::default() };
        let run = RunOptions::in_root(&root).args(["plugin", "cram"]);
        let mut running = Running::start(plugin, run.limits(limits));
        let said = running.line();
        let sizes: Vec<u64> =
            said.split(' ').skip(1).map(|size| size.parse().expect("a size")).collect();
        let [named, moved] = sizes[..] else { panic!("{said}") };
        let seen = named_bytes(&running.scratch());
        tally.expect(seen == named, || format!("of {named} bytes with a name {seen} are there"));
        let all = seen + moved;
        tally.expect(all == limit, || format!("{all} bytes were had of {limit}"));
        tally.expect(limit < 2000 || moved > 0, || {
            format!("nothing was rolled over within {limit} bytes")
        });
        let (_, outcome) = running.end();
        let usage = outcome.used.tempfile.unwrap_or_default();
        tally.expect(usage.peak.bytes <= limit, || {
            format!("{} bytes were counted of {limit}", usage.peak.bytes)
        });
        tally.expect(usage.live == Counts::default(), || format!("{:?} stayed", usage.live));
        tally.count("plugins that took all they could", 1);
        tally.count("bytes", all);
    }
    let after = open_files();
    tally.expect(after == before, || format!("{before} files were open, now {after}"));
}

/// What lies in a directory under a name, in bytes.
fn named_bytes(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).expect("list it");
    entries.map(|entry| entry.and_then(|entry| entry.metadata()).expect("look at it").len()).sum()
}

/// Sizes that cost nothing to ask for.
fn sparse(plugin: &Plugin, times: u64, limited: Limited, tally: &mut Tally) {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    for number in 0..times {
        let limit = draw(1 << 20);
        let size = match number % 3 {
            0 => i64::MAX as u64,
            1 => limit + 1,
            _ => limit + 1 + draw(1 << 60),
        };
        let said = Capture::new(1024);
        let run =
            RunOptions::in_root(&root).args(["plugin", "grow", &size.to_string()]).stdout(&said);
        let run = match (limited, number % 2) {
            (Limited::NotAtAll, _) => run,
            (Limited::AsItIsSaid, 0) => {
                run.limits(Limits { bytes: Some(limit), ..Limits::default() })
            }
            (Limited::AsItIsSaid, _) => {
                run.limits(Limits { file_size: Some(limit), ..Limits::default() })
            }
        };
        plugin.run(run).expect("run");
        let said = said.text();
        tally.expect(said == "quota\n0\n", || format!("{size} bytes within {limit}: {said:?}"));
        tally.count("sparse sizes", 1);
    }
}

/// Some want too much, one wants what it may have: it gets it, whatever becomes of the others.
fn beside(plugin: &Plugin, times: u64, allowed: u64, tally: &mut Tally) {
    const GREEDY: usize = 3;
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let fill = |size: &str, limit| {
        let said = Capture::new(1024);
        let limits = Limits { bytes: Some(limit), ..Limits::default() };
        let run =
            RunOptions::in_root(&root).args(["plugin", "fill", size]).stdout(&said).limits(limits);
        let outcome = plugin.run(run).expect("run");
        (said.text(), outcome.ending == Ending::Returned)
    };
    for _ in 0..times {
        let (greedy, neighbour) = thread::scope(|scope| {
            let greedy: Vec<_> =
                (0..GREEDY).map(|_| scope.spawn(|| fill("500000", 100_000))).collect();
            let neighbour = fill("99999", allowed);
            (
                greedy
                    .into_iter()
                    .map(|greedy| greedy.join().expect("no panic"))
                    .collect::<Vec<_>>(),
                neighbour,
            )
        });
        for (said, _) in greedy {
            tally.expect(said.starts_with("100000 quota, "), || format!("the greedy one: {said}"));
        }
        let (said, returned) = neighbour;
        let well = returned && said == "99999 ok, then ok\nafterwards ok\n";
        tally.expect(well, || format!("the neighbour: {said}"));
        tally.count("neighbours of three greedy plugins", 1);
    }
}
