//! Baselines that are processes of their own. Their start is not measured.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

const PYTHON: &str = "\
import sys, tempfile, time
count = int(sys.argv[1])
def once():
    with tempfile.NamedTemporaryFile():
        pass
def waited():
    try:
        with open('/proc/thread-self/schedstat') as schedstat:
            return int(schedstat.read().split()[1])
    except OSError:
        return 0
once()
start = time.perf_counter_ns()
before = waited()
for _ in range(count):
    once()
wait = waited() - before
print(time.perf_counter_ns() - start - wait)
";

/// CPython's `tempfile`: runs it `count` times, and returns the nanoseconds that it reports.
pub(crate) fn python(count: u64) -> Result<u64, String> {
    let output = Command::new("python3").args(["-c", PYTHON, &count.to_string()]).output();
    let output = output.map_err(|error| format!("python3: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| format!("python3: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Runs a program of one thread to its end, and returns its run-queue wait in nanoseconds.
pub(crate) fn finish(command: &mut Command) -> (Output, u64) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("start a program");
    // Until it is reaped, its schedstat can be read.
    let id = Pid::from_child(&child);
    while waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_err() {}
    let waited = waited(Path::new(&format!("/proc/{}/schedstat", child.id())));
    (child.wait_with_output().expect("wait for a program"), waited)
}

/// The run-queue wait of a thread in nanoseconds, from its schedstat; 0 where there is none.
pub(crate) fn waited(schedstat: &Path) -> u64 {
    let schedstat = fs::read_to_string(schedstat).unwrap_or_default();
    schedstat.split_whitespace().nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0)
}
