//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! No destructor of a plugin runs after a trap, or when its store is dropped. So the host owns the
//! directory and removes it however the instance ended, by the same rules that serve the plugin
//! inside it.
//!
//! # Marks and locks
//!
//! A directory of a run has a mark, which the `mkdir` that makes it sets ([`name::MARKED`]). It is
//! in use while a process has a kernel lock (`flock`) on it. The lock ends with the process,
//! whatever ended that. A directory with the mark that nobody has locked is swept; age and process
//! numbers play no part.
//!
//! * To create a directory, a process makes `run-…`, opens it, locks it without waiting, and checks
//!   that the name still belongs to it. Only then does it use the directory. If a sweep was
//!   quicker, an empty directory is lost, and the process makes another.
//! * A sweep looks for the mark of a `run-…`, opens and locks it without waiting, checks that the
//!   name still belongs to it, and removes it. It keeps the lock until the end, so that other
//!   sweeps skip the directory. If it dies, the next sweep goes on.
//!
//! So nobody waits for a lock, and a process that is stopped at any point blocks no other. A
//! directory that is to be kept is renamed to `kept-…`, which no sweep touches.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use getrandom::SysRng;
use rustix::fs::{self as sys, AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use tempfile_core::{
    Base, Cause, Context, Descriptors, ErrorCode, Instance, Location, MAX_TRIES, Native,
    OpenLocation, SharedLedger, TempDir, error_code_of,
};

pub use tempfile_core::CleanupFailure;

use crate::error::{Error, RootCause};

mod leftovers;
mod mounts;
mod name;
mod retry;
mod sweep;

pub use leftovers::Leftovers;
pub use sweep::Sweep;

/// The directory that contains all scratch directories of an application. Clones share it, and any
/// number of processes may.
///
/// If something removes the root, as cleaners of `/tmp` do, the next
/// [`create_dir`](Self::create_dir) makes it again. While it is open it has a shared lock, by which
/// some cleaners, such as systemd-tmpfiles, leave it alone.
#[derive(Clone)]
pub struct ScratchRoot {
    inner: Arc<Inner>,
}

struct Inner {
    /// Absolute, because runs go on when the process changes its working directory.
    path: PathBuf,
    /// The directory at the path: another one if it was removed and made again.
    opened: Mutex<Arc<OpenRoot>>,
    retries: retry::Retries,
}

/// A directory that was opened as a root.
struct OpenRoot {
    dir: Arc<OwnedFd>,
    identity: Identity,
    /// Whether it has the shared lock. Not while something else locks the whole directory.
    locked: Mutex<bool>,
    context: RootContext,
    location: OpenLocation<RootContext>,
}

/// Device and inode.
type Identity = (u64, u64);

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

    fn is_stopped(&self) -> bool {
        // The host's own cleanup is not the plugin's time.
        false
    }
}

