//! WASI objects for open files and directories.

use tempfile_core::{Error, ErrorCode, TempDir};
use wasip2::filesystem::types::{Descriptor, filesystem_error_code};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::code::code;
use crate::context::WasiContext;
use crate::file::Handle;
use crate::platform::open_directory;

/// A stream that reads the file from `offset`.
///
/// # Errors
/// The host's.
pub fn read_via_stream(file: &impl Handle, offset: u64) -> Result<InputStream, Error> {
    file.with(|file| file.read_via_stream(offset).map_err(code)).map_err(failed)
}

/// A stream that writes to the file from `offset`.
///
/// # Errors
/// The host's.
pub fn write_via_stream(file: &impl Handle, offset: u64) -> Result<OutputStream, Error> {
    file.with(|file| file.write_via_stream(offset).map_err(code)).map_err(failed)
}

/// The code of a failure that a stream of a file answered with, if the host says it.
pub fn stream_error_code(error: &wasip2::io::error::Error) -> Option<ErrorCode> {
    filesystem_error_code(error).map(code)
}

/// A new descriptor of the directory.
///
/// # Errors
/// `closed`, and the host's.
pub fn directory_descriptor(dir: &TempDir<WasiContext>) -> Result<Descriptor, Error> {
    let opened = open_directory(dir.descriptor_source()?.get_ref(), ".");
    opened.map_err(|error| Error::new(code(error), "get a descriptor of", dir.path()))
}

fn failed(code: ErrorCode) -> Error {
    Error::without_path(code, "open a stream of a temporary file")
}
