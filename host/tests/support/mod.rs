//! What the tests share: a fresh directory each, and a look at the scratch root.
#![allow(dead_code, unused_imports, reason = "no test file uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) mod store;

pub(crate) use test_plugins::{BARE_PLUGIN, PLUGIN};

/// A fresh directory, gone at the end of its test.
pub(crate) struct World {
    directory: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::new_in(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// In memory, where the system has such a place: for tests in which thousands of files come and
    /// go.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::new_in(memory) } else { Self::new() }
    }

    fn new_in(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("world-{}-{number}", std::process::id());
        // With its drive, if the tests were built where there are none.
        let directory = std::path::absolute(parent.join(name)).expect("a path of a directory");
        fs::create_dir_all(directory.join("root")).expect("make the test's directory");
        let world = Self { directory };
        world.set_mode("root", 0o700);
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The scratch root of this test.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("write the test's file");
        path
    }

    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).expect("make the test's directory");
        path
    }

    /// Does nothing where there are no modes.
    #[cfg(windows)]
    pub(crate) fn set_mode(&self, _: &str, _: u32) {}

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set a mode");
    }

    /// What lies in the scratch root now. Where the lock of a directory is a file beside it, that
    /// file is not listed.
    pub(crate) fn scratch(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root()).expect("list the root");
        let entries = entries.map(|entry| entry.expect("read an entry").path());
        let mut entries: Vec<PathBuf> = entries.collect();
        if cfg!(windows) {
            let all = entries.clone();
            entries.retain(|path| {
                let is_lock = path.extension().is_some_and(|extension| extension == "lock");
                !is_lock || !all.contains(&path.with_extension(""))
            });
        }
        entries
    }

    /// A directory as a run makes one, with content and without a process that has it locked. Names
    /// and mark are written out, because sweeps have to recognise what earlier versions left.
    pub(crate) fn orphan(&self, random: &str) -> PathBuf {
        let path = self.root().join(format!("run-{random}"));
        fs::create_dir_all(path.join("deep/er")).expect("make directories");
        fs::write(path.join("deep/file"), "left").expect("write a file");
        self.set_mode(&format!("root/run-{random}"), 0o1700);
        if cfg!(windows) {
            self.file(&format!("root/run-{random}.lock"), "");
        }
        path
    }

    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.scratch(), Vec::<PathBuf>::new(), "left in the scratch root");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A mount, until it is dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn bind(from: &Path, to: &Path) -> Option<Self> {
        Self::new(Command::new("mount").arg("--bind").arg(from), to)
    }

    pub(crate) fn in_memory(to: &Path) -> Option<Self> {
        Self::in_memory_of(to, "mode=755")
    }

    pub(crate) fn in_memory_of(to: &Path, options: &str) -> Option<Self> {
        Self::new(Command::new("mount").args(["-t", "tmpfs", "-o", options, "test"]), to)
    }

    /// None, with the reason printed, where this process may not mount.
    fn new(mount: &mut Command, to: &Path) -> Option<Self> {
        match mount.arg(to).output() {
            Ok(output) if output.status.success() => Some(Mount(to.to_owned())),
            Ok(output) => {
                println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

/// A runtime with this many threads, as an embedder on tokio has one.
pub(crate) fn shared_threads(count: usize) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(count).enable_all().build().expect("make a runtime")
}
