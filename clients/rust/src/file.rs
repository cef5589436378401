//! An open file with a cursor.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::builder::location_of;
use crate::env;
use crate::error::{io_error, path_str};
use crate::handle::Handle;
use crate::interface::{self, Durability, ErrorCode, Location};

/// Creates a file that no name leads to, in the default directory. Its storage is freed when it is dropped.
///
/// # Errors
/// [`error_code`](crate::error_code) tells: `no-scratch`, `access`, `no-space` and others of the system.
pub fn tempfile() -> io::Result<File> {
    env::in_default_directory(|location| interface::unnamed(location).map(File::new))
}

/// Creates a file that no name leads to, in the directory `dir`.
///
/// # Errors
/// As [`tempfile`], and those of `dir`: `no-entry`, `not-directory`.
pub fn tempfile_in<P: AsRef<Path>>(dir: P) -> io::Result<File> {
    let location = location_of(dir.as_ref())?;
    interface::unnamed(location).map(File::new).map_err(io_error)
}

/// An open file: `std::fs::File` for places where there is none.
///
/// It reads, writes and seeks as that one does, also through `&File`. Every `File` has a cursor of its own.
pub struct File {
    handle: Handle,
    cursor: AtomicU64,
    append: bool,
}

/// What is known of a file besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    len: u64,
}

impl Metadata {
    /// The file's size in bytes.
    #[allow(clippy::len_without_is_empty, reason = "std::fs::Metadata has none")]
    pub fn len(&self) -> u64 {
        self.len
    }
}

impl File {
    pub(crate) fn new(file: interface::File) -> Self {
        File { handle: Handle::new(file), cursor: AtomicU64::new(0), append: false }
    }

    pub(crate) fn appending(self, append: bool) -> Self {
        File { append, ..self }
    }

    /// Cuts the file, or grows it with zeros. The cursor stays where it is.
    ///
    /// # Errors
    /// `invalid` if the size is over 2^63-1; `file-too-large`, and others of the system.
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        self.handle.set_size(size).map_err(io_error)
    }

    /// What is known of the file.
    ///
    /// # Errors
    /// Those of the system.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.handle.size().map(|len| Metadata { len }).map_err(io_error)
    }

    /// Waits until the file with all its metadata is on stable storage. After a failure write the data again, to a new file.
    ///
    /// # Errors
    /// `io`, `no-space`.
    pub fn sync_all(&self) -> io::Result<()> {
        self.handle.sync(Durability::Full).map_err(io_error)
    }

    /// Waits until the file's bytes and size are on stable storage. After a failure write the data again, to a new file.
    ///
    /// # Errors
    /// `io`, `no-space`.
    pub fn sync_data(&self) -> io::Result<()> {
        self.handle.sync(Durability::Data).map_err(io_error)
    }

    /// Reads at an offset; the cursor is not used. 0 means the end. May be short.
    ///
    /// # Errors
    /// `invalid` if the offset is over 2^63-1, and others of the system.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.handle.read(offset, buffer).map_err(io_error)
    }

    /// Writes at an offset; the cursor is not used. May be short.
    ///
    /// # Errors
    /// `invalid` if the offset is over 2^63-1; `no-space`, `file-too-large` and others of the system.
    pub fn write_at(&self, data: &[u8], offset: u64) -> io::Result<usize> {
        self.handle.write(offset, data).map_err(io_error)
    }

    /// Gives an unnamed file a name, for good. The name must be free.
    ///
    /// # Errors
    /// `exist`; `invalid` if the file has a name already; `unsupported` where the system can't, as in a provider component.
    pub fn link<P: AsRef<Path>>(&mut self, target: P) -> io::Result<()> {
        self.handle.link(path_str(target.as_ref())?, Durability::None).map_err(io_error)
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn set_position(&self, position: u64) {
        self.cursor.store(position, Ordering::Relaxed);
    }

    fn position(&self) -> u64 {
        self.cursor.load(Ordering::Relaxed)
    }

    fn advance(&self, from: u64, count: usize) -> usize {
        self.cursor.store(from + count as u64, Ordering::Relaxed);
        count
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("position", &self.position()).finish_non_exhaustive()
    }
}

// The cursor is one word: threads that share a `&File` interleave as they would on a shared descriptor, with nothing torn.
impl Read for &File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = self.position();
        Ok(self.advance(from, self.read_at(buffer, from)?))
    }
}

impl Write for &File {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let from = if self.append { self.metadata()?.len() } else { self.position() };
        Ok(self.advance(from, self.write_at(data, from)?))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = seek_to(to, self.position(), || Ok(self.metadata()?.len()))?;
        self.set_position(target);
        Ok(target)
    }
}

/// Where a seek leads; before the start and past 2^63-1 there is nothing.
pub(crate) fn seek_to(
    to: SeekFrom,
    position: u64,
    size: impl FnOnce() -> io::Result<u64>,
) -> io::Result<u64> {
    let target = match to {
        SeekFrom::Start(offset) => Some(offset),
        SeekFrom::Current(by) => position.checked_add_signed(by),
        SeekFrom::End(by) => size()?.checked_add_signed(by),
    };
    let refused =
        || io_error(interface::Error::without_path(ErrorCode::Invalid, "seek in a temporary file"));
    target.filter(|&offset| i64::try_from(offset).is_ok()).ok_or_else(refused)
}

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for File {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
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

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    use super::File;
    use crate::error::io_error;

    impl File {
        pub(crate) fn set_permissions(&self, permissions: std::fs::Permissions) -> io::Result<()> {
            self.handle.as_std().map_err(io_error)?.set_permissions(permissions)
        }

        /// The system's file, its own cursor at the start. Natively only.
        ///
        /// # Errors
        /// `unsupported` while the file still has a private name, which no system that this placement is built for needs.
        pub fn into_std(self) -> io::Result<std::fs::File> {
            self.handle.into_std().map_err(io_error)
        }
    }

    impl AsFd for File {
        fn as_fd(&self) -> BorrowedFd<'_> {
            // A `File` is open until it is consumed.
            self.handle.as_std().expect("an open file").as_fd()
        }
    }

    impl AsRawFd for File {
        fn as_raw_fd(&self) -> RawFd {
            self.as_fd().as_raw_fd()
        }
    }
}

impl File {
    /// Where unnamed files in a [`TempDir`](crate::TempDir) come from.
    pub(crate) fn unnamed_within(dir: &interface::TempDir) -> io::Result<File> {
        interface::unnamed(Location::Within(dir)).map(File::new).map_err(io_error)
    }
}
