//! What the tests of the command share: a fresh directory each, and the command.
#![allow(dead_code, unused_imports, reason = "no test file uses all of it")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::FromRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::ptr::null_mut;
use std::thread;

#[path = "../../../host/tests/support/mod.rs"]
mod world;

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
    // In the background of a shell the tests ignore SIGINT, and the command would go on to do so.
    // SAFETY: `signal` may be called between `fork` and `exec`.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
                libc::signal(signal, libc::SIG_DFL);
            }
            Ok(())
        });
    }
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
            pipe.read_to_string(&mut stderr).expect("read standard error");
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

/// A terminal that a test reads.
pub(crate) struct Terminal {
    /// The end that shows what is written.
    ours: File,
    /// The end for a command's standard streams.
    theirs: File,
}

impl Terminal {
    /// What no command of the tests writes.
    const END: &str = "the end of the test";

    pub(crate) fn new() -> Self {
        let (mut ours, mut theirs) = (-1, -1);
        // SAFETY: the first two are written, and nothing else is asked for.
        let made =
            unsafe { libc::openpty(&mut ours, &mut theirs, null_mut(), null_mut(), null_mut()) };
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: both have just been opened, and nobody else has them.
        unsafe { Self { ours: File::from_raw_fd(ours), theirs: File::from_raw_fd(theirs) } }
    }

    /// It as a standard stream of a command.
    pub(crate) fn stream(&self) -> Stdio {
        self.theirs.try_clone().expect("duplicate a descriptor").into()
    }

    /// Runs a command whose standard error it is; returns the exit code and what it shows.
    pub(crate) fn run(mut self, command: &mut Command) -> (Option<i32>, String) {
        command.stderr(self.stream());
        let mut child = command.spawn().expect("start the command");
        // Somebody has to read meanwhile, since a terminal keeps only a few kilobytes.
        let reader = thread::spawn(move || {
            let (mut shown, mut buffer) = (Vec::new(), [0; 4096]);
            while !shown.ends_with(Self::END.as_bytes()) {
                let count = self.ours.read(&mut buffer).expect("read the terminal");
                shown.extend_from_slice(&buffer[..count]);
            }
            String::from_utf8(shown).expect("text").replace("\r\n", "\n")
        });
        let code = child.wait().expect("wait for the command").code();
        self.theirs.write_all(Self::END.as_bytes()).expect("write to the terminal");
        let shown = reader.join().expect("read the terminal");
        (code, shown.strip_suffix(Self::END).expect("it is at the end").to_owned())
    }
}
