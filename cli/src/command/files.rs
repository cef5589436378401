//! Reads and writes files, with errors that name the file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::terminal::printable_lines;
use super::{Result, system};

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|cause| match path.is_dir() {
        // Of one, Windows says that access was denied.
        true => format!("read {}: it is a directory", path.display()),
        false => format!("read {}: {cause}", path.display()),
    })
}

/// Writes a whole file, as [`replace`] does.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |to| to.write_all(bytes)).map_err(|cause| unwritten(path, &cause))
}

pub(super) fn unwritten(path: &Path, cause: &io::Error) -> String {
    format!("write {}: {cause}", path.display())
}

/// Writes a file completely or not at all: beside it, and then renames.
///
/// The new file has the old one's mode, and its owner where the system allows it; a file that is
/// new has the mode that the umask leaves. A symbolic link stays, and its target is replaced. What
/// is no regular file, such as a device or a pipe, is written as it is.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let (target, old) = match fs::metadata(path) {
        Ok(old) if !old.is_file() => {
            let mut to = File::options().write(true).open(path)?;
            return write(&mut to);
        }
        Ok(old) => (fs::canonicalize(path)?, Some(old)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => (target_of(path)?, None),
        Err(cause) => return Err(cause),
    };
    wasi_tempfile::write_atomically(target, |file| {
        system::keep_owner_and_mode(file, old.as_ref())?;
        write(file)
    })
}

/// The path itself, unless it is a symbolic link to something that is not there yet.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::read_link(path) {
        // The first link only: a chain of them that ends nowhere is nobody's wish.
        Ok(target) => Ok(path.parent().unwrap_or(Path::new("")).join(target)),
        Err(_) => Ok(path.to_owned()),
    }
}

/// Prints to standard output, with control characters escaped. A closed pipe is no error: its
/// reader wanted no more.
pub(super) fn print(text: &str) -> Result<()> {
    print_if_read(text).map(|_| ())
}

/// The same; returns whether there may be a reader for more.
pub(super) fn print_if_read(text: &str) -> Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(printable_lines(text).as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(cause) => Err(format!("write standard output: {cause}")),
    }
}
