//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! No destructor of a plugin runs after a trap, or when its store is dropped. So the host owns the
//! directory and removes it however the instance ended, by the same rules that serve the plugin
//! inside it.
//!
//! # Marks and locks
//!
//! A directory of a run has a mark from the moment it exists: on Unix a mode, which `mkdir` sets,
//! and on Windows a file beside it. It is in use while a process has a lock on it, with `flock` or
//! by having that file open for itself. The lock ends with the process, whatever ended that. A
//! directory with the mark that nobody has locked is swept; age and process numbers play no part.
//!
//! On Unix the lock comes after the directory:
//!
//! * To create a directory, a process makes `run-…`, opens it, locks it without waiting, and checks
//!   that the name still belongs to it. Only then does it use the directory. If a sweep was
//!   quicker, an empty directory is lost, and the process makes another.
//! * A sweep looks for the mark of a `run-…`, opens and locks it without waiting, checks that the
//!   name still belongs to it, and removes it. It keeps the lock until the end, so that other
//!   sweeps skip the directory. If it dies, the next sweep goes on.
//!
//! On Windows the file is created with its lock, before the directory, and removed after it.
//!
//! So nobody waits for a lock, and a process that is stopped at any point blocks no other. A
//! directory that is to be kept is renamed to `kept-…`, which no sweep touches.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile_core::{ErrorCode, MAX_TRIES};

pub use tempfile_core::CleanupFailure;

use crate::error::{Error, RootCause};
use crate::system;

mod composed;
mod dir;
mod mounts;
mod name;
mod open_root;
mod retry;
mod sweep;

pub use composed::ComposedSweep;
pub use dir::ScratchDir;
use open_root::OpenRoot;
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

