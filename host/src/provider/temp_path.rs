//! The resource `temp-path`.

use tempfile_core::AnyFile;
use wasmtime::component::Resource;

use super::interface::tempfile::{Durability, HostTempPath, ReplaceMode};
use super::{Failure, File, Held, TempPath, TempfileCtxView, convert};

impl HostTempPath for TempfileCtxView<'_> {
    fn path(&mut self, path: Resource<TempPath>) -> wasmtime::Result<String> {
        Ok(self.table.get(&path)?.path().to_string())
    }

    fn reopen(&mut self, path: Resource<TempPath>) -> Result<Resource<File>, Failure> {
        self.call_on(&path, |view| {
            let file = view.table.get(&path)?.reopen()?;
            view.push(AnyFile::Plain(file), Some(TempPath::key(&path)))
        })
    }

    fn persist(
        &mut self,
        path: Resource<TempPath>,
        target: String,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Failure> {
        let (mode, durability) = (convert::replace_mode(mode), convert::durability(durability));
        self.call_on(&path, |view| Ok(view.table.get_mut(&path)?.persist(&target, mode, durability)?))
    }

    fn keep(&mut self, path: Resource<TempPath>) -> Result<String, Failure> {
        self.call_on(&path, |view| Ok(view.table.get_mut(&path)?.keep()?))
    }

    fn close(&mut self, path: Resource<TempPath>) -> Result<(), Failure> {
        self.call_on(&path, |view| Ok(view.table.get_mut(&path)?.close()?))
    }

    fn drop(&mut self, path: Resource<TempPath>) -> wasmtime::Result<()> {
        self.call(|view| view.delete(path))
    }
}
