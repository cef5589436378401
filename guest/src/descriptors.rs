//! The interface `descriptors`.

use tempfile_core as core_;
use tempfile_wasi::{Descriptor, InputStream, OutputStream};

use crate::bindings::exports::scratch::tempfile_wasi::descriptors::{
    Error, FileBorrow, Guest, TempDirBorrow,
};
use crate::convert;
use crate::dir::DirHandle;
use crate::file::FileHandle;
use crate::provider::Provider;

impl Guest for Provider {
    fn file_descriptor(file: FileBorrow<'_>) -> Result<Descriptor, Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        let given = file.into_descriptor().map_err(convert::error)?.into_inner();
        let unsupported =
            |code| core_::Error::without_path(code, "get the descriptor of a temporary file");
        given.into_descriptor().map_err(unsupported).map_err(convert::error)
    }

    fn directory_descriptor(dir: TempDirBorrow<'_>) -> Result<Descriptor, Error> {
        let dir = dir.get::<DirHandle>().0.borrow();
        tempfile_wasi::directory_descriptor(&dir).map_err(convert::error)
    }

    fn read_via_stream(file: FileBorrow<'_>, offset: u64) -> Result<InputStream, Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.system_stream(offset, |file| tempfile_wasi::read_via_stream(file.get_ref(), offset))
            .map_err(convert::error)
    }

    fn write_via_stream(file: FileBorrow<'_>, offset: u64) -> Result<OutputStream, Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.system_stream(offset, |file| tempfile_wasi::write_via_stream(file.get_ref(), offset))
            .map_err(convert::error)
    }
}