impl ScratchRoot {
    /// Opens a root, creates it for this user alone if it does not exist, [sweeps](Self::sweep) it,
    /// and makes and removes a directory in it, as a run would. Its parent must exist.
    ///
    /// On Unix it is created with mode 0700. On Windows it has the access list that the directory
    /// around it passes on: in the user's own directory for temporary files that is access for the
    /// user, administrators and the system.
    ///
    /// # Errors
    ///
    /// If the root is a symbolic link, belongs to another user, or can be written to by others,
    /// because they could then replace its contents; its parents are not checked. If its path ends
    /// in `..`, which may hide a link. If its file system has no locks. If it cannot be created,
    /// opened or written to, if it is full, or its path is not UTF-8. On Windows neither owner nor
    /// access list is looked at. If the sweep could not remove something, that is no error: it is
    /// logged, and the next sweep tries again.
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
        // Else each run would be the first to find out that it cannot be written to.
        drop(root.create_dir()?);
        Ok((root, sweep))
    }

    /// Opens an existing root without sweeping it or changing anything in it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but for what only a change finds out: that it cannot be written to
    /// or is full.
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

    /// Opens the default root of this user: in the system's directory for temporary files
    /// `wasi-tempfile-UID`, and on Windows, where that is each user's own, `wasi-tempfile`.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_default() -> Result<Self, Error> {
        Self::open(Self::default_path())
    }

    /// The path of the [default root](Self::open_default).
    pub fn default_path() -> PathBuf {
        std::env::temp_dir().join(system::root_name())
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
                Ok(Some(run)) => {
                    let path = PathBuf::from(run.directory.path());
                    let run = Mutex::new(run);
                    return Ok(ScratchDir { path, root: self.clone(), opened, run });
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
        let found = match system::info_at(path) {
            Ok(info) => Some(info),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(self.error(failed("examine")(cause))),
        };
        let renew = || match &found {
            Some(info) if system::identity(info) == opened.identity => {
                system::check(info)?;
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
    match system::create_root(path) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(cause) => Err(failed("create")(cause)),
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

fn failed(operation: &'static str) -> impl Fn(io::Error) -> RootCause {
    move |cause| RootCause::Io { operation, cause }
}

fn refused(code: ErrorCode, operation: &str, path: &str) -> RootCause {
    RootCause::Refused { cause: tempfile_core::Error::new(code, operation, path) }
}

impl std::fmt::Debug for ScratchRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ScratchRoot").field(&self.path()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use getrandom::SysRng;
    use tempfile_core::{Instance, Location, Options, Process};

    use super::*;

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

    #[cfg(unix)]
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

    #[cfg(unix)]
    #[test]
    fn a_creator_stopped_after_it_locked_keeps_its_directory() {
        with_root(|root| {
            let opened = opened(root);
            let made = opened.create_unlocked().expect("make a directory");
            assert!(system::try_lock(made.directory.get_ref().expect("open")).expect("no error"));
            for _ in 0..100 {
                assert_eq!(root.sweep().expect("sweep").live.len(), 1);
            }
            // The check of the name is still to come. The lock belongs to the same open handle.
            assert!(opened.claim(made).expect("no error").is_some());
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_sweep_that_holds_a_directory_wins_over_its_creator() {
        with_root(|root| {
            let opened = opened(root);
            let made = opened.create_unlocked().expect("make a directory");
            let sweeper = fs::File::open(made.directory.path()).expect("open it");
            assert!(system::try_lock(&sweeper).expect("no error"));
            assert!(opened.claim(made).expect("no error").is_none());
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_that_was_kept_has_no_mark() {
        with_root(|root| {
            let scratch = root.create_dir().expect("make a directory");
            let is_marked =
                |path: &Path| system::is_marked(&system::info_at(path).expect("look at it"));
            assert!(is_marked(scratch.path()));
            let kept = scratch.keep().expect("keep it");
            assert!(!is_marked(&kept));
            fs::remove_dir(kept).expect("it is ours now");
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_is_in_use_from_the_start() {
        with_root(|root| {
            let made = opened(root).create_unlocked().expect("make a directory");
            assert_eq!(root.sweep().expect("sweep").live, [Path::new(made.directory.path())]);
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_whose_process_is_gone_is_swept_with_its_lock() {
        with_root(|root| {
            let mut run = opened(root).create_unlocked().expect("make a directory");
            fs::write(format!("{}/file", run.directory.path()), "bytes").expect("write");
            let path = run.directory.keep().expect("still ours");
            drop(run);
            let dry = root.sweep_dry().expect("look");
            assert_eq!(dry.removed, [Path::new(&path)]);
            assert_eq!(names(root).len(), 2, "it and its lock");
            assert_eq!(root.sweep().expect("sweep").removed, [Path::new(&path)]);
            assert_eq!(names(root), [""; 0]);
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_lock_without_a_directory_is_swept_once_its_process_is_gone() {
        with_root(|root| {
            let name = "run-abcdefghijklmno7";
            let lock = system::make(&opened(root).dir, name).expect("make a directory");
            fs::remove_dir(root.path().join(name)).expect("remove it");
            root.sweep().expect("sweep");
            assert_eq!(names(root).len(), 1, "the lock that is held");
            drop(lock);
            root.sweep_dry().expect("look");
            assert_eq!(names(root).len(), 1, "a look changes nothing");
            root.sweep().expect("sweep");
            assert_eq!(names(root), [""; 0]);
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_without_a_lock_is_foreign() {
        with_root(|root| {
            let path = root.path().join("run-abcdefghijklmno7");
            fs::create_dir(&path).expect("make a directory");
            assert_eq!(root.sweep().expect("sweep").foreign, [path]);
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_that_is_removed_or_kept_has_no_lock() {
        with_root(|root| {
            drop(root.create_dir().expect("make a directory"));
            assert_eq!(names(root), [""; 0]);
            let scratch = root.create_dir().expect("make a directory");
            let kept = scratch.keep().expect("keep it");
            drop(scratch);
            assert_eq!(names(root).len(), 1);
            assert_eq!(root.sweep().expect("sweep").kept, [kept.as_path()]);
            fs::remove_dir(kept).expect("it is ours now");
        });
    }

    #[cfg(windows)]
    #[test]
    fn a_directory_that_is_in_use_is_kept_where_it_is() {
        use std::os::windows::fs::OpenOptionsExt;
        use windows_sys::Win32::Storage::FileSystem::{
            FILE_FLAG_BACKUP_SEMANTICS, FILE_SHARE_READ,
        };

        with_root(|root| {
            let scratch = root.create_dir().expect("make a directory");
            let path = scratch.path().to_owned();
            let mut options = fs::File::options();
            // Nobody else may rename it meanwhile: so do wasmtime's own handles.
            options.read(true).share_mode(FILE_SHARE_READ).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
            let open = options.open(&path).expect("open it");
            assert_eq!(scratch.keep().expect("keep it"), path);
            drop((scratch, open));
            assert_eq!(root.sweep().expect("sweep").foreign, [&*path]);
            assert_eq!(names(root).len(), 1, "it has no lock");
            fs::remove_dir(path).expect("it is ours now");
        });
    }

    #[cfg(windows)]
    fn names(root: &ScratchRoot) -> Vec<String> {
        let names = fs::read_dir(root.path()).expect("list");
        names.map(|name| name.expect("an entry").file_name().display().to_string()).collect()
    }
}
