//! Reads and writes files, with errors that name the file.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::Result;

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| format!("read {}: {cause}", path.display()))
}

/// Writes a whole file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|cause| format!("write {}: {cause}", path.display()))
}

/// Prints to standard output. A closed pipe is no error: its reader wanted no more.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(format!("write standard output: {cause}")),
    }
}
