//! `just bench`: how fast it is, beside its peers, in one run.
//!
//! A row of the table is a work, done in one placement and by one peer. Machines are noisy, and one that is slow now is slow for both: so each
//! sample does the work with one and then at once with the other, in turns which of them is first, and a row's ratio is the median of its
//! samples' ratios. Criterion plans the samples, and says how the time itself has changed since the last run.
//!
//! `cargo bench -p bench -- named` measures the rows with `named` in their name, `--quick` takes few samples.

use std::path::Path;
use std::process::{Command, ExitCode};

use criterion::Criterion;
use wasi_tempfile_host::ScratchRoot;

mod bare;
mod chart;
mod embedder;
mod figures;
mod instances;
#[path = "../../build/nested.rs"]
mod nested;
mod outside;
mod plugins;
mod report;
mod rows;
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

/// Starts this program again with a directory of its own as everybody's default. What a killed run left there, the next one sweeps.
fn begin() -> ExitCode {
    let root = ScratchRoot::open(space::root()).expect("open a scratch root");
    let dir = root.create_dir().expect("make a scratch directory");
    let mut again = Command::new(std::env::current_exe().expect("know this program's path"));
    again
        .args(std::env::args_os().skip(1))
        .env(space::VARIABLE, dir.path())
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
    for row in rows::all(&space, &plugins, &mut report) {
        row.measure(&mut criterion, &mut report);
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
