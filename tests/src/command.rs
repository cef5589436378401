//! The suite as a command: `--list` prints the names of all cases, a name runs that case, `--script SEED COUNT` plays random sequences.
//!
//! Exit code 0 means passed, or skipped if a line on stdout begins with `skipped: `; anything else is a failure, explained
//! on stderr. This is the protocol of the suite's component, of the native placement's child processes, and of
//! any other host's runner.

use crate::{Outcome, World, cases, find, script};
use std::process::ExitCode;

/// What a line on stdout begins with when a case was skipped.
pub const SKIPPED: &str = "skipped: ";

/// Obeys the command line.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [list] if list == "--list" => {
            cases().for_each(|case| println!("{}", case.name()));
            ExitCode::SUCCESS
        }
        [script, seed, count] if script == "--script" => match (seed.parse(), count.parse()) {
            (Ok(seed), Ok(count)) => {
                script::play(World::from_environment().scratch(), seed, count, |line| {
                    println!("{line}")
                });
                ExitCode::SUCCESS
            }
            _ => usage("--script takes two numbers: a seed, and how many sequences"),
        },
        [name] => match find(name) {
            Some(case) => report(case.run(&World::from_environment())),
            None => usage(&format!("no case is called {name}")),
        },
        _ => usage("--list, the name of one case, or --script SEED COUNT"),
    }
}

/// Says how a case ended, in the protocol's words.
pub fn report(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Passed => ExitCode::SUCCESS,
        Outcome::Skipped(reason) => {
            println!("{SKIPPED}{reason}");
            ExitCode::SUCCESS
        }
        Outcome::Failed(detail) => {
            eprintln!("{detail}");
            ExitCode::FAILURE
        }
    }
}

/// Understands how a case ended: the other side of [`report`].
pub fn understand(success: bool, stdout: &str, stderr: &str) -> Outcome {
    match stdout.lines().find_map(|line| line.strip_prefix(SKIPPED)) {
        _ if !success => Outcome::Failed(stderr.trim().to_owned()),
        Some(reason) => Outcome::Skipped(reason.to_owned()),
        None => Outcome::Passed,
    }
}

fn usage(message: &str) -> ExitCode {
    eprintln!("conformance: {message}");
    ExitCode::from(2)
}
