//! A guard that removes a file's name.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{absolute, io_error};
use crate::file::File;
use crate::interface::{self, Durability, Error, ErrorCode, ReplaceMode};

/// A file's name, removed when this is dropped. The file itself may be open or closed.
///
/// ```
/// let path = wasi_tempfile::NamedTempFile::new()?.into_temp_path();
/// assert_eq!(path.parent(), Some(wasi_tempfile::env::temp_dir().as_path()));
/// path.close()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TempPath {
    /// Boxed, because errors carry it: a large error makes every `Result` large.
    inner: Box<Inner<dyn Guard>>,
}

struct Inner<G: ?Sized> {
    disable_cleanup: bool,
    guard: G,
}

/// The owner of a name, which removes it when dropped.
///
/// A trait, so that a plugin that never calls [`TempPath::try_from_path`] or
/// [`Builder::make`](crate::Builder::make) imports no file system for the sake of [`ByPath`].
trait Guard: Send + Sync + UnwindSafe + RefUnwindSafe {
    fn path(&self) -> &Path;
    fn reopen(&self) -> io::Result<File>;
    fn close(&self) -> io::Result<()>;
    fn persist(&self, target: &Path, mode: ReplaceMode, level: Durability) -> io::Result<()>;
    fn keep(&self) -> io::Result<()>;
}

impl TempPath {
    pub(crate) fn new(inner: interface::TempPath, disable_cleanup: bool) -> Self {
        TempPath::guarded(Created { inner, path: OnceLock::new() }, disable_cleanup)
    }

    /// For a file that this crate has not created.
    pub(crate) fn by_path(path: PathBuf, disable_cleanup: bool) -> Self {
        let guard = ByPath { path: path.into(), released: AtomicBool::new(false) };
        TempPath::guarded(guard, disable_cleanup)
    }

    fn guarded(guard: impl Guard + 'static, disable_cleanup: bool) -> Self {
        TempPath { inner: Box::new(Inner { disable_cleanup, guard }) }
    }

