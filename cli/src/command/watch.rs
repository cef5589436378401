//! Watches over one run of a plugin from beside it: signals, and a timeout that even a hanging
//! system call cannot outlast.
//!
//! A run that is stopped usually ends by itself, and the scratch directory with it. A plugin that
//! hangs in a system call of the host's (a write to a pipe nobody reads) does not; after a grace
//! the watch removes the directory and ends the process.

use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use wasi_tempfile_host::{Control, Ending};

use super::{PLUGIN_FAILED, Result, complain};

/// How long a stopped run may take to end by itself. It takes microseconds, unless it hangs; a
/// second signal ends the wait.
const GRACE: Duration = Duration::from_secs(2);

/// Watches until it is [finished](Self::finish).
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
    /// A second signal: the first one was meant.
    hurry: bool,
    finished: bool,
}

impl Watch {
    /// Watches over the run that `control` belongs to. It must begin after this, so that no signal
    /// falls between.
    pub(super) fn start(control: &Control, timeout: Option<Duration>) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])
            .map_err(|cause| format!("receive signals: {cause}"))?;
        {
            let (shared, control) = (shared.clone(), control.clone());
            spawn("signals", move || {
                for signal in signals.forever() {
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

    /// Ends the watch once the run has ended, and tells the signal that ended it. A signal that
    /// comes later ends the process, as it would have without a watch.
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

    /// Waits for the end of the run, and ends the process if it does not come.
    fn watch(&self, control: &Control, timeout: Option<Duration>) {
        // The run is stopped on time by the library; this is for the case that it hangs.
        let deadline =
            timeout.and_then(|timeout| Instant::now().checked_add(timeout)?.checked_add(GRACE));
        let mut state = self.wait(self.lock(), deadline, |state| state.signal.is_none());
        if control.ending().is_some() {
            // The plugin has ended in time, and the host is cleaning up.
            state = self.wait(state, None, |state| state.signal.is_none());
        }
        let grace = Instant::now().checked_add(GRACE);
        let state = match state.signal {
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

    /// Waits as long as the run goes on and `more` holds, until the deadline at most.
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
