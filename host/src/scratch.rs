//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! A destructor in a plugin runs only as long as the plugin does: not after a trap, not when its store is dropped. So the
//! directory belongs to the host, which removes it however the instance ended. It is made and removed by the same rules that
//! serve the plugin inside it.
//!
//! # How an owner is known to live
//!
//! A directory belongs to the process that holds a kernel lock (`flock`) on it: the lock ends with its holder, whatever ends that. What
//! nobody holds is swept. Age and process numbers play no part.
//!
//! * An owner makes `run-…`, opens it, locks it, and looks whether the name is still that directory's. Only then is the directory its own.
//!   If a sweep was quicker, it lost an empty directory, and makes another.
//! * A sweep opens a `run-…`, tries to lock it without waiting, looks whether the name is still that directory's, renames it
//!   to `trash-…`, and removes it. It holds the lock until the end, so that another sweep passes it by; one that dies on the way leaves
//!   an unlocked `trash-…` to the next.
//!
//! So no lock is waited for, and a process that is stopped at any point holds up nobody. What is kept for good is renamed to `kept-…`, which no
//! sweep touches.

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
    Base, Context, Descriptors, ErrorCode, Instance, Location, MAX_TRIES, Native, OpenLocation,
    Options, SharedLedger, TempDir, directory,
};

pub use tempfile_core::CleanupFailure;

use crate::error::{Error, RootCause};

mod sweep;

pub use sweep::Sweep;

/// The names of directories that have, or had, an owner; that are being removed; that stay for good.
const RUN: &str = "run-";
const TRASH: &str = "trash-";
const KEPT: &str = "kept-";

/// The directory below which all scratch directories of an application lie. Clones share it, and so may processes.
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

/// The context of a root's own directories: every path is the root's.
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

    fn resolve_base(&self, _: &str) -> Result<Base<Arc<OwnedFd>>, ErrorCode> {
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
    /// If the root is a symbolic link, belongs to another user or can be written to by others: somebody else could then
    /// replace what lies in it. Its parents are the caller's choice. If it cannot be created or opened, or its path is not
    /// UTF-8. What a sweep could not remove is no error: it is logged, and the next sweep tries again.
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

    /// Opens a root that exists, and leaves it as it is.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_unswept(path: impl AsRef<Path>) -> Result<Self, Error> {
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
        let failed =
            |operation| move |errno: Errno| RootCause::Io { operation, cause: errno.into() };
        check(&sys::lstat(path).map_err(failed("look at it"))?)?;
        // Runs go on when the process changes its working directory, so this path is absolute.
        let absolute = std::path::absolute(path)
            .map_err(|cause| RootCause::Io { operation: "look at it", cause })?;
        let name: Arc<str> = absolute.to_str().ok_or(RootCause::NotText)?.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = Arc::new(sys::open(path, flags, Mode::empty()).map_err(failed("open it"))?);
        // Once more, of what was opened: this is what counts, the look before was for the reasons it gives.
        check(&sys::fstat(&dir).map_err(failed("look at it"))?)?;
        let context = RootContext { dir: dir.clone(), path: name, ledger: SharedLedger::new() };
        let location = Instance::new(context.clone(), SysRng)
            .open(Location::Directory(&context.path))
            .map_err(|cause| RootCause::Refused { cause })?;
        Ok(Self { inner: Arc::new(Inner { path: absolute, dir, context, location }) })
    }

    /// Where the root lies. This is for the embedder alone: no plugin ever reads it.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Makes a directory of mode 0700 with a name nobody can guess, and holds it: no sweep touches it while this process lives
    /// and the [`ScratchDir`] is not dropped.
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
                // A sweep was quicker still; or the root itself is gone, and stays so.
                Err(error) if error.code == ErrorCode::NoEntry => lost = error.code,
                Err(error) => return Err(self.refused(error)),
            }
        }
        Err(self.refused(tempfile_core::Error::new(lost, "create a directory in", &self.name())))
    }

    /// Makes a directory that nobody holds.
    fn make(&self) -> Result<TempDir<RootContext>, tempfile_core::Error> {
        let options = Options { prefix: RUN.to_owned(), ..Options::default() };
        directory(&self.inner.context, &mut SysRng, &options, &self.inner.location)
    }

    /// Holds a directory; nothing if a sweep was quicker. That one removes it, and found it empty.
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

    /// Whether a name in the root is that of an open directory.
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

/// Locks a directory for the handle that it was opened with, or finds it locked.
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

/// Refuses a root that somebody else has a hand in.
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

/// One instance's directory. It goes with everything in it: by [`close`](Self::close), which reports, or on drop, which
/// forgives.
///
/// It is this process's, by a lock of the kernel's, for as long as this lives: what `close` could not remove is left to the next sweep
/// only after the drop.
pub struct ScratchDir {
    path: PathBuf,
    root: ScratchRoot,
    /// Behind a lock, since an interrupted run loses it to another thread.
    directory: Mutex<TempDir<RootContext>>,
}

impl ScratchDir {
    /// Where it lies. This is for the embedder alone: no plugin ever reads it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open directory.
    pub(crate) fn handle(&self) -> Result<Arc<OwnedFd>, Error> {
        self.lock().get_ref().cloned().map_err(|cause| self.root.refused(cause))
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
        self.lock().close().err().unwrap_or_default()
    }

    /// Leaves the directory for good, under another name, and says where it lies now. No sweep removes it: that is for whoever
    /// wanted it.
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
            tracing::warn!(path = stayed.path, cause = %stayed.error, "something stayed in a scratch directory");
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

    /// A root of this test's own.
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
                    "an empty directory that nobody holds: {sweep:?}"
                );
                // It goes on, finds its directory gone, and makes another.
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
            // The look at the name is still to come; another handle is what makes the lock ours or not.
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
