//! Stopping and killing a process at one of its system calls, where there is an strace.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::World;

/// The calls by which files and directories are made, changed, held and removed.
pub(crate) const CALLS: &str = "mkdirat,openat,unlinkat,renameat,renameat2,linkat,fsync,fdatasync,ftruncate,write,pwrite64,flock,\
    newfstatat,fstat,fchmod,getdents64,close";

/// The command, under strace with these options.
pub(crate) fn traced(command: Command, options: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq"]).args(options).arg("--").arg(command.get_program()).args(command.get_args());
    strace.stdin(Stdio::null()).stderr(Stdio::null());
    strace
}

/// The calls of a command that runs to its end, in their order, each with its arguments: `openat(7, "name", …) = 8`. Or why they can't be seen.
pub(crate) fn calls(command: Command) -> Result<Vec<String>, String> {
    let world = World::in_memory();
    let log = world.path("log");
    let mut strace =
        traced(command, &["-e", &format!("trace={CALLS}"), "-o", log.to_str().unwrap_or_default()]);
    match strace.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Err(format!("strace: {}", output.status)),
        Err(error) => return Err(format!("strace: {error}")),
    }
    let log = fs::read_to_string(log).map_err(|error| format!("strace: {error}"))?;
    // A line begins with the number of the process.
    let calls =
        log.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.trim_start().to_owned());
    Ok(calls.filter(|call| call.contains('(')).collect())
}

pub(crate) fn name(call: &str) -> &str {
    call.split('(').next().unwrap_or_default()
}

/// Which of the calls of this name is the first with this in its arguments, counted from 1.
pub(crate) fn occurrence(command: Command, call: &str, with: &str) -> Result<Option<usize>, String> {
    let calls = calls(command)?;
    let mut of_this_name = calls.iter().filter(|made| name(made) == call);
    Ok(of_this_name.position(|made| made.contains(with)).map(|at| at + 1))
}
