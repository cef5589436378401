//! A temporary file with a name.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::builder::Builder;
use crate::file::File;
use crate::interface::{Durability, ReplaceMode};
use crate::path::{PathPersistError, TempPath};

/// A temporary file with a name, which is removed when this is dropped.
///
/// ```
/// use std::io::Write;
///
/// let dir = wasi_tempfile::tempdir()?;
/// let mut file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
/// file.write_all(b"complete")?;
/// file.persist(dir.path().join("result"))?;
/// assert_eq!(dir.open_file("result")?.metadata()?.len(), 8);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct NamedTempFile<F = File> {
    // In this order: not every system removes the name of an open file.
    file: F,
    path: TempPath,
}

impl NamedTempFile<File> {
    /// Creates a file in the default directory, named `.tmp` and random characters.
    ///
    /// ```
    /// let file = wasi_tempfile::NamedTempFile::new()?;
    /// assert!(file.path().starts_with(wasi_tempfile::env::temp_dir()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile`].
    pub fn new() -> io::Result<NamedTempFile> {
        Builder::new().tempfile()
    }

    /// Creates a file in the directory `dir`.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
    /// assert!(file.path().starts_with(&dir));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile_in`].
    pub fn new_in<P: AsRef<Path>>(dir: P) -> io::Result<NamedTempFile> {
        Builder::new().tempfile_in(dir)
    }

    /// Creates a file whose name ends with `suffix`.
    ///
    /// ```
    /// let file = wasi_tempfile::NamedTempFile::with_suffix(".txt")?;
    /// assert_eq!(file.path().extension().unwrap(), "txt");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile`].
    pub fn with_suffix<S: AsRef<OsStr>>(suffix: S) -> io::Result<NamedTempFile> {
        Builder::new().suffix(&suffix).tempfile()
    }

    /// Creates a file in the directory `dir` whose name ends with `suffix`.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::NamedTempFile::with_suffix_in(".txt", &dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile_in`].
    pub fn with_suffix_in<S, P>(suffix: S, dir: P) -> io::Result<NamedTempFile>
    where
        S: AsRef<OsStr>,
        P: AsRef<Path>,
    {
        Builder::new().suffix(&suffix).tempfile_in(dir)
    }

    /// Creates a file whose name begins with `prefix`.
    ///
    /// ```
    /// let file = wasi_tempfile::NamedTempFile::with_prefix("report-")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile`].
    pub fn with_prefix<S: AsRef<OsStr>>(prefix: S) -> io::Result<NamedTempFile> {
        Builder::new().prefix(&prefix).tempfile()
    }

    /// Creates a file in the directory `dir` whose name begins with `prefix`.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::NamedTempFile::with_prefix_in("report-", &dir)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Builder::tempfile_in`].
    pub fn with_prefix_in<S, P>(prefix: S, dir: P) -> io::Result<NamedTempFile>
    where
        S: AsRef<OsStr>,
        P: AsRef<Path>,
    {
        Builder::new().prefix(&prefix).tempfile_in(dir)
    }

    /// Creates a file in the default directory that holds `contents`, with its cursor at the start.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// let mut text = String::new();
    /// wasi_tempfile::NamedTempFile::with_contents("ready")?.read_to_string(&mut text)?;
    /// assert_eq!(text, "ready");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new), and those of writing.
    pub fn with_contents<C: AsRef<[u8]>>(contents: C) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        file.write_all(contents.as_ref())?;
        file.rewind()?;
        Ok(file)
    }

    /// Opens the file again, with a cursor of its own.
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// let mut file = wasi_tempfile::NamedTempFile::new()?;
    /// let mut reader = file.reopen()?;
    /// file.write_all(b"shared")?;
    /// let mut text = String::new();
    /// reader.read_to_string(&mut text)?;
    /// assert_eq!(text, "shared");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::reopen`].
    pub fn reopen(&self) -> io::Result<File> {
        self.path.reopen()
    }
}

impl<F> NamedTempFile<F> {
    /// The file's path, which others may use as long as this lives.
    ///
    /// ```
    /// let file = wasi_tempfile::NamedTempFile::new()?;
    /// assert!(file.path().is_absolute());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file and removes its name. Unlike a drop, this reports a failure.
    ///
    /// ```
    /// wasi_tempfile::NamedTempFile::new()?.close()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::close`].
    pub fn close(self) -> io::Result<()> {
        self.into_temp_path().close()
    }

    /// Renames the file to `new_path`, replacing what is there, and keeps it.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
    /// let open = file.persist(dir.path().join("result"))?;
    /// open.set_len(100)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::persist`], with the file given back.
    pub fn persist<P: AsRef<Path>>(self, new_path: P) -> Result<F, PersistError<F>> {
        self.persist_with(new_path, ReplaceMode::Overwrite, Durability::None)
    }

    /// Renames the file to `new_path`, which must be free, and keeps it.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("taken")?;
    /// let file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
    /// let refused = file.persist_noclobber(dir.path().join("taken")).unwrap_err();
    /// assert_eq!(refused.error.kind(), ErrorKind::AlreadyExists);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::persist_noclobber`], with the file given back.
    pub fn persist_noclobber<P: AsRef<Path>>(self, new_path: P) -> Result<F, PersistError<F>> {
        self.persist_with(new_path, ReplaceMode::NoClobber, Durability::None)
    }

