//! The core on the operating system's files: an instance for the process, and contexts confined to
//! a directory.

use std::path::Path;
use std::rc::Rc;

use getrandom::SysRng;
use tempfile_core::{Context, Instance, Location, OpenLocation, Platform, Process, SharedLedger};

use crate::stepped::{Dir, TestContext};

/// A directory, opened to create in it.
pub(crate) fn open(path: &Path) -> OpenLocation<Process> {
    let path = path.to_str().expect("the test's path is text");
    Instance::new(Process, SysRng).open(Location::Directory(path)).expect("open the directory")
}

/// A context that sees nothing outside a directory.
pub(crate) fn confined<P: Platform<Dir = Dir>>(platform: P, path: &Path) -> TestContext<P> {
    let path = path.to_str().expect("the test's path is text");
    let root = Process.resolve_base(path).expect("open the directory").dir;
    let ledger = SharedLedger::new();
    TestContext {
        platform,
        root: Rc::new(root),
        path: path.trim_end_matches('/').into(),
        ledger,
        stopped: Rc::default(),
        descriptors: tempfile_core::Descriptors::All,
    }
}
