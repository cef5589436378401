//! A file that stays in memory while it is small.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile_core::{Bytes, Spool, Storage};

use crate::error::{io_error, path_str};
use crate::file::{File, seek_to};
use crate::interface::{self, Durability, Error, Location};

/// Creates a file that stays in memory up to and including `max_size` bytes, and then moves to an unnamed file in the default directory.
pub fn spooled_tempfile(max_size: usize) -> SpooledTempFile {
    SpooledTempFile::new(max_size)
}

/// Creates a file that stays in memory up to and including `max_size` bytes, and then moves to an unnamed file in `dir`.
pub fn spooled_tempfile_in<P: AsRef<Path>>(max_size: usize, dir: P) -> SpooledTempFile {
    SpooledTempFile::new_in(max_size, dir)
}

/// A file that stays in memory while it is small.
///
/// The memory is the plugin's own. What would make the file larger than `max_size` first moves it to disk; the position stays. If
/// the move fails, the bytes are still there, in memory, and the next write tries again.
pub struct SpooledTempFile {
    spool: Spool<File>,
    position: u64,
    dir: Option<PathBuf>,
}

/// What a [`SpooledTempFile`] was made into.
#[derive(Debug)]
pub enum SpooledData {
    /// The bytes, still in memory.
    InMemory(Cursor<Vec<u8>>),
    /// The file they moved to.
    OnDisk(File),
}

impl SpooledTempFile {
    /// As [`spooled_tempfile`].
    pub fn new(max_size: usize) -> SpooledTempFile {
        SpooledTempFile { spool: Spool::new(Some(max_size as u64)), position: 0, dir: None }
    }

    /// As [`spooled_tempfile_in`].
    pub fn new_in<P: AsRef<Path>>(max_size: usize, dir: P) -> SpooledTempFile {
        SpooledTempFile { dir: Some(dir.as_ref().to_path_buf()), ..SpooledTempFile::new(max_size) }
    }

    /// Whether the bytes have moved to disk.
    pub fn is_rolled(&self) -> bool {
        self.spool.storage() == Storage::Disk
    }

    /// Moves the bytes to disk, if they are not there. The position stays.
    ///
    /// # Errors
    /// Those of [`tempfile`](crate::tempfile()), and of writing; the bytes stay in memory.
    pub fn roll(&mut self) -> io::Result<()> {
        let dir = self.dir.as_deref();
        self.spool.roll_over(|| make(dir)).map_err(io_error)
    }

    /// Cuts the file, or grows it with zeros. The position stays.
    ///
    /// # Errors
    /// As [`roll`](Self::roll), if it becomes too large for memory; `out-of-memory`; those of [`File::set_len`].
    pub fn set_len(&mut self, size: u64) -> io::Result<()> {
        let dir = self.dir.as_deref();
        self.spool.set_size(size, || make(dir)).map_err(io_error)
    }

    /// The bytes or the file, with the position.
    pub fn into_inner(self) -> SpooledData {
        match self.spool.into_file() {
            Ok(file) => {
                file.set_position(self.position);
                SpooledData::OnDisk(file)
            }
            Err(bytes) => {
                let mut cursor = Cursor::new(bytes);
                cursor.set_position(self.position);
                SpooledData::InMemory(cursor)
            }
        }
    }

    /// The file, with the position. Bytes in memory move to disk first.
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

fn make(dir: Option<&Path>) -> Result<File, Error> {
    let make = |dir| path_str(dir).map(Location::Directory);
    let location = match dir.map(make) {
        None => crate::env::location()?,
        Some(Ok(location)) => location,
        Some(Err(error)) => return Err(crate::error::interface_error(error)),
    };
    interface::unnamed(location).map(File::new)
}

impl Bytes for File {
    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        self.handle().read(offset, buffer)
    }
    fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error> {
        self.handle().write(offset, data).map(|count| count as u64)
    }
    fn size(&self) -> Result<u64, Error> {
        self.handle().size()
    }
    fn set_size(&self, size: u64) -> Result<(), Error> {
        self.handle().set_size(size)
    }
    fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.handle().sync(durability)
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
        let dir = self.dir.as_deref();
        let count = self.spool.write(data, self.position, || make(dir)).map_err(io_error)?;
        self.position += count;
        Ok(count as usize)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SpooledTempFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = seek_to(to, self.position, || self.spool.size().map_err(io_error))?;
        Ok(self.position)
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
