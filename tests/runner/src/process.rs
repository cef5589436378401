//! Processes of cases: one case each, so that its environment, umask and limits are its own, and a
//! crash or a hang is only its own failure.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use conformance::{Case, Outcome, Placement, World, command, find, setup};

use crate::Problem;
use crate::{
    read_provider,
    sandboxed::{self, Places},
};

/// After this long a case counts as hung: it opened a fifo, say.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program that runs one case in a process of its own, and the arguments that tell it to.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Launcher {
    /// A program that understands the arguments of a [`CaseProcess`], after these.
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self { program: program.into(), arguments: arguments.iter().map(OsString::from).collect() }
    }

    /// Runs a case in a process of its own, with variables of its environment that its setup asks
    /// for.
    pub(crate) fn run(
        &self,
        process: &CaseProcess,
        variables: &[(String, String)],
    ) -> Result<Outcome, Problem> {
        let output = self
            .output(process, variables)
            .map_err(|error| format!("no process for the case: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(command::understand(output.status.success(), &said, &failure_text(&output)))
    }

    fn output(&self, process: &CaseProcess, variables: &[(String, String)]) -> io::Result<Output> {
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .args(process.arguments())
            .env_remove("TMPDIR")
            .env_remove("TEMP")
            .env_remove("TMP")
            .env("RUST_BACKTRACE", "0")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let id = child.id();
        let (send, receive) = mpsc::channel();
        thread::spawn(move || send.send(child.wait_with_output()));
        receive.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            kill(id)?;
            receive.recv().unwrap_or_else(|_| Err(io::Error::other("its watcher died")))
        })
    }
}

#[cfg(unix)]
fn kill(id: u32) -> io::Result<()> {
    let pid = id.try_into().ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::KILL)?)
}

#[cfg(windows)]
fn kill(id: u32) -> io::Result<()> {
    // What it prints is no part of a report.
    Command::new("taskkill").args(["/F", "/PID", &id.to_string()]).output().map(drop)
}

/// What the process said, or how it ended if it said nothing.
fn failure_text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code().is_some() && !said.trim().is_empty() {
        said.into_owned()
    } else {
        format!("{said}\nthe case's process ended with {}", output.status)
    }
}

/// One case, to be run in this very process, which it may change for good.
///
/// As arguments: `--case NAME --placement native|component|host --directory DIR`, and optionally
/// `--granted DIR`, `--provider FILE.wasm`, `--cache DIR`.
pub struct CaseProcess {
    /// The case.
    pub case: &'static Case,
    /// Where it runs.
    pub placement: Placement,
    /// A fresh directory, for this case alone. Natively it is the scratch directory itself, and has
    /// to be what `TMPDIR` says; in a sandbox the scratch directory is made in it.
    pub directory: PathBuf,
    /// Where the directories are that the case is granted.
    pub granted: Option<PathBuf>,
    /// A provider component other than the built-in one.
    pub provider: Option<PathBuf>,
    /// A directory in which the compiled suite is looked for, and kept.
    pub cache: Option<PathBuf>,
}

impl CaseProcess {
    fn arguments(&self) -> Vec<OsString> {
        let name = self.case.name();
        let options: [(&str, Option<&OsStr>); 6] = [
            ("--case", Some(name.as_ref())),
            ("--placement", Some(self.placement.as_str().as_ref())),
            ("--directory", Some(self.directory.as_ref())),
            ("--granted", self.granted.as_deref().map(Path::as_os_str)),
            ("--provider", self.provider.as_deref().map(Path::as_os_str)),
            ("--cache", self.cache.as_deref().map(Path::as_os_str)),
        ];
        let given = options.into_iter().filter_map(|(name, value)| Some([name.as_ref(), value?]));
        given.flatten().map(OsStr::to_owned).collect()
    }

