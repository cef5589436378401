//! How a run ended.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use super::control::{Control, Stop};
use super::guards::Guards;
use super::limits::Budget;
use crate::error::one_line;
use crate::scratch::CleanupFailure;

/// What remains of a run.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// The names that lay directly in the scratch directory when it ended. The host has removed them since.
    pub left_behind: Vec<OsString>,
    /// What the host could not remove.
    pub not_removed: Vec<CleanupFailure>,
    /// Where the scratch directory is, if it was to be kept.
    pub kept: Option<PathBuf>,
    /// What it used.
    pub used: Used,
}

/// What a run used of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Used {
    /// The most memory, in bytes: of plugin and provider together, as WebAssembly counts it.
    pub memory: u64,
    /// How long it took.
    pub time: Duration,
    /// What the host's own provider counted; none where a component provides.
    pub tempfile: Option<tempfile_core::Usage>,
    /// How often the host's own provider refused the plugin more than its limits.
    pub refused: u64,
}

impl Outcome {
    pub(super) fn never_began() -> Self {
        Self {
            ending: Ending::Interrupted,
            left_behind: Vec::new(),
            not_removed: Vec::new(),
            kept: None,
            used: Used::default(),
        }
    }
}

/// How a run ended. Displayed, it is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The plugin returned, or left with status 0.
    Returned,
    /// The plugin said itself that it failed.
    Failed {
        /// Its exit status. Most languages can only say "failed", which is 1.
        status: i32,
    },
    /// The plugin did what WebAssembly forbids; a panic ends like this too.
    Trapped {
        /// One line.
        reason: String,
    },
    /// The plugin did not end in time.
    TimedOut,
    /// The plugin ended because it got no more memory.
    OutOfMemory {
        /// The limit in bytes, for plugin and provider together.
        limit: u64,
    },
    /// The plugin computed more than it may: [`Guards::fuel`](crate::Guards::fuel).
    OutOfFuel {
        /// The fuel it had.
        fuel: u64,
    },
    /// The embedder stopped the run.
    Interrupted,
}

impl Ending {
    pub(super) fn of(
        result: Option<wasmtime::Result<Result<(), ()>>>,
        control: &Control,
        budget: &Budget,
        guards: &Guards,
    ) -> Self {
        let error = match result {
            Some(Ok(Ok(()))) => return Self::Returned,
            Some(Ok(Err(()))) => return Self::Failed { status: 1 },
            Some(Err(error)) => Some(error),
            None => None,
        };
        match error.as_ref().and_then(|error| error.downcast_ref::<I32Exit>()) {
            Some(I32Exit(0)) => return Self::Returned,
            Some(I32Exit(status)) => return Self::Failed { status: *status },
            None => {}
        }
        match (control.stop_reason(), error) {
            (Some(Stop::TimedOut), _) => Self::TimedOut,
            (Some(Stop::Interrupted | Stop::Dropped), _) | (None, None) => Self::Interrupted,
            (None, Some(_)) if budget.is_exhausted() => Self::OutOfMemory { limit: budget.limit() },
            (None, Some(error)) if is_out_of_fuel(&error) => {
                Self::OutOfFuel { fuel: guards.fuel.unwrap_or_default() }
            }
            (None, Some(error)) => Self::Trapped { reason: trap_reason(&error) },
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => f.write_str("the plugin returned"),
            Self::Failed { status } => write!(f, "the plugin failed with status {status}"),
            Self::Trapped { reason } => write!(f, "the plugin trapped: {reason}"),
            Self::TimedOut => f.write_str("the plugin did not end in time and was stopped"),
            Self::OutOfMemory { limit } => {
                write!(f, "the plugin ran out of memory: its limit is {limit} bytes")
            }
            Self::OutOfFuel { fuel } => {
                write!(f, "the plugin computed more than it may: {fuel} units of fuel")
            }
            Self::Interrupted => f.write_str("the plugin was interrupted"),
        }
    }
}

fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref::<Trap>(), Some(Trap::OutOfFuel))
}

/// The reason without the backtrace that the engine puts around it.
fn trap_reason(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        // A function of the host refused to go on: a full table, say.
        None => one_line(error.root_cause()),
    }
}