    /// Guards an existing path, made absolute. Whether there is a file is not looked at.
    ///
    /// Such a path is removed, renamed and opened by `std::fs`: in a component that is what the
    /// plugin's own preopens contain.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let path = dir.path().join("made by another program");
    /// std::fs::write(&path, "bytes")?;
    /// drop(wasi_tempfile::TempPath::try_from_path(&path)?);
    /// assert!(!path.exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is empty; those of
    /// [`current_dir`](std::env::current_dir).
    pub fn try_from_path(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        if path.as_os_str().is_empty() {
            let refused = "an empty path can't be guarded";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, refused));
        }
        let path = if path.is_absolute() { path } else { std::env::current_dir()?.join(path) };
        Ok(TempPath::by_path(path, false))
    }

    /// Guards an existing path, made absolute if there is a current directory.
    #[deprecated = "use TempPath::try_from_path"]
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        match std::env::current_dir() {
            Ok(dir) if !path.as_os_str().is_empty() => TempPath::by_path(dir.join(path), false),
            Ok(_) | Err(_) => TempPath::by_path(path, false),
        }
    }

    /// Opens the file again, with a cursor of its own.
    ///
    /// ```
    /// use std::io::{Read, Write};
    ///
    /// let mut file = wasi_tempfile::NamedTempFile::new()?;
    /// file.write_all(b"closed in between")?;
    /// let path = file.into_temp_path();
    /// let mut text = String::new();
    /// path.reopen()?.read_to_string(&mut text)?;
    /// assert_eq!(text, "closed in between");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`) if the name is gone;
    /// [`Other`](io::ErrorKind::Other) (`replaced`) if another file has it;
    /// [`Unsupported`](io::ErrorKind::Unsupported) in a component for a path that this crate has
    /// not created.
    pub fn reopen(&self) -> io::Result<File> {
        self.inner.guard.reopen()
    }

    /// Removes the name. Unlike a drop, this reports a failure.
    ///
    /// ```
    /// let path = wasi_tempfile::NamedTempFile::new()?.into_temp_path();
    /// path.close()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Other`](io::ErrorKind::Other) (`replaced`) if another file has the name;
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) (`access`) and others of the system.
    pub fn close(self) -> io::Result<()> {
        self.inner.guard.close()
    }

    /// Renames the file to `new_path`, replacing what is there, and keeps it.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let path = wasi_tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path();
    /// path.persist(dir.path().join("result"))?;
    /// assert_eq!(dir.open_file("result")?.metadata()?.len(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// With the path given back, still guarded:
    /// [`CrossesDevices`](io::ErrorKind::CrossesDevices) (`cross-device`),
    /// [`IsADirectory`](io::ErrorKind::IsADirectory) (`is-directory`),
    /// [`NotFound`](io::ErrorKind::NotFound) (`no-entry`), [`Other`](io::ErrorKind::Other)
    /// (`replaced`), [`PermissionDenied`](io::ErrorKind::PermissionDenied) (`access`) and others of
    /// the system.
    pub fn persist<P: AsRef<Path>>(self, new_path: P) -> Result<(), PathPersistError> {
        self.persist_with(new_path, ReplaceMode::Overwrite, Durability::None)
    }

    /// Renames the file to `new_path`, which must be free, and keeps it.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// dir.create_file("taken")?;
    /// let path = wasi_tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path();
    /// let refused = path.persist_noclobber(dir.path().join("taken")).unwrap_err();
    /// assert_eq!(refused.error.kind(), ErrorKind::AlreadyExists);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`persist`](Self::persist), and [`AlreadyExists`](io::ErrorKind::AlreadyExists)
    /// (`exist`).
    pub fn persist_noclobber<P: AsRef<Path>>(self, new_path: P) -> Result<(), PathPersistError> {
        self.persist_with(new_path, ReplaceMode::NoClobber, Durability::None)
    }

    /// Renames the file to `new_path` and keeps it. With [`Durability::Full`] it survives a power
    /// cut once this returns.
    ///
    /// ```
    /// use wasi_tempfile::interface::{Durability, ReplaceMode};
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// let path = wasi_tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path();
    /// path.persist_with(dir.path().join("result"), ReplaceMode::NoClobber, Durability::Full)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`persist`](Self::persist) or [`persist_noclobber`](Self::persist_noclobber);
    /// [`Other`](io::ErrorKind::Other) (`io`) if the file could not be synced;
    /// [`Other`](io::ErrorKind::Other) (`not-durable`) if it has its new name, which is no longer
    /// guarded, but the directory could not be synced. For a path that this crate has not created,
    /// the latter is the system's own error.
    pub fn persist_with<P: AsRef<Path>>(
        self,
        new_path: P,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), PathPersistError> {
        match self.inner.guard.persist(new_path.as_ref(), mode, durability) {
            Ok(()) => Ok(()),
            Err(error) => Err(PathPersistError { error, path: self }),
        }
    }

    /// Keeps the file where it is, and returns its path.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let path = wasi_tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path().keep()?;
    /// assert!(path.starts_with(dir.path()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// With the path given back.
    pub fn keep(self) -> Result<PathBuf, PathPersistError> {
        match self.inner.guard.keep() {
            Ok(()) => Ok(self.to_path_buf()),
            Err(error) => Err(PathPersistError { error, path: self }),
        }
    }

    /// Sets whether the file stays when this is dropped. [`close`](Self::close) removes it anyway.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let mut path = wasi_tempfile::NamedTempFile::new_in(dir.path())?.into_temp_path();
    /// path.disable_cleanup(true);
    /// drop(path);
    /// assert_eq!(dir.entries("")?.len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) {
        self.inner.disable_cleanup = disable_cleanup;
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        if self.inner.disable_cleanup {
            // The only failure is that there was nothing to keep.
            let _ = self.inner.guard.keep();
        }
    }
}

/// The name of a file that the interface created.
struct Created {
    inner: interface::TempPath,
    /// Asked for when it is first read.
    path: OnceLock<Arc<str>>,
}

impl Guard for Created {
    fn path(&self) -> &Path {
        Path::new(&**self.path.get_or_init(|| self.inner.shared_path()))
    }

    fn reopen(&self) -> io::Result<File> {
        self.inner.reopen().and_then(File::new).map_err(io_error)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close().map_err(io_error)
    }

    fn persist(&self, target: &Path, mode: ReplaceMode, level: Durability) -> io::Result<()> {
        let target = absolute(target).map_err(io_error)?;
        self.inner.persist(&target, mode, level).map_err(io_error)
    }

    fn keep(&self) -> io::Result<()> {
        self.inner.keep().map(drop).map_err(io_error)
    }
}

/// A name that something else created, removed by `std::fs`.
struct ByPath {
    path: Box<Path>,
    released: AtomicBool,
}

