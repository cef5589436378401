//! The resource `file`.

use wasmtime::component::Resource;

use super::interface::tempfile::{Durability, HostFile, Storage};
use super::{Failure, File, TempfileCtxView, convert};

impl HostFile for TempfileCtxView<'_> {
    fn read(&mut self, file: Resource<File>, offset: u64, max: u32) -> Result<Vec<u8>, Failure> {
        self.wait(|view| Ok(view.table.get(&file)?.read(offset, max)?))
    }

    fn write(&mut self, file: Resource<File>, offset: u64, data: Vec<u8>) -> Result<u64, Failure> {
        self.wait(|view| Ok(view.table.get_mut(&file)?.write(offset, &data)?))
    }

    fn size(&mut self, file: Resource<File>) -> Result<u64, Failure> {
        self.wait(|view| Ok(view.table.get(&file)?.size()?))
    }

    fn set_size(&mut self, file: Resource<File>, size: u64) -> Result<(), Failure> {
        self.wait(|view| Ok(view.table.get_mut(&file)?.set_size(size)?))
    }

    fn sync(&mut self, file: Resource<File>, durability: Durability) -> Result<(), Failure> {
        self.wait(|view| Ok(view.table.get(&file)?.sync(convert::durability(durability))?))
    }

    fn storage(&mut self, file: Resource<File>) -> Result<Storage, Failure> {
        Ok(convert::storage(self.table.get(&file)?.storage()?))
    }

    fn roll_over(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.wait(|view| Ok(view.table.get_mut(&file)?.roll_over()?))
    }

    fn close(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.wait(|view| Ok(view.table.get_mut(&file)?.close()?))
    }

    fn drop(&mut self, file: Resource<File>) -> wasmtime::Result<()> {
        self.wait(|view| Ok(drop(view.table.delete(file)?)))
    }
}