    /// Renames the file to `new_path` and keeps it. With [`Durability::Full`] it survives a power
    /// cut once this returns.
    ///
    /// ```
    /// use wasi_tempfile::interface::{Durability, ReplaceMode};
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
    /// file.persist_with(dir.path().join("result"), ReplaceMode::NoClobber, Durability::Full)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`TempPath::persist_with`], with the file given back.
    pub fn persist_with<P: AsRef<Path>>(
        self,
        new_path: P,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<F, PersistError<F>> {
        let NamedTempFile { file, path } = self;
        match path.persist_with(new_path, mode, durability) {
            Ok(()) => Ok(file),
            Err(PathPersistError { error, path }) => {
                Err(PersistError { error, file: NamedTempFile { file, path } })
            }
        }
    }

    /// Keeps the file where it is, and returns it with its path.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let (_file, path) = wasi_tempfile::NamedTempFile::new_in(&dir)?.keep()?;
    /// assert!(path.starts_with(&dir));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// With the file given back.
    pub fn keep(self) -> Result<(F, PathBuf), PersistError<F>> {
        let NamedTempFile { file, path } = self;
        match path.keep() {
            Ok(path) => Ok((file, path)),
            Err(PathPersistError { error, path }) => {
                Err(PersistError { error, file: NamedTempFile { file, path } })
            }
        }
    }

    /// Sets whether the file stays when this is dropped. [`close`](Self::close) removes it anyway.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let mut file = wasi_tempfile::NamedTempFile::new_in(&dir)?;
    /// file.disable_cleanup(true);
    /// drop(file);
    /// assert_eq!(dir.entries("")?.len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.path.disable_cleanup(disable_cleanup);
    }

    /// The open file.
    ///
    /// ```
    /// let file = wasi_tempfile::NamedTempFile::new()?;
    /// assert_eq!(file.as_file().metadata()?.len(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_file(&self) -> &F {
        &self.file
    }

    /// The open file.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let mut file = wasi_tempfile::NamedTempFile::new()?;
    /// file.as_file_mut().write_all(b"bytes")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_file_mut(&mut self) -> &mut F {
        &mut self.file
    }

    /// Removes the name, and returns the open file.
    ///
    /// ```
    /// let named = wasi_tempfile::NamedTempFile::new()?;
    /// let file: wasi_tempfile::File = named.into_file();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_file(self) -> F {
        self.file
    }

    /// Closes the file, and returns its name, still guarded.
    ///
    /// ```
    /// let path: wasi_tempfile::TempPath = wasi_tempfile::NamedTempFile::new()?.into_temp_path();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_temp_path(self) -> TempPath {
        self.path
    }

    /// The open file and its name, each on its own. Drop the file first: not every system removes
    /// the name of an open file.
    ///
    /// ```
    /// let (file, path) = wasi_tempfile::NamedTempFile::new()?.into_parts();
    /// drop(file);
    /// path.close()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_parts(self) -> (F, TempPath) {
        (self.file, self.path)
    }

    /// Puts together a file and a name that belong to each other.
    ///
    /// ```
    /// use wasi_tempfile::NamedTempFile;
    ///
    /// let (file, path) = NamedTempFile::new()?.into_parts();
    /// let file = NamedTempFile::from_parts(file, path);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn from_parts(file: F, path: TempPath) -> Self {
        NamedTempFile { file, path }
    }
}

impl<F> fmt::Debug for NamedTempFile<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedTempFile({:?})", self.path)
    }
}

impl<F> AsRef<Path> for NamedTempFile<F> {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl<F: Read> Read for NamedTempFile<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.file.read_vectored(buffers)
    }
}

impl Read for &NamedTempFile<File> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_file().read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.as_file().read_vectored(buffers)
    }
}

impl<F: Write> Write for NamedTempFile<F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.file.write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for &NamedTempFile<File> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.as_file().write(data)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.as_file().write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_file().flush()
    }
}

impl<F: Seek> Seek for NamedTempFile<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Seek for &NamedTempFile<File> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.as_file().seek(to)
    }
}

/// The error of persisting a file, with the file given back.
///
/// ```
/// let file = wasi_tempfile::NamedTempFile::new()?;
/// let refused = file.persist("/no/such/directory/result").unwrap_err();
/// assert_eq!(refused.error.kind(), std::io::ErrorKind::NotFound);
/// refused.file.close()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct PersistError<F = File> {
    /// The cause.
    pub error: io::Error,
    /// The file, still named and guarded; but if the error is `not-durable`, the file is at the
    /// target already, and this has its bytes and no name any more.
    pub file: NamedTempFile<F>,
}

impl<F> fmt::Debug for PersistError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersistError({:?})", self.error)
    }
}

impl<F> fmt::Display for PersistError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to persist temporary file: {}", self.error)
    }
}

impl<F> std::error::Error for PersistError<F> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<F> From<PersistError<F>> for io::Error {
    fn from(error: PersistError<F>) -> io::Error {
        error.error
    }
}

impl<F> From<PersistError<F>> for NamedTempFile<F> {
    fn from(error: PersistError<F>) -> NamedTempFile<F> {
        error.file
    }
}

#[cfg(windows)]
mod windows {
    use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, RawHandle};

    use super::NamedTempFile;

    impl<F: AsHandle> AsHandle for NamedTempFile<F> {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.as_file().as_handle()
        }
    }

    impl<F: AsRawHandle> AsRawHandle for NamedTempFile<F> {
        fn as_raw_handle(&self) -> RawHandle {
            self.as_file().as_raw_handle()
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    use super::NamedTempFile;

    impl<F: AsFd> AsFd for NamedTempFile<F> {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.as_file().as_fd()
        }
    }

    impl<F: AsRawFd> AsRawFd for NamedTempFile<F> {
        fn as_raw_fd(&self) -> RawFd {
            self.as_file().as_raw_fd()
        }
    }
}
