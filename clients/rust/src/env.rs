//! The default directory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::builder::location_of;
use crate::error::{interface_error, io_error};
use crate::interface::{self, Error, Location};

static OVERRIDE: OnceLock<PathBuf> = OnceLock::new();

/// Makes `path` the default directory of everything that is created from now on. It is returned by [`temp_dir`] unchanged, and
/// not probed.
///
/// # Errors
/// With the directory that is set already: this can be done once.
pub fn override_temp_dir(path: &Path) -> Result<(), PathBuf> {
    OVERRIDE.set(path.to_path_buf()).map_err(|_| OVERRIDE.get().cloned().unwrap_or_default())
}

/// The default directory: the one that was set, else the first that a file can be created in of the environment's `TMPDIR`, `TEMP`
/// and `TMP`, the usual ones, and the preopens. Where none is, `/tmp`, and creating there says why.
pub fn temp_dir() -> PathBuf {
    match OVERRIDE.get() {
        Some(path) => path.clone(),
        None => {
            interface::default_directory().map_or_else(|_| PathBuf::from("/tmp"), PathBuf::from)
        }
    }
}

/// Where things are created that are given no directory.
pub(crate) fn location() -> Result<Location<'static>, Error> {
    match OVERRIDE.get() {
        Some(path) => location_of(path).map_err(interface_error),
        None => Ok(Location::Scratch),
    }
}

pub(crate) fn in_default_directory<T>(
    create: impl FnOnce(Location<'_>) -> Result<T, Error>,
) -> io::Result<T> {
    location().and_then(create).map_err(io_error)
}
