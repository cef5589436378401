//! Counters of all runs of a sandbox.

use std::sync::{Mutex, PoisonError};

use super::Ending;
use crate::scratch::CleanupFailure;

/// Counters of all runs of a sandbox so far, all taken at the same moment.
///
/// `begun` is the sum of `live` and the nine counters of ended runs, from `returned` to `dropped`.
/// `directories_made` is the sum of `live`, `directories_removed`, `directories_kept` and
/// `directories_left`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Runs that have begun: their scratch directory was made, and all was granted.
    pub begun: u64,
    /// Runs that were to begin and could not: the run returned an [`Error`](crate::Error).
    pub not_begun: u64,
    /// Runs that were [stopped](crate::Control::stop) before they could begin: the ending of their
    /// outcome is [`Ending::Interrupted`]. They are in no other counter. A run whose future was
    /// dropped before it could begin is in none.
    pub stopped_early: u64,
    /// Runs that have begun and not ended.
    pub live: u64,
    /// Ended by [`Ending::Returned`].
    pub returned: u64,
    /// Ended by [`Ending::Failed`].
    pub failed: u64,
    /// Ended by [`Ending::Trapped`].
    pub trapped: u64,
    /// Ended by [`Ending::Errored`].
    pub errored: u64,
    /// Ended by [`Ending::TimedOut`].
    pub timed_out: u64,
    /// Ended by [`Ending::OutOfMemory`].
    pub out_of_memory: u64,
    /// Ended by [`Ending::OutOfFuel`].
    pub out_of_fuel: u64,
    /// Ended by [`Ending::Interrupted`].
    pub interrupted: u64,
    /// Ended without an [`Outcome`](crate::Outcome): their future was dropped, or the host could
    /// not go on, for want of a place in the engine's pool, say.
    pub dropped: u64,
    /// Scratch directories that were made.
    pub directories_made: u64,
    /// Scratch directories that were removed with all of their contents.
    pub directories_removed: u64,
    /// Scratch directories that were kept on purpose.
    pub directories_kept: u64,
    /// Scratch directories of which something could not be removed at the end of the run: its
    /// outcome lists it. They are tried again, and
    /// [`ScratchRoot::waiting`](crate::ScratchRoot::waiting) counts those that are left.
    pub directories_left: u64,
}

/// The fate of a scratch directory.
#[derive(Clone, Copy)]
pub(super) enum Directory {
    Removed,
    Kept,
    Left,
}

impl Directory {
    /// The fate of a directory that was closed with these failures.
    pub(super) fn closed(failures: &[CleanupFailure]) -> Self {
        if failures.is_empty() { Self::Removed } else { Self::Left }
    }
}

/// The counters, behind a lock rather than as atomics, so that a snapshot adds up.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Counters>);

impl Metrics {
    pub(super) fn snapshot(&self) -> Counters {
        self.change(|counters| *counters)
    }

    pub(super) fn begun(&self) {
        self.change(|counters| {
            counters.begun += 1;
            counters.live += 1;
            counters.directories_made += 1;
        });
    }

    /// Counts a run that could not begin, and its directory if that had been made.
    pub(super) fn not_begun(&self, directory: Option<Directory>) {
        self.change(|counters| {
            counters.not_begun += 1;
            if let Some(directory) = directory {
                counters.directories_made += 1;
                *counters.directories(directory) += 1;
            }
        });
    }

    pub(super) fn stopped_early(&self) {
        self.change(|counters| counters.stopped_early += 1);
    }

    pub(super) fn ended(&self, ending: &Ending, directory: Directory) {
        self.change(|counters| {
            let count = match ending {
                Ending::Returned => &mut counters.returned,
                Ending::Failed { .. } => &mut counters.failed,
                Ending::Trapped { .. } => &mut counters.trapped,
                Ending::Errored { .. } => &mut counters.errored,
                Ending::TimedOut => &mut counters.timed_out,
                Ending::OutOfMemory { .. } => &mut counters.out_of_memory,
                Ending::OutOfFuel { .. } => &mut counters.out_of_fuel,
                Ending::Interrupted => &mut counters.interrupted,
            };
            *count += 1;
            counters.live -= 1;
            *counters.directories(directory) += 1;
        });
    }

    pub(super) fn dropped(&self, directory: Directory) {
        self.change(|counters| {
            counters.dropped += 1;
            counters.live -= 1;
            *counters.directories(directory) += 1;
        });
    }

    fn change<T>(&self, act: impl FnOnce(&mut Counters) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counters {
    fn directories(&mut self, directory: Directory) -> &mut u64 {
        match directory {
            Directory::Removed => &mut self.directories_removed,
            Directory::Kept => &mut self.directories_kept,
            Directory::Left => &mut self.directories_left,
        }
    }
}
