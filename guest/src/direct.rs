//! The interface `direct`.

use tempfile_wasi::Descriptor;

use crate::bindings::exports::scratch::tempfile::direct::{Error, FileBorrow, Guest};
use crate::convert;
use crate::file::FileHandle;
use crate::provider::Provider;

impl Guest for Provider {
    fn hand_over(file: FileBorrow<'_>) -> Result<Descriptor, Error> {
        file.get::<FileHandle>().0.borrow_mut().hand_over().map_err(convert::error)
    }
}
