//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! No destructor of a plugin runs after a trap, or when its store is dropped. So the host owns the
//! directory and removes it however the instance ended, by the same rules that serve the plugin
//! inside it.
//!
//! # Locks
//!
//! A directory is in use while a process has a kernel lock (`flock`) on it. The lock ends with the
//! process, whatever ended that. A directory that nobody has locked is swept; age and process
//! numbers play no part.
//!
//! * To create a directory, a process makes `run-…`, opens it, locks it without waiting, and checks
//!   that the name still belongs to it. Only then does it use the directory. If a sweep was
//!   quicker, an empty directory is lost, and the process makes another.
//! * A sweep opens a `run-…`, locks it without waiting, checks that the name still belongs to it,
//!   renames it to `trash-…`, and removes it. It keeps the lock until the end, so that other sweeps
//!   skip the directory. A sweep that dies leaves an unlocked `trash-…` to the next one.
//!
//! So nobody waits for a lock, and a process that is stopped at any point blocks no other. A
//! directory that is to be kept is renamed to `kept-…`, which no sweep touches.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use getrandom::SysRng;
use rustix::fs::{self as sys, AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use tempfile_core::{
    Base, Cause, Context, Descriptors, ErrorCode, Instance, Location, MAX_TRIES, Native,
    OpenLocation, Options, SharedLedger, TempDir, directory,
};

pub use tempfile_core::CleanupFailure;

use crate::error::{Error, RootCause};

mod sweep;

pub use sweep::Sweep;

/// The prefixes of directories: for a run, being removed, and kept.
const RUN: &str = "run-";
const TRASH: &str = "trash-";
const KEPT: &str = "kept-";

/// The directory that contains all scratch directories of an application. Clones share it, and any
/// number of processes may.
#[derive(Clone)]
pub struct ScratchRoot {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    dir: Arc<OwnedFd>,
    context: RootContext,
    location: OpenLocation<RootContext>,
}

/// The context in which a root's own directories are created: every path is the root.
#[derive(Clone)]
struct RootContext {
    dir: Arc<OwnedFd>,
    path: Arc<str>,
    ledger: SharedLedger,
}

impl Context for RootContext {
    type Platform = Native;

    fn platform(&self) -> &Native {
        &Native
    }

    fn resolve_base(&self, _: &str) -> Result<Base<Arc<OwnedFd>>, Cause> {
        let (dir, path) = (self.dir.clone(), self.path.to_string());
        Ok(Base { dir, path, rest: String::new() })
    }

    fn env_var(&self, _: &str) -> Option<String> {
        None
    }

    fn fallback_dirs(&self) -> Vec<String> {
        Vec::new()
    }

    fn descriptors(&self) -> Descriptors {
        Descriptors::None
    }

    fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }

    fn now(&self) -> u64 {
        0
    }
}

