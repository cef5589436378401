//! The plugin with the crate `tempfile`, and a directory granted to it.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    // `std::env::temp_dir`, which it would ask, panics on WASI.
    tempfile::env::override_temp_dir(Path::new("/bench")).expect("it was not set before");
    bench::plugin(bench::theirs::run)
}
