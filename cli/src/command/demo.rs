//! `wasi-tempfile demo`: an external merge sort in the sandbox, watched from outside.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::{Ending, Provider, Sandbox, ScratchRoot};

use super::run::{Scratch, conclude};
use super::{PLUGIN_FAILED, Result, complain, files, values};

mod check;
mod destination;
mod figures;
mod progress;
mod report;
mod source;
mod stats;
mod text;
mod work;

use destination::Destination;
use report::Report;
use source::Source;
use stats::Stats;
use work::{Done, Work};

/// The plugin: an external merge sort from standard input to standard output.
const SORT: &[u8] = include_bytes!(env!("COMPONENT_SORT"));

/// What plugin and provider may use unless it is said.
const MEMORY: u64 = 16 << 20;

/// The tour: sort a file in the sandbox, with scratch files
///
/// The plugin is an external merge sort. It gets the lines of FILE on standard input and so little memory that it has to
/// spill sorted runs to temporary files, and to merge them. What it gives is checked: the lines are in order (that of
/// `LC_ALL=C sort`), and are those of FILE. Without -o they are thrown away, but for an excerpt.
#[derive(Args)]
pub(crate) struct Demo {
    /// The file to sort [default: a text made up by this program]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write the sorted lines to this file
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// The memory of plugin and provider together, half of it for lines [default: 16MiB, and for lines an eighth of FILE
    /// if that is less]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    memory: Option<u64>,

    #[command(flatten)]
    scratch: Scratch,

    /// Make the plugin trap after it has spilled so many runs
    #[arg(long, value_name = "N", hide = true)]
    fail_after_runs: Option<u64>,
}

impl Demo {
    pub(super) fn run(self) -> Result {
        let source = Source::open(self.file.as_deref())?;
        let mut destination = Destination::open(self.output.as_deref())?;
        let root = self.scratch.open()?;
        let work = Work {
            budget: budget(self.memory, &source),
            memory: self.memory.unwrap_or(MEMORY),
            fail_after_runs: self.fail_after_runs,
        };
        let report = Report { root: root.path(), output: self.output.as_deref() };
        files::print(&report.before(&source, &work))?;

        let sandbox = Sandbox::new().map_err(|error| error.to_string())?;
        let plugin = sandbox.load(SORT, Provider::Component).map_err(|error| error.to_string())?;
        let done = work.run(&plugin, &root, source, &mut destination)?;

        let left = left_in(&root)?;
        if done.outcome.ending != Ending::Returned || done.signal.is_some() {
            eprint(&done.stderr);
            let code = conclude(&done.outcome, done.signal);
            files::print(&report.left(&done.outcome, left))?;
            return Ok(code);
        }
        if let Some(wrong) = wrong(&done) {
            complain(wrong);
            return Ok(ExitCode::from(PLUGIN_FAILED));
        }
        let stats = Stats::parse(&done.stderr).ok_or("the plugin did not say what it spilled")?;
        destination.finish()?;
        files::print(&report.after(&done, &stats))?;
        files::print(&report.left(&done.outcome, left))?;
        Ok(conclude(&done.outcome, None))
    }
}

/// What the plugin is told to use for lines: half of its memory at most, since the stacks of plugin and provider take some
/// of it too. Unless told how much memory there is, only an eighth of the lines, so that there is something to see.
fn budget(memory: Option<u64>, source: &Source) -> u64 {
    let budget = match memory {
        Some(memory) => memory / 2,
        None if source.size == 0 => MEMORY / 2,
        None => (source.size / 8).max(source.least_memory).min(MEMORY / 2),
    };
    // What the plugin takes for a budget.
    budget.clamp(4 << 10, u32::MAX.into())
}

/// What is wrong with the output, if anything is.
fn wrong(done: &Done) -> Option<String> {
    if let Some(line) = done.output.disorder {
        return Some(format!("line {line} of the output is less than the one before it"));
    }
    let same = done.input.as_ref() == Some(&done.output.fingerprint);
    (!same).then(|| "the lines of the output are not those of the input".to_owned())
}

/// How many things lie in the root now. Others may be at work in it.
fn left_in(root: &ScratchRoot) -> Result<usize> {
    fs::read_dir(root.path())
        .map(Iterator::count)
        .map_err(|cause| format!("look into {}: {cause}", root.path().display()))
}

/// Shows what the plugin wrote to standard error. If even that is closed, nobody is listening.
fn eprint(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
