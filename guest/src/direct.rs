//! The interface `direct`.

use tempfile_wasi::Descriptor;

use crate::bindings::exports::scratch::tempfile::direct::{Error, FileBorrow, Guest, TempDirBorrow};
use crate::convert;
use crate::dir::DirHandle;
use crate::file::FileHandle;
use crate::provider::Provider;
use crate::system;

impl Guest for Provider {
    fn hand_over(file: FileBorrow<'_>) -> Result<Descriptor, Error> {
        system::hand_over(&file.get::<FileHandle>().0).map_err(convert::error)
    }

    fn open_directory(dir: TempDirBorrow<'_>) -> Result<Descriptor, Error> {
        system::open_directory(&dir.get::<DirHandle>().0.borrow()).map_err(convert::error)
    }
}
