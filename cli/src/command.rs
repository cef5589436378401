//! The subcommands, and what they have in common: exit codes and the one line on standard error.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the plugin or a case failed |
//! | 2 | wrong usage |
//! | 3 | the host could not do its part |
//! | 128 + n | ended by signal n |

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod component;
mod compose;
mod conformance;
mod demo;
mod files;
mod limits;
mod run;
mod stats;
mod sweep;
mod values;
mod watch;
mod wit;

/// Temporary files for WebAssembly plugins: private, limited, and gone at the end.
#[derive(Parser)]
#[command(name = "wasi-tempfile", version, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Run(run::RunPlugin),
    Conformance(conformance::Conformance),
    Compose(compose::Compose),
    Sweep(sweep::SweepRoot),
    Component(component::Component),
    Wit(wit::Wit),
}

/// How a subcommand ends: with an exit code, or with the reason why the host could not do its part.
type Result<T = ExitCode> = std::result::Result<T, String>;

/// The plugin or a case failed.
const PLUGIN_FAILED: u8 = 1;

/// Wrong usage that the parser can't see.
const MISUSED: u8 = 2;

/// The host could not do its part.
const HOST_FAILED: u8 = 3;

impl CommandLine {
    pub(crate) fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Demo(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Conformance(command) => command.run(),
            Command::Compose(command) => command.run(),
            Command::Sweep(command) => command.run(),
            Command::Component(command) => command.run(),
            Command::Wit(command) => command.run(),
        };
        result.unwrap_or_else(|reason| {
            complain(reason);
            ExitCode::from(HOST_FAILED)
        })
    }
}

/// Says one line on standard error. If even that is closed, nobody is listening.
fn complain(reason: impl Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "wasi-tempfile: {reason}");
}
