//! The default directory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::builder::location_of;
use crate::error::io_error;
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
        None => interface::default_directory().map_or_else(|_| PathBuf::from("/tmp"), PathBuf::from),
    }
}

pub(crate) fn in_default_directory<T>(
    create: impl FnOnce(Location<'_>) -> Result<T, Error>,
) -> io::Result<T> {
    let location = match OVERRIDE.get() {
        Some(path) => location_of(path)?,
        None => Location::Scratch,
    };
    create(location).map_err(io_error)
}
