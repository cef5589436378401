//! The resource `temp-path`.

use wasmtime::component::Resource;

use super::interface::tempfile::{Durability, HostTempPath, ReplaceMode};
use super::{Failure, File, TempPath, TempfileCtxView, convert};

impl HostTempPath for TempfileCtxView<'_> {
    fn path(&mut self, path: Resource<TempPath>) -> wasmtime::Result<String> {
        Ok(self.table.get(&path)?.path().to_owned())
    }

    fn reopen(&mut self, path: Resource<TempPath>) -> Result<Resource<File>, Failure> {
        let file = self.call_on(&path, |path| path.reopen())?;
        self.push(File::Plain(file))
    }

    fn persist(
        &mut self,
        path: Resource<TempPath>,
        target: String,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Failure> {
        let (mode, durability) = (convert::replace_mode(mode), convert::durability(durability));
        self.call_on(&path, |path| path.persist(&target, mode, durability))
    }

    fn keep(&mut self, path: Resource<TempPath>) -> Result<String, Failure> {
        Ok(self.table.get_mut(&path)?.keep()?)
    }

    fn close(&mut self, path: Resource<TempPath>) -> Result<(), Failure> {
        self.call_on(&path, TempPath::close)
    }

    fn drop(&mut self, path: Resource<TempPath>) -> wasmtime::Result<()> {
        self.delete(path)
    }
}
