//! The resource `file`.

use alloc::vec::Vec;
use core::cell::RefCell;

use getrandom::SysRng;
use tempfile_core::AnyFile;
use tempfile_wasi::Wasi;

use crate::bindings::exports::scratch::tempfile::tempfile::{Durability, Error, File, GuestFile, Storage};
use crate::convert;

/// What a handle to a `file` stands for.
pub(crate) struct FileHandle(pub(crate) RefCell<AnyFile<Wasi, SysRng>>);

impl FileHandle {
    pub(crate) fn resource(file: tempfile_core::File<Wasi>) -> File {
        Self::any(AnyFile::Plain(file))
    }

    pub(crate) fn any(file: AnyFile<Wasi, SysRng>) -> File {
        File::new(FileHandle(RefCell::new(file)))
    }
}

impl GuestFile for FileHandle {
    fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        self.0.borrow().read(offset, max).map_err(convert::error)
    }

    fn write(&self, offset: u64, data: Vec<u8>) -> Result<u64, Error> {
        self.0.borrow_mut().write(offset, &data).map_err(convert::error)
    }

    fn size(&self) -> Result<u64, Error> {
        self.0.borrow().size().map_err(convert::error)
    }

    fn set_size(&self, size: u64) -> Result<(), Error> {
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
