//! The command `wasi-tempfile`.
#![deny(unsafe_code)]

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
