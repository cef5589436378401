//! The native placement: core over the operating system.

use std::io;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use getrandom::SysRng;
use tempfile_core::{self as core, AnyFile, Native, Place, Platform};

use crate::error::io_error;

use super::{
    CleanupFailure, Durability, Entry, Error, LiveHandle, Location, Options, ReplaceMode, Storage, Usage,
};

/// The default directory, once it has been found.
static DEFAULT: OnceLock<Place<Native>> = OnceLock::new();

fn default_place() -> Result<Place<Native>, Error> {
    if let Some(place) = DEFAULT.get() {
        return Ok(place.clone());
    }
    let place = core::default_place(&Native, &mut SysRng)?;
    Ok(DEFAULT.get_or_init(|| place).clone())
}

fn place(location: Location<'_>) -> Result<Place<Native>, Error> {
    match location {
        Location::Scratch => default_place(),
        Location::Within(dir) => dir.0.read().place(),
        Location::Directory(path) => core::place_at(&Native, path),
    }
}

/// Creates a file that no name leads to.
///
/// # Errors
/// Those of the interface's `unnamed`.
pub fn unnamed(location: Location<'_>) -> Result<File, Error> {
    core::unnamed(&Native, &mut SysRng, &place(location)?).map(File::new)
}

/// Creates a file under a new name.
///
/// # Errors
/// Those of the interface's `named`.
pub fn named(options: &Options, location: Location<'_>) -> Result<(File, TempPath), Error> {
    let (file, path) = core::named(&Native, &mut SysRng, options, &place(location)?)?;
    Ok((File::new(file), TempPath(Lock::new(path))))
}

/// Creates a file that stays in memory up to and including `max_memory` bytes.
///
/// # Errors
/// Those of the interface's `spooled`.
pub fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<File, Error> {
    core::spooled(&Native, SysRng, max_memory, &place(location)?).map(|file| File(Lock::new(file)))
}

/// How much this process has in use.
pub fn usage() -> Usage {
    Native.ledger(|ledger, _| ledger.usage()).unwrap_or_default()
}

/// What this process has open. Empty when nothing is leaked.
pub fn live() -> Vec<LiveHandle> {
    Native.ledger(|ledger, now| ledger.live(now())).unwrap_or_default()
}

/// What could not be removed when its handle was dropped.
pub fn leftovers() -> Vec<CleanupFailure> {
    Native.ledger(|ledger, _| ledger.leftovers().to_vec()).unwrap_or_default()
}

/// Creates a directory under a new name.
///
/// # Errors
/// Those of the interface's `directory`.
pub fn directory(options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
    let dir = core::directory(&Native, &mut SysRng, options, &place(location)?)?;
    Ok(TempDir(Lock::new(dir)))
}

/// Gives an unnamed file a name, for good.
///
/// # Errors
/// Those of the interface's `link`.
pub fn link(file: &File, target: &str, durability: Durability) -> Result<(), Error> {
    file.0.write().link(target, durability)
}

/// The path of the default directory.
///
/// # Errors
/// `quota` if a limit lets no probe through; `no-scratch`.
pub fn default_directory() -> Result<String, Error> {
    default_place().map(|place| place.path().to_owned())
}

/// An open file, with no cursor and no name.
pub struct File(Lock<AnyFile<Native, SysRng>>);

/// A name, and the promise to remove it.
pub struct TempPath(Lock<core::TempPath<Native>>);

/// A directory, and the promise to remove it with everything in it.
pub struct TempDir(Lock<core::TempDir<Native>>);

impl File {
    fn new(file: core::File<Native>) -> Self {
        File(Lock::new(AnyFile::Plain(file)))
    }

    /// The system's file, for a [`crate::File`].
    pub(crate) fn into_std(self) -> Result<std::fs::File, Error> {
        match self.0.into_inner() {
            AnyFile::Plain(mut file) => file.hand_over(),
            AnyFile::Spooled(_) => {
                unreachable!("a `File` is made of what `named`, `unnamed` or a directory gave")
            }
        }
    }
}

/// A handle's methods take `&self`, as the interface's do; what changes its state is kept apart from the rest by a lock.
struct Lock<T>(RwLock<T>);

impl<T> Lock<T> {
    fn new(value: T) -> Self {
        Lock(RwLock::new(value))
    }

    // A panic elsewhere leaves no handle half changed: core changes its state in one assignment.
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
    pub fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        self.0.read().read(offset, max)
    }

    pub fn write(&self, offset: u64, data: &[u8]) -> Result<u64, Error> {
        self.0.write().write(offset, data)
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

    pub fn persist(&self, target: &str, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        self.0.write().persist(target, mode, durability)
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.write().keep()
    }

    pub fn close(&self) -> Result<(), Error> {
        self.0.write().close()
    }
}

impl TempDir {
    /// Sets the directory's mode, by its handle.
    pub(crate) fn set_permissions(&self, permissions: std::fs::Permissions) -> io::Result<()> {
        let dir = self.0.read().get_ref().map_err(io_error)?.try_clone()?;
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
