//! The resource `temp-dir`.

use wasmtime::Trap;
use wasmtime::component::Resource;

use super::interface::tempfile::{
    CleanupFailure, Durability, Entry, HostTempDir, Metadata, ReplaceMode,
};
use super::{Failure, File, TempDir, TempfileCtxView, convert};

impl HostTempDir for TempfileCtxView<'_> {
    fn path(&mut self, dir: Resource<TempDir>) -> wasmtime::Result<String> {
        Ok(self.table.get(&dir)?.path().to_owned())
    }

    fn create_file(
        &mut self,
        dir: Resource<TempDir>,
        path: String,
    ) -> Result<Resource<File>, Failure> {
        let file = self.call_on(&dir, |dir| dir.create_file(&path))?;
        self.push(File::Plain(file))
    }

    fn open_file(
        &mut self,
        dir: Resource<TempDir>,
        path: String,
    ) -> Result<Resource<File>, Failure> {
        let file = self.call_on(&dir, |dir| dir.open_file(&path))?;
        self.push(File::Plain(file))
    }

    fn create_directory(&mut self, dir: Resource<TempDir>, path: String) -> Result<(), Failure> {
        self.call_on(&dir, |dir| dir.create_directory(&path))
    }

    fn metadata(&mut self, dir: Resource<TempDir>, path: String) -> Result<Metadata, Failure> {
        self.call_on(&dir, |dir| dir.metadata(&path)).map(convert::metadata)
    }

    fn rename(&mut self, dir: Resource<TempDir>, old: String, new: String) -> Result<(), Failure> {
        self.call_on(&dir, |dir| dir.rename(&old, &new))
    }

    fn remove(&mut self, dir: Resource<TempDir>, path: String) -> Result<(), Failure> {
        self.call_on(&dir, |dir| dir.remove(&path))
    }

    fn entries(&mut self, dir: Resource<TempDir>, path: String) -> Result<Vec<Entry>, Failure> {
        let entries = self.call_on(&dir, |dir| dir.entries(&path))?;
        Ok(entries.into_iter().map(convert::entry).collect())
    }

    fn persist(
        &mut self,
        dir: Resource<TempDir>,
        target: String,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Failure> {
        let (mode, durability) = (convert::replace_mode(mode), convert::durability(durability));
        self.call_on(&dir, |dir| dir.persist(&target, mode, durability))
    }

    fn keep(&mut self, dir: Resource<TempDir>) -> Result<String, Failure> {
        self.call_on(&dir, TempDir::keep)
    }

    fn close(
        &mut self,
        dir: Resource<TempDir>,
    ) -> wasmtime::Result<Result<(), Vec<CleanupFailure>>> {
        self.call(|view| Ok(view.table.get_mut(&dir)?.close().map_err(convert::failures)))
    }

    fn drop(&mut self, dir: Resource<TempDir>) -> wasmtime::Result<()> {
        let closed = self.call(|view| view.table.get_mut(&dir).map(TempDir::close))?;
        if closed.is_err() && self.ctx.is_stopped() {
            // The handle stays in the table, so that what is left goes with the store.
            return Err(Trap::Interrupt.into());
        }
        self.delete(dir)
    }
}
