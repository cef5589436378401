//! In wasm: the descriptor that the provider gave out, or the provider's handle if it gave out
//! none.

use std::io::{self, IoSlice, IoSliceMut, SeekFrom};
use std::sync::Arc;
#[cfg(feature = "direct")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile_core::MAX_WRITE;
#[cfg(feature = "direct")]
use tempfile_wasi::{Descriptor, Wasi};

#[cfg(feature = "direct")]
use super::positioned::Positioned;
use crate::error::io_error;
use crate::file::{MAX_POSITION, seek_to};
#[cfg(feature = "direct")]
use crate::interface::ErrorCode;
use crate::interface::{self, Durability, Error};

/// An open file with its cursor, shared by the clones of a [`File`](crate::File).
pub(crate) struct Handle(Arc<Inner>);

struct Inner {
    /// The descriptor, if the provider gave it out. Asked for at the first use of the bytes,
    /// because many a file is created for its name alone.
    #[cfg(feature = "direct")]
    descriptor: OnceLock<Option<Descriptor>>,
    /// Closed once the provider has given out the descriptor. Dropped after that, because then the
    /// provider removes the names that it could not remove while the file was open.
    provider: interface::File,
    cursor: AtomicU64,
    append: bool,
}

/// How the file's bytes travel.
enum Transport<'a> {
    Provider(&'a interface::File),
    #[cfg(feature = "direct")]
    Descriptor(Positioned<'a, Wasi<Descriptor>>),
}

impl Handle {
    pub(crate) fn new(provider: interface::File) -> Result<Self, Error> {
        Ok(Handle(Arc::new(Inner {
            provider,
            #[cfg(feature = "direct")]
            descriptor: OnceLock::new(),
            cursor: AtomicU64::new(0),
            append: false,
        })))
    }

    /// The descriptor where the provider gives it out: bytes then need not be copied through it.
    fn transport(&self) -> Transport<'_> {
        let provider = &self.0.provider;
        #[cfg(feature = "direct")]
        if let Some(file) = self.0.descriptor.get_or_init(|| {
            // A file that the provider must go on seeing answers `unsupported`.
            interface::file_descriptor(provider).ok()
        }) {
            return Transport::Descriptor(Positioned { platform: Wasi::default(), file });
        }
        Transport::Provider(provider)
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        match self.transport() {
            Transport::Provider(file) => {
                let bytes = file.read(u32::try_from(buffer.len()).unwrap_or(u32::MAX), offset)?;
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                Ok(count)
            }
            #[cfg(feature = "direct")]
            Transport::Descriptor(file) => file.read_at(buffer, offset),
        }
    }

    /// In append mode, writes at the end, as Linux does whatever the offset is.
    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        self.write_exactly_at(data, self.start_of_write(offset)?)
    }

    /// Where a write at `offset` begins.
    fn start_of_write(&self, offset: u64) -> Result<u64, Error> {
        if !self.0.append {
            return Ok(offset);
        }
        // An offset that is not used has to be valid all the same.
        self.write_exactly_at(&[], offset)?;
        self.size()
    }

    fn write_exactly_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        match self.transport() {
            // The provider gets a copy: no larger than what it would write at once.
            Transport::Provider(file) => {
                let data = &data[..data.len().min(MAX_WRITE)];
                file.write(data, offset).map(|count| count as usize)
            }
            #[cfg(feature = "direct")]
            Transport::Descriptor(file) => file.write_at(data, offset),
        }
    }

    pub(crate) fn size(&self) -> Result<u64, Error> {
        match self.transport() {
            Transport::Provider(file) => file.size(),
            #[cfg(feature = "direct")]
            Transport::Descriptor(file) => file.size(),
        }
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
        match self.transport() {
            Transport::Provider(file) => file.set_size(size),
            #[cfg(feature = "direct")]
            Transport::Descriptor(file) => file.set_size(size),
        }
    }

    pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
        match self.transport() {
            Transport::Provider(file) => file.sync(durability),
            #[cfg(feature = "direct")]
            Transport::Descriptor(file) => file.sync(durability),
        }
    }

    #[cfg(feature = "direct")]
    pub(crate) fn reader(&self, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
        match self.transport() {
            Transport::Provider(file) => interface::read_via_stream(file, offset),
            Transport::Descriptor(file) => {
                file.read_at(&mut [], offset)?;
                tempfile_wasi::read_via_stream(file.file, offset)
            }
        }
    }

    #[cfg(feature = "direct")]
    pub(crate) fn writer(&self, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
        let offset = self.start_of_write(offset)?;
        match self.transport() {
            Transport::Provider(file) => interface::write_via_stream(file, offset),
            Transport::Descriptor(file) => {
                file.write_at(&[], offset)?;
                tempfile_wasi::write_via_stream(file.file, offset)
            }
        }
    }

    pub(crate) fn link(&self, target: &str) -> Result<(), Error> {
        match self.transport() {
            Transport::Provider(file) => interface::link(file, target, Durability::None),
            // WASI has no such call; the provider would say the same.
            #[cfg(feature = "direct")]
            Transport::Descriptor(_) => {
                Err(Error::new(ErrorCode::Unsupported, "link a temporary file to", target))
            }
        }
    }

    pub(crate) fn set_append(&mut self) -> io::Result<()> {
        // Nobody shares a file that has just been created.
        Arc::get_mut(&mut self.0).ok_or(io::ErrorKind::Unsupported)?.append = true;
        Ok(())
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Handle(self.0.clone()))
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = self.position();
        let count = self.read_at(buffer, from).map_err(io_error)?;
        Ok(self.advance(from, count))
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match buffers.iter_mut().find(|buffer| !buffer.is_empty()) {
            Some(buffer) => self.read(buffer),
            None => Ok(0),
        }
    }

    pub(crate) fn write(&self, data: &[u8]) -> io::Result<usize> {
        let from = match self.0.append {
            true => self.size().map_err(io_error)?,
            false => self.position(),
        };
        let count = self.write_exactly_at(data, from).map_err(io_error)?;
        Ok(self.advance(from, count))
    }

    pub(crate) fn write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        match data.iter().find(|data| !data.is_empty()) {
            Some(data) => self.write(data),
            None => Ok(0),
        }
    }

    pub(crate) fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        let target = seek_to(to, MAX_POSITION, self.position(), || self.size().map_err(io_error))?;
        self.0.cursor.store(target, Ordering::Relaxed);
        Ok(target)
    }

    fn position(&self) -> u64 {
        self.0.cursor.load(Ordering::Relaxed)
    }

    fn advance(&self, from: u64, count: usize) -> usize {
        self.0.cursor.store(from + count as u64, Ordering::Relaxed);
        count
    }
}
