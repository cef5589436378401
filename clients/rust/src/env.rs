//! The default directory.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::absolute;
use crate::interface::{self, Error, Location};

static OVERRIDE: OnceLock<PathBuf> = OnceLock::new();

/// Makes `path` the default directory of all that is created from now on.
///
/// It is not probed, and [`temp_dir`] returns it unchanged.
///
/// ```standalone_crate
/// use std::path::Path;
///
/// wasi_tempfile::env::override_temp_dir(Path::new("/srv/scratch")).unwrap();
/// assert_eq!(wasi_tempfile::env::temp_dir(), Path::new("/srv/scratch"));
/// ```
///
/// # Errors
/// With the directory that is set already: this can be done once.
pub fn override_temp_dir(path: &Path) -> Result<(), PathBuf> {
    OVERRIDE.set(path.to_path_buf()).map_err(|_| OVERRIDE.get().cloned().unwrap_or_default())
}

/// Returns the default directory: the one that [`override_temp_dir`] set, or else the first of
/// these in which a file can be created: the directories that the variables `TMPDIR`, `TEMP` and
/// `TMP` name, the usual ones, and the preopens (natively, the current directory). The usual ones
/// are Python's: on Windows `AppData\Local\Temp` of the user, `Temp` of the system, `c:\temp`,
/// `c:\tmp`, `\temp` and `\tmp`, elsewhere `/tmp`, `/var/tmp` and `/usr/tmp`.
///
/// If none is usable, returns `/tmp`; an attempt to create a file then fails with the reason.
///
/// ```
/// let file = wasi_tempfile::NamedTempFile::new()?;
/// assert!(file.path().starts_with(wasi_tempfile::env::temp_dir()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn temp_dir() -> PathBuf {
    match OVERRIDE.get() {
        Some(path) => path.clone(),
        None => {
            interface::default_directory().map_or_else(|_| PathBuf::from("/tmp"), PathBuf::from)
        }
    }
}

/// Calls `create` with the location of `dir`, or with the default directory's.
pub(crate) fn create_in<T>(
    dir: Option<&Path>,
    create: impl FnOnce(Location<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    match dir.or(OVERRIDE.get().map(PathBuf::as_path)) {
        Some(dir) => create(Location::Directory(&absolute(dir)?)),
        None => create(Location::Scratch),
    }
}

/// The path of `dir`, or of the default directory.
pub(crate) fn path_of(dir: Option<&Path>) -> Result<String, Error> {
    match dir.or(OVERRIDE.get().map(PathBuf::as_path)) {
        Some(dir) => absolute(dir).map(String::from),
        None => interface::default_directory(),
    }
}
