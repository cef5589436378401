//! The interface `direct`.

use tempfile_wasi::Descriptor;

use crate::bindings::exports::scratch::tempfile::direct::{Error, FileBorrow, Guest, TempDirBorrow};
use crate::convert;
use crate::dir::DirHandle;
use crate::file::FileHandle;
use crate::provider::Provider;

impl Guest for Provider {
    fn hand_over(file: FileBorrow<'_>) -> Result<Descriptor, Error> {
        file.get::<FileHandle>().0.borrow_mut().hand_over().map_err(convert::error)
    }

    fn open_directory(dir: TempDirBorrow<'_>) -> Result<Descriptor, Error> {
        let dir = dir.get::<DirHandle>().0.borrow();
        tempfile_wasi::open_again(&dir).map_err(convert::error)
    }
}
