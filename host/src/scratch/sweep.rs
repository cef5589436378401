//! Removing what dead owners left.

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

/// What a sweep found in a root: full paths, in no order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sweep {
    /// What a dead owner left, and is gone now; in a dry run, what would go.
    pub removed: Vec<PathBuf>,
    /// What has a living owner.
    pub live: Vec<PathBuf>,
    /// What was kept for good.
    pub kept: Vec<PathBuf>,
    /// What was not made here, and is left alone.
    pub foreign: Vec<PathBuf>,
    /// What a dead owner left, and could not be removed.
    pub not_removed: Vec<CleanupFailure>,
}

impl Sweep {
    /// Tells an operator.
    pub(super) fn log(&self) {
        for path in &self.removed {
            tracing::info!(path = %path.display(), "removed what a dead owner left");
        }
        for path in &self.foreign {
            tracing::warn!(path = %path.display(), "something foreign lies in a scratch root");
        }
        for stayed in &self.not_removed {
            tracing::warn!(path = stayed.path, cause = %stayed.error, "something stayed in a scratch root");
        }
    }
}

/// What a name says of its directory.
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

/// How a directory with a name of ours is opened: as it is, or so that it can be removed.
type Open = fn(&Native, &Arc<OwnedFd>, &[u8]) -> Result<Arc<OwnedFd>, ErrorCode>;

/// What a name that looks like ours turns out to be.
enum Found {
    /// A directory without an owner; held by us from now on, for as long as this handle is open.
    Orphan(Arc<OwnedFd>),
    Live,
    Foreign,
    Gone,
}

impl ScratchRoot {
    /// Removes what dead owners left. What is alive, kept or foreign stays. Any number of processes may sweep at once, while others create.
    ///
    /// # Errors
    ///
    /// If the root cannot be read. What could not be removed is part of the answer.
    pub fn sweep(&self) -> Result<Sweep, Error> {
        self.each(Native::open_for_removal, |root, name, trash, sweep| {
            match root.remove(name, trash) {
                Ok(failures) if failures.is_empty() => sweep.removed.push(root.path().join(name)),
                Ok(failures) => sweep.not_removed.extend(failures),
                // Its creator lost the race for the lock, and took it back itself.
                Err(ErrorCode::NoEntry) => {}
                Err(code) => sweep.not_removed.push(root.stayed(name, code)),
            }
        })
    }

    /// Says what a [`sweep`](Self::sweep) would do, and does nothing.
    ///
    /// # Errors
    ///
    /// If the root cannot be read.
    pub fn sweep_dry(&self) -> Result<Sweep, Error> {
        self.each(Native::open_directory, |root, name, _, sweep| {
            sweep.removed.push(root.path().join(name))
        })
    }

    /// Looks at everything in the root, and does this with what dead owners left; it is held meanwhile.
    fn each(
        &self,
        open: Open,
        mut found: impl FnMut(&Self, &str, bool, &mut Sweep),
    ) -> Result<Sweep, Error> {
        let mut sweep = Sweep::default();
        let failed = |errno| self.failed("read it", errno);
        // All names before the first change: what is renamed meanwhile might be listed twice.
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
                // Another sweep is at it.
                Ok(Found::Live) if trash => {}
                Ok(Found::Live) => sweep.live.push(path),
                Ok(Found::Foreign) => sweep.foreign.push(path),
                Ok(Found::Gone) => {}
                Err(code) => sweep.not_removed.push(self.stayed(name, code)),
            }
        }
        Ok(sweep)
    }

    /// Looks at a directory with a name of ours, and holds it if it has no owner.
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
        // Its owner, or another sweep, may have been done with it while we came to the lock.
        Ok(if self.is_still(name, &dir).map_err(io)? { Found::Orphan(dir) } else { Found::Gone })
    }

    /// Removes a directory that we hold, and says what stayed.
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
        // What stayed is in the answer; the drop need not try again.
        let _ = directory.keep();
        Ok(failures)
    }

    fn stayed(&self, name: &str, code: ErrorCode) -> CleanupFailure {
        let path = self.path().join(name).to_string_lossy().into_owned();
        let error = tempfile_core::Error::new(code, "remove", &path);
        CleanupFailure { path, error }
    }
}
