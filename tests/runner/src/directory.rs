//! Directories that go with their owner.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, io, process};

/// A directory that is removed, with everything in it, when this is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Creates one of mode 0700 among the system's temporary files.
    pub fn new() -> io::Result<Self> {
        Self::new_in(&env::temp_dir())
    }

    /// Creates one of mode 0700 in this directory.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        Self::create(parent, 0o700)
    }

    /// Creates one that other users can read, and not write to.
    pub(crate) fn readable() -> io::Result<Self> {
        Self::create(&env::temp_dir(), 0o755)
    }

    fn create(parent: &Path, mode: u32) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let name =
                format!("conformance-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(name);
            match builder(mode).create(&path) {
                // On Windows a canonical path takes no slashes.
                Ok(()) if cfg!(windows) => return Ok(Directory(path)),
                Ok(()) => return Ok(Directory(path.canonicalize()?)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(unix)]
fn builder(mode: u32) -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = DirBuilder::new();
    builder.mode(mode);
    builder
}

#[cfg(windows)]
fn builder(_: u32) -> DirBuilder {
    DirBuilder::new()
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in it has been reported; the superuser's removal can fail only for reasons
        // of the system's.
        let _ = fs::remove_dir_all(&self.0);
    }
}
