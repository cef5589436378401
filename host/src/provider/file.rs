//! The resource `file`.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, WasmList};

use super::interface::tempfile::{Durability, Host as _, HostFile, Storage};
use super::{Failure, File, TempfileCtxView, convert};

/// Implements `file.write` on the plugin's memory. The generated binding would first copy the
/// buffer, of any length that the plugin chooses.
pub(super) fn add_write_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    // The generated binding is there already.
    super::shadowing(linker, |linker| define_write(linker, view))
}

pub(super) fn define_write<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    type Arguments = (Resource<File>, WasmList<u8>, u64);
    let write = move |mut store: StoreContextMut<'_, T>, (file, buffer, offset): Arguments| {
        // The span that the generated bindings make.
        let function = "[method]file.write";
        let _span =
            tracing::trace_span!("wit-bindgen import", module = "tempfile", function).entered();
        let taken = view(store.data_mut()).table.get_mut(&file).map(File::take);
        let written = taken.map_err(Failure::from).and_then(|mut taken| {
            // The file is out of the table, because the table and the plugin's memory, both in the
            // store, cannot be borrowed together.
            let blocking = view(store.data_mut()).blocking;
            let written = blocking.run(|| taken.write(buffer.as_le_slice(&store), offset));
            *view(store.data_mut()).table.get_mut(&file)? = taken;
            Ok(written?)
        });
        let result = match written {
            Ok(count) => Ok(count),
            Err(failure) => Err(view(store.data_mut()).convert_error(failure)?),
        };
        Ok((result,))
    };
    linker.instance(super::SERVED[0])?.func_wrap("[method]file.write", write)
}

impl HostFile for TempfileCtxView<'_> {
    fn read(&mut self, file: Resource<File>, length: u32, offset: u64) -> Result<Vec<u8>, Failure> {
        self.call_on(&file, |file| file.read(length, offset))
    }

    fn write(
        &mut self,
        file: Resource<File>,
        buffer: Vec<u8>,
        offset: u64,
    ) -> Result<u64, Failure> {
        self.call_on(&file, |file| file.write(&buffer, offset))
    }

    fn size(&mut self, file: Resource<File>) -> Result<u64, Failure> {
        self.call_on(&file, |file| file.size())
    }

    fn set_size(&mut self, file: Resource<File>, size: u64) -> Result<(), Failure> {
        self.call_on(&file, |file| file.set_size(size))
    }

    fn sync(&mut self, file: Resource<File>, durability: Durability) -> Result<(), Failure> {
        self.call_on(&file, |file| file.sync(convert::durability(durability)))
    }

    fn storage(&mut self, file: Resource<File>) -> Result<Storage, Failure> {
        Ok(convert::storage(self.table.get(&file)?.storage()?))
    }

    fn roll_over(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.call_on(&file, File::roll_over)
    }

    fn close(&mut self, file: Resource<File>) -> Result<(), Failure> {
        self.call_on(&file, File::close)
    }

    fn drop(&mut self, file: Resource<File>) -> wasmtime::Result<()> {
        self.delete(file)
    }
}
