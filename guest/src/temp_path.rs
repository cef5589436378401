//! The resource `temp-path`.

use alloc::string::{String, ToString};
use core::cell::RefCell;

use tempfile_wasi::WasiContext;

use crate::bindings::exports::scratch::tempfile::tempfile::{
    Durability, Error, File, GuestTempPath, ReplaceMode, TempPath,
};
use crate::convert;
use crate::file::FileHandle;

/// The state behind a `temp-path` handle.
pub(crate) struct PathHandle(RefCell<tempfile_core::TempPath<WasiContext>>);

impl PathHandle {
    pub(crate) fn resource(path: tempfile_core::TempPath<WasiContext>) -> TempPath {
        TempPath::new(PathHandle(RefCell::new(path)))
    }
}

impl GuestTempPath for PathHandle {
    fn path(&self) -> String {
        self.0.borrow().path().to_string()
    }

    fn reopen(&self) -> Result<File, Error> {
        self.0.borrow().reopen().map(FileHandle::resource).map_err(convert::error)
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

    fn close(&self) -> Result<(), Error> {
        self.0.borrow_mut().close().map_err(convert::error)
    }
}
