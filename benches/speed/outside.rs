//! Peers in other languages, each a process of its own that leaves its start out.

use std::fs;
use std::path::{Path, PathBuf};
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
        with open('/proc/thread-self/schedstat') as told:
            return int(told.read().split()[1])
    except OSError:
        return 0
once()
before = waited()
start = time.perf_counter_ns()
for _ in range(count):
    once()
took = time.perf_counter_ns() - start
print(took - (waited() - before))
";

const GO: &str = "\
package main

import (
	\"fmt\"
	\"os\"
	\"strconv\"
	\"time\"
)

func once() {
	file, err := os.CreateTemp(\"\", \"bench\")
	if err != nil {
		panic(err)
	}
	file.Close()
	os.Remove(file.Name())
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	once()
	start := time.Now()
	for i := 0; i < count; i++ {
		once()
	}
	fmt.Println(time.Since(start).Nanoseconds())
}
";

/// A command that takes a count and prints nanoseconds.
#[derive(Clone)]
pub(crate) struct Outside {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Outside {
    /// CPython, or why not.
    pub(crate) fn python() -> Result<Self, String> {
        let python =
            Self { program: "python3".into(), arguments: vec!["-c".into(), PYTHON.into()] };
        python.try_run(1).map(|_| python)
    }

    /// Go, compiled in `directory`, or why not.
    pub(crate) fn go(directory: &Path) -> Result<Self, String> {
        let (source, program) = (directory.join("main.go"), directory.join("create-temp"));
        fs::write(&source, GO).map_err(|error| error.to_string())?;
        let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(&source).status();
        match built {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("go build: {status}")),
            Err(error) => return Err(format!("go: {error}")),
        }
        let go = Self { program, arguments: Vec::new() };
        go.try_run(1).map(|_| go)
    }

    pub(crate) fn run(&self, count: u64) -> u64 {
        self.try_run(count).expect("it ran before")
    }

    fn try_run(&self, count: u64) -> Result<u64, String> {
        let name = self.program.display();
        let mut command = Command::new(&self.program);
        let output = command.args(&self.arguments).arg(count.to_string()).output();
        let output = output.map_err(|error| format!("{name}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim()
            .parse()
            .map_err(|_| format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Runs a program of one thread to its end, and says for how many nanoseconds it waited for a processor that others had.
pub(crate) fn finish(command: &mut Command) -> (Output, u64) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("start a program");
    // It has ended, but not gone: the system still knows.
    let id = Pid::from_child(&child);
    while waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_err() {}
    let waited = waited(Path::new(&format!("/proc/{}/schedstat", child.id())));
    (child.wait_with_output().expect("wait for a program"), waited)
}

/// How long a thread has been ready to run and did not, in nanoseconds; 0 where the system does not tell.
pub(crate) fn waited(schedstat: &Path) -> u64 {
    let told = fs::read_to_string(schedstat).unwrap_or_default();
    told.split_whitespace().nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0)
}
