//! What the tests of the command share: a fresh directory each, and the command.
#![allow(dead_code, unused_imports, reason = "no test file uses all of it")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

#[cfg(unix)]
mod terminal;
#[path = "../../../host/tests/support/mod.rs"]
mod world;

#[cfg(unix)]
pub(crate) use terminal::Terminal;
pub(crate) use world::*;

impl World {
    /// `wasi-tempfile run OPTIONS PLUGIN ARGUMENTS` in this world's root.
    pub(crate) fn run(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = command();
        command.arg("run").arg("--root").arg(self.root()).args(options).arg(PLUGIN).args(arguments);
        command
    }
}

pub(crate) fn command() -> Command {
    command_of(env!("CARGO_BIN_EXE_wasi-tempfile"))
}

/// A program that runs the command.
pub(crate) fn command_of(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    // The command keeps compiled plugins: in a directory of the build, not in the user's home.
    command.env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"));
    // Whoever runs the tests may want colours, or none.
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(variable);
    }
    #[cfg(unix)]
    default_signals(&mut command);
    command
}

/// In the background of a shell the tests ignore SIGINT, and the command would go on to do so.
#[cfg(unix)]
fn default_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: `signal` may be called between `fork` and `exec`.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
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

/// A process that is ended with its test, also with one that fails.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        // One that has ended already is none that can be ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that goes on while the test looks.
pub(crate) struct Running {
    child: Guarded,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts a command, and waits until it has said this line.
    #[track_caller]
    pub(crate) fn until(command: &mut Command, line: &str) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Guarded(command.spawn().expect("start the command"));
        let mut stdout = BufReader::new(child.0.stdout.take().expect("standard output is a pipe"));
        let mut said = String::new();
        stdout.read_line(&mut said).expect("read a line");
        assert_eq!(said.trim_end(), line);
        Self { child, stdout }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let child = rustix::process::Pid::from_child(&self.child.0);
        rustix::process::kill_process(child, signal).expect("send a signal");
    }

    #[cfg(windows)]
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Waits for the end, without reading what the command still has to say on standard output.
    pub(crate) fn end(mut self) -> Ended {
        // `wait` would close it, and end a command that reads it.
        let _open = self.child.0.stdin.take();
        let status = self.child.0.wait().expect("wait for the command");
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.0.stderr.take() {
            pipe.read_to_string(&mut stderr).expect("read standard error");
        }
        drop(self.stdout);
        Ended { code: status.code(), stdout: String::new(), stderr }
    }

    /// Closes the command's standard input, and waits for the end.
    pub(crate) fn close_input(mut self) -> Ended {
        drop(self.child.0.stdin.take());
        self.end()
    }
}
