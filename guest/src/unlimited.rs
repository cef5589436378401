//! The platform as it is: nothing is counted, and what is open can be handed over.

use core::cell::RefCell;

use getrandom::SysRng;
use tempfile_core::{AnyFile, Error, TempDir};
use tempfile_wasi::{Descriptor, InputStream, OutputStream, Wasi};

pub(crate) type Platform = Wasi;

/// A file, as its handle has it.
pub(crate) type Held = RefCell<AnyFile<Platform, SysRng>>;

pub(crate) fn hold(file: AnyFile<Platform, SysRng>) -> Held {
    RefCell::new(file)
}

pub(crate) type Started = Platform;

pub(crate) fn start() -> Started {
    Wasi::default()
}

pub(crate) fn started(platform: &Started) -> Result<&Platform, Error> {
    Ok(platform)
}

pub(crate) fn make_room(_: &Held, _: u64) {}

pub(crate) fn hand_over(file: &Held) -> Result<Descriptor, Error> {
    file.borrow_mut().hand_over()
}

pub(crate) fn open_directory(dir: &TempDir<Platform>) -> Result<Descriptor, Error> {
    tempfile_wasi::open_again(dir)
}

pub(crate) fn reader(file: &Held, offset: u64) -> Result<InputStream, Error> {
    file.borrow_mut().on_disk().and_then(|file| tempfile_wasi::reader(file.at(offset)?, offset))
}

pub(crate) fn writer(file: &Held, offset: u64) -> Result<OutputStream, Error> {
    file.borrow_mut().on_disk().and_then(|file| tempfile_wasi::writer(file.at(offset)?, offset))
}
