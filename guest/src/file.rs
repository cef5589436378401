//! The resource `file`.

use alloc::vec::Vec;
use core::cell::RefCell;

use getrandom::SysRng;
use tempfile_core::AnyFile;
use tempfile_wasi::WasiContext;

use crate::bindings::exports::scratch::tempfile::tempfile::{
    Durability, Error, File, GuestFile, Storage,
};
use crate::convert;

/// The state behind a `file` handle.
pub(crate) struct FileHandle(pub(crate) RefCell<AnyFile<WasiContext, SysRng>>);

impl FileHandle {
    pub(crate) fn resource(file: tempfile_core::File<WasiContext>) -> File {
        Self::any(AnyFile::Plain(file))
    }

    pub(crate) fn any(file: AnyFile<WasiContext, SysRng>) -> File {
        File::new(FileHandle(RefCell::new(file)))
    }
}

impl GuestFile for FileHandle {
    fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        self.0.borrow().read(length, offset).map_err(convert::error)
    }

    fn write(&self, buffer: Vec<u8>, offset: u64) -> Result<u64, Error> {
        self.0.borrow_mut().write(&buffer, offset).map_err(convert::error)
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
