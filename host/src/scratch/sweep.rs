//! Sweeps: the removal of directories that processes left when they died.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use getrandom::SysRng;
use rustix::fs as sys;
use tempfile_core::{
    CleanupFailure, ErrorCode, Native, Options, Platform, TempDir, under_new_name,
};

use super::{Error, KEPT, RUN, ScratchRoot, TRASH, lock};

/// The result of a sweep: full paths, in no order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sweep {
    /// Removed, because nobody had locked it; in a dry run, what would be removed.
    pub removed: Vec<PathBuf>,
    /// In use.
    pub live: Vec<PathBuf>,
    /// Kept on purpose.
    pub kept: Vec<PathBuf>,
    /// Not made by this library, and left alone.
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

/// The kind of a directory, by its name.
enum Kind {
    Owned,
    Trash,
    Kept,
    Foreign,
}

impl Kind {
    fn of(name: &str) -> Self {
        let random = |prefix: &str| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                rest.len() == usize::from(tempfile_core::DEFAULT_RANDOM_CHARS)
                    && rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
            })
        };
        match () {
            () if random(RUN) => Kind::Owned,
            () if random(TRASH) => Kind::Trash,
            () if random(KEPT) => Kind::Kept,
            () => Kind::Foreign,
        }
    }
}

/// Opens a directory: as it is, or in order to remove it.
type Open = fn(&Native, &Arc<OwnedFd>, &[u8]) -> Result<Arc<OwnedFd>, ErrorCode>;

/// What was found at a name of ours.
enum Found {
    /// A directory that nobody had locked. It is locked now, while this handle is open.
    Orphan(Arc<OwnedFd>),
    Live,
    Foreign,
    Gone,
}

impl ScratchRoot {
    /// Removes the directories that processes left when they died. Those in use, kept ones and
    /// foreign entries stay. Any number of processes may sweep at once, while others create.
    ///
    /// # Errors
    ///
    /// If the root cannot be read. What could not be removed is part of the result.
    pub fn sweep(&self) -> Result<Sweep, Error> {
        self.each(Native::open_for_removal, |root, name, trash, sweep| {
            match root.remove(name, trash) {
                Ok(failures) if failures.is_empty() => sweep.removed.push(root.path().join(name)),
                Ok(failures) => sweep.not_removed.extend(failures),
                // Its creator found it locked, and has removed it itself.
                Err(ErrorCode::NoEntry) => {}
                Err(code) => sweep.not_removed.push(root.stayed(name, code)),
            }
        })
    }

    /// Returns what a [`sweep`](Self::sweep) would do, and changes nothing.
    ///
    /// # Errors
    ///
    /// If the root cannot be read.
    pub fn sweep_dry(&self) -> Result<Sweep, Error> {
        self.each(Native::open_directory, |root, name, _, sweep| {
            sweep.removed.push(root.path().join(name))
        })
    }

    /// Visits every entry of the root, and calls `found` for each directory that nobody had locked.
    /// It is locked meanwhile.
    fn each(
        &self,
        open: Open,
        mut found: impl FnMut(&Self, &str, bool, &mut Sweep),
    ) -> Result<Sweep, Error> {
        let mut sweep = Sweep::default();
        let failed = |errno| self.failed("read it", errno);
        // All names before the first change, because what is renamed meanwhile may be listed twice.
        let entries: Vec<_> =
            sys::Dir::read_from(&self.inner.dir).and_then(|dir| dir.collect()).map_err(failed)?;
        for entry in entries {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let path = self.path().join(OsStr::from_bytes(name.to_bytes()));
            let name = name.to_str().unwrap_or_default();
            let trash = match Kind::of(name) {
                Kind::Kept => {
                    sweep.kept.push(path);
                    continue;
                }
                Kind::Foreign => {
                    sweep.foreign.push(path);
                    continue;
                }
                Kind::Owned => false,
                Kind::Trash => true,
            };
            match self.look(name, open) {
                Ok(Found::Orphan(held)) => {
                    found(self, name, trash, &mut sweep);
                    drop(held);
                }
                // Another sweep is removing it.
                Ok(Found::Live) if trash => {}
                Ok(Found::Live) => sweep.live.push(path),
                Ok(Found::Foreign) => sweep.foreign.push(path),
                Ok(Found::Gone) => {}
                Err(code) => sweep.not_removed.push(self.stayed(name, code)),
            }
        }
        Ok(sweep)
    }

    /// Opens a directory with a name of ours, and locks it if nobody else has.
    fn look(&self, name: &str, open: Open) -> Result<Found, ErrorCode> {
        let dir = match open(&Native, &self.inner.dir, name.as_bytes()) {
            Ok(dir) => dir,
            Err(ErrorCode::NoEntry) => return Ok(Found::Gone),
            Err(ErrorCode::NotDirectory) => return Ok(Found::Foreign),
            Err(code) => return Err(code),
        };
        let io = |_| ErrorCode::Io;
        if sys::fstat(&dir).map_err(io)?.st_uid != rustix::process::geteuid().as_raw() {
            return Ok(Found::Foreign);
        }
        if !lock(&dir).map_err(io)? {
            return Ok(Found::Live);
        }
        // Its owner, or another sweep, may have removed it before we had the lock.
        Ok(if self.is_still(name, &dir).map_err(io)? { Found::Orphan(dir) } else { Found::Gone })
    }

    /// Removes a directory that we have locked, and returns what could not be removed.
    fn remove(&self, name: &str, trash: bool) -> Result<Vec<CleanupFailure>, ErrorCode> {
        let root = &self.inner.dir;
        let trashed = if trash {
            name.to_owned()
        } else {
            let options =
                Options { prefix: TRASH.to_owned(), suffix: String::new(), ..Options::default() };
            let rename = |free: &str| Native.rename(root, name.as_bytes(), root, free.as_bytes());
            under_new_name(&options, &mut SysRng, rename)?.1
        };
        let adopted = TempDir::adopt(&self.inner.context, &self.inner.location, &trashed);
        let mut directory = adopted.map_err(|error| error.code)?;
        let failures = directory.close().err().unwrap_or_default();
        // The failures are in the result, so the drop need not try again.
        let _ = directory.keep();
        Ok(failures)
    }

    fn stayed(&self, name: &str, code: ErrorCode) -> CleanupFailure {
        let path = self.path().join(name).to_string_lossy().into_owned();
        let error = tempfile_core::Error::new(code, "remove", &path);
        CleanupFailure { path, error }
    }
}
