//! A file that is in memory while it is small, and moves to another file when it grows.

use alloc::vec::Vec;

use crate::blocks::Blocks;
use crate::context::{Context, check_stopped};
use crate::error::{Error, ErrorCode, ResultExt};
use crate::file::{File, MAX_OFFSET, MAX_READ};
use crate::persist::Durability;

/// A file that a spooled file can move to. Each method promises what [`File`]'s does.
pub trait Bytes {
    /// Reads into `buffer`; 0 means end of file.
    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error>;
    /// Writes some of `data`: at least one byte, unless it is empty.
    fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error>;
    /// The size in bytes.
    fn size(&self) -> Result<u64, Error>;
    /// Cuts the file, or grows it with zeros.
    fn set_size(&self, size: u64) -> Result<(), Error>;
    /// Waits until what was written is on stable storage.
    fn sync(&self, durability: Durability) -> Result<(), Error>;
}

impl<C: Context> Bytes for File<C> {
    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        File::read_into(self, buffer, offset)
    }
    fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error> {
        // A move takes many writes.
        check_stopped(self.context()).without_path("write to a spooled file")?;
        File::write(self, data, offset)
    }
    fn size(&self) -> Result<u64, Error> {
        File::size(self)
    }
    fn set_size(&self, size: u64) -> Result<(), Error> {
        File::set_size(self, size)
    }
    fn sync(&self, durability: Durability) -> Result<(), Error> {
        File::sync(self, durability)
    }
}

/// Where a file's bytes are: `storage` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In memory: of the provider, or, for a file that a client spools itself, of the plugin.
    Memory,
    /// In a file.
    Disk,
}

enum State<F> {
    Memory(Blocks),
    Disk(F),
}

/// A file that stays in memory up to and including `max_memory` bytes, and moves to a file before
/// it would be larger.
///
/// A move that fails is an error of the operation that needed it, and changes nothing: the bytes
/// stay where they are, and the next such operation tries again.
pub struct Spool<F> {
    state: State<F>,
    max_memory: Option<u64>,
}

impl<F: Bytes> Spool<F> {
    /// An empty one. `max_memory` none: it never moves by itself.
    pub fn new(max_memory: Option<u64>) -> Self {
        Spool { state: State::Memory(Blocks::new()), max_memory }
    }

    /// Where the bytes are.
    pub fn storage(&self) -> Storage {
        match self.state {
            State::Memory(_) => Storage::Memory,
            State::Disk(_) => Storage::Disk,
        }
    }