    /// Reads the arguments of a process.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with them.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let (mut case, mut placement, mut directory) = (None, None, None);
        let (mut granted, mut provider, mut cache) = (None, None, None);
        while let Some(option) = arguments.next() {
            let option = option.to_string_lossy().into_owned();
            let slot = match &*option {
                "--case" => &mut case,
                "--placement" => &mut placement,
                "--directory" => &mut directory,
                "--granted" => &mut granted,
                "--provider" => &mut provider,
                "--cache" => &mut cache,
                _ => return Err(format!("unknown argument {option}")),
            };
            *slot = Some(arguments.next().ok_or_else(|| format!("{option} needs a value"))?);
        }
        let case = case.ok_or("--case is missing")?.to_string_lossy().into_owned();
        let placement = placement.ok_or("--placement is missing")?.to_string_lossy().into_owned();
        Ok(Self {
            case: find(&case).ok_or_else(|| format!("no case is called {case}"))?,
            placement: Placement::from_name(&placement)
                .ok_or_else(|| format!("no placement is called {placement}"))?,
            directory: directory.ok_or("--directory is missing")?.into(),
            granted: granted.map(PathBuf::from),
            provider: provider.map(PathBuf::from),
            cache: cache.map(PathBuf::from),
        })
    }

    /// Runs the case here and now. To be called before the process has a second thread.
    pub fn run(&self) -> ExitCode {
        command::report(match self.placement {
            Placement::Native => self.natively(),
            Placement::Component | Placement::Host => {
                self.in_sandbox().unwrap_or_else(|problem| Outcome::Failed(problem.to_string()))
            }
        })
    }

    fn natively(&self) -> Outcome {
        let prepared = match self.case.setup.nowhere {
            true => setup::nowhere(),
            false => self.prepare(),
        };
        match prepared {
            Ok(()) => self.case.run(&World::native(&self.directory, self.granted.as_deref())),
            Err(reason) => Outcome::Skipped(reason),
        }
    }

    fn in_sandbox(&self) -> Result<Outcome, Problem> {
        // First of all, since the case's own user may not read it.
        let provider = read_provider(self.provider.as_deref())?;
        if let Err(reason) = self.prepare() {
            return Ok(Outcome::Skipped(reason));
        }
        let plugin = sandboxed::load(self.placement, provider.as_deref(), self.cache.as_deref())?;
        let places = Places { directory: &self.directory, granted: self.granted.as_deref() };
        Ok(sandboxed::run(&plugin, self.case, self.placement, places, false)?)
    }

    fn prepare(&self) -> Result<(), String> {
        setup::prepare(&self.case.setup, self.placement, &self.directory, self.granted.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_back_as_they_were_given() {
        let case = conformance::cases().next().expect("there are cases");
        let process = CaseProcess {
            case,
            placement: Placement::Host,
            directory: "/a b".into(),
            granted: None,
            provider: Some("provider.wasm".into()),
            cache: Some("/cache".into()),
        };
        let read = CaseProcess::from_arguments(process.arguments()).expect("they are complete");
        assert_eq!((read.case.name(), read.placement), (case.name(), Placement::Host));
        assert_eq!((read.directory, read.granted), ("/a b".into(), None));
        assert_eq!(
            (read.provider, read.cache),
            (Some("provider.wasm".into()), Some("/cache".into()))
        );
    }

    #[test]
    fn arguments_that_are_missing_or_unknown_are_refused() {
        let case = conformance::cases().next().expect("there are cases").name();
        for (arguments, word) in [
            (&["--placement", "native", "--directory", "/tmp"][..], "--case"),
            (&["--case", &case, "--directory", "/tmp"], "--placement"),
            (&["--case", &case, "--placement", "native"], "--directory"),
            (&["--case", &case, "--placement", "native", "--directory"], "value"),
            (&["--case", "nothing", "--placement", "native", "--directory", "/tmp"], "nothing"),
            (&["--case", &case, "--placement", "moon", "--directory", "/tmp"], "moon"),
            (&["--compiled", "x"], "--compiled"),
        ] {
            let arguments = arguments.iter().map(OsString::from);
            let refused = CaseProcess::from_arguments(arguments).err().expect("it is refused");
            assert!(refused.contains(word), "{refused}");
        }
    }
}
