//! A file that stays in memory while it is small.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile_core::{Bytes, Spool, Storage};

use crate::env;
use crate::error::io_error;
use crate::file::{File, MAX_POSITION, seek_to};
use crate::handle::Handle;
use crate::interface::{self, Durability, Error, ErrorCode, Location};

/// Creates a file that stays in memory up to and including `max_size` bytes, and then moves to an
/// unnamed file in the default directory.
///
/// ```
/// use std::io::Write;
///
/// let mut file = wasi_tempfile::spooled_tempfile(5);
/// file.write_all(b"small")?;
/// assert!(!file.is_rolled());
/// file.write_all(b"!")?;
/// assert!(file.is_rolled());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn spooled_tempfile(max_size: usize) -> SpooledTempFile {
    SpooledTempFile::new(max_size)
}

/// Creates a file that stays in memory up to and including `max_size` bytes, and then moves to an
/// unnamed file in `dir`.
///
/// ```
/// let dir = wasi_tempfile::tempdir()?;
/// let mut file = wasi_tempfile::spooled_tempfile_in(5, &dir);
/// file.roll()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn spooled_tempfile_in<P: AsRef<Path>>(max_size: usize, dir: P) -> SpooledTempFile {
    SpooledTempFile::new_in(max_size, dir)
}

/// A file that stays in memory while it is small.
///
/// The memory is the plugin's own: a limit on the plugin's memory holds for it, and one on spooled
/// files (`limits::memory` of the ledger) does not, which is for [`interface::spooled`]. A write
/// that would make the file larger than `max_size` first moves it to disk; the position stays. If
/// the move fails, the bytes stay in memory, and the next write tries again.
///
/// As in a [`Cursor`], any position can be sought while the bytes are in memory. On disk the
/// positions are those of a [`File`]: a file that stands past them cannot move.
///
/// ```
/// use std::io::{Read, Seek, Write};
///
/// let mut file = wasi_tempfile::SpooledTempFile::new(1 << 20);
/// file.write_all(b"small")?;
/// file.rewind()?;
/// let mut text = String::new();
/// file.read_to_string(&mut text)?;
/// assert_eq!(text, "small");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct SpooledTempFile {
    spool: Spool<Handle>,
    position: u64,
    dir: Option<PathBuf>,
}

/// The bytes of a [`SpooledTempFile`], wherever they are.
///
/// ```
/// use wasi_tempfile::{SpooledData, spooled_tempfile};
///
/// match spooled_tempfile(5).into_inner() {
///     SpooledData::InMemory(bytes) => assert!(bytes.into_inner().is_empty()),
///     SpooledData::OnDisk(file) => println!("{} bytes", file.metadata()?.len()),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub enum SpooledData {
    /// The bytes, still in memory.
    InMemory(Cursor<Vec<u8>>),
    /// The file that holds the bytes.
    OnDisk(File),
}

impl SpooledTempFile {
    /// As [`spooled_tempfile`].
    ///
    /// ```
    /// assert!(!wasi_tempfile::SpooledTempFile::new(5).is_rolled());
    /// ```
    pub fn new(max_size: usize) -> SpooledTempFile {
        SpooledTempFile { spool: Spool::new(Some(max_size as u64)), position: 0, dir: None }
    }

