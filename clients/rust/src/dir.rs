//! A directory that is removed with everything in it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builder::Builder;
use crate::error::{cleanup_error, io_error, path_str};
use crate::file::File;
use crate::interface::{self, CleanupFailure, Entry};

/// Creates a directory in the default directory.
///
/// # Errors
/// `no-scratch`, `access`, `no-space` and others of the system.
pub fn tempdir() -> io::Result<TempDir> {
    TempDir::new()
}

/// Creates a directory in the directory `dir`.
///
/// # Errors
/// As [`tempdir`], and those of `dir`: `no-entry`, `not-directory`.
pub fn tempdir_in<P: AsRef<Path>>(dir: P) -> io::Result<TempDir> {
    TempDir::new_in(dir)
}

/// A temporary directory, removed with everything in it when this is dropped.
///
/// What is in it is reached through its own methods, by relative path: `std::fs` does not see a plugin's scratch directory.
pub struct TempDir {
    inner: interface::TempDir,
    path: Arc<str>,
    disable_cleanup: bool,
}

impl TempDir {
    pub(crate) fn from_interface(inner: interface::TempDir, disable_cleanup: bool) -> Self {
        let path = inner.shared_path();
        TempDir { inner, path, disable_cleanup }
    }

    /// Creates a directory in the default directory, named `.tmp` and random characters.
    ///
    /// # Errors
    /// As [`tempdir`].
    pub fn new() -> io::Result<TempDir> {
        Builder::new().tempdir()
    }

    /// Creates a directory in the directory `dir`.
    ///
    /// # Errors
    /// As [`tempdir_in`].
    pub fn new_in<P: AsRef<Path>>(dir: P) -> io::Result<TempDir> {
        Builder::new().tempdir_in(dir)
    }

    /// Creates a directory whose name begins with `prefix`.
    ///
    /// # Errors
    /// As [`tempdir`], and `invalid-name`.
    pub fn with_prefix<S: AsRef<OsStr>>(prefix: S) -> io::Result<TempDir> {
        Builder::new().prefix(&prefix).tempdir()
    }

    /// Creates a directory whose name ends with `suffix`.
    ///
    /// # Errors
    /// As [`tempdir`], and `invalid-name`.
    pub fn with_suffix<S: AsRef<OsStr>>(suffix: S) -> io::Result<TempDir> {
        Builder::new().suffix(&suffix).tempdir()
    }

    /// Creates a directory in the directory `dir` whose name begins with `prefix`.
    ///
    /// # Errors
    /// As [`tempdir_in`], and `invalid-name`.
    pub fn with_prefix_in<S: AsRef<OsStr>, P: AsRef<Path>>(
        prefix: S,
        dir: P,
    ) -> io::Result<TempDir> {
        Builder::new().prefix(&prefix).tempdir_in(dir)
    }

    /// Creates a directory in the directory `dir` whose name ends with `suffix`.
    ///
    /// # Errors
    /// As [`tempdir_in`], and `invalid-name`.
    pub fn with_suffix_in<S: AsRef<OsStr>, P: AsRef<Path>>(
        suffix: S,
        dir: P,
    ) -> io::Result<TempDir> {
        Builder::new().suffix(&suffix).tempdir_in(dir)
    }

    /// The directory's path.
    pub fn path(&self) -> &Path {
        Path::new(&*self.path)
    }

    /// Creates a file, which must not exist, for reading and writing.
    ///
    /// # Errors
    /// `exist`, `no-entry`, `not-directory`; `invalid-name` for a path with an empty component, `.` or `..`.
    pub fn create_file<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        self.inner.create_file(path_str(path.as_ref())?).map(File::new).map_err(io_error)
    }

    /// Opens an existing file for reading and writing.
    ///
    /// # Errors
    /// `no-entry`, `is-directory`, `not-directory`; `invalid` for what is neither file nor directory, a symbolic link included.
    pub fn open_file<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        self.inner.open_file(path_str(path.as_ref())?).map(File::new).map_err(io_error)
    }

    /// Creates a directory, whose parent must exist.
    ///
    /// # Errors
    /// As [`create_file`](Self::create_file).
    pub fn create_dir<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.inner.create_directory(path_str(path.as_ref())?).map_err(io_error)
    }

    /// Renames within this directory. A file replaces a file, a directory an empty directory.
    ///
    /// # Errors
    /// `no-entry`, `is-directory`, `not-directory`, `not-empty`; `invalid` if a directory would move into itself.
    pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(&self, old: P, new: Q) -> io::Result<()> {
        self.inner.rename(path_str(old.as_ref())?, path_str(new.as_ref())?).map_err(io_error)
    }

    /// Removes a file, or a directory with everything in it. What is gone already is a success.
    ///
    /// # Errors
    /// That of the first thing that could not be removed.
    pub fn remove<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.inner.remove(path_str(path.as_ref())?).map_err(io_error)
    }

    /// The entries of a directory, in no particular order; `""` is this directory itself.
    ///
    /// # Errors
    /// `no-entry`, `not-directory`; `invalid-name` if an entry's name is not UTF-8.
    pub fn entries<P: AsRef<Path>>(&self, path: P) -> io::Result<Vec<Entry>> {
        self.inner.entries(path_str(path.as_ref())?).map_err(io_error)
    }

    /// Creates an unnamed file in this directory.
    ///
    /// # Errors
    /// As [`tempfile`](crate::tempfile()).
    pub fn tempfile(&self) -> io::Result<File> {
        File::unnamed_within(&self.inner)
    }

    /// The interface's handle, to create in with [`Location::Within`](interface::Location::Within).
    pub fn as_interface(&self) -> &interface::TempDir {
        &self.inner
    }

    /// Keeps the directory, and returns its path.
    pub fn keep(self) -> PathBuf {
        // The only failure is that there was nothing to keep.
        let _ = self.inner.keep();
        self.path().to_path_buf()
    }

    /// Whether the directory stays when this is dropped. [`close`](Self::close) removes it in any case.
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.disable_cleanup = disable_cleanup;
    }

    /// Removes the directory with everything in it, and says whether that worked.
    ///
    /// # Errors
    /// That of the first path that stayed; [`remove_all`](Self::remove_all) lists them all.
    pub fn close(self) -> io::Result<()> {
        self.remove_all().map_err(cleanup_error)
    }

    /// Removes the directory with everything in it. After a failure it can be tried again; after a success there is nothing left to do.
    ///
    /// # Errors
    /// Each path that stayed.
    pub fn remove_all(&self) -> Result<(), Vec<CleanupFailure>> {
        self.inner.close()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if self.disable_cleanup {
            // The only failure is that there was nothing to keep.
            let _ = self.inner.keep();
        }
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl fmt::Debug for TempDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempDir").field("path", &self.path).finish()
    }
}
