//! The directory of a benchmark run.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use wasi_tempfile_host::ScratchRoot;

/// The variable that names the directory of this run.
pub(crate) const VARIABLE: &str = "WASI_TEMPFILE_BENCH";

/// The parent of all runs' directories: on tmpfs if there is one, so that no disk is measured.
pub(crate) fn root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    parent.join(format!("wasi-tempfile-bench-{}", rustix::process::geteuid().as_raw()))
}

/// The directory of this benchmark run.
pub(crate) struct Space {
    path: PathBuf,
    /// The scratch directories of plugins.
    pub(crate) root: ScratchRoot,
}

impl Space {
    /// The directory that [`VARIABLE`] names.
    pub(crate) fn open() -> Self {
        let path =
            PathBuf::from(std::env::var_os(VARIABLE).expect("the variable was set by the first process"));
        let root = ScratchRoot::open(path.join("scratch")).expect("open a scratch root");
        Self { path, root }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A directory of somebody's own.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(&path).expect("make a directory");
        path
    }

    /// The same, open.
    pub(crate) fn open_directory(&self, name: &str) -> OwnedFd {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(self.directory(name), flags, Mode::empty()).expect("open a directory")
    }

    /// What kind of file system that is.
    pub(crate) fn kind(&self) -> &'static str {
        const TMPFS: i64 = 0x0102_1994;
        match rustix::fs::statfs(&self.path) {
            #[allow(clippy::unnecessary_cast, reason = "the field has other widths on other systems")]
            Ok(statfs) if statfs.f_type as i64 == TMPFS => "tmpfs",
            Ok(_) | Err(_) => "the file system of the temporary directory",
        }
    }
}