    /// Reads into `buffer`; 0 at the end. May be short.
    ///
    /// # Errors
    /// `invalid` if the offset is over 2^63-1; once it has moved, those of the file.
    pub fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        if offset > MAX_OFFSET {
            return Err(Error::without_path(ErrorCode::Invalid, "read a spooled file"));
        }
        match &self.state {
            State::Disk(file) => file.read_into(buffer, offset),
            State::Memory(bytes) => Ok(bytes.read(index(offset), buffer)),
        }
    }

    /// Returns at most `length` bytes from `offset`, [`MAX_READ`] at most; none at end of file.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(length).unwrap_or(MAX_READ).min(MAX_READ);
        let length = match &self.state {
            State::Memory(bytes) => length.min(bytes.len().saturating_sub(index(offset))),
            State::Disk(_) => length,
        };
        let mut bytes = alloc::vec![0; length];
        let count = self.read_into(&mut bytes, offset)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Writes at `offset` and returns the number of bytes written. A gap before `offset` reads as
    /// zeros.
    ///
    /// # Errors
    /// `invalid` if the offset is over 2^63-1, `file-too-large` if the end would be;
    /// `out-of-memory`; those of `make` and of the file that it creates.
    pub fn write(
        &mut self,
        data: &[u8],
        offset: u64,
        make: impl FnOnce() -> Result<F, Error>,
    ) -> Result<u64, Error> {
        self.check_write(offset, data.len())?;
        if data.is_empty() {
            return Ok(0);
        }
        self.make_room(offset + data.len() as u64, make)?;
        match &mut self.state {
            State::Disk(file) => file.write(data, offset),
            State::Memory(bytes) => {
                bytes
                    .write(index(offset), data)
                    .map_err(|code| Error::without_path(code, "write to a spooled file"))?;
                Ok(data.len() as u64)
            }
        }
    }

    /// The size in bytes.
    ///
    /// # Errors
    /// Once it has moved, those of the file.
    pub fn size(&self) -> Result<u64, Error> {
        match &self.state {
            State::Memory(bytes) => Ok(bytes.len() as u64),
            State::Disk(file) => file.size(),
        }
    }

    /// Cuts the file, or grows it with zeros. Cutting does not bring it back to memory.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn set_size(
        &mut self,
        size: u64,
        make: impl FnOnce() -> Result<F, Error>,
    ) -> Result<(), Error> {
        self.check_size(size)?;
        self.make_room(size, make)?;
        match &mut self.state {
            State::Disk(file) => file.set_size(size),
            State::Memory(bytes) => bytes
                .resize(index(size))
                .map_err(|code| Error::without_path(code, "resize a spooled file")),
        }
    }

    /// Waits until what was written is on stable storage. In memory there is nothing to wait for.
    ///
    /// # Errors
    /// Once it has moved, those of the file.
    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        match &self.state {
            State::Memory(_) => Ok(()),
            State::Disk(file) => file.sync(durability),
        }
    }

    /// Moves the bytes to a file, if they are not in one.
    ///
    /// # Errors
    /// Those of `make` and of writing to the file that it creates. The bytes stay in memory, and
    /// the file is dropped.
    pub fn roll_over(&mut self, make: impl FnOnce() -> Result<F, Error>) -> Result<(), Error> {
        if let State::Memory(bytes) = &self.state {
            let file = make()?;
            let mut written = 0;
            loop {
                let piece = bytes.piece(written);
                if piece.is_empty() {
                    break;
                }
                let count = file.write(piece, written as u64)?;
                written += usize::try_from(count).unwrap_or(usize::MAX).min(piece.len());
            }
            self.state = State::Disk(file);
        }
        Ok(())
    }

    /// How many bytes are in memory.
    pub fn in_memory(&self) -> u64 {
        match &self.state {
            State::Memory(bytes) => bytes.len() as u64,
            State::Disk(_) => 0,
        }
    }

    /// The memory that the bytes occupy, which may be more than there are bytes.
    pub(crate) fn capacity(&self) -> u64 {
        match &self.state {
            State::Memory(bytes) => bytes.capacity() as u64,
            State::Disk(_) => 0,
        }
    }

    /// The number of bytes in memory, and the memory that they occupy, if the file reached `end`.
    /// Unchanged numbers if the bytes are on disk, or would move there first.
    pub(crate) fn usage_at(&self, end: u64) -> (u64, u64) {
        match &self.state {
            State::Memory(bytes) if self.max_memory.is_none_or(|max| end <= max) => {
                let end = end.max(bytes.len() as u64);
                (end, bytes.capacity_for(index(end)) as u64)
            }
            State::Memory(_) | State::Disk(_) => (self.in_memory(), self.capacity()),
        }
    }

    /// Refuses what would end past the largest offset, before anything is moved.
    pub(crate) fn check_write(&self, offset: u64, len: usize) -> Result<(), Error> {
        if offset > MAX_OFFSET {
            return Err(Error::without_path(ErrorCode::Invalid, "write to a spooled file"));
        }
        if len as u64 > MAX_OFFSET - offset {
            return Err(Error::without_path(ErrorCode::FileTooLarge, "write to a spooled file"));
        }
        Ok(())
    }

    /// Refuses a size past the largest offset, before anything is moved.
    pub(crate) fn check_size(&self, size: u64) -> Result<(), Error> {
        if size > MAX_OFFSET {
            return Err(Error::without_path(ErrorCode::Invalid, "resize a spooled file"));
        }
        Ok(())
    }

    /// Whether the bytes may ever move to disk.
    pub(crate) fn can_move(&self) -> bool {
        self.max_memory.is_some()
    }

    /// The file, once the bytes have moved there.
    pub fn file_mut(&mut self) -> Option<&mut F> {
        match &mut self.state {
            State::Memory(_) => None,
            State::Disk(file) => Some(file),
        }
    }

    /// The file the bytes have moved to, or else the bytes.
    ///
    /// # Errors
    /// The bytes, while they are in memory.
    pub fn into_file(self) -> Result<F, Vec<u8>> {
        match self.state {
            State::Memory(bytes) => Err(bytes.into_vec()),
            State::Disk(file) => Ok(file),
        }
    }

    fn make_room(
        &mut self,
        end: u64,
        make: impl FnOnce() -> Result<F, Error>,
    ) -> Result<(), Error> {
        match self.max_memory {
            Some(max) if end > max => self.roll_over(make),
            Some(_) | None => Ok(()),
        }
    }
}