impl ScratchRoot {
    /// Opens a root, creates it with mode 0700 if it does not exist, and [sweeps](Self::sweep) it.
    ///
    /// # Errors
    ///
    /// If the root is a symbolic link, belongs to another user, or can be written to by others,
    /// because they could then replace its contents; its parents are not checked. If it cannot be
    /// created or opened, or its path is not UTF-8. If the sweep could not remove something, that
    /// is no error: it is logged, and the next sweep tries again.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let root = match sys::mkdir(path, Mode::RWXU) {
            Ok(()) => return Self::open_unswept(path),
            Err(Errno::EXIST) => Self::open_unswept(path)?,
            Err(errno) => {
                let cause = RootCause::Io { operation: "create it", cause: errno.into() };
                return Err(Error::Root { path: path.to_owned(), cause });
            }
        };
        root.sweep()?.log();
        Ok(root)
    }

    /// Opens an existing root without sweeping it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_unswept(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::open_checked(path).map_err(|cause| Error::Root { path: path.to_owned(), cause })
    }

    /// Opens the default root of this user: `wasi-tempfile-UID` in the system's directory for
    /// temporary files.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_default() -> Result<Self, Error> {
        let name = format!("wasi-tempfile-{}", rustix::process::geteuid().as_raw());
        Self::open(std::env::temp_dir().join(name))
    }

    fn open_checked(path: &Path) -> Result<Self, RootCause> {
        let failed =
            |operation| move |errno: Errno| RootCause::Io { operation, cause: errno.into() };
        check(&sys::lstat(path).map_err(failed("look at it"))?)?;
        // Runs go on when the process changes its working directory, so this path is absolute.
        let absolute = std::path::absolute(path)
            .map_err(|cause| RootCause::Io { operation: "look at it", cause })?;
        let name: Arc<str> = absolute.to_str().ok_or(RootCause::NotText)?.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = Arc::new(sys::open(path, flags, Mode::empty()).map_err(failed("open it"))?);
        // Checked again, because only the opened directory counts. The check before gives reasons.
        check(&sys::fstat(&dir).map_err(failed("look at it"))?)?;
        let context = RootContext { dir: dir.clone(), path: name, ledger: SharedLedger::new() };
        let location = Instance::new(context.clone(), SysRng)
            .open(Location::Directory(&context.path))
            .map_err(|cause| RootCause::Refused { cause })?;
        Ok(Self { inner: Arc::new(Inner { path: absolute, dir, context, location }) })
    }

    /// The path of the root. It is for the embedder: no plugin gets it.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Creates a directory of mode 0700 with a name that nobody can guess, and locks it: no sweep
    /// removes it until the [`ScratchDir`] is dropped or this process ends.
    ///
    /// # Errors
    ///
    /// If the root cannot be written to, or its file system has no locks.
    pub fn create_dir(&self) -> Result<ScratchDir, Error> {
        let mut lost = ErrorCode::Exhausted;
        for _ in 0..MAX_TRIES {
            match self.make() {
                Ok(made) => {
                    if let Some(scratch) = self.claim(made)? {
                        return Ok(scratch);
                    }
                }
                // A sweep has removed it already, or the root itself is gone.
                Err(error) if error.code == ErrorCode::NoEntry => lost = error.code,
                Err(error) => return Err(self.refused(error)),
            }
        }
        Err(self.refused(tempfile_core::Error::new(lost, "create a directory in", &self.name())))
    }

    /// Creates a directory without locking it.
    fn make(&self) -> Result<TempDir<RootContext>, tempfile_core::Error> {
        let options = Options { prefix: RUN.to_owned(), ..Options::default() };
        directory(&self.inner.context, &mut SysRng, &options, &self.inner.location)
    }

    /// Locks a new directory. None if a sweep was quicker, which then removes it.
    fn claim(&self, directory: TempDir<RootContext>) -> Result<Option<ScratchDir>, Error> {
        let handle = directory.get_ref().cloned().map_err(|cause| self.refused(cause))?;
        let path = PathBuf::from(directory.path());
        let name = path.file_name().unwrap_or_default();
        let held = lock(&handle).and_then(|held| Ok(held && self.is_still(name, &handle)?));
        match held {
            Ok(true) => {
                Ok(Some(ScratchDir { path, root: self.clone(), directory: Mutex::new(directory) }))
            }
            Ok(false) => Ok(None),
            Err(errno) => Err(self.failed("lock a directory in it", errno)),
        }
    }

    /// Whether a name in the root still belongs to an open directory.
    fn is_still(&self, name: impl rustix::path::Arg, dir: impl AsFd) -> Result<bool, Errno> {
        let open = sys::fstat(dir)?;
        match sys::statat(&self.inner.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (open.st_dev, open.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn name(&self) -> Arc<str> {
        self.inner.path.to_string_lossy().into()
    }

    fn refused(&self, cause: tempfile_core::Error) -> Error {
        Error::Root { path: self.path().to_owned(), cause: RootCause::Refused { cause } }
    }

    fn failed(&self, operation: &'static str, errno: Errno) -> Error {
        Error::Root {
            path: self.path().to_owned(),
            cause: RootCause::Io { operation, cause: errno.into() },
        }
    }
}

/// Locks an open directory without waiting. Returns false if another handle has the lock.
fn lock(dir: impl AsFd) -> Result<bool, Errno> {
    match sys::flock(dir, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno),
    }
}

impl std::fmt::Debug for ScratchRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchRoot").field(&self.path()).finish()
    }
}

