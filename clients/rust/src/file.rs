//! An open file with a cursor.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::env;
use crate::error::{absolute, io_error};
use crate::handle::Handle;
use crate::interface::{self, Durability, Error, ErrorCode, Location};

/// Creates an unnamed file in the default directory. Its storage is freed when it is dropped.
///
/// ```
/// use std::io::{Read, Seek, Write};
///
/// let mut file = wasi_tempfile::tempfile()?;
/// file.write_all(b"scratch")?;
/// file.rewind()?;
/// let mut text = String::new();
/// file.read_to_string(&mut text)?;
/// assert_eq!(text, "scratch");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) (`no-scratch`) if no directory for temporary files is
/// usable; [`StorageFull`](io::ErrorKind::StorageFull) (`no-space`) and others of the system.
pub fn tempfile() -> io::Result<File> {
    env::create_in(None, File::unnamed).map_err(io_error)
}

/// Creates an unnamed file in the directory `dir`.
///
/// ```
/// use std::io::Write;
///
/// let dir = wasi_tempfile::tempdir()?;
/// let mut file = wasi_tempfile::tempfile_in(dir.path())?;
/// file.write_all(b"scratch")?;
/// assert!(dir.entries("")?.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`tempfile`]; [`NotFound`](io::ErrorKind::NotFound) (`no-entry`) or
/// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`) if `dir` is not a directory.
pub fn tempfile_in<P: AsRef<Path>>(dir: P) -> io::Result<File> {
    env::create_in(Some(dir.as_ref()), File::unnamed).map_err(io_error)
}

/// An open file with a cursor, as `std::fs::File`: it reads, writes and seeks, also through
/// `&File`.
///
/// Natively it is a `std::fs::File`, and converts into one, into an `OwnedFd` (on Windows an
/// `OwnedHandle`) and into `std::process::Stdio`. Threads, child processes and clones share its
/// cursor. In wasm it is the provider's handle or descriptor; the cursor is this crate's own, and
/// clones share it.
///
/// No position is over 2^63-1. Natively a file system may refuse to seek to a smaller one too, if
/// it can have no bytes there.
///
/// ```
/// use std::io::{Seek, Write};
///
/// let mut file = wasi_tempfile::tempfile()?;
/// (&file).write_all(b"0123456789")?;
/// assert_eq!(file.stream_position()?, 10);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct File {
    pub(crate) handle: Handle,
}

/// A file's size, as `std::fs::Metadata` has it.
///
/// ```
/// let file = wasi_tempfile::tempfile()?;
/// file.set_len(100)?;
/// let metadata: wasi_tempfile::Metadata = file.metadata()?;
/// assert_eq!(metadata.len(), 100);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    len: u64,
}

impl Metadata {
    /// The file's size in bytes.
    ///
    /// ```
    /// assert_eq!(wasi_tempfile::tempfile()?.metadata()?.len(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[allow(clippy::len_without_is_empty, reason = "std::fs::Metadata has none")]
    pub fn len(&self) -> u64 {
        self.len
    }
}

impl File {
    pub(crate) fn new(file: interface::File) -> Result<Self, Error> {
        Handle::new(file).map(|handle| File { handle })
    }

    pub(crate) fn unnamed(location: Location<'_>) -> Result<Self, Error> {
        interface::unnamed(location).and_then(File::new)
    }

