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

pub use conformance::{Case, Outcome, Placement, cases, find};
use conformance::{command, native};

use crate::components;
use crate::sandbox::Plugin;

mod sandboxed;
mod witness;

/// How the processes of cases learn which provider is meant.
const PROVIDER: &str = "CONFORMANCE_PROVIDER";

/// Obeys if this process was started for one case. To be called first of all, before there is a second thread.
pub fn enter() -> Option<ExitCode> {
    let request = native::requested()?;
    Some(match request.placement {
        Placement::Native => request.run_natively(),
        Placement::Component | Placement::Host => {
            let suite = Suite::new(env::var_os(PROVIDER).map(PathBuf::from));
            command::report(suite.in_this_process(&request))
        }
    })
}

/// The suite, ready to run against one provider component. The other placements have none.
#[derive(Default)]
pub struct Suite {
    provider: Option<PathBuf>,
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
            Placement::Component | Placement::Host => {
                self.in_sandbox(case, placement).unwrap_or_else(|problem| Outcome::Failed(problem.to_string()))
            }
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

    fn in_sandbox(
        &self,
        case: &'static Case,
        placement: Placement,
    ) -> Result<Outcome, Box<dyn std::error::Error>> {
        let directory = native::Directory::new()?;
        if case.setup.needs_process() {
            let provider =
                self.provider.as_deref().map(|path| (PROVIDER.to_owned(), path.display().to_string()));
            let variables: Vec<_> = provider.into_iter().collect();
            return Ok(native::in_process_of_its_own(
                case,
                placement,
                directory.path(),
                &variables,
            ));
        }
        Ok(sandboxed::run(self.plugin(placement)?, case, placement, directory.path())?)
    }

    fn in_this_process(&self, request: &native::Request) -> Outcome {
        if let Err(reason) = conformance::setup::prepare(&request.case.setup, &request.directory) {
            return Outcome::Skipped(reason);
        }
        self.plugin(request.placement)
            .and_then(|plugin| {
                sandboxed::run(plugin, request.case, request.placement, &request.directory)
                    .map_err(|error| error.to_string())
            })
            .unwrap_or_else(Outcome::Failed)
    }

    fn plugin(&self, placement: Placement) -> Result<&Plugin, String> {
        match placement {
            Placement::Native | Placement::Component => self.composed(),
            Placement::Host => {
                let hosted = self.hosted.get_or_init(|| sandboxed::host().map_err(|error| error.to_string()));
                hosted.as_ref().map_err(String::clone)
            }
        }
    }

    fn composed(&self) -> Result<&Plugin, String> {
        self.composed.get_or_init(|| composed(self.provider.as_deref())).as_ref().map_err(String::clone)
    }
}

fn composed(provider: Option<&Path>) -> Result<Plugin, String> {
    let file;
    let provider = match provider {
        None => components::PROVIDER,
        Some(path) => {
            file = fs::read(path).map_err(|error| format!("read {}: {error}", path.display()))?;
            &file
        }
    };
    sandboxed::compose(provider).map_err(|error| error.to_string())
}
