//! Stopping and killing a process at one of its system calls, where there is an strace.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::World;

/// The calls by which files and directories are made, changed, held and removed.
pub(crate) const CALLS: &str = "mkdirat,openat,openat2,unlinkat,renameat,renameat2,linkat,fsync,\
    fdatasync,ftruncate,write,pwrite64,flock,newfstatat,fstat,fchmod,getdents64,close";

/// The command, under strace with these options.
pub(crate) fn traced(command: Command, options: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq"])
        .args(options)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    strace.stdin(Stdio::null()).stderr(Stdio::null());
    strace
}

/// A system call as strace writes it down: `openat(7, "name", …) = 8`.
pub(crate) struct Call {
    /// Of the thread that made it.
    pub(crate) thread: String,
    pub(crate) text: String,
}

impl Call {
    pub(crate) fn name(&self) -> &str {
        self.text.split('(').next().unwrap_or_default()
    }
}

/// The calls of a command that runs to its end, in their order; or why they can't be seen.
pub(crate) fn calls(command: Command) -> Result<Vec<Call>, String> {
    let world = World::in_memory();
    let log = world.path("log");
    let options = ["-e", &format!("trace={CALLS}"), "-o", log.to_str().unwrap_or_default()];
    match traced(command, &options).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Err(format!("strace: {}", output.status)),
        Err(error) => return Err(format!("strace: {error}")),
    }
    let log = fs::read_to_string(log).map_err(|error| format!("strace: {error}"))?;
    let calls =
        log.lines().filter_map(|line| line.split_once(' ')).filter(|(_, text)| text.contains('('));
    Ok(calls
        .map(|(thread, text)| Call {
            thread: thread.to_owned(),
            text: text.trim_start().to_owned(),
        })
        .collect())
}

/// Which of the calls of this name is the first with this in its arguments, counted from 1.
pub(crate) fn occurrence(
    command: Command,
    call: &str,
    with: &str,
) -> Result<Option<usize>, String> {
    let calls = calls(command)?;
    let mut of_this_name = calls.iter().filter(|made| made.name() == call);
    Ok(of_this_name.position(|made| made.text.contains(with)).map(|at| at + 1))
}