/// Converts an offset to an index in memory. An offset that no memory can have becomes
/// `usize::MAX`, where reads find nothing and writes fail.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use super::*;

    /// A disk of so many bytes.
    struct Disk {
        bytes: RefCell<Vec<u8>>,
        room: usize,
    }

    impl Disk {
        fn with_room(room: usize) -> Self {
            Disk { bytes: RefCell::default(), room }
        }
    }

    impl Bytes for Disk {
        fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
            let bytes = self.bytes.borrow();
            let found = bytes.get(index(offset)..).unwrap_or_default();
            Ok(buffer.iter_mut().zip(found).map(|(to, from)| *to = *from).count())
        }
        fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error> {
            let start = index(offset);
            // Short, as a disk that fills up is.
            let end = (start + data.len()).min(self.room);
            if end <= start {
                return Err(Error::without_path(ErrorCode::NoSpace, "write to a disk"));
            }
            let mut bytes = self.bytes.borrow_mut();
            let len = bytes.len().max(end);
            bytes.resize(len, 0);
            bytes[start..end].copy_from_slice(&data[..end - start]);
            Ok((end - start) as u64)
        }
        fn size(&self) -> Result<u64, Error> {
            Ok(self.bytes.borrow().len() as u64)
        }
        fn set_size(&self, size: u64) -> Result<(), Error> {
            self.bytes.borrow_mut().resize(size as usize, 0);
            Ok(())
        }
        fn sync(&self, _: Durability) -> Result<(), Error> {
            Ok(())
        }
    }

    fn disk() -> Result<Disk, Error> {
        Ok(Disk::with_room(1 << 20))
    }

    #[test]
    fn it_moves_past_the_limit_and_not_at_it() {
        let mut spool = Spool::new(Some(4));
        spool.write(b"four", 0, disk).unwrap();
        assert_eq!(spool.storage(), Storage::Memory);
        spool.write(b"!", 4, disk).unwrap();
        assert_eq!(spool.storage(), Storage::Disk);
        assert_eq!(spool.read(100, 0).unwrap(), b"four!");
    }

    #[test]
    fn a_move_that_fails_leaves_the_bytes_and_is_tried_again() {
        let mut spool = Spool::new(Some(4));
        spool.write(b"four", 0, disk).unwrap();
        let error = spool.write(b"!", 4, || Ok(Disk::with_room(2))).unwrap_err();
        assert_eq!((error.code, spool.storage()), (ErrorCode::NoSpace, Storage::Memory));
        assert_eq!(spool.read(100, 0).unwrap(), b"four");
        spool.write(b"!", 4, disk).unwrap();
        assert_eq!(spool.read(100, 0).unwrap(), b"four!");
    }

    #[test]
    fn a_gap_counts_as_bytes_and_reads_as_zeros() {
        let mut spool = Spool::new(Some(8));
        spool.write(b"xy", 6, disk).unwrap();
        assert_eq!((spool.storage(), spool.in_memory()), (Storage::Memory, 8));
        assert_eq!(spool.read(100, 0).unwrap(), b"\0\0\0\0\0\0xy");
        spool.write(b"z", 1 << 19, disk).unwrap();
        assert_eq!(spool.storage(), Storage::Disk);
        assert_eq!(spool.size().unwrap(), (1 << 19) + 1);
    }

    #[test]
    fn growing_moves_it_and_cutting_does_not_bring_it_back() {
        let mut spool = Spool::new(Some(4));
        spool.set_size(5, disk).unwrap();
        spool.set_size(0, disk).unwrap();
        assert_eq!(spool.storage(), Storage::Disk);
    }

    #[test]
    fn without_a_limit_it_stays_until_memory_ends() {
        let mut spool = Spool::new(None);
        spool.write(&[1; 1000], 0, disk).unwrap();
        let error = spool.set_size(MAX_OFFSET, disk).unwrap_err();
        assert_eq!(
            (error.code, spool.storage(), spool.size().unwrap()),
            (ErrorCode::OutOfMemory, Storage::Memory, 1000)
        );
    }

    #[test]
    fn nothing_written_far_away_moves_nothing() {
        let mut spool = Spool::new(Some(4));
        assert_eq!(spool.write(b"", MAX_OFFSET, disk).unwrap(), 0);
        assert_eq!((spool.storage(), spool.size().unwrap()), (Storage::Memory, 0));
    }
}