impl ScratchRoot {
    /// Opens a root, creates it with mode 0700 if it does not exist, and [sweeps](Self::sweep) it.
    ///
    /// # Errors
    ///
    /// If the root is a symbolic link, belongs to another user, or can be written to by others,
    /// because they could then replace its contents; its parents are not checked. If its path ends
    /// in `..`, which may hide a link. If its file system has no locks. If it cannot be created or
    /// opened, or its path is not UTF-8. If the sweep could not remove something, that is no error:
    /// it is logged, and the next sweep tries again.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_and_sweep(path).map(|(root, _)| root)
    }

    /// Opens a root as [`open`](Self::open) does, and returns the result of the sweep too.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_and_sweep(path: impl AsRef<Path>) -> Result<(Self, Sweep), Error> {
        let path = path.as_ref();
        let made =
            create_root(path).map_err(|cause| Error::Root { path: path.to_owned(), cause })?;
        let root = Self::open_unswept(path)?;
        let sweep = if made { Sweep::default() } else { root.sweep()? };
        sweep.log();
        Ok((root, sweep))
    }

    /// Opens an existing root without sweeping it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_unswept(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let open = || {
            let absolute = std::path::absolute(plain(path)?)
                .map_err(|cause| RootCause::Io { operation: "find the path of", cause })?;
            let opened = Mutex::new(Arc::new(OpenRoot::new(&absolute)?));
            Ok(Inner { path: absolute, opened, retries: retry::Retries::default() })
        };
        let inner = open().map_err(|cause| Error::Root { path: path.to_owned(), cause })?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens the default root of this user: `wasi-tempfile-UID` in the system's directory for
    /// temporary files.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_default() -> Result<Self, Error> {
        Self::open(Self::default_path())
    }

    /// The path of the [default root](Self::open_default).
    pub fn default_path() -> PathBuf {
        let name = format!("wasi-tempfile-{}", rustix::process::geteuid().as_raw());
        std::env::temp_dir().join(name)
    }

    /// The path of the root. It is for the embedder: no plugin gets it.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Creates a directory that only this user has access to, with a name that nobody can guess,
    /// and locks it: no sweep removes it until the [`ScratchDir`] is dropped or this process ends.
    ///
    /// # Errors
    ///
    /// If the root cannot be written to, is full, or has changed so that [`open`](Self::open) would
    /// refuse it.
    pub fn create_dir(&self) -> Result<ScratchDir, Error> {
        retry::resume(&self.inner);
        let mut code = ErrorCode::Exhausted;
        for _ in 0..MAX_TRIES {
            let opened = self.current()?;
            match opened.create_unlocked().and_then(|made| opened.claim(made)) {
                Ok(Some((path, directory))) => {
                    let directory = Mutex::new(directory);
                    return Ok(ScratchDir { path, root: self.clone(), opened, directory });
                }
                Ok(None) => {}
                // A sweep has removed it already, or the root itself is gone.
                Err(RootCause::Refused { cause }) if cause.code == ErrorCode::NoEntry => {
                    code = cause.code;
                }
                Err(cause) => return Err(self.error(cause)),
            }
        }
        Err(self.error(refused(code, "create a directory in", &self.path().to_string_lossy())))
    }

    /// The directory at the root's path, which is made again if it is gone, and checked as by
    /// [`open`](Self::open) each time.
    fn current(&self) -> Result<Arc<OpenRoot>, Error> {
        let opened = self.inner.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let path = self.path();
        let stat = match sys::lstat(path) {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(self.error(failed("examine")(errno))),
        };
        let renew = || match stat {
            Some(stat) if identity(&stat) == opened.identity => {
                check(&stat)?;
                opened.ensure_shared_lock()?;
                Ok(None)
            }
            _ => {
                create_root(path)?;
                OpenRoot::new(path).map(|opened| Some(Arc::new(opened)))
            }
        };
        let Some(renewed) = renew().map_err(|cause| self.error(cause))? else { return Ok(opened) };
        tracing::warn!(path = %path.display(), "a scratch root was gone, and is made again");
        let mut current = self.inner.opened.lock().unwrap_or_else(PoisonError::into_inner);
        *current = renewed.clone();
        Ok(renewed)
    }

    fn error(&self, cause: RootCause) -> Error {
        Error::Root { path: self.path().to_owned(), cause }
    }
}

/// Makes the directory of a root. Returns false if it exists.
fn create_root(path: &Path) -> Result<bool, RootCause> {
    match sys::mkdir(path, Mode::RWXU) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(failed("create")(errno)),
    }
}

/// A path without a slash or dot at its end, by which the system would follow a link.
fn plain(path: &Path) -> Result<PathBuf, RootCause> {
    let plain: PathBuf = path.components().collect();
    let mut components = plain.components();
    let named = |component| matches!(component, Component::Normal(_));
    match components.next_back() {
        Some(Component::ParentDir) if components.any(named) => Err(RootCause::Parent),
        _ => Ok(plain),
    }
}

impl OpenRoot {
    fn new(path: &Path) -> Result<Self, RootCause> {
        let opened = Self::at(path, check)?;
        opened.ensure_shared_lock()?;
        Ok(opened)
    }

    /// Opens a directory if it passes a check, and does not lock it.
    fn at(path: &Path, check: fn(&Stat) -> Result<(), RootCause>) -> Result<Self, RootCause> {
        check(&sys::lstat(path).map_err(failed("examine"))?)?;
        let name: Arc<str> = path.to_str().ok_or(RootCause::NotText)?.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = Arc::new(sys::open(path, flags, Mode::empty()).map_err(failed("open"))?);
        // Checked again, because only the opened directory counts. The check before gives reasons.
        let stat = sys::fstat(&dir).map_err(failed("examine"))?;
        check(&stat)?;
        let context = RootContext { dir: dir.clone(), path: name, ledger: SharedLedger::new() };
        let location = Instance::new(context.clone(), SysRng)
            .open(Location::Directory(&context.path))
            .map_err(|cause| RootCause::Refused { cause })?;
        let (identity, locked) = (identity(&stat), Mutex::new(false));
        Ok(Self { dir, identity, locked, context, location })
    }

