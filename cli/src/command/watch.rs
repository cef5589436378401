//! A thread that stops a run on signals and, as a last resort, ends the process.
//!
//! A run that is stopped usually ends at once, and its scratch directory is removed. A run that
//! hangs in a system call (such as a write to a pipe that nobody reads) does not end: after a grace
//! period the thread removes the directory and ends the process.

use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wasi_tempfile_host::{Control, Ending};

use super::{PLUGIN_FAILED, Result, complain, system};

/// The grace period of a stopped run. A run that does not hang ends within microseconds; a second
/// signal ends the wait.
const GRACE: Duration = Duration::from_secs(2);

/// A watch over one run, until it is [finished](Self::finish).
pub(super) struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    signal: Option<i32>,
    /// A second signal has come: do not wait any longer.
    hurry: bool,
    finished: bool,
}

impl Watch {
    /// Starts to watch the run of `control`. The run must begin after this, or a signal in between
    /// would be lost.
    pub(super) fn start(control: &Control, timeout: Option<Duration>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let signals = system::signals()?;
        {
            let (shared, control) = (shared.clone(), control.clone());
            spawn("signals", move || {
                for signal in signals {
                    shared.note(signal);
                    control.stop();
                }
            })?;
        }
        {
            let (shared, control) = (shared.clone(), control.clone());
            spawn("watch", move || shared.watch(&control, timeout))?;
        }
        Ok(Self { shared })
    }

    /// Whether a signal has come.
    pub(super) fn is_stopped(&self) -> bool {
        self.shared.lock().signal.is_some()
    }

    /// Ends the watch after the run has ended, and returns the signal that stopped the run. A later
    /// signal ends the process, as it would have without a watch.
    pub(super) fn finish(self) -> Option<i32> {
        let mut state = self.shared.lock();
        state.finished = true;
        self.shared.changed.notify_all();
        state.signal
    }
}

impl Shared {
    fn note(&self, signal: i32) {
        let mut state = self.lock();
        if state.finished {
            exit(128 + signal);
        }
        state.hurry = state.signal.is_some();
        state.signal.get_or_insert(signal);
        self.changed.notify_all();
    }

    /// Waits for the end of the run, and ends the process if the run hangs.
    fn watch(&self, control: &Control, timeout: Option<Duration>) {
        // The library stops the run on time. This is for a run that hangs.
        let deadline =
            timeout.and_then(|timeout| Instant::now().checked_add(timeout)?.checked_add(GRACE));
        let mut state = self.wait(self.lock(), deadline, |state| state.signal.is_none());
        if control.ending().is_some() {
            // The plugin has ended in time, and the host is cleaning up.
            state = self.wait(state, None, |state| state.signal.is_none());
        }
        let grace = Instant::now().checked_add(GRACE);
        let state = match state.signal {
            // The host is cleaning up, or writes the output: only a second signal cuts that short.
            Some(_) if control.ending().is_some() => self.wait(state, None, |state| !state.hurry),
            Some(_) => self.wait(state, grace, |state| !state.hurry),
            None => state,
        };
        if state.finished {
            return;
        }
        match control.abandon() {
            Ok(abandoned) => {
                for stayed in abandoned.not_removed {
                    complain(&stayed.error);
                }
                if let Some(kept) = abandoned.kept {
                    complain(format_args!("kept the scratch directory: {}", kept.display()));
                }
            }
            Err(error) => complain(error),
        }
        match state.signal {
            Some(signal) => exit(128 + signal),
            None => {
                complain(Ending::TimedOut);
                exit(PLUGIN_FAILED.into())
            }
        }
    }

    /// Waits while the run goes on and `more` returns true, until the deadline at most.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
        more: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        while !state.finished && more(&state) {
            let Some(deadline) = deadline else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (state, _) =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|cause| format!("start a thread: {cause}"))
}
