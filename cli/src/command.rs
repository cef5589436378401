//! The subcommands, their exit codes, and the one line on standard error for each failure.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | the plugin or a case failed |
//! | 2 | wrong usage |
//! | 3 | the host failed: a file cannot be read, a directory cannot be made or removed |
//! | 128 + n | ended by signal n |

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::Targets;
use wasi_tempfile_host::wasmtime::{Cache, CacheConfig};
use wasi_tempfile_host::{Error, Sandbox, check_process};

mod completions;
mod component;
mod compose;
mod conformance;
mod demo;
mod files;
mod limits;
mod log;
mod process;
mod progress;
mod run;
mod stats;
mod sweep;
mod system;
mod terminal;
mod values;
mod watch;
mod wit;

/// Private, limited temporary files for WebAssembly plugins, gone when the plugin ends
#[derive(Parser)]
#[command(name = NAME, bin_name = NAME, version, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    /// Print events of the host on standard error: leaks, limits, what a sweep could not remove
    ///
    /// FILTER is a level (error, warn, info, debug, trace), or `LEVEL,CRATE=LEVEL`. Without this
    /// option the variable RUST_LOG sets it; without both nothing is printed.
    #[arg(long, global = true, value_name = "FILTER", value_parser = log::filter)]
    log: Option<Targets>,

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
    Completions(completions::Completions),
    Manual(completions::Manual),
}

/// The name of the command.
const NAME: &str = "wasi-tempfile";

/// The result of a subcommand: an exit code, or the reason why the host failed.
type Result<T = ExitCode> = std::result::Result<T, String>;

/// The plugin or a case failed.
const PLUGIN_FAILED: u8 = 1;

/// Wrong usage that the parser cannot detect.
const MISUSED: u8 = 2;

/// The host failed.
const HOST_FAILED: u8 = 3;

/// Parses the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    system::survive_limits();
    match CommandLine::try_parse() {
        Ok(line) => line.run(),
        Err(message) if message.use_stderr() && message.exit_code() != 0 => {
            // It quotes the command line, in which the shell may have put names of files. Best
            // effort: standard error may be closed.
            let text = terminal::printable_lines(&message.render().to_string());
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
            ExitCode::from(MISUSED)
        }
        // Help, and the version.
        Err(message) => message.exit(),
    }
}

impl CommandLine {
    fn run(self) -> ExitCode {
        log::start(self.log);
        // The cases of the suite run in this process, and some of them panic on purpose.
        if !matches!(self.command, Command::Conformance(_)) {
            process::end_on_panic();
        }
        let result = match self.command {
            Command::Demo(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Conformance(command) => command.run(),
            Command::Compose(command) => command.run(),
            Command::Sweep(command) => command.run(),
            Command::Component(command) => command.run(),
            Command::Wit(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Manual(command) => command.run(),
        };
        result.unwrap_or_else(|reason| {
            complain(reason);
            ExitCode::from(HOST_FAILED)
        })
    }
}

/// Prints one line on standard error. Best effort: standard error may be closed.
///
/// Control characters are escaped: names in a component and its messages are a stranger's text, and
/// must not control the terminal.
fn complain(reason: impl Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{NAME}: {}", terminal::printable(reason));
}

/// A sandbox that reuses compiled plugins of earlier runs, unless it may not.
fn sandbox(no_cache: bool) -> std::result::Result<Sandbox, Error> {
    check_process()?;
    let builder = Sandbox::builder();
    // Without a directory for caches, such as for a user without a home, plugins are compiled anew.
    match (!no_cache).then(|| Cache::new(CacheConfig::new())) {
        Some(Ok(cache)) => builder.cache(cache).build(),
        Some(Err(_)) | None => builder.build(),
    }
}
