//! The native placement: core on the operating system.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use getrandom::SysRng;
use tempfile_core::{self as core, AnyFile, Context, Process};

use super::{
    CleanupFailure, Durability, Entry, Error, Limits, LiveHandle, Location, Metadata, Options,
    ReplaceMode, Storage, Usage,
};

/// The process as the one user of the interface.
fn instance() -> &'static core::Instance<Process, SysRng> {
    static INSTANCE: OnceLock<core::Instance<Process, SysRng>> = OnceLock::new();
    INSTANCE.get_or_init(|| core::Instance::new(Process, SysRng))
}

/// Calls `act` with core's location.
fn at<T>(
    location: Location<'_>,
    act: impl FnOnce(core::Location<'_, Process>) -> Result<T, Error>,
) -> Result<T, Error> {
    match location {
        Location::Scratch => act(core::Location::Scratch),
        Location::Within(dir) => act(core::Location::Within(&dir.0.read())),
        Location::Directory(path) => act(core::Location::Directory(path)),
    }
}

/// Creates a file that has no name.
///
/// # Errors
/// Those of the interface's `unnamed`.
pub fn unnamed(location: Location<'_>) -> Result<File, Error> {
    at(location, |location| instance().unnamed(location)).map(File::new)
}

/// Creates a file under a new name.
///
/// # Errors
/// Those of the interface's `named`.
pub fn named(options: &Options, location: Location<'_>) -> Result<(File, TempPath), Error> {
    let (file, path) = at(location, |location| instance().named(options, location))?;
    Ok((File::new(file), TempPath(Lock::new(path))))
}

/// Creates a file that stays in memory up to and including `max_memory` bytes.
///
/// # Errors
/// Those of the interface's `spooled`.
pub fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<File, Error> {
    let file = at(location, |location| instance().spooled(max_memory, location))?;
    Ok(File(Lock::new(file)))
}

/// Returns what this process has in use.
pub fn usage() -> Usage {
    Process.ledger().usage()
}

/// Returns the limits on what this process may have in use: there are none.
pub fn limits() -> Limits {
    Process.ledger().limits()
}

/// Lists the handles that this process has open. Empty if nothing is leaked.
///
/// # Errors
/// Those of the interface's `live-handles`.
pub fn live_handles() -> Result<Vec<LiveHandle>, Error> {
    Process.ledger().live_handles(Process.now())
}

/// Lists what could not be removed when its handle was dropped.
pub fn leftovers() -> Vec<CleanupFailure> {
    Process.ledger().leftovers()
}

/// Creates a directory under a new name.
///
/// # Errors
/// Those of the interface's `directory`.
pub fn directory(options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
    let dir = at(location, |location| instance().directory(options, location))?;
    Ok(TempDir(Lock::new(dir)))
}

/// Gives an unnamed file a permanent name.
///
/// # Errors
/// Those of the interface's `link`.
pub fn link(file: &File, target: &str, durability: Durability) -> Result<(), Error> {
    file.0.write().link(target, durability)
}

/// Returns the path of the default directory.
///
/// # Errors
/// Those of the interface's `default-directory`.
pub fn default_directory() -> Result<String, Error> {
    instance().default_directory()
}

/// An open file. It has no cursor and no name.
///
/// ```
/// use wasi_tempfile::interface::{self, Error, Location, Storage};
///
/// let file = interface::spooled(Some(1024), Location::Scratch)?;
/// file.write(b"in memory", 0)?;
/// assert_eq!(file.storage()?, Storage::Memory);
/// file.roll_over()?;
/// assert_eq!((file.storage()?, file.size()?), (Storage::Disk, 9));
/// // At most that many bytes; an empty answer is the end of the file.
/// assert_eq!(file.read(100, 3)?, b"memory");
/// assert_eq!(file.read(100, 9)?, b"");
/// file.close()?;
/// # Ok::<(), Error>(())
/// ```
pub struct File(Lock<AnyFile<Process, SysRng>>);

/// The guard of a file's name.
///
/// ```
/// use wasi_tempfile::interface::{self, Error, ErrorCode, Location, Options};
///
/// let (file, name) = interface::named(&Options::default(), Location::Scratch)?;
/// file.write(b"text", 0)?;
/// file.close()?;
/// // The name goes on without the handle that made it.
/// let again = name.reopen()?;
/// assert_eq!(again.read(100, 0)?, b"text");
/// name.close()?;
/// assert_eq!(name.reopen().map_err(|error| error.code).err(), Some(ErrorCode::Closed));
/// # Ok::<(), Error>(())
/// ```
pub struct TempPath(Lock<core::TempPath<Process>>);

/// The guard of a directory and everything in it.
///
/// ```
/// use wasi_tempfile::interface::{self, CleanupFailure, EntryKind, Error, Location, Options};
///
/// let dir = interface::directory(&Options::default(), Location::Scratch)?;
/// dir.create_directory("in")?;
/// dir.create_file("in/note")?.write(b"text", 0)?;
/// let entries = dir.entries("in")?;
/// assert_eq!((&*entries[0].name, entries[0].kind), ("note", EntryKind::File));
/// assert_eq!(dir.metadata("in/note")?.size, 4);
/// let left: Result<(), Vec<CleanupFailure>> = dir.close();
/// assert!(left.is_ok());
/// # Ok::<(), Error>(())
/// ```
pub struct TempDir(Lock<core::TempDir<Process>>);

impl File {
    fn new(file: core::File<Process>) -> Self {
        File(Lock::new(AnyFile::Plain(file)))
    }

    /// The operating system's file, for a [`crate::File`].
    pub(crate) fn into_std(self) -> Result<std::fs::File, Error> {
        match self.0.into_inner() {
            AnyFile::Plain(mut file) => file.into_descriptor(),
            AnyFile::Spooled(_) => {
                unreachable!("a `File` is made of what `named`, `unnamed` or a directory returned")
            }
        }
    }
}

/// A lock, because a handle's methods take `&self`, as the interface's do.
struct Lock<T>(RwLock<T>);

impl<T> Lock<T> {
    fn new(value: T) -> Self {
        Lock(RwLock::new(value))
    }

    // Core changes the state of a handle in one assignment, so a panic leaves it consistent.
    fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl File {
    pub fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        self.0.read().read(length, offset)
    }

    pub fn write(&self, buffer: &[u8], offset: u64) -> Result<u64, Error> {
        self.0.write().write(buffer, offset)
    }

    pub fn size(&self) -> Result<u64, Error> {
        self.0.read().size()
    }

    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        self.0.write().set_size(size)
    }

    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.0.read().sync(durability)
    }

    pub fn storage(&self) -> Result<Storage, Error> {
        self.0.read().storage()
    }

    pub fn roll_over(&self) -> Result<(), Error> {
        self.0.write().roll_over()
    }

    pub fn close(&self) -> Result<(), Error> {
        self.0.write().close()
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempPath {
    pub fn path(&self) -> String {
        self.shared_path().to_string()
    }

    /// The path, without a copy of it.
    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.0.read().shared_path()
    }

    pub fn reopen(&self) -> Result<File, Error> {
        self.0.read().reopen().map(File::new)
    }

    pub fn persist(
        &self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        self.0.write().persist(target, mode, durability)
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.write().keep()
    }

    pub fn close(&self) -> Result<(), Error> {
        self.0.write().close()
    }
}

