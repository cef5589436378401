//! Replacing a file in one step.

use std::io;
use std::path::Path;

use crate::builder::Builder;
use crate::error::io_error;
use crate::file::File;
use crate::interface::{Durability, Error, ErrorCode, ReplaceMode};
use crate::path::{ends_in_name, parent};

/// Writes a file so that a reader of `target` finds the old one or the new one, whole, at any
/// moment, also after a power cut.
///
/// A temporary file is created beside the target, `write` fills it, it is synced, renamed over the
/// target, and the directory is synced. If anything fails before the rename, the target is as it
/// was, and the temporary file is removed. Natively on Unix, and with the host provider, the new
/// file has mode 0600, whatever the old one's mode was; with a provider component it has the mode
/// that the host's umask leaves.
///
/// ```
/// use std::io::Write;
///
/// let dir = wasi_tempfile::tempdir()?;
/// let target = dir.path().join("settings");
/// wasi_tempfile::write_atomically(&target, |file| file.write_all(b"volume = 11"))?;
/// assert_eq!(dir.open_file("settings")?.metadata()?.len(), 11);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`InvalidFilename`](io::ErrorKind::InvalidFilename) (`invalid-name`) if `target` ends in `/` or
/// has no name; that of `write`; those of [`NamedTempFile::new_in`](crate::NamedTempFile::new_in)
/// and [`NamedTempFile::persist_with`](crate::NamedTempFile::persist_with). With the code
/// `not-durable` the new file is in place, and may not survive a power cut.
pub fn write_atomically<P: AsRef<Path>>(
    target: P,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let target = target.as_ref();
    if !ends_in_name(target) {
        let target = target.to_string_lossy();
        return Err(io_error(Error::new(ErrorCode::InvalidName, "write a file named", &target)));
    }
    let mut file = Builder::new().prefix(".tmp_").tempfile_in(parent(target))?;
    write(file.as_file_mut())?;
    // Closed first: not every system renames an open file.
    let path = file.into_temp_path();
    path.persist_with(target, ReplaceMode::Overwrite, Durability::Full)?;
    Ok(())
}
