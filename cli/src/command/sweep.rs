//! `wasi-tempfile sweep`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use wasi_tempfile_host::{ComposedSweep, ScratchRoot, Sweep};

use super::progress::Progress;
use super::terminal::printable;
use super::values::{duration, interval};
use super::{HOST_FAILED, Result, complain, files, system};

/// Remove the scratch directories that killed processes left in a root
///
/// A scratch directory is removed if it has the mark of one and no process has it locked, whatever
/// its age. Everything else in the root stays as it is. Every run sweeps its root first; use this
/// for roots that no run uses any more. Each line names an entry and what became of it: `removed`,
/// `live` (in use), `kept` (by `run --keep`) or `foreign` (not made by this program). What could
/// not be removed, such as a mount point, is named on standard error, and the exit code is 3.
///
/// With --composed, remove the temporary files and directories that composed plugins left in a
/// directory of another host when they trapped. Nothing on disk shows that such a file is not in
/// use any more, so its age decides: `live` then means younger than --older-than.
#[derive(Args)]
pub(crate) struct SweepRoot {
    /// The root, or the directory that composed plugins write to
    #[arg(value_name = "ROOT")]
    root: PathBuf,

    /// Print what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,

    /// Remove what composed plugins left on another host
    ///
    /// That is files and directories of this user's whose names are a prefix and random
    /// characters, with or without a suffix such as `.txt`, and which nothing has changed for the
    /// time of --older-than. Use it only for a directory that plugins alone write to.
    #[arg(long, requires = "older_than")]
    composed: bool,

    /// Remove what was last changed at least this long ago: choose a time that is longer than any
    /// plugin keeps a temporary file. TIME is a number with a unit: 500ms, 10s, 2m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "composed")]
    older_than: Option<Duration>,

    /// A prefix of names besides `tmp` and `.tmp`; may be repeated
    #[arg(
        long,
        value_name = "PREFIX",
        value_parser = NonEmptyStringValueParser::new(),
        requires = "composed",
    )]
    prefix: Vec<String>,

    /// The number of random characters in names, 8 to 255; those of the Python client have 8
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 16,
        value_parser = clap::value_parser!(u8).range(8..),
        requires = "composed",
    )]
    random_chars: u8,

    /// Go on for ever, and sweep at this interval
    ///
    /// Only what is removed is printed then, and what cannot be removed is named every time. If the
    /// directory cannot be read, the first sweep ends the command; a later one says so, once for
    /// each reason, and the next one tries again. If nothing can be printed, the command ends.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    every: Option<Duration>,
}

impl SweepRoot {
    pub(super) fn run(self) -> Result {
        let first = self.result().map_err(|error| error.to_string())?;
        if self.composed && system::may_others_write(&self.root) {
            complain(format_args!(
                "others may write to {}, and can give a file of yours a name that is swept",
                self.root.display()
            ));
        }
        let Some(interval) = self.every else {
            report(&first, &["removed", "live", "kept", "foreign"])?;
            return Ok(ExitCode::from(if first.not_removed.is_empty() { 0 } else { HOST_FAILED }));
        };
        let mut result = Ok(first);
        // The reason that was said last. A volume may be away for hours.
        let mut said = None;
        loop {
            match result {
                Ok(sweep) if !report(&sweep, &["removed"])? => return Ok(ExitCode::SUCCESS),
                Ok(_) => said = None,
                Err(reason) => {
                    if said.as_ref() != Some(&reason) {
                        complain(&reason);
                    }
                    said = Some(reason);
                }
            }
            thread::sleep(interval);
            result = self.result().map_err(|error| error.to_string());
        }
    }

    fn result(&self) -> std::result::Result<Sweep, wasi_tempfile_host::Error> {
        if let Some(age) = self.older_than {
            let prefixes = self.prefix.iter().cloned();
            let composed = ComposedSweep::older_than(age).random_chars(self.random_chars);
            let composed = prefixes.fold(composed, ComposedSweep::prefix);
            return match self.dry_run {
                true => composed.sweep_dry(&self.root),
                false => composed.sweep(&self.root),
            };
        }
        let root = ScratchRoot::open_unswept(&self.root)?;
        let mut progress = Progress::start();
        let mut show = |sweep: &Sweep| progress.show(|| progress_of(sweep));
        if self.dry_run { root.sweep_dry() } else { root.sweep_with_progress(&mut show) }
    }
}

/// Prints the lines of a sweep with one of these words, and what could not be removed. Returns
/// whether there may be a reader for more.
fn report(sweep: &Sweep, words: &[&str]) -> Result<bool> {
    let mut lines: Vec<(&str, &Path)> = Vec::new();
    for (word, paths) in [
        ("removed", &sweep.removed),
        ("live", &sweep.live),
        ("kept", &sweep.kept),
        ("foreign", &sweep.foreign),
    ] {
        if words.contains(&word) {
            lines.extend(paths.iter().map(|path| (word, path.as_path())));
        }
    }
    lines.sort_by_key(|(_, path)| path.to_owned());
    let text: String = lines
        .iter()
        .map(|(word, path)| format!("{word:8} {}\n", printable(path.display())))
        .collect();
    // First, since standard output may be closed or full.
    for stayed in &sweep.not_removed {
        complain(&stayed.error);
    }
    files::print_if_read(&text)
}

fn progress_of(sweep: &Sweep) -> String {
    match (sweep.removed.len(), sweep.not_removed.len()) {
        (removed, 0) => format!("{removed} directories removed"),
        (removed, stayed) => format!("{removed} directories removed, {stayed} paths stayed"),
    }
}
