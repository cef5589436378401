//! Reading and writing by offset.

use tempfile_core::{MAX_WRITE, Platform};

use crate::file::MAX_POSITION;
use crate::interface::{Durability, Error, ErrorCode};

/// A platform's file, with the checks of the interface's `file`.
pub(crate) struct Positioned<'a, P: Platform> {
    pub(super) platform: P,
    pub(super) file: &'a P::File,
}

impl<P: Platform> Positioned<'_, P> {
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        // Systems refuse a read that would end past the largest offset, even in an empty file.
        let read = |room: u64| match buffer.len().min(usize::try_from(room).unwrap_or(usize::MAX)) {
            0 => Ok(0),
            length => self.platform.read_into(self.file, offset, &mut buffer[..length]),
        };
        room(offset).and_then(read).map_err(during("read a temporary file"))
    }

    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        let write = |room: u64| match data.len() {
            0 => Ok(0),
            length if length as u64 > room => Err(ErrorCode::FileTooLarge),
            length => self.platform.write(self.file, offset, &data[..length.min(MAX_WRITE)]),
        };
        room(offset).and_then(write).map_err(during("write to a temporary file"))
    }

    pub(crate) fn size(&self) -> Result<u64, Error> {
        self.platform.size(self.file).map_err(during("get the size of a temporary file"))
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
        let resize = |_| self.platform.set_size(self.file, size);
        room(size).and_then(resize).map_err(during("resize a temporary file"))
    }

    pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
        match durability {
            Durability::None => Ok(()),
            Durability::Data => self.platform.sync_data(self.file),
            Durability::Full => self.platform.sync_all(self.file),
        }
        .map_err(during("sync a temporary file"))
    }
}

/// The number of bytes between an offset and the largest one.
fn room(offset: u64) -> Result<u64, ErrorCode> {
    MAX_POSITION.checked_sub(offset).ok_or(ErrorCode::Invalid)
}

fn during(operation: &str) -> impl FnOnce(ErrorCode) -> Error {
    move |code| Error::without_path(code, operation)
}
