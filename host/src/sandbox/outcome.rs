//! The outcome of a run.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::control::Stop;
use super::limiter::Refusal;
use super::{EngineLimits, State};
use crate::error::join_causes;
use crate::scratch::CleanupFailure;

/// The outcome of a run; `R` is the type of the call's value.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome<R = ()> {
    /// How the run ended. This is decided when the call of the plugin ends: the time that the host
    /// takes to clean up does not count.
    pub ending: Ending,
    /// The value of the call, after [`Ending::Returned`]. A plugin that leaves by `wasi:cli/exit`
    /// with status 0 has returned, without a value.
    pub value: Option<R>,
    /// The error that ended the call, with its backtrace: a trap, an error of a host function, or
    /// one of the closure of [`Plugin::call`](crate::Plugin::call).
    pub error: Option<wasmtime::Error>,
    /// The names directly in the scratch directory when the call of the plugin ended. The host has
    /// removed them since, unless the directory was to be [kept](crate::RunOptions::keep).
    pub left_behind: Vec<OsString>,
    /// What the host could not remove.
    pub not_removed: Vec<CleanupFailure>,
    /// The path of the scratch directory, if it was to be [kept](crate::RunOptions::keep).
    pub kept: Option<PathBuf>,
    /// What the run used.
    pub used: Used,
}

impl<R> Outcome<R> {
    /// The outcome of a run that was stopped before it began.
    pub(super) fn never_began() -> Self {
        Self {
            ending: Ending::Interrupted,
            value: None,
            error: None,
            left_behind: Vec::new(),
            not_removed: Vec::new(),
            kept: None,
            used: Used::default(),
        }
    }

    /// The value of the call.
    ///
    /// # Errors
    ///
    /// The ending, if there is no value.
    pub fn into_value(self) -> Result<R, Ending> {
        self.value.ok_or(self.ending)
    }
}

/// The resources of the host that a run used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Used {
    /// The most memory at one time, in bytes: of plugin and provider together.
    pub memory: u64,
    /// The time from the instantiation of the plugin to the end of its call.
    pub time: Duration,
    /// The ledger of the host provider; none where a component provides.
    pub tempfile: Option<tempfile_core::Usage>,
    /// How many calls of the host provider failed with `quota` or `out-of-handles`, whether by a
    /// limit of the run, of the file system or of the process.
    pub refused: u64,
    /// The bytes that the plugin wrote to standard error: none mean that it explained nothing.
    pub stderr: u64,
}

/// How a run ended. Its text is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The plugin returned, or left with status 0. What an export of a world of its own returns is
    /// a value, also if that is an `Err`.
    Returned,
    /// The plugin reported that it failed: its `wasi:cli/run` returned `Err`, or it left with
    /// another status than 0.
    Failed {
        /// Its exit status. Most languages can only report "failed", which is 1.
        status: i32,
    },
    /// The plugin trapped; a panic in Rust ends like this too. So does an error of a host function
    /// that it called, and one by which a [limit](crate::EngineLimits) refuses it an instance.
    Trapped {
        /// The reason, on one line.
        reason: String,
    },
    /// The call failed outside of the plugin's code: the closure of
    /// [`Plugin::call`](crate::Plugin::call) returned an error of its own, or one of the bindings,
    /// because an export is missing, has another type, or returned what cannot be read.
    Errored {
        /// The reason, on one line.
        reason: String,
    },
    /// The call had not ended when its [timeout](crate::RunOptions::timeout) passed.
    TimedOut,
    /// The plugin ended because it got no more memory.
    OutOfMemory {
        /// The [limit](crate::RunOptions::memory) that refused more, in bytes, for plugin and
        /// provider together. None if more was within that limit: the maximum of the plugin's own
        /// memory or of the engine's pool refused it, or the system had no more.
        limit: Option<u64>,
    },
    /// The plugin used up its [fuel](crate::EngineLimits::fuel).
    OutOfFuel {
        /// The fuel it had.
        fuel: u64,
    },
    /// The embedder [stopped](crate::Control::stop) the run.
    Interrupted,
}

