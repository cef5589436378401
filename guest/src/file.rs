//! The resource `file`.

use alloc::vec::Vec;

use getrandom::SysRng;
use tempfile_core::AnyFile;

use crate::bindings::exports::scratch::tempfile::tempfile::{Durability, Error, File, GuestFile, Storage};
use crate::convert;
use crate::system::{self, Held, Platform};

/// What a handle to a `file` stands for.
pub(crate) struct FileHandle(pub(crate) Held);

impl FileHandle {
    pub(crate) fn resource(file: tempfile_core::File<Platform>) -> File {
        Self::any(AnyFile::Plain(file))
    }

    pub(crate) fn any(file: AnyFile<Platform, SysRng>) -> File {
        File::new(FileHandle(system::hold(file)))
    }
}

impl GuestFile for FileHandle {
    fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        self.0.borrow().read(offset, max).map_err(convert::error)
    }

    fn write(&self, offset: u64, data: Vec<u8>) -> Result<u64, Error> {
        system::make_room(&self.0, offset.saturating_add(data.len() as u64));
        self.0.borrow_mut().write(offset, &data).map_err(convert::error)
    }

    fn size(&self) -> Result<u64, Error> {
        self.0.borrow().size().map_err(convert::error)
    }

    fn set_size(&self, size: u64) -> Result<(), Error> {
        system::make_room(&self.0, size);
        self.0.borrow_mut().set_size(size).map_err(convert::error)
    }

    fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.0.borrow().sync(convert::durability(durability)).map_err(convert::error)
    }

    fn storage(&self) -> Result<Storage, Error> {
        self.0.borrow().storage().map(convert::storage).map_err(convert::error)
    }

    fn roll_over(&self) -> Result<(), Error> {
        self.0.borrow_mut().roll_over().map_err(convert::error)
    }

    fn close(&self) -> Result<(), Error> {
        self.0.borrow_mut().close().map_err(convert::error)
    }
}
