//! The interface `streams`.

use tempfile_wasi::{InputStream, OutputStream};

use crate::bindings::exports::scratch::tempfile::streams::{Error, FileBorrow, Guest};
use crate::convert;
use crate::file::FileHandle;
use crate::provider::Provider;

impl Guest for Provider {
    fn reader(file: FileBorrow<'_>, offset: u64) -> Result<InputStream, Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.on_disk().and_then(|file| tempfile_wasi::reader(file, offset)).map_err(convert::error)
    }

    fn writer(file: FileBorrow<'_>, offset: u64) -> Result<OutputStream, Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.on_disk().and_then(|file| tempfile_wasi::writer(file, offset)).map_err(convert::error)
    }
}