    /// Truncates the file, or extends it with zeros. The cursor stays where it is.
    ///
    /// ```
    /// let file = wasi_tempfile::tempfile()?;
    /// file.set_len(1 << 20)?;
    /// assert_eq!(file.metadata()?.len(), 1 << 20);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the size is over 2^63-1;
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) (`file-too-large`), and others of the system.
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        self.handle.set_size(size).map_err(io_error)
    }

    /// The file's size, in a [`Metadata`].
    ///
    /// ```
    /// assert_eq!(wasi_tempfile::tempfile()?.metadata()?.len(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the system.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.handle.size().map(|len| Metadata { len }).map_err(io_error)
    }

    /// Waits until the file with all its metadata is on stable storage.
    ///
    /// After a failure, write the data again, to a new file.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let mut file = wasi_tempfile::tempfile()?;
    /// file.write_all(b"precious")?;
    /// file.sync_all()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`StorageFull`](io::ErrorKind::StorageFull) (`no-space`); [`Other`](io::ErrorKind::Other)
    /// (`io`) if the storage failed.
    pub fn sync_all(&self) -> io::Result<()> {
        self.handle.sync(Durability::Full).map_err(io_error)
    }

    /// Waits until the file's bytes and size are on stable storage.
    ///
    /// After a failure, write the data again, to a new file.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let mut file = wasi_tempfile::tempfile()?;
    /// file.write_all(b"precious")?;
    /// file.sync_data()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sync_all`](Self::sync_all).
    pub fn sync_data(&self) -> io::Result<()> {
        self.handle.sync(Durability::Data).map_err(io_error)
    }

    /// Reads at an offset without using the cursor. Returns 0 at the end of the file; may be short.
    ///
    /// ```
    /// let file = wasi_tempfile::tempfile()?;
    /// file.write_at(b"0123456789", 0)?;
    /// let mut two = [0; 2];
    /// assert_eq!((file.read_at(&mut two, 4)?, &two), (2, b"45"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the offset is over 2^63-1, and
    /// others of the system.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.handle.read_at(buffer, offset).map_err(io_error)
    }

    /// Writes at an offset without using the cursor. May be short. A file in
    /// [append mode](crate::Builder::append) is written at its end, whatever the offset is.
    ///
    /// ```
    /// let file = wasi_tempfile::tempfile()?;
    /// assert_eq!(file.write_at(b"end", 7)?, 3);
    /// assert_eq!(file.metadata()?.len(), 10);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the offset is over 2^63-1;
    /// [`StorageFull`](io::ErrorKind::StorageFull) (`no-space`) and others of the system.
    pub fn write_at(&self, data: &[u8], offset: u64) -> io::Result<usize> {
        self.handle.write_at(data, offset).map_err(io_error)
    }

    /// Makes another handle to the same open file, which shares the cursor.
    ///
    /// ```
    /// use std::io::{Seek, Write};
    ///
    /// let mut file = wasi_tempfile::tempfile()?;
    /// let mut clone = file.try_clone()?;
    /// file.write_all(b"12345")?;
    /// assert_eq!(clone.stream_position()?, 5);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the system: no descriptor is left.
    pub fn try_clone(&self) -> io::Result<File> {
        Ok(File { handle: self.handle.try_clone()? })
    }

    /// Gives an unnamed file a name, for good. The name must be free.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// let mut file = wasi_tempfile::tempfile_in(dir.path())?;
    /// file.write_all(b"complete")?;
    /// match file.link(dir.path().join("result")) {
    ///     Ok(()) => assert_eq!(dir.open_file("result")?.metadata()?.len(), 8),
    ///     Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::Unsupported),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) (`exist`) if the name is taken;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the file has a name;
    /// [`Unsupported`](io::ErrorKind::Unsupported) (`unsupported`) if the system can't, as in a
    /// provider component.
    pub fn link<P: AsRef<Path>>(&mut self, target: P) -> io::Result<()> {
        absolute(target.as_ref()).and_then(|target| self.handle.link(&target)).map_err(io_error)
    }

    pub(crate) fn set_append(&mut self) -> io::Result<()> {
        self.handle.set_append()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.handle.seek(SeekFrom::Current(0)).ok();
        f.debug_struct("File").field("position", &position).finish_non_exhaustive()
    }
}

impl Read for &File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.handle.read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.handle.read_vectored(buffers)
    }
}

impl Write for &File {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.handle.write(data)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        self.handle.write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.handle.seek(to)
    }
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(buffers)
    }
}

impl Write for File {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        (&*self).seek(to)
    }
}

/// The largest position in a file: systems use signed 64-bit numbers.
pub(crate) const MAX_POSITION: u64 = i64::MAX as u64;

/// The new position of a cursor.
pub(crate) fn seek_to(
    to: SeekFrom,
    max: u64,
    position: u64,
    size: impl FnOnce() -> io::Result<u64>,
) -> io::Result<u64> {
    let target = match to {
        SeekFrom::Start(offset) => Some(offset),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(by) => size()?.checked_add_signed(by),
    };
    let refused = || io_error(Error::without_path(ErrorCode::Invalid, "seek in a temporary file"));
    target.filter(|&offset| offset <= max).ok_or_else(refused)
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::process::Stdio;

    use super::File;
    use crate::handle::Handle;

    impl From<File> for std::fs::File {
        fn from(file: File) -> Self {
            file.handle.into_std()
        }
    }

    impl From<std::fs::File> for File {
        fn from(file: std::fs::File) -> Self {
            File { handle: Handle::from_std(file) }
        }
    }

    impl From<File> for Stdio {
        fn from(file: File) -> Self {
            file.handle.into_std().into()
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::os::windows::io::{
        AsHandle, AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle, RawHandle,
    };

    use super::File;

    impl From<File> for OwnedHandle {
        fn from(file: File) -> Self {
            file.handle.into_std().into()
        }
    }

    impl AsHandle for File {
        fn as_handle(&self) -> BorrowedHandle<'_> {
            self.handle.as_std().as_handle()
        }
    }

    impl AsRawHandle for File {
        fn as_raw_handle(&self) -> RawHandle {
            self.handle.as_std().as_raw_handle()
        }
    }

    impl IntoRawHandle for File {
        fn into_raw_handle(self) -> RawHandle {
            self.handle.into_std().into_raw_handle()
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

    use super::File;

    impl File {
        pub(crate) fn set_permissions(&self, permissions: std::fs::Permissions) -> io::Result<()> {
            self.handle.as_std().set_permissions(permissions)
        }
    }

    impl From<File> for OwnedFd {
        fn from(file: File) -> Self {
            file.handle.into_std().into()
        }
    }

    impl AsFd for File {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.handle.as_std().as_fd()
        }
    }

    impl AsRawFd for File {
        fn as_raw_fd(&self) -> RawFd {
            self.handle.as_std().as_raw_fd()
        }
    }

    impl IntoRawFd for File {
        fn into_raw_fd(self) -> RawFd {
            self.handle.into_std().into_raw_fd()
        }
    }
}
