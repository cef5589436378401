//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! A destructor in a plugin runs only as long as the plugin does: not after a trap, not when its store is dropped. So the
//! directory belongs to the host, which removes it however the instance ended. It is made and removed by the same rules that
//! serve the plugin inside it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use getrandom::SysRng;
use rustix::fs::{self as sys, FileType, Mode};
use rustix::io::Errno;
use tempfile_core::{Native, Options, Place, TempDir, directory, place_at};

pub use tempfile_core::CleanupFailure;

use crate::error::{Error, RootCause};

/// The directory below which all scratch directories of an application lie. Clones share it.
#[derive(Clone)]
pub struct ScratchRoot {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    place: Place<Native>,
}

impl ScratchRoot {
    /// Opens a root, and creates it with mode 0700 if it does not exist.
    ///
    /// # Errors
    ///
    /// If the root is a symbolic link, belongs to another user or can be written to by others: somebody else could then
    /// replace what lies in it. Its parents are the caller's choice. If it cannot be created or opened, or its path is not
    /// UTF-8.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::open_checked(path).map_err(|cause| Error::Root { path: path.to_owned(), cause })
    }

    /// Opens the root this user has by default, in the system's directory for temporary files.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_default() -> Result<Self, Error> {
        let name = format!("wasi-tempfile-{}", rustix::process::geteuid().as_raw());
        Self::open(std::env::temp_dir().join(name))
    }

    fn open_checked(path: &Path) -> Result<Self, RootCause> {
        match sys::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(RootCause::Io { operation: "create it", cause: errno.into() }),
        }
        check(path)?;
        let name = path.to_str().ok_or(RootCause::NotText)?;
        let place = place_at(&Native, name).map_err(|error| RootCause::Refused { cause: error })?;
        // Runs go on when the process changes its working directory, so this path is absolute.
        Ok(Self { inner: Arc::new(Inner { path: place.path().into(), place }) })
    }

    /// Where the root lies. This is for the embedder alone: no plugin ever reads it.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Makes a directory of mode 0700 with a name nobody can guess.
    ///
    /// # Errors
    ///
    /// If the root cannot be written to.
    pub fn create_dir(&self) -> Result<ScratchDir, Error> {
        let options = Options { prefix: "run-".to_owned(), ..Options::default() };
        let directory = directory(&Native, &mut SysRng, &options, &self.inner.place).map_err(|cause| {
            Error::Root { path: self.path().to_owned(), cause: RootCause::Refused { cause } }
        })?;
        Ok(ScratchDir { path: directory.path().into(), directory: Mutex::new(directory) })
    }
}

impl std::fmt::Debug for ScratchRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchRoot").field(&self.path()).finish()
    }
}

/// Refuses a root that somebody else has a hand in.
fn check(path: &Path) -> Result<(), RootCause> {
    let stat =
        sys::lstat(path).map_err(|errno| RootCause::Io { operation: "look at it", cause: errno.into() })?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::Symlink => return Err(RootCause::Link),
        FileType::RegularFile
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => return Err(RootCause::NotDirectory),
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(RootCause::Foreign { owner: stat.st_uid });
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::WGRP | Mode::WOTH) {
        return Err(RootCause::Shared { mode: mode.as_raw_mode() });
    }
    Ok(())
}

/// One instance's directory. It goes with everything in it: by [`close`](Self::close), which reports, or on drop, which
/// forgives.
pub struct ScratchDir {
    path: PathBuf,
    /// Behind a lock, since an interrupted run loses it to another thread.
    directory: Mutex<TempDir<Native>>,
}

impl ScratchDir {
    /// Where it lies. This is for the embedder alone: no plugin ever reads it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(crate) fn handle(&self) -> Result<Arc<OwnedFd>, Error> {
        let directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = |cause| Error::Root { path: self.path.clone(), cause: RootCause::Refused { cause } };
        directory.get_ref().cloned().map_err(refused)
    }

    /// The names that lie directly in it now, in no order.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or is gone.
    pub fn entries(&self) -> io::Result<Vec<OsString>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Removes the directory, and says what could not go; nothing if all went. Closing again tries what stayed again.
    pub fn close(&self) -> Vec<CleanupFailure> {
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        directory.close().err().unwrap_or_default()
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        for stayed in self.close() {
            tracing::warn!(path = stayed.path, cause = %stayed.error, "something stayed in a scratch directory");
        }
    }
}

impl std::fmt::Debug for ScratchDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchDir").field(&self.path).finish()
    }
}
