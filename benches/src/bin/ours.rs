//! The plugin with this repository's crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::plugin(bench::ours::run)
}
