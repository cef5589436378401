//! A temporary directory.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::builder::Builder;
use crate::error::{absolute, cleanup_error, io_error, path_str};
use crate::file::File;
use crate::interface::{self, CleanupFailure, Durability, Entry, Location, Metadata, ReplaceMode};

/// Creates a directory in the default directory.
///
/// ```
/// let dir = wasi_tempfile::tempdir()?;
/// dir.create_file("inside")?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`Builder::tempdir`].
pub fn tempdir() -> io::Result<TempDir> {
    TempDir::new()
}

/// Creates a directory in the directory `dir`.
///
/// ```
/// let outer = wasi_tempfile::tempdir()?;
/// let inner = wasi_tempfile::tempdir_in(&outer)?;
/// assert!(inner.path().starts_with(&outer));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`Builder::tempdir_in`].
pub fn tempdir_in<P: AsRef<Path>>(dir: P) -> io::Result<TempDir> {
    TempDir::new_in(dir)
}

/// A temporary directory, removed with everything in it when this is dropped.
///
/// Its contents are reached through its own methods, by relative path. Those work also where
/// `std::fs` does not see the plugin's scratch directory.
///
/// ```
/// use std::io::Write;
///
/// let dir = wasi_tempfile::TempDir::new()?;
/// dir.create_dir("sub")?;
/// dir.create_file("sub/file")?.write_all(b"bytes")?;
/// assert_eq!(dir.open_file("sub/file")?.metadata()?.len(), 5);
/// dir.close()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TempDir {
    /// Boxed, because an error carries it: a large error makes every `Result` large.
    inner: Box<interface::TempDir>,
    path: Arc<str>,
    disable_cleanup: bool,
}

impl TempDir {
    pub(crate) fn from_interface(inner: interface::TempDir, disable_cleanup: bool) -> Self {
        let path = inner.shared_path();
        TempDir { inner: Box::new(inner), path, disable_cleanup }
    }

    /// Creates a directory in the default directory, named `.tmp` and random characters.
    ///
    /// ```
    /// let dir = wasi_tempfile::TempDir::new()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir`].
    pub fn new() -> io::Result<TempDir> {
        Builder::new().tempdir()
    }

    /// Creates a directory in the directory `dir`.
    ///
    /// ```
    /// let outer = wasi_tempfile::TempDir::new()?;
    /// let inner = wasi_tempfile::TempDir::new_in(&outer)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir_in`].
    pub fn new_in<P: AsRef<Path>>(dir: P) -> io::Result<TempDir> {
        Builder::new().tempdir_in(dir)
    }

    /// Creates a directory whose name begins with `prefix`.
    ///
    /// ```
    /// let dir = wasi_tempfile::TempDir::with_prefix("unpacked-")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir`].
    pub fn with_prefix<S: AsRef<OsStr>>(prefix: S) -> io::Result<TempDir> {
        Builder::new().prefix(&prefix).tempdir()
    }

    /// Creates a directory whose name ends with `suffix`.
    ///
    /// ```
    /// let dir = wasi_tempfile::TempDir::with_suffix(".d")?;
    /// assert_eq!(dir.path().extension().unwrap(), "d");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir`].
    pub fn with_suffix<S: AsRef<OsStr>>(suffix: S) -> io::Result<TempDir> {
        Builder::new().suffix(&suffix).tempdir()
    }

    /// Creates a directory in the directory `dir` whose name begins with `prefix`.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let inner = wasi_tempfile::TempDir::with_prefix_in("unpacked-", &outer)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir_in`].
    pub fn with_prefix_in<S, P>(prefix: S, dir: P) -> io::Result<TempDir>
    where
        S: AsRef<OsStr>,
        P: AsRef<Path>,
    {
        Builder::new().prefix(&prefix).tempdir_in(dir)
    }

    /// Creates a directory in the directory `dir` whose name ends with `suffix`.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let inner = wasi_tempfile::TempDir::with_suffix_in(".d", &outer)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempdir_in`].
    pub fn with_suffix_in<S, P>(suffix: S, dir: P) -> io::Result<TempDir>
    where
        S: AsRef<OsStr>,
        P: AsRef<Path>,
    {
        Builder::new().suffix(&suffix).tempdir_in(dir)
    }

