//! The command `wasi-tempfile`.
#![deny(unsafe_code)]

mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A case of the suite runs in a process of its own, which is this program again.
    if let Some(ended) = wasi_tempfile_host::suite::enter() {
        return ended;
    }
    command::CommandLine::parse().run()
}