#[cfg(unix)]
impl TempDir {
    /// Sets the directory's mode, by its handle.
    pub(crate) fn set_permissions(&self, permissions: std::fs::Permissions) -> std::io::Result<()> {
        let dir = self.0.read().get_ref().map_err(crate::error::io_error)?.try_clone()?;
        std::fs::File::from(dir).set_permissions(permissions)
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempDir {
    pub fn path(&self) -> String {
        self.shared_path().to_string()
    }

    /// The path, without a copy of it.
    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.0.read().shared_path()
    }

    pub fn create_file(&self, path: &str) -> Result<File, Error> {
        self.0.read().create_file(path).map(File::new)
    }

    pub fn open_file(&self, path: &str) -> Result<File, Error> {
        self.0.read().open_file(path).map(File::new)
    }

    pub fn create_directory(&self, path: &str) -> Result<(), Error> {
        self.0.read().create_directory(path)
    }

    pub fn metadata(&self, path: &str) -> Result<Metadata, Error> {
        self.0.read().metadata(path)
    }

    pub fn persist(
        &self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        self.0.write().persist(target, mode, durability)
    }

    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        self.0.read().rename(old, new)
    }

    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.0.read().remove(path)
    }

    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, Error> {
        self.0.read().entries(path)
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.write().keep()
    }

    pub fn close(&self) -> Result<(), Vec<CleanupFailure>> {
        self.0.write().close()
    }
}
