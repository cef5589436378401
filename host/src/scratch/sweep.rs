//! Sweeps: the removal of directories that processes left when they died.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self as sys, AtFlags};
use rustix::io::Errno;
use tempfile_core::{CleanupFailure, ErrorCode, Native, Platform, TempDir, error_code_of};

use super::name::{Kind, is_marked};
use super::{Error, OpenRoot, ScratchRoot, failed, identity, mounts, try_lock};

/// The result of a sweep: full paths, in no order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sweep {
    /// Removed, because nobody had locked it; in a dry run, what would be removed.
    pub removed: Vec<PathBuf>,
    /// In use; of [`Leftovers`](super::Leftovers), too young to be removed.
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

/// Opens a directory: as it is, or in order to remove it.
type Open = fn(&Native, &Arc<OwnedFd>, &[u8]) -> Result<Arc<OwnedFd>, ErrorCode>;

/// What was found at a name of ours.
enum Found {
    /// A directory that nobody had locked. It is locked now, while this handle is open.
    Orphan(Arc<OwnedFd>),
    /// In use, or being removed by another sweep.
    Live,
    Foreign,
    Gone,
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
        self.each(Native::open_for_removal, |opened, name, path, held, sweep| {
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
        self.each(Native::open_directory, |_, _, path, _, sweep| {
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
    /// It is locked meanwhile.
    fn each(
        &self,
        open: Open,
        mut found: impl FnMut(&OpenRoot, &str, PathBuf, Arc<OwnedFd>, &mut Sweep),
    ) -> Result<Sweep, Error> {
        let opened = self.current()?;
        let mut sweep = Sweep::default();
        for entry in sys::Dir::read_from(&opened.dir).map_err(|errno| self.unlisted(errno))? {
            let entry = entry.map_err(|errno| self.unlisted(errno))?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let path = self.path().join(OsStr::from_bytes(name.to_bytes()));
            let name = name.to_str().unwrap_or_default();
            match Kind::of(name) {
                Kind::Run => {}
                Kind::Kept => {
                    sweep.kept.push(path);
                    continue;
                }
                Kind::Foreign => {
                    sweep.foreign.push(path);
                    continue;
                }
            }
            match opened.look(name, open) {
                Ok(Found::Orphan(held)) => found(&opened, name, path, held, &mut sweep),
                Ok(Found::Live) => sweep.live.push(path),
                Ok(Found::Foreign) => sweep.foreign.push(path),
                Ok(Found::Gone) => {}
                Err(code) => sweep.not_removed.push(stayed(&path, code)),
            }
        }
        Ok(sweep)
    }

    fn unlisted(&self, errno: Errno) -> Error {
        self.error(failed("list")(errno))
    }
}

impl OpenRoot {
    /// Removes a directory that an ended run has left, unless somebody has locked it. Returns
    /// whether it is gone.
    pub(super) fn remove_left(&self, name: &str) -> bool {
        match self.look(name, Native::open_for_removal) {
            Ok(Found::Orphan(held)) => {
                let removed = self.remove(name, held).is_empty();
                if removed {
                    tracing::info!(name, "removed a scratch directory at a later attempt");
                }
                removed
            }
            Ok(Found::Gone | Found::Foreign) => true,
            Ok(Found::Live) | Err(_) => false,
        }
    }

    /// Opens a directory with a name of ours if it has the mark, and locks it if nobody else has.
    /// Before the look at the mark, nothing is changed.
    fn look(&self, name: &str, open: Open) -> Result<Found, ErrorCode> {
        let code = |errno: Errno| error_code_of(&errno.into());
        let marked = match sys::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if is_marked(&stat) => stat,
            Ok(_) => return Ok(Found::Foreign),
            Err(Errno::NOENT) => return Ok(Found::Gone),
            Err(errno) => return Err(code(errno)),
        };
        let dir = match open(&Native, &self.dir, name.as_bytes()) {
            Ok(dir) => dir,
            Err(ErrorCode::NoEntry) => return Ok(Found::Gone),
            Err(code) => return Err(code),
        };
        if identity(&sys::fstat(&dir).map_err(code)?) != identity(&marked) {
            return Ok(Found::Gone);
        }
        match try_lock(&dir) {
            // One that its owner has closed was opened only to look, and has no lock.
            Ok(true) | Err(Errno::BADF) => {}
            Ok(false) => return Ok(Found::Live),
            Err(errno) => return Err(code(errno)),
        }
        // Its owner, or another sweep, may have removed it before we had the lock.
        let is_still = self.is_still(name, &dir).map_err(code)?;
        Ok(if is_still { Found::Orphan(dir) } else { Found::Gone })
    }

    /// Removes a directory that is open, and returns what could not be removed.
    pub(super) fn remove(&self, name: &str, held: Arc<OwnedFd>) -> Vec<CleanupFailure> {
        let guarded = TempDir::guard(&self.context, &self.location, name, held);
        let mut directory = match guarded {
            Ok(directory) => directory,
            Err(error) => return vec![CleanupFailure { path: self.shown(name), error }],
        };
        let failures = directory.close().err().unwrap_or_default();
        // The failures are returned, so the drop need not try again.
        let _ = directory.keep();
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
