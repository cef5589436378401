//! The run: the plugin between two pipes, somebody at either end, and one who watches.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wasi_tempfile_host::{Capture, Ending, Outcome, Plugin, RunOptions, ScratchRoot};

use super::check::{self, Broken, Checked, Fingerprint};
use super::destination::Destination;
use super::progress::{self, Contents, Progress};
use super::source::Source;
use crate::command::Result;
use crate::command::watch::Watch;

/// What the plugin is told and given.
pub(super) struct Work {
    /// Bytes of memory for the sort.
    pub(super) budget: u64,
    /// Bytes of memory for plugin and provider together.
    pub(super) memory: u64,
    /// After how many runs the plugin is to trap.
    pub(super) fail_after_runs: Option<u64>,
}

/// What came of it.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    pub(super) took: Duration,
    /// The most that lay in the scratch directory.
    pub(super) most: Contents,
    /// What the plugin wrote to standard error.
    pub(super) stderr: String,
    /// The lines that went in, if all of them did.
    pub(super) input: Option<Fingerprint>,
    pub(super) output: Checked,
}

impl Work {
    pub(super) fn run(
        &self,
        plugin: &Plugin,
        root: &ScratchRoot,
        source: Source,
        destination: &mut Destination,
    ) -> Result<Done> {
        let pipe = || io::pipe().map_err(|cause| format!("make a pipe: {cause}"));
        let ((stdin, feed), (drain, stdout)) = (pipe()?, pipe()?);
        let stderr = Capture::new(64 << 10);
        let run = RunOptions::in_root(root)
            .args(self.arguments())
            .stdin(File::from(OwnedFd::from(stdin)))
            .stdout(File::from(OwnedFd::from(stdout)))
            .stderr(&stderr)
            .memory(self.memory);
        let control = run.control();

        let progress = Arc::new(Progress::of(source.size));
        let cannot_read = format!("read {}", source.name);
        let feeder = feeder(source, feed, &progress)?;
        let (working, worked) = mpsc::channel();
        let watch = Watch::start(&control, None)?;
        let started = Instant::now();
        let (outcome, signal, most, output) = thread::scope(|scope| {
            let (control, progress, to) = (&control, &*progress, &mut *destination);
            let most = scope.spawn(move || progress::watch(control, progress, &worked));
            let output = scope.spawn(move || collect(drain, to, progress));
            let outcome = plugin.run(run);
            let signal = watch.finish();
            // The plugin's end of the pipe is closed by now, and this ends the watch.
            drop::<mpsc::Sender<()>>(working);
            (outcome, signal, most.join().unwrap_or_default(), output.join())
        });
        let took = started.elapsed();

        let outcome = outcome.map_err(|error| error.to_string())?;
        let output = output.map_err(|_| "the check of the output panicked")?;
        let output = output.map_err(|broken| match broken {
            Broken::Read(cause) => format!("read what the plugin writes: {cause}"),
            Broken::Write(cause) => destination.describe(&cause),
        })?;
        // A plugin that has returned has seen the end of its input. The feeder of one that has not may wait for more.
        let input = match outcome.ending {
            Ending::Returned => {
                let fed = feeder.join().map_err(|_| "the reader of the input panicked")?;
                Some(fed.map_err(|cause| format!("{cannot_read}: {cause}"))?)
            }
            _ => None,
        };
        Ok(Done { outcome, signal, took, most, stderr: stderr.text(), input, output })
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments =
            vec!["sort".to_owned(), "--stats".to_owned(), format!("--memory={}", self.budget)];
        arguments.extend(self.fail_after_runs.map(|runs| format!("--fail-after-runs={runs}")));
        arguments
    }
}

/// Starts a thread that gives the input to the plugin. It is not waited for where it might hang.
fn feeder(
    source: Source,
    to: PipeWriter,
    progress: &Arc<Progress>,
) -> Result<JoinHandle<io::Result<Fingerprint>>> {
    let progress = progress.clone();
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || source.feed(to, &progress))
        .map_err(|cause| format!("start a thread: {cause}"))
}

/// Takes what the plugin gives.
fn collect(
    from: PipeReader,
    to: &mut Destination,
    progress: &Progress,
) -> std::result::Result<Checked, Broken> {
    check::lines(from, |line| {
        progress.wrote(line.len());
        to.write(line)
    })
}
