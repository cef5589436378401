//! `wasi-tempfile sweep`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use wasi_tempfile_host::ScratchRoot;

use super::{HOST_FAILED, Result, complain, files};

/// Remove what dead owners left in a scratch root
///
/// A scratch directory is removed when the kernel says that no process holds it, whatever its age.
/// What is in use, was kept, or was not made by this program stays. Every run sweeps its root
/// first; this is for roots that nobody uses any more. Each line says what became of an entry:
/// `removed`, `live`, `kept` or `foreign`.
#[derive(Args)]
pub(crate) struct SweepRoot {
    /// The root
    #[arg(value_name = "ROOT")]
    root: PathBuf,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl SweepRoot {
    pub(super) fn run(self) -> Result {
        let root = ScratchRoot::open_unswept(&self.root).map_err(|error| error.to_string())?;
        let sweep = if self.dry_run { root.sweep_dry() } else { root.sweep() };
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
        let text: String =
            lines.iter().map(|(word, path)| format!("{word:8} {}\n", path.display())).collect();
        files::print(&text)?;
        for stayed in &sweep.not_removed {
            complain(&stayed.error);
        }
        Ok(ExitCode::from(if sweep.not_removed.is_empty() { 0 } else { HOST_FAILED }))
    }
}
