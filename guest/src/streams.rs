//! The interface `streams`.

use tempfile_wasi::{InputStream, OutputStream};

use crate::bindings::exports::scratch::tempfile::streams::{Error, FileBorrow, Guest};
use crate::convert;
use crate::file::FileHandle;
use crate::provider::Provider;
use crate::system;

impl Guest for Provider {
    fn reader(file: FileBorrow<'_>, offset: u64) -> Result<InputStream, Error> {
        system::reader(&file.get::<FileHandle>().0, offset).map_err(convert::error)
    }

    fn writer(file: FileBorrow<'_>, offset: u64) -> Result<OutputStream, Error> {
        system::writer(&file.get::<FileHandle>().0, offset).map_err(convert::error)
    }
}
