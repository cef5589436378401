//! Reading and writing by offset.

use tempfile_core::{self as core, Platform};

use crate::interface::{Durability, Error, ErrorCode};

/// A platform's file, with the checks and errors of the interface's `file`.
pub(crate) struct Positioned<'a, P: Platform> {
    pub(super) platform: P,
    pub(super) file: &'a P::File,
}

impl<P: Platform> Positioned<'_, P> {
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        core::read_at(&self.platform, self.file, buffer, offset)
            .map_err(during("read a temporary file"))
    }

    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> Result<usize, Error> {
        core::write_at(&self.platform, self.file, data, offset)
            .map_err(during("write to a temporary file"))
    }

    pub(crate) fn size(&self) -> Result<u64, Error> {
        self.platform.size(self.file).map_err(during("get the size of a temporary file"))
    }

    pub(crate) fn set_size(&self, size: u64) -> Result<(), Error> {
        core::set_size(&self.platform, self.file, size).map_err(during("resize a temporary file"))
    }

    pub(crate) fn sync(&self, durability: Durability) -> Result<(), Error> {
        core::sync_file(&self.platform, self.file, durability)
            .map_err(during("sync a temporary file"))
    }
}

fn during(operation: &str) -> impl FnOnce(ErrorCode) -> Error {
    move |code| Error::without_path(code, operation)
}
