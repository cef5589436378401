//! The native placement, and the child processes that cases run in.
//!
//! A runner executes itself again for each case, with the case's name in the environment, so its
//! `main` must first call [`requested`] and run what that returns. A process runs one case:
//! environment, umask and limits belong to it alone, and a crash or a hang fails no other case.

use crate::witness::{Os, Witness};
use crate::{Case, Outcome, Placement, World, command, find, setup, world};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io, process, thread};

/// A case that takes longer counts as hung, for instance because it opened a fifo.
const PATIENCE: Duration = Duration::from_secs(120);

const CASE: &str = "CONFORMANCE_CASE";
const DIRECTORY: &str = "CONFORMANCE_DIRECTORY";

/// The request of a parent process to run one case.
pub struct Request {
    /// The case to run.
    pub case: &'static Case,
    /// The placement to run it in.
    pub placement: Placement,
    /// An empty directory for this case alone.
    pub directory: PathBuf,
}

/// The request that this process was started with, if [`in_process_of_its_own`] started it.
pub fn requested() -> Option<Request> {
    let case = find(&env::var(CASE).ok()?)?;
    let placement = Placement::from_name(&env::var(world::PLACEMENT).ok()?)?;
    let directory = PathBuf::from(env::var_os(DIRECTORY)?);
    Some(Request { case, placement, directory })
}

impl Request {
    /// Runs the case natively in this process.
    pub fn run_natively(&self) -> ExitCode {
        let prepared = match self.case.setup.nowhere {
            true => setup::nowhere(),
            false => setup::prepare(&self.case.setup, Placement::Native, &self.directory),
        };
        command::report(match prepared {
            Ok(()) => self.case.run(&World::from_environment()),
            Err(reason) => Outcome::Skipped(reason),
        })
    }
}

/// Runs a case natively.
pub fn run(case: &'static Case) -> Outcome {
    let directory = match Directory::new() {
        Ok(directory) => directory,
        Err(error) => return Outcome::Failed(format!("no directory for the case: {error}")),
    };
    let scratch = directory.path();
    let mut variables = vec![(world::SCRATCH.to_owned(), text(scratch))];
    match case.setup.environment {
        None => variables.push(("TMPDIR".to_owned(), text(scratch))),
        Some(chosen) => variables.extend(setup::environment(chosen, &text(scratch))),
    }
    let granted = match granted(case, Placement::Native) {
        Ok(granted) => granted,
        Err(error) => return Outcome::Failed(format!("nothing to grant to the case: {error}")),
    };
    variables.extend(granted.iter().map(|granted| (world::GRANTED.to_owned(), text(granted.path()))));
    let outcome =
        in_process_of_its_own(case, Placement::Native, scratch, &variables).unless_panicked(&case.setup);
    // A second look, from outside, after the case's process has ended.
    match Os::of(scratch).list("") {
        Ok(names) => outcome.unless_left(&case.setup.left_behind(names)),
        Err(problem) => Outcome::Failed(problem),
    }
}

/// Creates the directories that a case is granted, below one that is returned.
pub fn granted(case: &Case, placement: Placement) -> io::Result<Option<Directory>> {
    if case.setup.grants.is_empty() {
        return Ok(None);
    }
    let granted = Directory::new()?;
    setup::grant(&case.setup, placement, granted.path())?;
    Ok(Some(granted))
}

/// Runs this executable again, for one case in a placement.
pub fn in_process_of_its_own(
    case: &'static Case,
    placement: Placement,
    directory: &Path,
    variables: &[(String, String)],
) -> Outcome {
    match spawn(case, placement, directory, variables) {
        Ok(output) => command::understand(
            output.status.success(),
            &String::from_utf8_lossy(&output.stdout),
            &failure_text(&output),
        ),
        Err(error) => Outcome::Failed(format!("no process for the case: {error}")),
    }
}

fn spawn(
    case: &'static Case,
    placement: Placement,
    directory: &Path,
    variables: &[(String, String)],
) -> io::Result<Output> {
    let child = Command::new(this_program()?)
        .env_remove("TMPDIR")
        .env_remove("TEMP")
        .env_remove("TMP")
        .env("RUST_BACKTRACE", "0")
        .env(CASE, case.name())
        .env(world::PLACEMENT, placement.as_str())
        .env(DIRECTORY, directory)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pid = rustix::process::Pid::from_child(&child);
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(child.wait_with_output()));
    receive.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
        receive.recv().unwrap_or_else(|_| Err(io::Error::other("its watcher died")))
    })
}

/// This program, even if its file has been replaced since.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() }
}

/// The child's standard error, or its exit status if that is empty.
fn failure_text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code().is_some() && !said.trim().is_empty() {
        said.into_owned()
    } else {
        format!("{said}\nthe case's process ended with {}", output.status)
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A directory of mode 0700 that is removed on drop.
pub struct Directory(PathBuf);

impl Directory {
    /// Creates one among the system's temporary files.
    pub fn new() -> io::Result<Self> {
        Self::new_in(&env::temp_dir())
    }

    /// Creates one in this directory.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let name = format!("conformance-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Directory(path.canonicalize()?)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Leftovers have been reported already, and there is nobody to report a failed removal to.
        let _ = fs::remove_dir_all(&self.0);
    }
}
