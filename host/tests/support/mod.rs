//! What the tests of the command share: a fresh directory each, the command, and a look at the scratch root.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The plugin with a subcommand for every way to misbehave.
pub(crate) const PLUGIN: &str = env!("COMPONENT_TEST_PLUGIN");

/// A plugin whose imports name no file system.
pub(crate) const BARE_PLUGIN: &str = env!("COMPONENT_BARE_PLUGIN");

/// A fresh directory, gone at the end of its test.
pub(crate) struct World {
    directory: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::new_in(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// In memory, where the system has such a place: for tests in which thousands of files come and go.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::new_in(memory) } else { Self::new() }
    }

    fn new_in(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("world-{}-{number}", std::process::id());
        let directory = parent.join(name);
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

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set a mode");
    }

    /// What lies in the scratch root now.
    pub(crate) fn scratch(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root()).expect("list the root");
        entries.map(|entry| entry.expect("read an entry").path()).collect()
    }

    /// `wasi-tempfile run OPTIONS PLUGIN ARGUMENTS` in this world's root.
    pub(crate) fn run(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = command();
        command.arg("run").arg("--root").arg(self.root()).args(options).arg(PLUGIN).args(arguments);
        command
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

/// A runtime with this many threads, as an embedder on tokio has one.
pub(crate) fn shared_threads(count: usize) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(count).enable_all().build().expect("make a runtime")
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasi-tempfile"));
    command.stdin(Stdio::null());
    command
}

/// Ends of a command, as text.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn output(command: &mut Command) -> Ended {
    command.output().expect("start the command").into()
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// The lines that the host said on standard error, not the plugin.
    pub(crate) fn complaints(&self) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix("wasi-tempfile: ")).collect()
    }
}

/// A command that goes on while the test looks.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a command, and waits until it has said this line.
    #[track_caller]
    pub(crate) fn until(command: &mut Command, line: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the command");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut said = String::new();
        stdout.read_line(&mut said).expect("read a line");
        assert_eq!(said.trim_end(), line);
        Self { child, stdout }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let child = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(child, signal).expect("send a signal");
    }

    /// Waits for the end, without reading what the command still has to say on standard output.
    pub(crate) fn end(mut self) -> Ended {
        // `wait` would close it, and end a command that reads it.
        let _open = self.child.stdin.take();
        let status = self.child.wait().expect("wait for the command");
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut pipe, &mut stderr).expect("read standard error");
        }
        drop(self.stdout);
        Ended { code: status.code(), stdout: String::new(), stderr }
    }

    /// Closes the command's standard input, and waits for the end.
    pub(crate) fn close_input(mut self) -> Ended {
        drop(self.child.stdin.take());
        self.end()
    }
}
