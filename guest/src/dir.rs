//! The resource `temp-dir`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use tempfile_wasi::WasiContext;

use crate::bindings::exports::scratch::tempfile::tempfile::{
    CleanupFailure, Durability, Entry, Error, File, GuestTempDir, Metadata, ReplaceMode, TempDir,
};
use crate::convert;
use crate::file::FileHandle;

/// The state behind a `temp-dir` handle.
pub(crate) struct DirHandle(pub(crate) RefCell<tempfile_core::TempDir<WasiContext>>);

impl DirHandle {
    pub(crate) fn resource(dir: tempfile_core::TempDir<WasiContext>) -> TempDir {
        TempDir::new(DirHandle(RefCell::new(dir)))
    }
}

impl GuestTempDir for DirHandle {
    fn path(&self) -> String {
        self.0.borrow().path().to_string()
    }

    fn create_file(&self, path: String) -> Result<File, Error> {
        self.0.borrow().create_file(&path).map(FileHandle::resource).map_err(convert::error)
    }

    fn open_file(&self, path: String) -> Result<File, Error> {
        self.0.borrow().open_file(&path).map(FileHandle::resource).map_err(convert::error)
    }

    fn create_directory(&self, path: String) -> Result<(), Error> {
        self.0.borrow().create_directory(&path).map_err(convert::error)
    }

    fn rename(&self, old: String, new: String) -> Result<(), Error> {
        self.0.borrow().rename(&old, &new).map_err(convert::error)
    }

    fn remove(&self, path: String) -> Result<(), Error> {
        self.0.borrow().remove(&path).map_err(convert::error)
    }

    fn entries(&self, path: String) -> Result<Vec<Entry>, Error> {
        let entries = self.0.borrow().entries(&path).map_err(convert::error)?;
        Ok(entries.into_iter().map(convert::entry).collect())
    }

    fn metadata(&self, path: String) -> Result<Metadata, Error> {
        self.0.borrow().metadata(&path).map(convert::metadata).map_err(convert::error)
    }

    fn persist(
        &self,
        target: String,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        let (mode, durability) = (convert::replace_mode(mode), convert::durability(durability));
        self.0.borrow_mut().persist(&target, mode, durability).map_err(convert::error)
    }

    fn keep(&self) -> Result<String, Error> {
        self.0.borrow_mut().keep().map_err(convert::error)
    }

    fn close(&self) -> Result<(), Vec<CleanupFailure>> {
        self.0.borrow_mut().close().map_err(convert::failures)
    }
}
