//! The resource `temp-dir`.

use tempfile_core::AnyFile;
use wasmtime::component::Resource;

use super::interface::tempfile::{CleanupFailure, Entry, HostTempDir};
use super::{Failure, File, Held, TempDir, TempfileCtxView, convert};

impl HostTempDir for TempfileCtxView<'_> {
    fn path(&mut self, dir: Resource<TempDir>) -> wasmtime::Result<String> {
        Ok(self.table.get(&dir)?.path().to_string())
    }

    fn create_file(&mut self, dir: Resource<TempDir>, path: String) -> Result<Resource<File>, Failure> {
        self.call_on(&dir, |view| {
            let file = view.table.get(&dir)?.create_file(&path)?;
            view.push(AnyFile::Plain(file), Some(TempDir::key(&dir)))
        })
    }

    fn open_file(&mut self, dir: Resource<TempDir>, path: String) -> Result<Resource<File>, Failure> {
        self.call_on(&dir, |view| {
            let file = view.table.get(&dir)?.open_file(&path)?;
            view.push(AnyFile::Plain(file), Some(TempDir::key(&dir)))
        })
    }

    fn create_directory(&mut self, dir: Resource<TempDir>, path: String) -> Result<(), Failure> {
        self.call_on(&dir, |view| Ok(view.table.get(&dir)?.create_directory(&path)?))
    }

    fn rename(&mut self, dir: Resource<TempDir>, old: String, new: String) -> Result<(), Failure> {
        self.call_on(&dir, |view| Ok(view.table.get(&dir)?.rename(&old, &new)?))
    }

    fn remove(&mut self, dir: Resource<TempDir>, path: String) -> Result<(), Failure> {
        self.call_on(&dir, |view| Ok(view.table.get(&dir)?.remove(&path)?))
    }

    fn entries(&mut self, dir: Resource<TempDir>, path: String) -> Result<Vec<Entry>, Failure> {
        self.call_on(&dir, |view| {
            let entries = view.table.get(&dir)?.entries(&path)?;
            Ok(entries.into_iter().map(convert::entry).collect())
        })
    }

    fn keep(&mut self, dir: Resource<TempDir>) -> Result<String, Failure> {
        self.call_on(&dir, |view| Ok(view.table.get_mut(&dir)?.keep()?))
    }

    fn close(&mut self, dir: Resource<TempDir>) -> wasmtime::Result<Result<(), Vec<CleanupFailure>>> {
        self.call_on(&dir, |view| Ok(view.table.get_mut(&dir)?.close().map_err(convert::failures)))
    }

    fn drop(&mut self, dir: Resource<TempDir>) -> wasmtime::Result<()> {
        self.call(|view| view.delete(dir))
    }
}