impl Ending {
    /// The ending of a call that gave an error, or nothing if it was stopped while it waited.
    pub(super) fn of<T>(
        error: Option<&wasmtime::Error>,
        stop: Option<Stop>,
        state: &State<T>,
        limits: &EngineLimits,
    ) -> Self {
        match error.and_then(|error| error.downcast_ref::<I32Exit>()) {
            Some(I32Exit(0)) => return Self::Returned,
            Some(I32Exit(status)) => return Self::Failed { status: *status },
            None => {}
        }
        match (stop, error) {
            (Some(Stop::TimedOut), _) => Self::TimedOut,
            (Some(Stop::Interrupted | Stop::Dropped), _) | (None, None) => Self::Interrupted,
            (None, Some(error)) => {
                let trap = error.downcast_ref::<Trap>();
                let in_plugin =
                    trap.is_some() || error.is::<WasmBacktrace>() || !state.instantiated;
                if !in_plugin {
                    return Self::Errored { reason: reason(error, limits) };
                }
                let limiter = &state.limiter;
                match (limiter.refusal(), trap) {
                    (Some(Refusal::Limit), _) => {
                        Self::OutOfMemory { limit: Some(limiter.memory().limit()) }
                    }
                    (Some(Refusal::Engine), _) => Self::OutOfMemory { limit: None },
                    (None, Some(Trap::OutOfFuel)) => {
                        Self::OutOfFuel { fuel: limits.fuel.unwrap_or_default() }
                    }
                    (None, Some(trap)) => {
                        let reason = trap.to_string().trim_start_matches("wasm trap: ").to_owned();
                        Self::Trapped { reason }
                    }
                    // A host function failed: the table of handles is full, say.
                    (None, None) => Self::Trapped { reason: reason(error, limits) },
                }
            }
        }
    }
}

/// The most characters of a reason: no text of a plugin's is to fill a log.
const LONGEST_REASON: usize = 1000;

/// The reason of an error that is no trap of WebAssembly's: the whole chain, less the backtrace.
/// That a call passed too much to the host is only known by the engine's text, which does not say
/// how much is permitted.
fn reason(error: &wasmtime::Error, limits: &EngineLimits) -> String {
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    let causes = error.chain().map(ToString::to_string);
    let mut text = join_causes(causes.filter(|cause| Some(cause) != backtrace.as_ref()));
    if text.contains("fuel allocated for hostcalls") {
        let bytes = limits.hostcall_fuel;
        return format!("one call passed more than {bytes} bytes to the host, its hostcall_fuel");
    }
    if let Some((end, _)) = text.char_indices().nth(LONGEST_REASON) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => f.write_str("the plugin returned"),
            Self::Failed { status } => write!(f, "the plugin failed with status {status}"),
            Self::Trapped { reason } => write!(f, "the plugin trapped: {reason}"),
            Self::Errored { reason } => write!(f, "the call failed: {reason}"),
            Self::TimedOut => f.write_str("the plugin did not end in time and was stopped"),
            Self::OutOfMemory { limit: Some(limit) } => {
                write!(f, "the plugin ran out of memory: its limit is {}", Size(*limit))
            }
            Self::OutOfMemory { limit: None } => f.write_str(
                "the plugin ran out of memory: not by its limit, but by the maximum of its own \
                 memory or of the engine, or because the system had no more",
            ),
            Self::OutOfFuel { fuel } => {
                write!(f, "the plugin computed more than it may: {fuel} units of fuel")
            }
            Self::Interrupted => f.write_str("the plugin was interrupted"),
        }
    }
}

/// A number of bytes in the largest unit of which it is a whole number: `64MiB`, `1000 bytes`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let whole =
            units.iter().find(|(_, shift)| self.0 != 0 && self.0.trailing_zeros() >= *shift);
        match whole {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_printed_in_the_largest_whole_unit() {
        let sizes = [
            (0, "0 bytes"),
            (1000, "1000 bytes"),
            (1024, "1KiB"),
            (1536, "1536 bytes"),
            (64 << 20, "64MiB"),
            ((64 << 20) + 1024, "65537KiB"),
            (3 << 30, "3GiB"),
            (1 << 44, "16TiB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
