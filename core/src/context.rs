//! What surrounds one user of the interface: base directories, environment, accounting.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Cause, ErrorCode};
use crate::ledger::SharedLedger;
use crate::platform::Platform;

/// An open directory handle of a context's platform.
pub(crate) type Dir<C> = <<C as Context>::Platform as Platform>::Dir;

/// An open file of a context's platform.
pub(crate) type PlatformFile<C> = <<C as Context>::Platform as Platform>::File;

/// The directory in which the resolution of a path begins.
pub struct Base<D> {
    /// The open directory.
    pub dir: D,
    /// Its path, as the caller knows it.
    pub path: String,
    /// The path that remains to be resolved from there, one component at a time.
    pub rest: String,
}

/// Which objects of the system a user may have, whose bytes and names then bypass this package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptors {
    /// Those of files, streams of them, and those of directories.
    All,
    /// Streams of files, and the descriptors of directories: a file may have to be closed.
    Streams,
    /// Those of directories.
    Directories,
    /// None, since every byte and name has to be counted.
    None,
}

/// What surrounds one user of the interface: a process natively, an instance in a sandbox.
///
/// Clones share everything.
pub trait Context: Clone {
    /// The file system.
    type Platform: Platform;

    /// The file system.
    fn platform(&self) -> &Self::Platform;
    /// Opens the directory in which the resolution of `path`, the path of a directory, begins.
    fn resolve_base(&self, path: &str) -> Result<Base<<Self::Platform as Platform>::Dir>, Cause>;
    /// A variable of the environment; none if it is unset or not Unicode.
    fn env_var(&self, name: &str) -> Option<String>;
    /// The usual directories for temporary files.
    fn usual_dirs(&self) -> Vec<String> {
        ["/tmp", "/var/tmp", "/usr/tmp"].map(String::from).into()
    }
    /// The directories to try for temporary files after the usual ones: the preopens, or the
    /// current directory.
    fn fallback_dirs(&self) -> Vec<String>;
    /// Which objects of the system this user may have.
    fn descriptors(&self) -> Descriptors;
    /// The accounting of this user.
    fn ledger(&self) -> &SharedLedger;
    /// Nanoseconds since an arbitrary start.
    fn now(&self) -> u64;
    /// Whether this user is to end: an operation that takes many steps (a removal, a listing, the
    /// sync of a tree, the move of a spooled file) asks before each, and then fails with `other`.
    fn is_stopped(&self) -> bool;
}

/// The next step of an operation that takes many.
///
/// # Errors
/// `other` if the user is to end.
pub(crate) fn check_stopped(ctx: &impl Context) -> Result<(), Cause> {
    if ctx.is_stopped() {
        return Err(Cause::rule(ErrorCode::Other, "the caller has been stopped"));
    }
    Ok(())
}
