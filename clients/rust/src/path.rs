//! A name, and the promise to remove it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{io_error, path_str};
use crate::file::File;
use crate::interface::{self, Durability, ReplaceMode};

/// A file's name, and the promise to remove it: dropped, it removes the name. The file itself may be open or closed.
pub struct TempPath {
    /// Boxed: a failed persist gives this back inside its error, which should not weigh on every result.
    inner: Box<interface::TempPath>,
    /// Asked for when it is first read.
    path: OnceLock<Arc<str>>,
    disable_cleanup: bool,
}

impl TempPath {
    pub(crate) fn new(inner: interface::TempPath, disable_cleanup: bool) -> Self {
        TempPath { inner: Box::new(inner), path: OnceLock::new(), disable_cleanup }
    }

    /// Opens the file again, with a cursor of its own.
    ///
    /// # Errors
    /// `no-entry` if the name is gone, `replaced` if it is another file's now.
    pub fn reopen(&self) -> io::Result<File> {
        self.inner.reopen().map(File::new).map_err(io_error)
    }

    /// Removes the name and says whether that worked, which a drop does not.
    ///
    /// # Errors
    /// `replaced` if the name is another file's now; `access` and others of the system.
    pub fn close(self) -> io::Result<()> {
        self.inner.close().map_err(io_error)
    }

    /// Renames the file to `new_path`, replacing what is there, and keeps it.
    ///
    /// # Errors
    /// With the path given back, still guarded: `cross-device`, `is-directory`, `no-entry`, `replaced`, `access` and others of the system.
    pub fn persist<P: AsRef<Path>>(self, new_path: P) -> Result<(), PathPersistError> {
        self.persist_with(new_path, ReplaceMode::Overwrite, Durability::None)
    }

    /// Renames the file to `new_path`, which must be free, and keeps it.
    ///
    /// # Errors
    /// As [`persist`](Self::persist), and `exist`.
    pub fn persist_noclobber<P: AsRef<Path>>(self, new_path: P) -> Result<(), PathPersistError> {
        self.persist_with(new_path, ReplaceMode::NoClobber, Durability::None)
    }

    /// Renames the file to `new_path` and keeps it. With [`Durability::Full`] it survives a power cut once this returns.
    ///
    /// # Errors
    /// As [`persist`](Self::persist) or [`persist_noclobber`](Self::persist_noclobber); `io` if it could not be synced.
    pub fn persist_with<P: AsRef<Path>>(
        self,
        new_path: P,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), PathPersistError> {
        let target = path_str(new_path.as_ref());
        match target
            .and_then(|target| self.inner.persist(target, mode, durability).map_err(io_error))
        {
            Ok(()) => Ok(()),
            Err(error) => Err(PathPersistError { error, path: self }),
        }
    }

    /// Keeps the file where it is, and returns its path.
    ///
    /// # Errors
    /// With the path given back.
    pub fn keep(self) -> Result<PathBuf, PathPersistError> {
        match self.inner.keep() {
            Ok(path) => Ok(path.into()),
            Err(error) => Err(PathPersistError { error: io_error(error), path: self }),
        }
    }

    /// Whether the file stays when this is dropped. [`close`](Self::close) removes it in any case.
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.disable_cleanup = disable_cleanup;
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        if self.disable_cleanup {
            // The only failure is that there was nothing to keep.
            let _ = self.inner.keep();
        }
    }
}

impl fmt::Debug for TempPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}

impl Deref for TempPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        Path::new(&**self.path.get_or_init(|| self.inner.shared_path()))
    }
}

impl AsRef<Path> for TempPath {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl AsRef<OsStr> for TempPath {
    fn as_ref(&self) -> &OsStr {
        self.as_os_str()
    }
}

/// A path that could not be persisted, given back.
#[derive(Debug)]
pub struct PathPersistError {
    /// Why.
    pub error: io::Error,
    /// The path, still guarded.
    pub path: TempPath,
}

impl fmt::Display for PathPersistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to persist temporary file path: {}", self.error)
    }
}

impl std::error::Error for PathPersistError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PathPersistError> for io::Error {
    fn from(error: PathPersistError) -> io::Error {
        error.error
    }
}

impl From<PathPersistError> for TempPath {
    fn from(error: PathPersistError) -> TempPath {
        error.path
    }
}
