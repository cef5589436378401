//! The resource `file`.

use std::collections::BTreeSet;

use getrandom::SysRng;
use tempfile_core::{SpooledFiles, make_room};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, WasmList};

use super::interface::tempfile::{Durability, HostFile, Storage};
use super::interface::types::Host as _;
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

/// Serves `file.write` from where the bytes are, in the plugin's memory. The bindings would copy them first, and as many as the plugin says.
pub(super) fn serve_write<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    if define_write(linker, view).is_ok() {
        return Ok(());
    }
    // The bindings' own is there already, and this linker does not let it be replaced.
    linker.allow_shadowing(true);
    let defined = define_write(linker, view);
    linker.allow_shadowing(false);
    defined
}

pub(super) fn define_write<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    type Arguments = (Resource<File>, u64, WasmList<u8>);
    let write = move |mut store: StoreContextMut<'_, T>, (file, offset, data): Arguments| {
        // As the bindings' functions have it.
        let function = "[method]file.write";
        let _span = tracing::trace_span!("wit-bindgen import", module = "tempfile", function).entered();
        let begun = view(store.data_mut()).begin_write(&file, offset, data.len());
        let written = begun.and_then(|mut taken| {
            let waiting = view(store.data_mut()).waiting;
            let written = waiting.wait(|| taken.write(offset, data.as_le_slice(&store)));
            view(store.data_mut()).end_write(&file, taken)?;
            Ok(written?)
        });
        let answer = match written {
            Ok(count) => Ok(count),
            Err(failure) => Err(view(store.data_mut()).convert_error(failure)?),
        };
        Ok((answer,))
    };
    linker.instance("scratch:tempfile/tempfile@0.1.0")?.func_wrap("[method]file.write", write)
}

impl TempfileCtxView<'_> {
    /// Makes room for a write, and takes the file out of the table, which the plugin's memory can't be borrowed beside.
    fn begin_write(&mut self, file: &Resource<File>, offset: u64, len: usize) -> Result<File, Failure> {
        self.call_on(file, |view| {
            view.make_room(file, offset.saturating_add(len as u64));
            Ok(view.table.get_mut(file)?.take())
        })
    }

    fn end_write(&mut self, file: &Resource<File>, taken: File) -> Result<(), Failure> {
        *self.table.get_mut(file)? = taken;
        Ok(())
    }
}

impl HostFile for TempfileCtxView<'_> {
    fn read(&mut self, file: Resource<File>, offset: u64, max: u32) -> Result<Vec<u8>, Failure> {
        self.call_on(&file, |view| Ok(view.table.get(&file)?.read(offset, max)?))
    }

    fn write(&mut self, file: Resource<File>, offset: u64, data: Vec<u8>) -> Result<u64, Failure> {
        let mut taken = self.begin_write(&file, offset, data.len())?;
        let written = self.waiting.wait(|| taken.write(offset, &data));
        self.end_write(&file, taken)?;
        Ok(written?)
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