    /// Gets the shared lock, unless something else locks the whole directory now.
    fn ensure_shared_lock(&self) -> Result<(), RootCause> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*locked {
            *locked = flock(&self.dir, FlockOperation::NonBlockingLockShared)
                .map_err(|errno| RootCause::NoLocks { cause: errno.into() })?;
        }
        Ok(())
    }

    /// Creates a directory without locking it.
    fn create_unlocked(&self) -> Result<(String, TempDir<RootContext>), RootCause> {
        let create = |name: &str| match sys::mkdirat(&self.dir, name, name::MARKED) {
            Err(errno) => Err(error_code_of(&errno.into())),
            Ok(()) => Ok(()),
        };
        let about = |code| refused(code, "create a directory in", &self.context.path);
        let ((), name) = name::under_new_run_name(create).map_err(about)?;
        match TempDir::adopt(&self.context, &self.location, &name) {
            Ok(directory) => Ok((name, directory)),
            Err(error) => {
                // It is empty. If this fails, a sweep removes it.
                let _ = sys::unlinkat(&self.dir, &*name, AtFlags::REMOVEDIR);
                Err(about(error.code))
            }
        }
    }

    /// Locks a new directory. `None` if a sweep has locked it first, and then removes it.
    fn claim(
        &self,
        (name, directory): (String, TempDir<RootContext>),
    ) -> Result<Option<(PathBuf, TempDir<RootContext>)>, RootCause> {
        let handle = directory.get_ref().map_err(|cause| RootCause::Refused { cause })?;
        let claim = || -> Result<bool, Errno> {
            if !try_lock(handle)? || !self.is_still(&name, handle)? {
                return Ok(false);
            }
            // Not every system sets the sticky bit in `mkdir`.
            if !name::is_marked(&sys::fstat(handle)?) {
                sys::fchmod(handle, name::MARKED)?;
            }
            Ok(true)
        };
        if !claim().map_err(failed("lock a directory in"))? {
            return Ok(None);
        }
        if !name::is_marked(&sys::fstat(handle).map_err(failed("mark a directory in"))?) {
            return Err(RootCause::NoMarks);
        }
        Ok(Some((directory.path().into(), directory)))
    }

    /// Whether a name in the root still belongs to an open directory.
    fn is_still(&self, name: &str, dir: impl AsFd) -> Result<bool, Errno> {
        let open = sys::fstat(dir)?;
        match sys::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok(identity(&named) == identity(&open)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }
}

