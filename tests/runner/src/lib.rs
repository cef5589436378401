//! The conformance suite, run in every placement: each case in a world of its own.
//!
//! Cases run natively in a process of their own, as a component in a fresh instance; where the setup of a case changes the whole
//! process (its umask, its user, its mounts), in both. Such a process is this executable again, so a `main` that runs the suite
//! begins with [`enter`].

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

pub use conformance::{Case, Outcome, Placement, cases, find, rows};
use conformance::{command, native, script, world};

use crate::components;
use crate::sandbox::Plugin;

mod sandboxed;
mod witness;

use sandboxed::Places;

/// How the processes of cases learn where the compiled suite is.
const COMPILED: &str = "CONFORMANCE_COMPILED";

/// Obeys if this process was started for one case. To be called first of all, before there is a second thread.
pub fn enter() -> Option<ExitCode> {
    let request = native::requested()?;
    Some(match request.placement {
        Placement::Native => request.run_natively(),
        Placement::Component | Placement::Host => command::report(in_this_process(&request)),
    })
}

#[allow(unsafe_code, reason = "compiling the suite anew takes a hundred times as long as the case")]
fn in_this_process(request: &native::Request) -> Outcome {
    let Some(file) = env::var_os(COMPILED).map(PathBuf::from) else {
        return Outcome::Failed(format!("{COMPILED} does not say where the suite is"));
    };
    // First of all, since the case's own user may not read it. SAFETY: this program's other process has written it, in a directory that only
    // its user can enter, and waits for this one.
    let plugin = unsafe { sandboxed::load(request.placement, &file) };
    if let Err(reason) =
        conformance::setup::prepare(&request.case.setup, request.placement, &request.directory)
    {
        return Outcome::Skipped(reason);
    }
    plugin
        .and_then(|plugin| {
            let granted = env::var_os(world::GRANTED).map(PathBuf::from);
            let places = Places { directory: &request.directory, granted: granted.as_deref() };
            sandboxed::run(&plugin, request.case, request.placement, places)
        })
        .unwrap_or_else(|error| Outcome::Failed(error.to_string()))
}

/// The suite, ready to run against one provider component. The other placements have none.
#[derive(Default)]
pub struct Suite {
    provider: Option<PathBuf>,
    composed: OnceLock<Result<Compiled, String>>,
    hosted: OnceLock<Result<Compiled, String>>,
}

/// The suite compiled for a placement.
struct Compiled {
    plugin: Plugin,
    /// Where the code is stored for the processes of cases, once one has asked.
    stored: OnceLock<Result<native::Directory, String>>,
}

impl Compiled {
    fn new(plugin: Plugin) -> Self {
        Compiled { plugin, stored: OnceLock::new() }
    }

    fn file(&self) -> Result<PathBuf, String> {
        let path = |directory: &native::Directory| directory.path().join("suite");
        let store = || -> Result<native::Directory, String> {
            let directory = native::Directory::new().map_err(|error| error.to_string())?;
            let code = self.plugin.compiled().map_err(|error| error.to_string())?;
            fs::write(path(&directory), code)
                .map_err(|error| format!("store the compiled suite: {error}"))?;
            Ok(directory)
        };
        self.stored.get_or_init(store).as_ref().map(path).map_err(String::clone)
    }
}

/// How one case ended in one placement.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Where it ran.
    pub placement: Placement,
    /// Its name.
    pub case: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

impl Suite {
    /// The suite for the provider component in a file, or for the one this crate carries.
    pub fn new(provider: Option<PathBuf>) -> Self {
        Suite { provider, ..Suite::default() }
    }

    /// Composes the suite with the provider and compiles it, which happens once. A run does it by itself when it needs it.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with the provider.
    pub fn compose(&self) -> Result<(), String> {
        self.composed().map(|_| ())
    }

    /// Runs one case.
    pub fn run(&self, case: &'static Case, placement: Placement) -> CaseResult {
        let begun = Instant::now();
        let outcome = match placement {
            Placement::Native => native::run(case),
            Placement::Component | Placement::Host => self
                .in_sandbox(case, placement)
                .unwrap_or_else(|problem| Outcome::Failed(problem.to_string())),
        };
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        CaseResult { placement, case: case.name(), outcome, ms }
    }

    /// Runs many on as many threads as the machine has, and hands over each result as it comes.
    pub fn run_all(&self, jobs: &[(Placement, &'static Case)], mut report: impl FnMut(CaseResult)) {
        let next = AtomicUsize::new(0);
        let (send, receive) = mpsc::channel();
        let threads = thread::available_parallelism().map_or(2, |count| count.get().max(2));
        thread::scope(|scope| {
            for _ in 0..threads {
                let (next, send) = (&next, send.clone());
                scope.spawn(move || {
                    while let Some((placement, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if send.send(self.run(case, *placement)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            receive.iter().for_each(&mut report);
        });
    }

    /// Plays `count` random sequences of operations below a directory, and gives what [`conformance::script`] prints.
    ///
    /// # Errors
    ///
    /// What went wrong: nothing that an operation may answer.
    pub fn script(
        &self,
        placement: Placement,
        directory: &Path,
        seed: u64,
        count: u64,
    ) -> Result<String, String> {
        if placement == Placement::Native {
            let mut said = String::new();
            script::play(&directory.to_string_lossy(), seed, count, |line| {
                said.push_str(line);
                said.push('\n');
            });
            return Ok(said);
        }
        let plugin = &self.compiled(placement)?.plugin;
        sandboxed::script(plugin, placement, directory, [seed.to_string(), count.to_string()])
    }

    fn in_sandbox(
        &self,
        case: &'static Case,
        placement: Placement,
    ) -> Result<Outcome, Box<dyn std::error::Error>> {
        let directory = native::Directory::new()?;
        let compiled = self.compiled(placement)?;
        let granted = native::granted(case, placement)?;
        let granted = granted.as_ref().map(native::Directory::path);
        if case.setup.needs_process() {
            let file = compiled.file()?.to_string_lossy().into_owned();
            let mut variables = vec![(COMPILED.to_owned(), file)];
            variables
                .extend(granted.map(|path| (world::GRANTED.to_owned(), path.to_string_lossy().into_owned())));
            return Ok(native::in_process_of_its_own(case, placement, directory.path(), &variables));
        }
        let places = Places { directory: directory.path(), granted };
        Ok(sandboxed::run(&compiled.plugin, case, placement, places)?)
    }

    fn compiled(&self, placement: Placement) -> Result<&Compiled, String> {
        match placement {
            Placement::Native | Placement::Component => self.composed(),
            Placement::Host => {
                let host = || sandboxed::host().map(Compiled::new).map_err(|error| error.to_string());
                self.hosted.get_or_init(host).as_ref().map_err(String::clone)
            }
        }
    }

    fn composed(&self) -> Result<&Compiled, String> {
        self.composed.get_or_init(|| composed(self.provider.as_deref())).as_ref().map_err(String::clone)
    }
}

fn composed(provider: Option<&Path>) -> Result<Compiled, String> {
    let file;
    let provider = match provider {
        None => components::PROVIDER,
        Some(path) => {
            file = fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))?;
            &file
        }
    };
    sandboxed::compose(provider).map(Compiled::new).map_err(|error| error.to_string())
}