impl Guard for ByPath {
    fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(not(target_family = "wasm"))]
    fn reopen(&self) -> io::Result<File> {
        fs::OpenOptions::new().read(true).write(true).open(&self.path).map(File::from)
    }

    #[cfg(target_family = "wasm")]
    fn reopen(&self) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn close(&self) -> io::Result<()> {
        if !self.released.load(Ordering::Relaxed) {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => self.released.store(true, Ordering::Relaxed),
            }
        }
        Ok(())
    }

    fn persist(&self, target: &Path, mode: ReplaceMode, level: Durability) -> io::Result<()> {
        if !ends_in_name(target) {
            let (code, target) = (ErrorCode::InvalidName, target.to_string_lossy());
            return Err(io_error(Error::new(code, "persist a temporary file to", &target)));
        }
        match level {
            Durability::None => {}
            Durability::Data => self.open_for_sync()?.sync_data()?,
            Durability::Full => self.open_for_sync()?.sync_all()?,
        }
        match mode {
            ReplaceMode::Overwrite => {
                fs::rename(&self.path, target)?;
                if are_two_names(&self.path, target) {
                    // The rename has succeeded and done nothing. A name that stays here is still
                    // guarded.
                    let _ = self.close();
                } else {
                    self.released.store(true, Ordering::Relaxed);
                }
            }
            ReplaceMode::NoClobber => {
                fs::hard_link(&self.path, target)?;
                // The target is won. A name that stays here is still guarded.
                let _ = self.close();
            }
        }
        match level {
            Durability::None | Durability::Data => Ok(()),
            Durability::Full => sync_directory(parent(target)),
        }
    }

    fn keep(&self) -> io::Result<()> {
        self.released.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl ByPath {
    fn open_for_sync(&self) -> io::Result<fs::File> {
        // Windows syncs only what may be written.
        fs::OpenOptions::new().read(true).write(cfg!(windows)).open(&self.path)
    }
}

/// Whether a path ends in a name. `file_name` ignores `/` and `/.` at the end, which no file has.
pub(crate) fn ends_in_name(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    path.file_name().is_some_and(|name| text.ends_with(name.as_encoded_bytes()))
}

/// The directory of a file's name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether two paths are different names of one file, and not one name that is found by both.
#[cfg(unix)]
fn are_two_names(path: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &Path| {
        fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino(), found.nlink()))
    };
    let directory =
        |path: &Path| fs::metadata(parent(path)).ok().map(|found| (found.dev(), found.ino()));
    // A directory that folds case finds an entry by names that it does not list.
    let is_listed = |path: &Path| {
        let mut entries = fs::read_dir(parent(path)).into_iter().flatten().flatten();
        entries.any(|entry| Some(&*entry.file_name()) == path.file_name())
    };
    let one_file = file(path) == file(other) && file(path).is_some_and(|(.., names)| names > 1);
    let one_name = || path.file_name() == other.file_name();
    one_file
        && (directory(path) != directory(other)
            || !one_name() && is_listed(path) && is_listed(other))
}

/// Neither WASI nor the standard library on Windows tells which file a path leads to.
#[cfg(not(unix))]
fn are_two_names(_: &Path, _: &Path) -> bool {
    false
}

#[cfg(not(windows))]
fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(windows)]
fn sync_directory(path: &Path) -> io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt;
    // FILE_FLAG_BACKUP_SEMANTICS: without it no directory is opened.
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).custom_flags(0x0200_0000).open(path)?.sync_all()
}

impl Drop for ByPath {
    fn drop(&mut self) {
        // A drop cannot report a failure; `close` does.
        let _ = self.close();
    }
}

impl fmt::Debug for TempPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}

impl Deref for TempPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.inner.guard.path()
    }
}

impl AsRef<Path> for TempPath {
    fn as_ref(&self) -> &Path {
        self
    }
}

impl AsRef<OsStr> for TempPath {
    fn as_ref(&self) -> &OsStr {
        self.as_os_str()
    }
}

/// The error of persisting a path, with the path given back.
///
/// ```
/// let path = wasi_tempfile::NamedTempFile::new()?.into_temp_path();
/// let refused = path.persist("/no/such/directory/result").unwrap_err();
/// assert_eq!(refused.error.kind(), std::io::ErrorKind::NotFound);
/// refused.path.close()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct PathPersistError {
    /// The cause.
    pub error: io::Error,
    /// The path, still guarded, unless the error is `not-durable`: then the file is at the target,
    /// and this is closed.
    pub path: TempPath,
}

impl fmt::Display for PathPersistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to persist temporary file path: {}", self.error)
    }
}

impl std::error::Error for PathPersistError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PathPersistError> for io::Error {
    fn from(error: PathPersistError) -> io::Error {
        error.error
    }
}

impl From<PathPersistError> for TempPath {
    fn from(error: PathPersistError) -> TempPath {
        error.path
    }
}