/// Refuses a root that another user owns or can change.
fn check(stat: &Stat) -> Result<(), RootCause> {
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

/// The scratch directory of one instance. [`close`](Self::close) removes it with everything in it
/// and reports failures; a drop does the same and logs them.
///
/// It is locked until the drop, so only then can a sweep remove what `close` could not.
pub struct ScratchDir {
    path: PathBuf,
    root: ScratchRoot,
    /// In a mutex, because another thread removes the directory of an abandoned run.
    directory: Mutex<TempDir<RootContext>>,
}

impl ScratchDir {
    /// The path of the directory. It is for the embedder: no plugin gets it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(crate) fn handle(&self) -> Result<Arc<OwnedFd>, Error> {
        self.lock().get_ref().cloned().map_err(|cause| self.root.refused(cause))
    }

    /// The names that are directly in it now, in no order.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read, or is gone.
    pub fn entries(&self) -> io::Result<Vec<OsString>> {
        fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Removes the directory, and returns what could not be removed. Call it again to try again.
    pub fn close(&self) -> Vec<CleanupFailure> {
        self.lock().close().err().unwrap_or_default()
    }

    /// Keeps the directory under another name, which no sweep removes, and returns its new path.
    /// Removing it is then up to you.
    ///
    /// # Errors
    ///
    /// If it has been closed, or cannot be renamed.
    pub fn keep(&self) -> Result<PathBuf, Error> {
        let mut directory = self.lock();
        directory.get_ref().map_err(|cause| self.root.refused(cause))?;
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kept = name.replacen(RUN, KEPT, 1);
        let root = &self.root.inner.dir;
        // The random part is as hard to guess as before, so the name is free.
        sys::renameat(root, name, root, &*kept)
            .map_err(|errno| self.root.failed("keep a directory in it", errno))?;
        directory.keep().map_err(|cause| self.root.refused(cause))?;
        Ok(self.path.with_file_name(kept))
    }

    fn lock(&self) -> MutexGuard<'_, TempDir<RootContext>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        for stayed in self.close() {
            let cause = stayed.error;
            tracing::warn!(path = stayed.path, %cause, "something stayed in a scratch directory");
        }
    }
}

impl std::fmt::Debug for ScratchDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchDir").field(&self.path).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile_core::Process;

    /// Runs a test with a root of its own.
    fn with_root(test: impl FnOnce(&ScratchRoot)) {
        let instance = Instance::new(Process, SysRng);
        let dir = instance.directory(&Options::default(), Location::Scratch);
        let mut dir = dir.expect("make a directory");
        let root = ScratchRoot::open(dir.path()).expect("open the root");
        test(&root);
        dir.close().expect("remove the root");
    }

    #[test]
    fn a_creator_stopped_before_it_locks_survives_any_number_of_sweeps() {
        with_root(|root| {
            for _ in 0..100 {
                let stopped = root.make().expect("make a directory");
                let sweep = root.sweep().expect("sweep");
                assert_eq!(
                    sweep.removed.len(),
                    1,
                    "an empty directory that nobody has locked: {sweep:?}"
                );
                // The creator goes on, finds its directory gone, and makes another.
                assert!(root.claim(stopped).expect("no error").is_none());
            }
            let scratch = root.create_dir().expect("make a directory");
            assert_eq!(root.sweep().expect("sweep").live, [scratch.path()]);
        });
    }

    #[test]
    fn a_creator_stopped_after_it_locked_keeps_its_directory() {
        with_root(|root| {
            let made = root.make().expect("make a directory");
            assert!(lock(made.get_ref().expect("open")).expect("no error"));
            for _ in 0..100 {
                assert_eq!(root.sweep().expect("sweep").live.len(), 1);
            }
            // The check of the name is still to come. The lock belongs to the same open handle.
            assert!(root.claim(made).expect("no error").is_some());
        });
    }

    #[test]
    fn a_sweep_that_holds_a_directory_wins_over_its_creator() {
        with_root(|root| {
            let made = root.make().expect("make a directory");
            let sweeper = fs::File::open(made.path()).expect("open it");
            assert!(lock(&sweeper).expect("no error"));
            assert!(root.claim(made).expect("no error").is_none());
        });
    }

    #[test]
    fn a_sweep_that_died_on_the_way_is_finished_by_the_next() {
        with_root(|root| {
            let trash = root.path().join("trash-abcdefghijklmnop");
            fs::create_dir(&trash).expect("make a directory");
            fs::write(trash.join("half"), "removed").expect("write a file");
            assert_eq!(root.sweep().expect("sweep").removed, [trash]);
        });
    }
}
