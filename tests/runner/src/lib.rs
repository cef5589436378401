//! A runner for the conformance suite: each case in each placement, in a world of its own.
//!
//! A case runs natively in a process of its own, and as a component in a fresh instance. Where the
//! setup of a case changes the whole process (its umask, its user, its mounts), the instance gets a
//! process of its own too. A [`Launcher`] says which program runs one case: usually this crate's
//! `conformance-case`.
#![deny(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use conformance::setup;
pub use conformance::witness::Os;
pub use conformance::{Case, Mount, Outcome, Placement, Planted, cases, find, rows, script};
use wasi_tempfile_host::Plugin;

mod directory;
mod native;
pub mod portable;
mod process;
mod sandboxed;
mod witness;

pub use directory::Directory;
pub use process::{CaseProcess, Launcher};
use sandboxed::Places;

/// The conformance suite, a `wasi:cli/run` command that imports the interface.
pub const SUITE: &[u8] = include_bytes!(env!("COMPONENT_SUITE"));

/// The suite, ready to run. `provider` is used in the component placement only.
pub struct Suite {
    launcher: Launcher,
    provider: Option<PathBuf>,
    claims_limits: bool,
    compiled: Compiled,
}

/// What is made once, when it is first needed.
#[derive(Default)]
struct Compiled {
    cache: OnceLock<Result<Directory, String>>,
    composed: OnceLock<Result<Plugin, String>>,
    hosted: OnceLock<Result<Plugin, String>>,
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
    /// The suite for the provider component in a file, or for the one that the host's crate
    /// carries. The launcher starts the processes of cases.
    pub fn new(launcher: Launcher, provider: Option<PathBuf>) -> Self {
        Suite { launcher, provider, claims_limits: false, compiled: Compiled::default() }
    }

    /// Holds the provider in the file to the limits in `SCRATCH_LIMITS`. Without this the cases
    /// about limits are skipped for it.
    pub fn claims_limits(self, claims_limits: bool) -> Self {
        Suite { claims_limits, ..self }
    }

    /// Composes the suite with the provider and compiles it, which happens once. A run does it by
    /// itself when it needs it.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong with the provider.
    pub fn compose(&self) -> Result<(), String> {
        self.plugin(Placement::Component).map(|_| ())
    }

    /// Runs one case.
    pub fn run(&self, case: &'static Case, placement: Placement) -> CaseResult {
        let begun = Instant::now();
        let outcome = match placement {
            Placement::Native => native::run(&self.launcher, case),
            Placement::Component | Placement::Host => self.in_sandbox(case, placement),
        };
        let outcome = outcome.unwrap_or_else(|problem| Outcome::Failed(problem.to_string()));
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
                    while let Some((placement, case)) =
                        jobs.get(next.fetch_add(1, Ordering::Relaxed))
                    {
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

    /// Plays `count` random sequences of operations below a directory, and gives what
    /// [`conformance::script`] prints.
    ///
    /// # Errors
    ///
    /// If the script could not be run. Errors of its operations are in the text.
    pub fn script(
        &self,
        placement: Placement,
        directory: &Path,
        seed: u64,
        count: u64,
    ) -> Result<String, String> {
        if placement == Placement::Native {
            let mut said = String::new();
            let witness = Os::of(directory);
            script::play(&witness, &directory.to_string_lossy(), seed, count, |line| {
                said.push_str(line);
                said.push('\n');
            });
            return Ok(said);
        }
        self.sandboxed_script(placement, directory, [seed.to_string(), count.to_string()])
    }

    fn sandboxed_script(
        &self,
        placement: Placement,
        directory: &Path,
        arguments: [String; 2],
    ) -> Result<String, String> {
        sandboxed::script(self.plugin(placement)?, placement, directory, arguments)
    }

    fn in_sandbox(&self, case: &'static Case, placement: Placement) -> Result<Outcome, Problem> {
        let directory = Directory::new()?;
        let plugin = self.plugin(placement)?;
        let granted = granted(case, placement)?;
        if case.setup.needs_process() {
            // By now the plugin is in the cache, and the process need not compile it.
            let process = CaseProcess {
                case,
                placement,
                directory: directory.path().to_owned(),
                granted: granted.as_ref().map(|granted| granted.path().to_owned()),
                provider: self.provider.clone(),
                cache: Some(self.cache()?.to_owned()),
            };
            return self.launcher.run(&process, &[]);
        }
        let granted = granted.as_ref().map(Directory::path);
        Ok(sandboxed::run(
            plugin,
            case,
            placement,
            Places { directory: directory.path(), granted },
            self.claims_limits && placement == Placement::Component,
        )?)
    }

    /// The suite, compiled for a placement in a sandbox.
    fn plugin(&self, placement: Placement) -> Result<&Plugin, String> {
        let (slot, provider) = match placement {
            Placement::Host => (&self.compiled.hosted, None),
            Placement::Native | Placement::Component => {
                (&self.compiled.composed, self.provider.as_deref())
            }
        };
        let load = || {
            let provider = read_provider(provider)?;
            sandboxed::load(placement, provider.as_deref(), Some(self.cache()?))
                .map_err(|error| error.to_string())
        };
        slot.get_or_init(load).as_ref().map_err(String::clone)
    }

    /// The cache for compiled code, which goes with the suite.
    fn cache(&self) -> Result<&Path, String> {
        let make = || Directory::readable().map_err(|error| format!("make a cache: {error}"));
        self.compiled.cache.get_or_init(make).as_ref().map(Directory::path).map_err(String::clone)
    }
}

/// Why a case could not be run.
pub type Problem = Box<dyn std::error::Error>;

/// A provider's bytes.
fn read_provider(file: Option<&Path>) -> Result<Option<Vec<u8>>, String> {
    let read =
        |path: &Path| fs::read(path).map_err(|error| format!("read {}: {error}", path.display()));
    file.map(read).transpose()
}

/// A directory with those that a case is granted, if there are any.
fn granted(case: &Case, placement: Placement) -> Result<Option<Directory>, Problem> {
    if case.setup.grants.is_empty() {
        return Ok(None);
    }
    let granted = Directory::new()?;
    setup::grant(&case.setup, placement, granted.path())?;
    Ok(Some(granted))
}
