//! The command `wasi-tempfile`.
#![deny(unsafe_code)]

mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    command::CommandLine::parse().run()
}
