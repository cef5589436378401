//! This program again, in a process of its own: for a figure, since most change or count what
//! belongs to the whole process, and for those who are stopped or killed in it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::figure::{Scale, Tally};

const PART: &str = "--part";

/// What a process may be started for. Its arguments are its own.
pub(crate) type Part = (&'static str, fn(&[String]) -> ExitCode);

/// Plays the part that this process was started for, if it was.
pub(crate) fn play(parts: &[Part]) -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != PART {
        return None;
    }
    let name = arguments.next()?;
    let (_, part) = parts.iter().find(|(known, _)| *known == name)?;
    Some(part(&arguments.collect::<Vec<_>>()))
}

/// This program's file, for a tool that starts it.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().expect("this program has a file")
}

pub(crate) fn arguments<'a>(part: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&[PART, part], arguments].concat()
}

/// A process of this program, for one part.
pub(crate) fn command(part: &str, of: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments(part, of)).stdin(Stdio::null());
    command
}

/// Says the answer of a part, as its last line.
pub(crate) fn answer(tally: &Tally) -> ExitCode {
    println!("{}", serde_json::to_string(tally).expect("a tally can be written down"));
    ExitCode::SUCCESS
}

/// Plays a part to its end, and gives its answer; or what went wrong with it.
pub(crate) fn ask(command: &mut Command, scale: Scale) -> Result<Tally, String> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| format!("no process: {error}"))?;
    let pid = Pid::from_child(&child);
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    // After this long something hangs, and a test that hangs tells nothing.
    let patience = Duration::from_secs(scale.pick(120, 1800));
    let output = receive.recv_timeout(patience).unwrap_or_else(|_| {
        kill_process(pid, Signal::KILL)?;
        receive.recv().unwrap_or_else(|_| Err(std::io::Error::other("its watcher died")))
    });
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let answer = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
    match answer {
        Some(answer) if output.status.success() => Ok(answer),
        _ => Err(format!(
            "{}{said}its process ended with {}",
            String::from_utf8_lossy(&output.stderr),
            output.status
        )),
    }
}

/// A process that goes on while others look at it. It is killed when it is dropped.
pub(crate) struct Player {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Player {
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("start a process");
        let said = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        Player { child, said }
    }

    /// The next line it says; empty when it says no more.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("read a line");
        line.trim_end().to_owned()
    }

    /// Waits until it says this.
    #[track_caller]
    pub(crate) fn until(mut self, said: &str) -> Self {
        assert_eq!(self.line(), said);
        self
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("send a signal");
    }

    pub(crate) fn tell(&mut self, line: &str) {
        let pipe = self.child.stdin.as_mut().expect("standard input is a pipe");
        writeln!(pipe, "{line}").expect("write a line");
    }

    /// Ends its standard input, waits for its end, and gives what it said last, and whether it
    /// succeeded.
    pub(crate) fn end(mut self) -> (String, bool) {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("read the rest");
        let status = self.child.wait().expect("wait for the end");
        (said, status.success())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
