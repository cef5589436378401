//! `wasi-tempfile sweep`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::{ScratchRoot, Sweep};

use super::progress::Progress;
use super::terminal::printable;
use super::{HOST_FAILED, Result, complain, files};

/// Remove the scratch directories that killed processes left in a root
///
/// A scratch directory is removed if it has the mark of one and no process has it locked, whatever
/// its age. Everything else in the root stays as it is. Every run sweeps its root first; use this
/// for roots that no run uses any more. Each line names an entry and what became of it: `removed`,
/// `live` (in use), `kept` (by `run --keep`) or `foreign` (not made by this program). What could
/// not be removed, such as a mount point, is named on standard error, and the exit code is 3.
#[derive(Args)]
pub(crate) struct SweepRoot {
    /// The root
    #[arg(value_name = "ROOT")]
    root: PathBuf,

    /// Print what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl SweepRoot {
    pub(super) fn run(self) -> Result {
        let root = ScratchRoot::open_unswept(&self.root).map_err(|error| error.to_string())?;
        let mut progress = Progress::start();
        let mut show = |sweep: &Sweep| progress.show(|| progress_of(sweep));
        let sweep =
            if self.dry_run { root.sweep_dry() } else { root.sweep_with_progress(&mut show) };
        drop(progress);
        let sweep = sweep.map_err(|error| error.to_string())?;
        let mut lines: Vec<(&str, &Path)> = Vec::new();
        for (word, paths) in [
            ("removed", &sweep.removed),
            ("live", &sweep.live),
            ("kept", &sweep.kept),
            ("foreign", &sweep.foreign),
        ] {
            lines.extend(paths.iter().map(|path| (word, path.as_path())));
        }
        lines.sort_by_key(|(_, path)| path.to_owned());
        let text: String = lines
            .iter()
            .map(|(word, path)| format!("{word:8} {}\n", printable(path.display())))
            .collect();
        files::print(&text)?;
        for stayed in &sweep.not_removed {
            complain(&stayed.error);
        }
        Ok(ExitCode::from(if sweep.not_removed.is_empty() { 0 } else { HOST_FAILED }))
    }
}

fn progress_of(sweep: &Sweep) -> String {
    match (sweep.removed.len(), sweep.not_removed.len()) {
        (removed, 0) => format!("{removed} directories removed"),
        (removed, stayed) => format!("{removed} directories removed, {stayed} paths stayed"),
    }
}