    /// The directory's path.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// assert!(dir.path().starts_with(wasi_tempfile::env::temp_dir()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn path(&self) -> &Path {
        Path::new(&*self.path)
    }

    /// Creates a file, which must not exist, and opens it for reading and writing.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("new")?.write_all(b"bytes")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) (`exist`);
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`);
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`);
    /// [`InvalidFilename`](io::ErrorKind::InvalidFilename) (`invalid-name`) for a path with an
    /// empty component, `.` or `..`.
    pub fn create_file<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        let path = path_str(path.as_ref());
        path.and_then(|path| File::new(self.inner.create_file(path)?)).map_err(io_error)
    }

    /// Opens an existing file for reading and writing.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("new")?;
    /// assert_eq!(dir.open_file("new")?.metadata()?.len(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`);
    /// [`IsADirectory`](io::ErrorKind::IsADirectory) (`is-directory`);
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`);
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) for what is neither a file nor a
    /// directory, a symbolic link included.
    pub fn open_file<P: AsRef<Path>>(&self, path: P) -> io::Result<File> {
        let path = path_str(path.as_ref());
        path.and_then(|path| File::new(self.inner.open_file(path)?)).map_err(io_error)
    }

    /// Creates a directory, whose parent must exist.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_dir("outer")?;
    /// dir.create_dir("outer/inner")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`create_file`](Self::create_file).
    pub fn create_dir<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path_str(path.as_ref());
        path.and_then(|path| self.inner.create_directory(path)).map_err(io_error)
    }

    /// Renames within this directory. A file replaces a file, a directory an empty directory.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("old")?;
    /// dir.rename("old", "new")?;
    /// dir.open_file("new")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`);
    /// [`IsADirectory`](io::ErrorKind::IsADirectory) (`is-directory`);
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`);
    /// [`DirectoryNotEmpty`](io::ErrorKind::DirectoryNotEmpty) (`not-empty`);
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if a directory would move into
    /// itself.
    pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(&self, old: P, new: Q) -> io::Result<()> {
        let old = path_str(old.as_ref());
        old.and_then(|old| self.inner.rename(old, path_str(new.as_ref())?)).map_err(io_error)
    }

    /// Removes a file, or a directory with everything in it. If there is none, that is a success.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("file")?;
    /// dir.remove("file")?;
    /// dir.remove("file")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first failure.
    pub fn remove<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let path = path_str(path.as_ref());
        path.and_then(|path| self.inner.remove(path)).map_err(io_error)
    }

    /// The entries of a directory, in no particular order; `""` is this directory itself.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("file")?;
    /// assert_eq!(dir.entries("")?[0].name, "file");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`);
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`);
    /// [`InvalidFilename`](io::ErrorKind::InvalidFilename) (`invalid-name`) if an entry's name is
    /// not UTF-8.
    pub fn entries<P: AsRef<Path>>(&self, path: P) -> io::Result<Vec<Entry>> {
        let path = path_str(path.as_ref());
        path.and_then(|path| self.inner.entries(path)).map_err(io_error)
    }

    /// The kind and the size of an entry, which is not opened.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("file")?.set_len(5)?;
    /// assert_eq!(dir.metadata("file")?.size, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`) and others of
    /// [`open_file`](Self::open_file).
    pub fn metadata<P: AsRef<Path>>(&self, path: P) -> io::Result<Metadata> {
        let path = path_str(path.as_ref());
        path.and_then(|path| self.inner.metadata(path)).map_err(io_error)
    }

    /// Creates an unnamed file in this directory.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = dir.tempfile()?;
    /// assert!(dir.entries("")?.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`tempfile`](crate::tempfile()).
    pub fn tempfile(&self) -> io::Result<File> {
        File::unnamed(Location::Within(&self.inner)).map_err(io_error)
    }

    /// The interface's handle, to create in with [`Location::Within`].
    ///
    /// ```
    /// use wasi_tempfile::interface::{Location, Options, named};
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// let inside = Location::Within(dir.as_interface());
    /// let (_file, path) = named(&Options::default(), inside).unwrap();
    /// assert!(path.path().starts_with(dir.path().to_str().unwrap()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_interface(&self) -> &interface::TempDir {
        &self.inner
    }

    /// Renames the directory to `new_path`, where an empty directory is replaced, and keeps it.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let dir = wasi_tempfile::tempdir_in(&outer)?;
    /// dir.create_file("inside")?;
    /// dir.persist(outer.path().join("result"))?;
    /// outer.open_file("result/inside")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::persist`](crate::TempPath::persist), with the directory given back;
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`) if there is a file at
    /// `new_path`; [`DirectoryNotEmpty`](io::ErrorKind::DirectoryNotEmpty) (`not-empty`).
    pub fn persist<P: AsRef<Path>>(self, new_path: P) -> Result<(), DirPersistError> {
        self.persist_with(new_path, ReplaceMode::Overwrite, Durability::None)
    }

    /// Renames the directory to `new_path` and keeps it, with a choice of what becomes of a target
    /// that exists, and of what survives a power cut.
    ///
    /// ```
    /// use wasi_tempfile::interface::{Durability, ReplaceMode};
    ///
    /// let outer = wasi_tempfile::tempdir()?;
    /// let dir = wasi_tempfile::tempdir_in(&outer)?;
    /// dir.persist_with(outer.path().join("result"), ReplaceMode::NoClobber, Durability::Full)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`persist`](Self::persist); [`AlreadyExists`](io::ErrorKind::AlreadyExists) (`exist`);
    /// those of [`TempPath::persist_with`](crate::TempPath::persist_with).
    pub fn persist_with<P: AsRef<Path>>(
        self,
        new_path: P,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), DirPersistError> {
        let target = absolute(new_path.as_ref());
        match target.and_then(|target| self.inner.persist(&target, mode, durability)) {
            Ok(()) => Ok(()),
            Err(error) => Err(DirPersistError { error: io_error(error), dir: self }),
        }
    }

    /// Keeps the directory, and returns its path.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let kept = wasi_tempfile::tempdir_in(&outer)?.keep();
    /// assert!(kept.exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn keep(self) -> PathBuf {
        // The only failure is that there was nothing to keep.
        let _ = self.inner.keep();
        self.path().to_path_buf()
    }

    /// The former name of [`keep`](Self::keep).
    #[deprecated = "use TempDir::keep"]
    pub fn into_path(self) -> PathBuf {
        self.keep()
    }

    /// Sets whether the directory stays when this is dropped. [`close`](Self::close) removes it
    /// anyway.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let mut dir = wasi_tempfile::tempdir_in(&outer)?;
    /// dir.disable_cleanup(true);
    /// drop(dir);
    /// assert_eq!(outer.entries("")?.len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.disable_cleanup = disable_cleanup;
    }

    /// Removes the directory with everything in it. Unlike a drop, this reports a failure.
    ///
    /// ```
    /// wasi_tempfile::tempdir()?.close()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first failure, with the path that stayed; [`remove_all`](Self::remove_all) lists them
    /// all.
    pub fn close(self) -> io::Result<()> {
        self.remove_all().map_err(cleanup_error)
    }

    /// Removes the directory with everything in it, and lists the failures.
    ///
    /// After a failure it can be tried again; after a success there is nothing left to do.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// for failure in dir.remove_all().err().unwrap_or_default() {
    ///     eprintln!("{} stays: {}", failure.path, failure.error);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each path that stayed, with the cause.
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

/// The error of persisting a directory, with the directory given back.
///
/// ```
/// let refused = wasi_tempfile::tempdir()?.persist("/no/such/directory/result").unwrap_err();
/// assert_eq!(refused.error.kind(), std::io::ErrorKind::NotFound);
/// refused.dir.close()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct DirPersistError {
    /// The cause.
    pub error: io::Error,
    /// The directory, still guarded, unless the error is `not-durable`: then it is at the target,
    /// and this is closed.
    pub dir: TempDir,
}

impl fmt::Display for DirPersistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to persist temporary directory: {}", self.error)
    }
}

impl std::error::Error for DirPersistError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<DirPersistError> for io::Error {
    fn from(error: DirPersistError) -> io::Error {
        error.error
    }
}

impl From<DirPersistError> for TempDir {
    fn from(error: DirPersistError) -> TempDir {
        error.dir
    }
}
