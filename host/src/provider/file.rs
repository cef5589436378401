//! The resource `file`.

use std::collections::BTreeSet;

use getrandom::SysRng;
use tempfile_core::{SpooledFiles, make_room};
use wasmtime::component::{Resource, ResourceTable};

use super::interface::tempfile::{Durability, HostFile, Storage};
use super::{Failure, File, Platform, TempfileCtx, TempfileCtxView, convert};

/// The spooled files of an instance.
struct Spools<'a> {
    table: &'a mut ResourceTable,
    spooled: &'a BTreeSet<u32>,
}

impl SpooledFiles<Platform, SysRng> for Spools<'_> {
    type Key = u32;

    fn keys(&self) -> Vec<u32> {
        self.spooled.iter().copied().collect()
    }

    fn with<T>(&mut self, key: u32, act: impl FnOnce(&mut File) -> T) -> Option<T> {
        self.table.get_mut(&Resource::<File>::new_borrow(key)).ok().map(act)
    }
}

impl TempfileCtxView<'_> {
    /// Makes room in memory, if this is a spooled file.
    fn make_room(&mut self, file: &Resource<File>, end: u64) {
        let TempfileCtx { platform, spooled, .. } = &*self.ctx;
        if spooled.contains(&file.rep()) {
            make_room(platform, &mut Spools { table: self.table, spooled }, file.rep(), end);
        }
    }
}

impl HostFile for TempfileCtxView<'_> {
    fn read(&mut self, file: Resource<File>, offset: u64, max: u32) -> Result<Vec<u8>, Failure> {
        self.call_on(&file, |view| Ok(view.table.get(&file)?.read(offset, max)?))
    }

    fn write(&mut self, file: Resource<File>, offset: u64, data: Vec<u8>) -> Result<u64, Failure> {
        self.call_on(&file, |view| {
            view.make_room(&file, offset.saturating_add(data.len() as u64));
            Ok(view.table.get_mut(&file)?.write(offset, &data)?)
        })
    }

    fn size(&mut self, file: Resource<File>) -> Result<u64, Failure> {
        self.call_on(&file, |view| Ok(view.table.get(&file)?.size()?))
    }

    fn set_size(&mut self, file: Resource<File>, size: u64) -> Result<(), Failure> {
        self.call_on(&file, |view| {
            view.make_room(&file, size);
            Ok(view.table.get_mut(&file)?.set_size(size)?)
        })
    }

    fn sync(&mut self, file: Resource<File>, durability: Durability) -> Result<(), Failure> {
        self.call_on(&file, |view| Ok(view.table.get(&file)?.sync(convert::durability(durability))?))
    }

    fn storage(&mut self, file: Resource<File>) -> Result<Storage, Failure> {
        self.call_on(&file, |view| Ok(convert::storage(view.table.get(&file)?.storage()?)))
    }

    fn roll_over(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.call_on(&file, |view| Ok(view.table.get_mut(&file)?.roll_over()?))
    }

    fn close(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.call_on(&file, |view| Ok(view.table.get_mut(&file)?.close()?))
    }

    fn drop(&mut self, file: Resource<File>) -> wasmtime::Result<()> {
        self.call(|view| {
            view.ctx.spooled.remove(&file.rep());
            view.delete(file)
        })
    }
}
