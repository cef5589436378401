//! What WASI makes of an open file or directory besides reading and writing it.

use tempfile_core::{Error, File, TempDir};
use wasip2::filesystem::types::{Descriptor, ErrorCode as WasiCode};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::code::code;
use crate::platform::{Wasi, open_directory};

/// A stream that reads the file from `offset` on.
///
/// # Errors
/// `closed`; `invalid` if the offset is over 2^63-1.
pub fn reader(file: &File<Wasi>, offset: u64) -> Result<InputStream, Error> {
    let made = file.at(offset)?.read_via_stream(offset);
    made.map_err(failed("read from", "a temporary file"))
}

/// A stream that writes to the file from `offset` on.
///
/// # Errors
/// `closed`; `invalid` if the offset is over 2^63-1.
pub fn writer(file: &File<Wasi>, offset: u64) -> Result<OutputStream, Error> {
    let made = file.at(offset)?.write_via_stream(offset);
    made.map_err(failed("write to", "a temporary file"))
}

/// A descriptor of the directory for somebody else.
///
/// # Errors
/// `closed`, and the host's.
pub fn open_again(dir: &TempDir<Wasi>) -> Result<Descriptor, Error> {
    let opened = open_directory(dir.get_ref()?, ".");
    opened.map_err(failed("open", dir.path()))
}

fn failed<'a>(operation: &'a str, subject: &'a str) -> impl Fn(WasiCode) -> Error + 'a {
    move |error| Error::new(code(error), operation, subject)
}
