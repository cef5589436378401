//! Sweeps: the removal of directories that processes left when they died.

use std::path::{Path, PathBuf};

use tempfile_core::{CleanupFailure, ErrorCode, Native, Platform, TempDir};

use super::dir::Run;
use super::name::Kind;
use super::{Error, OpenRoot, RootCause, ScratchRoot, mounts, refused};
use crate::system::{self, Dir, Found, Lock, Open};

/// The result of a sweep: full paths, in no order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sweep {
    /// Removed, because nobody had locked it; in a dry run, what would be removed.
    pub removed: Vec<PathBuf>,
    /// In use; of `ComposedSweep`, too young to be removed.
    pub live: Vec<PathBuf>,
    /// Kept on purpose.
    pub kept: Vec<PathBuf>,
    /// Not made by this library or a provider, and left alone.
    pub foreign: Vec<PathBuf>,
    /// Left by a process that died, and could not be removed.
    pub not_removed: Vec<CleanupFailure>,
}

impl Sweep {
    /// Logs the result for an operator.
    pub(super) fn log(&self) {
        for path in &self.removed {
            tracing::info!(path = %path.display(), "removed what a dead process left");
        }
        for path in &self.foreign {
            tracing::warn!(path = %path.display(), "something foreign is in a scratch root");
        }
        for stayed in &self.not_removed {
            let cause = &stayed.error;
            tracing::warn!(path = stayed.path, %cause, "something stayed in a scratch root");
        }
    }
}

impl ScratchRoot {
    /// Removes the directories that processes left when they died. Those in use, kept ones and
    /// foreign entries stay. Any number of processes may sweep at once, while others create.
    ///
    /// A mount point in a directory is not removed, and nothing behind it is touched: it is `busy`.
    ///
    /// # Errors
    ///
    /// If the root cannot be read. What could not be removed is part of the result.
    pub fn sweep(&self) -> Result<Sweep, Error> {
        self.sweep_with_progress(|_| {})
    }

    /// Does what [`sweep`](Self::sweep) does, and shows the result so far before each removal.
    ///
    /// # Errors
    ///
    /// If the root cannot be read. What could not be removed is part of the result.
    pub fn sweep_with_progress(&self, mut show: impl FnMut(&Sweep)) -> Result<Sweep, Error> {
        self.each(true, |opened, name, path, held, sweep| {
            show(sweep);
            let failures = opened.remove(name, held);
            if failures.is_empty() {
                sweep.removed.push(path);
            }
            sweep.not_removed.extend(failures);
        })
    }

    /// Returns what a [`sweep`](Self::sweep) would do, and changes nothing. On Linux it sees mount
    /// points; otherwise what cannot be removed shows only when it is tried.
    ///
    /// # Errors
    ///
    /// If the root cannot be read.
    pub fn sweep_dry(&self) -> Result<Sweep, Error> {
        self.each(false, |_, _, path, _, sweep| {
            let mounts = mounts::below(&path);
            if mounts.is_empty() {
                sweep.removed.push(path);
            }
            sweep.not_removed.extend(mounts.iter().map(|path| stayed(path, ErrorCode::Busy)));
        })
    }

    /// How many directories of ended runs could not be removed, and wait for the next attempt. A
    /// thread tries while the root is open, after pauses of at most ten seconds.
    pub fn waiting(&self) -> usize {
        self.inner.retries.waiting()
    }

    /// Visits every entry of the root, and calls `found` for each directory that nobody had locked.
    /// It is locked meanwhile, and open: for its removal, or as it is.
    fn each(
        &self,
        removes: bool,
        mut found: impl FnMut(&OpenRoot, &str, PathBuf, (Dir, Lock), &mut Sweep),
    ) -> Result<Sweep, Error> {
        let opened = self.current()?;
        let open: Open = if removes { Native::open_for_removal } else { Native::open_directory };
        let mut sweep = Sweep::default();
        for name in opened.names().map_err(|cause| self.error(cause))? {
            let path = self.path().join(system::file_name(name.clone()));
            let name = str::from_utf8(&name).unwrap_or_default();
            match Kind::of(name) {
                Kind::Run => {}
                Kind::Lock(run) => {
                    if removes {
                        system::remove_stray_lock(&opened.dir, run);
                    }
                    continue;
                }
                Kind::Kept => {
                    sweep.kept.push(path);
                    continue;
                }
                Kind::Foreign => {
                    sweep.foreign.push(path);
                    continue;
                }
            }
            match system::look(&opened.dir, name, open) {
                Ok(Found::Orphan(dir, lock)) => {
                    found(&opened, name, path, (dir, lock), &mut sweep);
                }
                Ok(Found::Live) => sweep.live.push(path),
                Ok(Found::Foreign) => sweep.foreign.push(path),
                Ok(Found::Gone) => {}
                Err(code) => sweep.not_removed.push(stayed(&path, code)),
            }
        }
        Ok(sweep)
    }
}

impl OpenRoot {
    /// Removes a directory that an ended run has left, unless somebody has locked it. Returns
    /// whether it is gone.
    pub(super) fn remove_left(&self, name: &str) -> bool {
        match system::look(&self.dir, name, Native::open_for_removal) {
            Ok(Found::Orphan(dir, lock)) => {
                let removed = self.remove(name, (dir, lock)).is_empty();
                if removed {
                    tracing::info!(name, "removed a scratch directory at a later attempt");
                }
                removed
            }
            Ok(Found::Gone | Found::Foreign) => true,
            Ok(Found::Live) | Err(_) => false,
        }
    }

    /// The names that are directly in it now.
    pub(super) fn names(&self) -> Result<Vec<Vec<u8>>, RootCause> {
        let list = || Native.entries(&self.dir)?.map(|entry| Ok(entry?.name)).collect();
        let names: Result<_, ErrorCode> = list();
        names.map_err(|code| refused(code, "list", &self.context.path))
    }

    /// Removes a directory that is open, and returns what could not be removed.
    pub(super) fn remove(&self, name: &str, (held, lock): (Dir, Lock)) -> Vec<CleanupFailure> {
        let guarded = TempDir::guard(&self.context, &self.location, name, held);
        let directory = match guarded {
            Ok(directory) => directory,
            Err(error) => return vec![CleanupFailure { path: self.shown(name), error }],
        };
        let mut run = Run { name: name.to_owned(), directory, lock };
        let failures = run.remove(&self.dir);
        // The failures are returned, so the drop need not try again.
        let _ = run.directory.keep();
        failures
    }

    fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.context.path)
    }
}

pub(super) fn stayed(path: &Path, code: ErrorCode) -> CleanupFailure {
    let path = path.to_string_lossy().into_owned();
    let error = tempfile_core::Error::new(code, "remove", &path);
    CleanupFailure { path, error }
}
