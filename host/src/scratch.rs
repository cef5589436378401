//! Private scratch directories: one per plugin instance, below one root per application.
//!
//! A destructor in a plugin runs only as long as the plugin does: not after a trap, not when its store is dropped. So the
//! directory belongs to the host, which removes it however the instance ended.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, RootCause};

mod platform;

/// The directory below which all scratch directories of an application lie. Clones share it.
#[derive(Clone, Debug)]
pub struct ScratchRoot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    directory: OwnedFd,
}

impl ScratchRoot {
    /// Opens a root, and creates it with mode 0700 if it does not exist.
    ///
    /// # Errors
    ///
    /// If the root is a symbolic link, belongs to another user or can be written to by others: somebody else could then
    /// replace what lies in it. Its parents are the caller's choice. If it cannot be created or opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let refuse = |cause| Error::Root { path: path.to_owned(), cause };
        // Runs go on when the process changes its working directory.
        let absolute = std::path::absolute(path)
            .map_err(|cause| refuse(RootCause::Io { operation: "resolve", cause }))?;
        let directory = platform::open_root(&absolute).map_err(refuse)?;
        Ok(Self {
            inner: Arc::new(Inner { path: absolute, directory }),
        })
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
        let name = platform::create_private_dir(&self.inner.directory).map_err(|cause| Error::Root {
            path: self.path().to_owned(),
            cause: RootCause::Io { operation: "create a directory in it", cause },
        })?;
        Ok(ScratchDir {
            path: self.path().join(&name),
            root: self.clone(),
            name,
            removed: Mutex::new(false),
        })
    }
}

/// One instance's directory. It goes with everything in it: by [`close`](Self::close), which reports, or on drop, which
/// forgives.
#[derive(Debug)]
pub struct ScratchDir {
    root: ScratchRoot,
    name: String,
    path: PathBuf,
    removed: Mutex<bool>,
}

impl ScratchDir {
    /// Where it lies. This is for the embedder alone: no plugin ever reads it.
    pub fn path(&self) -> &Path {
        &self.path
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
    pub fn close(&self) -> Vec<Stayed> {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        if *removed {
            return Vec::new();
        }
        let stayed = platform::remove_tree(&self.root.inner.directory, &self.root.inner.path, &self.name);
        *removed = stayed.is_empty();
        stayed
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        for stayed in self.close() {
            tracing::warn!(path = %stayed.path.display(), cause = %stayed.cause, "a scratch file stayed");
        }
    }
}

/// Something that could not be removed.
#[derive(Debug)]
pub struct Stayed {
    /// What stayed, from the scratch directory's root.
    pub path: PathBuf,
    /// Why.
    pub cause: io::Error,
}

impl fmt::Display for Stayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "remove {}: {}", self.path.display(), self.cause)
    }
}
