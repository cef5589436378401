//! WASI objects for open files and directories.

use tempfile_core::{Context, Error, File, TempDir};
use wasip2::filesystem::types::{Descriptor, ErrorCode as WasiCode};
use wasip2::io::streams::{InputStream, OutputStream};

use crate::code::code;
use crate::context::WasiContext;
use crate::platform::open_directory;

/// A stream that reads the file from `offset`.
///
/// # Errors
/// The host's.
pub fn read_via_stream(file: &Descriptor, offset: u64) -> Result<InputStream, Error> {
    file.read_via_stream(offset).map_err(failed)
}

/// A stream that writes to the file from `offset`.
///
/// # Errors
/// The host's.
pub fn write_via_stream(file: &Descriptor, offset: u64) -> Result<OutputStream, Error> {
    file.write_via_stream(offset).map_err(failed)
}

/// A new descriptor of the directory.
///
/// # Errors
/// `closed`, and the host's.
pub fn directory_descriptor(dir: &TempDir<WasiContext>) -> Result<Descriptor, Error> {
    let opened = open_directory(dir.descriptor_source()?.get_ref(), ".");
    opened.map_err(|error| Error::new(code(error), "get a descriptor of", dir.path()))
}

/// A file that a provider exchanged for a descriptor.
pub fn file_from_descriptor(descriptor: Descriptor) -> File<WasiContext> {
    let context = WasiContext::new();
    let file = context.platform().uncounted(descriptor);
    File::from_descriptor(context, file)
}

fn failed(error: WasiCode) -> Error {
    Error::without_path(code(error), "open a stream of a temporary file")
}
