//! What WASI makes of an open file or directory besides reading and writing it.

use alloc::rc::Rc;

use tempfile_core::{Error, Platform, TempDir};
use wasip2::filesystem::types::{Descriptor, ErrorCode as WasiCode};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::code::code;
use crate::platform::open_directory;

/// A stream that reads the file from `offset` on.
///
/// # Errors
/// The host's.
pub fn reader(file: &Descriptor, offset: u64) -> Result<InputStream, Error> {
    file.read_via_stream(offset).map_err(failed("read from", "a temporary file"))
}

/// A stream that writes to the file from `offset` on.
///
/// # Errors
/// The host's.
pub fn writer(file: &Descriptor, offset: u64) -> Result<OutputStream, Error> {
    file.write_via_stream(offset).map_err(failed("write to", "a temporary file"))
}

/// A descriptor of the directory for somebody else.
///
/// # Errors
/// `closed`, and the host's.
pub fn open_again<P: Platform<Dir = Rc<Descriptor>>>(dir: &TempDir<P>) -> Result<Descriptor, Error> {
    let opened = open_directory(dir.get_ref()?, ".");
    opened.map_err(failed("open", dir.path()))
}

fn failed<'a>(operation: &'a str, subject: &'a str) -> impl Fn(WasiCode) -> Error + 'a {
    move |error| Error::new(code(error), operation, subject)
}
