//! The resource `file`.

use tempfile_core::Platform;
use wasmtime::component::Resource;

use super::interface::tempfile::{Durability, HostFile, Storage};
use super::{Failure, File, TempfileCtxView, convert};

impl TempfileCtxView<'_> {
    /// Makes room in memory for a spooled file that is to reach `end`: the largest move to disk first. If the largest is this one,
    /// or none can move, nothing is left to do here; the file then moves itself, or is refused.
    fn make_room(&mut self, file: &Resource<File>, end: u64) -> Result<(), Failure> {
        if !self.ctx.spooled.contains(&file.rep()) {
            return Ok(());
        }
        loop {
            let here = self.table.get(file)?;
            let growth = here.growth(end);
            if growth == 0 || self.ctx.platform.admit_memory(growth).is_ok() {
                return Ok(());
            }
            let wanted = here.movable() + growth;
            let size =
                |rep: &u32| self.table.get(&Resource::<File>::new_borrow(*rep)).map_or(0, File::movable);
            let largest = self.ctx.spooled.iter().copied().max_by_key(size).filter(|rep| size(rep) >= wanted);
            let Some(largest) = largest.filter(|largest| *largest != file.rep()) else { return Ok(()) };
            if self.table.get_mut(&Resource::<File>::new_borrow(largest))?.roll_over().is_err() {
                return Ok(());
            }
        }
    }
}

impl HostFile for TempfileCtxView<'_> {
    fn read(&mut self, file: Resource<File>, offset: u64, max: u32) -> Result<Vec<u8>, Failure> {
        self.wait(|view| Ok(view.table.get(&file)?.read(offset, max)?))
    }

    fn write(&mut self, file: Resource<File>, offset: u64, data: Vec<u8>) -> Result<u64, Failure> {
        self.wait(|view| {
            view.make_room(&file, offset.saturating_add(data.len() as u64))?;
            Ok(view.table.get_mut(&file)?.write(offset, &data)?)
        })
    }

    fn size(&mut self, file: Resource<File>) -> Result<u64, Failure> {
        self.wait(|view| Ok(view.table.get(&file)?.size()?))
    }

    fn set_size(&mut self, file: Resource<File>, size: u64) -> Result<(), Failure> {
        self.wait(|view| {
            view.make_room(&file, size)?;
            Ok(view.table.get_mut(&file)?.set_size(size)?)
        })
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
        self.wait(|view| {
            view.ctx.spooled.remove(&file.rep());
            view.delete(file)
        })
    }
}
