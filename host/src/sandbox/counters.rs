//! What has become of all runs.

use std::sync::{Mutex, PoisonError};

use super::Ending;
use crate::scratch::CleanupFailure;

/// What has become of all runs of a sandbox so far: those that have begun, which is when their scratch directory was made. All counts are
/// of the same moment.
///
/// `begun` is `live` and all endings together; `directories_made` is `live` and what has become of directories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Runs that have begun.
    pub begun: u64,
    /// Runs that go on.
    pub live: u64,
    /// Ended by [`Ending::Returned`].
    pub returned: u64,
    /// Ended by [`Ending::Failed`].
    pub failed: u64,
    /// Ended by [`Ending::Trapped`].
    pub trapped: u64,
    /// Ended by [`Ending::TimedOut`].
    pub timed_out: u64,
    /// Ended by [`Ending::OutOfMemory`].
    pub out_of_memory: u64,
    /// Ended by [`Ending::OutOfFuel`].
    pub out_of_fuel: u64,
    /// Ended by [`Ending::Interrupted`].
    pub interrupted: u64,
    /// Ended without an [`Outcome`](crate::Outcome): their future was dropped, or the host could not go on.
    pub dropped: u64,
    /// Scratch directories that were made.
    pub directories_made: u64,
    /// Scratch directories that are gone, with all that was in them.
    pub directories_removed: u64,
    /// Scratch directories that were kept on purpose.
    pub directories_kept: u64,
    /// Scratch directories of which something stayed: each run's outcome says what, and the next sweep tries again.
    pub directories_left: u64,
}

/// What became of a scratch directory.
#[derive(Clone, Copy)]
pub(super) enum Directory {
    Removed,
    Kept,
    Left,
}

impl Directory {
    /// After it was closed, and this stayed.
    pub(super) fn after(stayed: &[CleanupFailure]) -> Self {
        if stayed.is_empty() { Self::Removed } else { Self::Left }
    }
}

/// Counts. A lock rather than a set of atomics, so that a snapshot adds up.
#[derive(Default)]
pub(super) struct Tally(Mutex<Counters>);

impl Tally {
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

    pub(super) fn ended(&self, ending: &Ending, directory: Directory) {
        self.change(|counters| {
            let count = match ending {
                Ending::Returned => &mut counters.returned,
                Ending::Failed { .. } => &mut counters.failed,
                Ending::Trapped { .. } => &mut counters.trapped,
                Ending::TimedOut => &mut counters.timed_out,
                Ending::OutOfMemory { .. } => &mut counters.out_of_memory,
                Ending::OutOfFuel { .. } => &mut counters.out_of_fuel,
                Ending::Interrupted => &mut counters.interrupted,
            };
            *count += 1;
            counters.over(directory);
        });
    }

    pub(super) fn dropped(&self, directory: Directory) {
        self.change(|counters| {
            counters.dropped += 1;
            counters.over(directory);
        });
    }

    fn change<T>(&self, act: impl FnOnce(&mut Counters) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counters {
    fn over(&mut self, directory: Directory) {
        self.live -= 1;
        *match directory {
            Directory::Removed => &mut self.directories_removed,
            Directory::Kept => &mut self.directories_kept,
            Directory::Left => &mut self.directories_left,
        } += 1;
    }
}
