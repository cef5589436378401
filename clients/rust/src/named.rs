//! A file and its name.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::builder::Builder;
use crate::file::File;
use crate::interface::{Durability, ReplaceMode};
use crate::path::{PathPersistError, TempPath};

/// A temporary file with a name, which is removed when this is dropped.
pub struct NamedTempFile<F = File> {
    path: TempPath,
    file: F,
}

impl NamedTempFile<File> {
    /// Creates a file in the default directory, named `.tmp` and random characters.
    ///
    /// # Errors
    /// `no-scratch`, `access`, `no-space` and others of the system.
    pub fn new() -> io::Result<NamedTempFile> {
        Builder::new().tempfile()
    }

    /// Creates a file in the directory `dir`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and those of `dir`: `no-entry`, `not-directory`.
    pub fn new_in<P: AsRef<Path>>(dir: P) -> io::Result<NamedTempFile> {
        Builder::new().tempfile_in(dir)
    }

    /// Creates a file whose name ends with `suffix`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and `invalid-name`.
    pub fn with_suffix<S: AsRef<OsStr>>(suffix: S) -> io::Result<NamedTempFile> {
        Builder::new().suffix(&suffix).tempfile()
    }

    /// Creates a file in the directory `dir` whose name ends with `suffix`.
    ///
    /// # Errors
    /// As [`new_in`](Self::new_in), and `invalid-name`.
    pub fn with_suffix_in<S: AsRef<OsStr>, P: AsRef<Path>>(
        suffix: S,
        dir: P,
    ) -> io::Result<NamedTempFile> {
        Builder::new().suffix(&suffix).tempfile_in(dir)
    }

    /// Creates a file whose name begins with `prefix`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and `invalid-name`.
    pub fn with_prefix<S: AsRef<OsStr>>(prefix: S) -> io::Result<NamedTempFile> {
        Builder::new().prefix(&prefix).tempfile()
    }

    /// Creates a file in the directory `dir` whose name begins with `prefix`.
    ///
    /// # Errors
    /// As [`new_in`](Self::new_in), and `invalid-name`.
    pub fn with_prefix_in<S: AsRef<OsStr>, P: AsRef<Path>>(
        prefix: S,
        dir: P,
    ) -> io::Result<NamedTempFile> {
        Builder::new().prefix(&prefix).tempfile_in(dir)
    }

    /// Creates a file in the default directory with these bytes in it, its cursor at the start.
    ///
    /// # Errors
    /// As [`new`](Self::new); `no-space`.
    pub fn with_contents<C: AsRef<[u8]>>(contents: C) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        file.write_all(contents.as_ref())?;
        file.rewind()?;
        Ok(file)
    }

    /// Opens the file again, with a cursor of its own.
    ///
    /// # Errors
    /// `no-entry` if the name is gone, `replaced` if it is another file's now.
    pub fn reopen(&self) -> io::Result<File> {
        self.path.reopen()
    }
}

impl<F> NamedTempFile<F> {
    /// The file's path. Others may use it as long as this lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file, removes its name, and says whether that worked.
    ///
    /// # Errors
    /// As [`TempPath::close`].
    pub fn close(self) -> io::Result<()> {
        let NamedTempFile { path, file } = self;
        drop(file);
        path.close()
    }

    /// Renames the file to `new_path`, replacing what is there, and keeps it.
    ///
    /// # Errors
    /// As [`TempPath::persist`], with the file given back.
    pub fn persist<P: AsRef<Path>>(self, new_path: P) -> Result<F, PersistError<F>> {
        self.persist_with(new_path, ReplaceMode::Overwrite, Durability::None)
    }

    /// Renames the file to `new_path`, which must be free, and keeps it.
    ///
    /// # Errors
    /// As [`TempPath::persist_noclobber`], with the file given back.
    pub fn persist_noclobber<P: AsRef<Path>>(self, new_path: P) -> Result<F, PersistError<F>> {
        self.persist_with(new_path, ReplaceMode::NoClobber, Durability::None)
    }

    /// Renames the file to `new_path` and keeps it. With [`Durability::Full`] it survives a power cut once this returns.
    ///
    /// # Errors
    /// As [`TempPath::persist_with`], with the file given back.
    pub fn persist_with<P: AsRef<Path>>(
        self,
        new_path: P,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<F, PersistError<F>> {
        let NamedTempFile { path, file } = self;
        match path.persist_with(new_path, mode, durability) {
            Ok(()) => Ok(file),
            Err(PathPersistError { error, path }) => {
                Err(PersistError { error, file: NamedTempFile { path, file } })
            }
        }
    }

    /// Keeps the file where it is, and returns it with its path.
    ///
    /// # Errors
    /// With the file given back.
    pub fn keep(self) -> Result<(F, PathBuf), PersistError<F>> {
        let NamedTempFile { path, file } = self;
        match path.keep() {
            Ok(path) => Ok((file, path)),
            Err(PathPersistError { error, path }) => {
                Err(PersistError { error, file: NamedTempFile { path, file } })
            }
        }
    }

    /// Whether the file stays when this is dropped. [`close`](Self::close) removes it in any case.
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.path.disable_cleanup(disable_cleanup);
    }

    /// The open file.
    pub fn as_file(&self) -> &F {
        &self.file
    }

    /// The open file.
    pub fn as_file_mut(&mut self) -> &mut F {
        &mut self.file
    }

    /// The open file alone; its name is removed.
    pub fn into_file(self) -> F {
        self.file
    }

    /// The name alone, still guarded; the file is closed.
    pub fn into_temp_path(self) -> TempPath {
        self.path
    }

    /// Both, each on its own.
    pub fn into_parts(self) -> (F, TempPath) {
        (self.file, self.path)
    }

    /// A file and a name that belong together.
    pub fn from_parts(file: F, path: TempPath) -> Self {
        NamedTempFile { path, file }
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
}

impl Read for &NamedTempFile<File> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_file().read(buffer)
    }
}

impl<F: Write> Write for NamedTempFile<F> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.file.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for &NamedTempFile<File> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.as_file().write(data)
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

/// A file that could not be persisted, given back.
pub struct PersistError<F = File> {
    /// Why.
    pub error: io::Error,
    /// The file, still named and guarded.
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