#[allow(clippy::unnecessary_cast, reason = "the fields of `stat` have other widths elsewhere")]
fn identity(stat: &Stat) -> Identity {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> RootCause {
    move |errno| RootCause::Io { operation, cause: errno.into() }
}

fn refused(code: ErrorCode, operation: &str, path: &str) -> RootCause {
    RootCause::Refused { cause: tempfile_core::Error::new(code, operation, path) }
}

/// Locks the directory of a run, without waiting. Returns false if another handle has the lock.
fn try_lock(dir: impl AsFd) -> Result<bool, Errno> {
    flock(dir, FlockOperation::NonBlockingLockExclusive)
}

fn flock(dir: impl AsFd, operation: FlockOperation) -> Result<bool, Errno> {
    match sys::flock(dir, operation) {
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
#[allow(clippy::unnecessary_cast, reason = "modes have another width elsewhere")]
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
        return Err(RootCause::Shared { mode: mode.as_raw_mode() as u32 });
    }
    Ok(())
}

/// The scratch directory of one instance. [`close`](Self::close) removes it with everything in it
/// and reports failures; a drop does the same and logs them.
///
/// It is locked until the drop, so only then can a sweep remove what `close` could not. What a drop
/// could not remove is tried again while the root is open, after longer and longer pauses: see
/// [`ScratchRoot::waiting`].
pub struct ScratchDir {
    path: PathBuf,
    root: ScratchRoot,
    opened: Arc<OpenRoot>,
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
        self.directory().get_ref().cloned().map_err(|cause| self.refused(cause))
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
        self.directory().close().err().unwrap_or_default()
    }

    /// Keeps the directory under another name, which no sweep removes, and returns its new path.
    /// Removing it is then up to you.
    ///
    /// # Errors
    ///
    /// If it has been closed, or cannot be renamed.
    pub fn keep(&self) -> Result<PathBuf, Error> {
        let mut directory = self.directory();
        let handle = directory.get_ref().map_err(|cause| self.refused(cause))?.clone();
        let kept = name::kept(self.name());
        let root = &self.opened.dir;
        // The random part is as hard to guess as before, so the name is free.
        sys::renameat(root, self.name(), root, &*kept)
            .map_err(|errno| self.root.error(failed("rename a directory in")(errno)))?;
        // The new name is enough for sweeps, so this may fail.
        let _ = sys::fchmod(handle, name::UNMARKED);
        directory.keep().map_err(|cause| self.refused(cause))?;
        Ok(self.path.with_file_name(kept))
    }

    fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    fn refused(&self, cause: tempfile_core::Error) -> Error {
        self.root.error(RootCause::Refused { cause })
    }

    fn directory(&self) -> MutexGuard<'_, TempDir<RootContext>> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let stayed = self.close();
        for CleanupFailure { path, error } in &stayed {
            tracing::warn!(path, cause = %error, "something stayed in a scratch directory");
        }
        if !stayed.is_empty() {
            // A later attempt opens it anew. This one has failed, so the guard need not try again.
            let _ = self.directory().keep();
            retry::later(&self.root.inner, self.opened.clone(), self.name().to_owned());
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
    use tempfile_core::{Options, Process};

    /// Runs a test with a root of its own.
    fn with_root(test: impl FnOnce(&ScratchRoot)) {
        let instance = Instance::new(Process, SysRng);
        let dir = instance.directory(&Options::default(), Location::Scratch);
        let mut dir = dir.expect("make a directory");
        let root = ScratchRoot::open(dir.path()).expect("open the root");
        test(&root);
        dir.close().expect("remove the root");
    }

    fn opened(root: &ScratchRoot) -> Arc<OpenRoot> {
        root.current().expect("the root is there")
    }

    #[test]
    fn a_creator_stopped_before_it_locks_survives_any_number_of_sweeps() {
        with_root(|root| {
            let opened = opened(root);
            for _ in 0..100 {
                let stopped = opened.create_unlocked().expect("make a directory");
                let sweep = root.sweep().expect("sweep");
                // It has its mark already, so it would not stay if its creator were killed here.
                assert_eq!(
                    sweep.removed.len(),
                    1,
                    "an empty directory that nobody has locked: {sweep:?}"
                );
                // The creator goes on, finds its directory gone, and makes another.
                assert!(opened.claim(stopped).expect("no error").is_none());
            }
            let scratch = root.create_dir().expect("make a directory");
            assert_eq!(root.sweep().expect("sweep").live, [scratch.path()]);
        });
    }

    #[test]
    fn a_creator_stopped_after_it_locked_keeps_its_directory() {
        with_root(|root| {
            let opened = opened(root);
            let made = opened.create_unlocked().expect("make a directory");
            assert!(try_lock(made.1.get_ref().expect("open")).expect("no error"));
            for _ in 0..100 {
                assert_eq!(root.sweep().expect("sweep").live.len(), 1);
            }
            // The check of the name is still to come. The lock belongs to the same open handle.
            assert!(opened.claim(made).expect("no error").is_some());
        });
    }

    #[test]
    fn a_sweep_that_holds_a_directory_wins_over_its_creator() {
        with_root(|root| {
            let opened = opened(root);
            let made = opened.create_unlocked().expect("make a directory");
            let sweeper = fs::File::open(made.1.path()).expect("open it");
            assert!(try_lock(&sweeper).expect("no error"));
            assert!(opened.claim(made).expect("no error").is_none());
        });
    }

    #[test]
    fn a_directory_that_was_kept_has_no_mark() {
        with_root(|root| {
            let scratch = root.create_dir().expect("make a directory");
            assert!(name::is_marked(&sys::stat(scratch.path()).expect("look at it")));
            let kept = scratch.keep().expect("keep it");
            assert!(!name::is_marked(&sys::stat(&kept).expect("look at it")));
            fs::remove_dir(kept).expect("it is ours now");
        });
    }
}
