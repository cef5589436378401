//! Natively: a `std::fs::File`.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;

use rustix::fs::OFlags;
use tempfile_core::{Native, Process, link_unnamed};

use super::positioned::Positioned;
use crate::interface::{self, Durability, Error, ErrorCode};

pub(crate) struct Handle(fs::File);

impl Handle {
    pub(crate) fn new(file: interface::File) -> Result<Self, Error> {
        file.into_std().map(Handle)
    }

    pub(crate) fn from_std(file: fs::File) -> Self {
        Handle(file)
    }

    pub(crate) fn into_std(self) -> fs::File {
        self.0
    }

    pub(crate) fn as_std(&self) -> &fs::File {
        &self.0
    }

    fn positioned(&self) -> Positioned<'_, Native> {
        Positioned { platform: Native, file: &self.0 }
    }

    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        self.positioned().read_at(buffer, offset)
    }

    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        self.positioned().write_at(data, offset)
    }

    pub(crate) fn size(&self) -> Result<u64, Error> {
        self.positioned().size()
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
        self.positioned().set_size(size)
    }

    pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.positioned().sync(durability)
    }

    pub(crate) fn link(&self, target: &str) -> Result<(), Error> {
        match self.0.metadata().map(|metadata| metadata.nlink()) {
            Ok(0) => link_unnamed(&Process, &self.0, target, Durability::None),
            Ok(_) => Err(Error::new(ErrorCode::Invalid, "link a temporary file to", target)),
            Err(error) => {
                let code = tempfile_core::error_code_of(&error);
                Err(Error::without_path(code, "count the names of a temporary file"))
            }
        }
    }

    /// Makes every write go to the end, for all that share this open file, child processes
    /// included.
    pub(crate) fn set_append(&mut self) -> io::Result<()> {
        let flags = rustix::fs::fcntl_getfl(&self.0)?;
        Ok(rustix::fs::fcntl_setfl(&self.0, flags | OFlags::APPEND)?)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Handle)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&self.0).read_vectored(buffers)
    }

    pub(crate) fn write(&self, data: &[u8]) -> io::Result<usize> {
        (&self.0).write(data)
    }

    pub(crate) fn write_vectored(&self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        (&self.0).write_vectored(data)
    }

    pub(crate) fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        (&self.0).seek(to)
    }
}
