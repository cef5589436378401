//! The suite as a command. `--list` prints the names of all cases, a name runs that case, `--script
//! SEED COUNT` plays random sequences.
//!
//! Exit code 0 means passed, or skipped if a line on standard output begins with `skipped: `; any
//! other code is a failure, explained on standard error. The suite's component, the native
//! placement's child processes and the runner of any other host follow this protocol.

use crate::{Outcome, World, cases, find, script};
use std::process::ExitCode;

/// The prefix of the line on standard output that reports a skipped case.
pub const SKIPPED: &str = "skipped: ";

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [list] if list == "--list" => {
            cases().for_each(|case| println!("{}", case.name()));
            ExitCode::SUCCESS
        }
        [script, seed, count] if script == "--script" => match (seed.parse(), count.parse()) {
            (Ok(seed), Ok(count)) => {
                let world = World::from_environment();
                script::play(world.witness(), world.scratch(), seed, count, |line| {
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

/// Reports how a case ended, in the protocol of this module.
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

/// Parses how a case ended: the inverse of [`report`].
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
