//! The scratch directory of one instance.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tempfile_core::{CleanupFailure, ErrorCode, Native, Platform, TempDir};

use super::open_root::{OpenRoot, RootContext};
use super::{ScratchRoot, name, refused, retry};
use crate::error::{Error, RootCause};
use crate::system::{self, Dir, Lock};

/// The scratch directory of one instance. [`close`](Self::close) removes it with everything in it
/// and reports failures; a drop does the same and logs them.
///
/// It is locked until the drop, so only then can a sweep remove what `close` could not. What a drop
/// could not remove is tried again while the root is open, after longer and longer pauses: see
/// [`ScratchRoot::waiting`].
pub struct ScratchDir {
    pub(super) path: PathBuf,
    pub(super) root: ScratchRoot,
    pub(super) opened: Arc<OpenRoot>,
    /// In a mutex, because another thread removes the directory of an abandoned run.
    pub(super) run: Mutex<Run>,
}

impl ScratchDir {
    /// The path of the directory. It is for the embedder: no plugin gets it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(crate) fn handle(&self) -> Result<Dir, Error> {
        self.run().directory.get_ref().cloned().map_err(|cause| self.refused(cause))
    }

    /// The names that are directly in it now, in no order.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or is gone.
    pub fn entries(&self) -> io::Result<Vec<OsString>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Removes the directory, and returns what could not be removed. Call it again to try again.
    pub fn close(&self) -> Vec<CleanupFailure> {
        self.run().remove(&self.opened.dir)
    }

    /// Keeps the directory under another name, which no sweep removes, and returns its new path.
    /// Removing it is then up to you.
    ///
    /// Windows renames no directory in which a file is open. After some attempts it keeps its name,
    /// and is foreign to sweeps.
    ///
    /// # Errors
    ///
    /// If it has been closed, or cannot be renamed.
    pub fn keep(&self) -> Result<PathBuf, Error> {
        let mut run = self.run();
        let handle = run.directory.get_ref().map_err(|cause| self.refused(cause))?.clone();
        let kept = name::kept(&run.name);
        let root = &self.opened.dir;
        // The random part is as hard to guess as before, so the name is free.
        let renamed = try_again_while(
            |renamed: &Result<_, _>| renamed.is_err_and(may_pass),
            || Native.rename(root, run.name.as_bytes(), root, kept.as_bytes()),
        );
        let path = match renamed {
            Ok(()) => self.path.with_file_name(kept),
            Err(code) if system::OPEN_FILES_PREVENT_RENAMES && may_pass(code) => self.path.clone(),
            Err(code) => {
                let path = self.path.to_string_lossy();
                return Err(self.root.error(refused(code, "rename", &path)));
            }
        };
        system::unmark(&handle);
        run.directory.keep().map_err(|cause| self.refused(cause))?;
        let Run { name, lock, .. } = &mut *run;
        system::remove_lock(root, name, lock);
        Ok(path)
    }

    fn refused(&self, cause: tempfile_core::Error) -> Error {
        self.root.error(RootCause::Refused { cause })
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let stayed = self.close();
        for CleanupFailure { path, error } in &stayed {
            tracing::warn!(path, cause = %error, "something stayed in a scratch directory");
        }
        if !stayed.is_empty() {
            let mut run = self.run();
            // A later attempt opens it anew. This one has failed, so the guard need not try again.
            let _ = run.directory.keep();
            run.lock.release();
            retry::later(&self.root.inner, self.opened.clone(), run.name.clone());
        }
    }
}

impl std::fmt::Debug for ScratchDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchDir").field(&self.path).finish()
    }
}

/// The directory of a run, and the lock on it.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) directory: TempDir<RootContext>,
    pub(super) lock: Lock,
}

impl Run {
    /// Removes the directory, and then its lock.
    pub(super) fn remove(&mut self, root: &Dir) -> Vec<CleanupFailure> {
        let failures = try_again_while(
            |failures: &Vec<CleanupFailure>| {
                failures.iter().any(|failure| may_pass(failure.error.code))
            },
            || self.directory.close().err().unwrap_or_default(),
        );
        if failures.is_empty() {
            system::remove_lock(root, &self.name, &mut self.lock);
        }
        failures
    }
}

/// Tries something again, after pauses, while somebody else may be in the way for a moment.
fn try_again_while<T>(in_the_way: impl Fn(&T) -> bool, mut attempt: impl FnMut() -> T) -> T {
    let mut result = attempt();
    for pause in system::PAUSES {
        if !in_the_way(&result) {
            break;
        }
        thread::sleep(pause);
        result = attempt();
    }
    result
}

/// Whether somebody else may have a file open for a moment.
fn may_pass(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Access | ErrorCode::Busy)
}
