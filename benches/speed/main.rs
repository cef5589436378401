//! `just bench`: how fast it is, beside its peers, in one run.
//!
//! A row of the table compares two benchmarks of a group. Both run alternately in every sample,
//! because a machine that is slow at the moment is slow for both; the ratio is the median over the
//! samples. Criterion plans the samples and compares the time itself with that of the last run.
//!
//! `cargo bench -p bench -- named` measures the rows with `named` in their name, `--quick` takes
//! few samples.

use std::path::Path;
use std::process::{Command, ExitCode};

use criterion::Criterion;
use wasi_tempfile_host::ScratchRoot;

mod bare;
mod comparison;
mod embedder;
mod figures;
mod groups;
mod instances;
#[path = "../../build/nested.rs"]
mod nested;
mod plugins;
mod processes;
mod report;
mod sorting;
mod space;

use plugins::Plugins;
use report::Report;
use space::Space;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(instances::COMMAND) => instances::measure(&mut arguments),
        _ if std::env::var_os(space::VARIABLE).is_some() => measure(),
        _ => begin(),
    }
}

/// Starts this program again with a directory of its own as the default one. The next run sweeps
/// what a killed one left.
fn begin() -> ExitCode {
    let root = ScratchRoot::open(space::root()).expect("open a scratch root");
    let dir = root.create_dir().expect("make a scratch directory");
    let mut again = Command::new(std::env::current_exe().expect("know this program's path"));
    again
        .args(std::env::args_os().skip(1))
        .env(space::VARIABLE, dir.path())
        // With RUST_BACKTRACE, wasmtime takes a backtrace for each error that a plugin is answered,
        // which takes longer than most calls.
        .env("RUST_LIB_BACKTRACE", "0")
        .env("TMPDIR", dir.path());
    let status = again.status().expect("start this program again");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure() -> ExitCode {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("benches/ is in the workspace");
    let space = Space::open();
    let plugins = Plugins::build(workspace, &space);
    let mut criterion = Criterion::default().configure_from_args().without_plots();
    let mut report = Report::new(&space);
    for comparison in groups::all(&space, &plugins, &mut report) {
        comparison.measure(&mut criterion, &mut report);
    }
    if std::env::args().any(|argument| argument == "--profile-time") {
        // Nothing was measured.
        return ExitCode::SUCCESS;
    }
    criterion.final_summary();
    figures::all(&space, &plugins, &mut report);
    report.finish(&workspace.join("target/bench"));
    ExitCode::SUCCESS
}
