//! What the host needs of the operating system besides core's platform: roots, the directories of
//! runs with their marks and locks, and mounts.

use tempfile_core::{ErrorCode, Native, Platform};

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// An open directory. Clones share the handle.
pub(crate) type Dir = <Native as Platform>::Dir;

/// Opens a directory: as it is, or in order to remove it.
pub(crate) type Open = fn(&Native, &Dir, &[u8]) -> Result<Dir, ErrorCode>;

/// What was found at the name of a run.
pub(crate) enum Found {
    /// A directory that nobody had locked, and the lock on it.
    Orphan(Dir, Lock),
    /// In use, or being removed by another sweep.
    Live,
    Foreign,
    Gone,
}

/// What became of a new directory.
#[cfg_attr(windows, allow(dead_code, reason = "a directory is locked from the start there"))]
pub(crate) enum Claim {
    /// It is locked.
    Ours,
    /// A sweep has locked it first, and removes it.
    Lost,
    /// Its file system stores no mark.
    Unmarked,
}