    /// As [`spooled_tempfile_in`].
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// wasi_tempfile::SpooledTempFile::new_in(5, &dir).roll()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new_in<P: AsRef<Path>>(max_size: usize, dir: P) -> SpooledTempFile {
        SpooledTempFile { dir: Some(dir.as_ref().to_path_buf()), ..SpooledTempFile::new(max_size) }
    }

    /// Whether the bytes have moved to disk.
    ///
    /// ```
    /// let mut file = wasi_tempfile::spooled_tempfile(5);
    /// assert!(!file.is_rolled());
    /// file.set_len(6)?;
    /// assert!(file.is_rolled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn is_rolled(&self) -> bool {
        self.spool.storage() == Storage::Disk
    }

    /// Moves the bytes to disk, if they are in memory. The position stays.
    ///
    /// ```
    /// let mut file = wasi_tempfile::spooled_tempfile(5);
    /// file.roll()?;
    /// assert!(file.is_rolled());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`tempfile`](crate::tempfile()) and of writing;
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if no file can be at this
    /// position. The bytes stay in memory.
    pub fn roll(&mut self) -> io::Result<()> {
        let Self { spool, position, dir } = self;
        spool.roll_over(|| create(dir.as_deref(), *position)).map_err(io_error)
    }

    /// Truncates the file, or extends it with zeros. The position stays.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let mut file = wasi_tempfile::spooled_tempfile(5);
    /// file.write_all(b"12345")?;
    /// file.set_len(2)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`roll`](Self::roll), if it becomes too large for memory;
    /// [`OutOfMemory`](io::ErrorKind::OutOfMemory) (`out-of-memory`); those of [`File::set_len`].
    pub fn set_len(&mut self, size: u64) -> io::Result<()> {
        let Self { spool, position, dir } = self;
        spool.set_size(size, || create(dir.as_deref(), *position)).map_err(io_error)
    }

    /// The bytes or the file, at the same position.
    ///
    /// ```
    /// let mut file = wasi_tempfile::spooled_tempfile(5);
    /// file.roll()?;
    /// assert!(matches!(file.into_inner(), wasi_tempfile::SpooledData::OnDisk(_)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_inner(self) -> SpooledData {
        match self.spool.into_file() {
            Ok(handle) => {
                // It was sought or used at this position before.
                let _ = handle.seek(SeekFrom::Start(self.position));
                SpooledData::OnDisk(File { handle })
            }
            Err(bytes) => {
                let mut cursor = Cursor::new(bytes);
                cursor.set_position(self.position);
                SpooledData::InMemory(cursor)
            }
        }
    }

    /// The file, at the same position. Bytes in memory move to disk first.
    ///
    /// ```
    /// let file: wasi_tempfile::File = wasi_tempfile::spooled_tempfile(5).into_file()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`roll`](Self::roll).
    pub fn into_file(mut self) -> io::Result<File> {
        self.roll()?;
        match self.into_inner() {
            SpooledData::OnDisk(file) => Ok(file),
            SpooledData::InMemory(_) => Err(io::ErrorKind::Other.into()),
        }
    }
}

/// Creates a file that can be at `position`.
fn create(dir: Option<&Path>, position: u64) -> Result<Handle, Error> {
    let create = |location: Location<'_>| interface::unnamed(location).and_then(Handle::new);
    let handle = env::create_in(dir, create)?;
    let refused =
        |_| Error::without_path(ErrorCode::Invalid, "keep the position of a spooled file");
    handle.seek(SeekFrom::Start(position)).map_err(refused)?;
    Ok(handle)
}

impl Bytes for Handle {
    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        self.read_at(buffer, offset)
    }
    fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error> {
        self.write_at(data, offset).map(|count| count as u64)
    }
    fn size(&self) -> Result<u64, Error> {
        Handle::size(self)
    }
    fn set_size(&self, size: u64) -> Result<(), Error> {
        Handle::set_size(self, size)
    }
    fn sync(&self, durability: Durability) -> Result<(), Error> {
        Handle::sync(self, durability)
    }
}

impl Read for SpooledTempFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.spool.read_into(buffer, self.position).map_err(io_error)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for SpooledTempFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let Self { spool, position, dir } = self;
        let make = || create(dir.as_deref(), *position);
        let count = spool.write(data, *position, make).map_err(io_error)?;
        *position += count;
        Ok(count as usize)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SpooledTempFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let max = if self.is_rolled() { MAX_POSITION } else { u64::MAX };
        let target = seek_to(to, max, self.position, || self.spool.size().map_err(io_error))?;
        if let Some(handle) = self.spool.file_mut() {
            handle.seek(SeekFrom::Start(target))?;
        }
        self.position = target;
        Ok(target)
    }
}

impl std::fmt::Debug for SpooledTempFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpooledTempFile")
            .field("rolled", &self.is_rolled())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
