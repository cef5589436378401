//! Epoch ticker: makes compute-bound guests yield to the async runtime, and ends runs on time.
//!
//! An asynchronous run gives its thread back when the engine's epoch advances
//! (`UpdateDeadline::Yield`). A dedicated thread advances it once per time slice, because every
//! thread of the runtime may be inside a guest. The same thread stops runs whose timeout has
//! passed, so that a timeout needs no timer of the embedder's runtime. The first run that needs the
//! thread starts it; it sleeps while no guest is running and no timeout is pending.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak};

use super::Control;
use super::control::Stop;
use crate::error::Error;

/// Advances the engine's epoch once per [`EngineLimits::time_slice`](super::EngineLimits) while a
/// guest is running, and stops runs at their deadlines.
pub(super) struct EpochTicker {
    shared: Arc<Shared>,
}

struct Shared {
    engine: EngineWeak,
    time_slice: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    /// Threads that are polling a guest.
    polling: usize,
    /// Whether the thread waits for something else than the end of a time slice.
    idle: bool,
    deadlines: BTreeMap<Deadline, Control>,
    /// Makes deadlines of the same instant distinct.
    next: u64,
    /// Whether the sandbox and all of its plugins are gone.
    closed: bool,
}

type Deadline = (Instant, u64);

/// The shortest time slice. A shorter one would take up the ticker's whole thread.
const SHORTEST: Duration = Duration::from_micros(100);

impl EpochTicker {
    pub(super) fn new(engine: &Engine, time_slice: Duration) -> Self {
        let (time_slice, engine) = (time_slice.max(SHORTEST), engine.weak());
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { engine, time_slice, state, changed }) }
    }

    /// Starts the thread, unless it runs.
    pub(super) fn start(&self) -> Result<(), Error> {
        let mut state = self.shared.lock();
        if !state.started {
            let shared = self.shared.clone();
            thread::Builder::new()
                .name("epoch ticker".to_owned())
                .spawn(move || shared.run())
                .map_err(|source| Error::Thread { source })?;
            state.started = true;
        }
        Ok(())
    }

    /// Polls a guest's future. Each poll lasts for one time slice at most.
    pub(super) async fn run<T>(&self, guest: impl Future<Output = T>) -> T {
        let mut guest = pin!(guest);
        poll_fn(|context| {
            let _polling = self.shared.poll();
            guest.as_mut().poll(context)
        })
        .await
    }

    /// Stops a run at a deadline, unless the [`Timeout`] is dropped before. The thread must have
    /// been [started](Self::start).
    pub(super) fn stop_at(&self, at: Instant, control: &Control) -> Timeout<'_> {
        let mut state = self.shared.lock();
        let deadline = (at, state.next);
        state.next += 1;
        state.deadlines.insert(deadline, control.clone());
        if state.deadlines.first_key_value().is_some_and(|(first, _)| *first == deadline) {
            self.shared.changed.notify_one();
        }
        Timeout { shared: &self.shared, deadline }
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        let mut tick = None;
        while !state.closed {
            let now = Instant::now();
            if let Some(control) = state.expire(now) {
                // Outside of the lock, which every poll of a guest takes.
                drop(state);
                control.stop_because(Stop::TimedOut);
                state = self.lock();
                continue;
            }
            if state.polling == 0 {
                tick = None;
            } else if *tick.get_or_insert(now + self.time_slice) <= now {
                if let Some(engine) = self.engine.upgrade() {
                    engine.increment_epoch();
                }
                tick = Some(now + self.time_slice);
            }
            let deadline = state.deadlines.keys().next().map(|(at, _)| *at);
            state.idle = tick.is_none();
            state = match deadline.into_iter().chain(tick).min() {
                Some(next) => {
                    let wait =
                        self.changed.wait_timeout(state, next.saturating_duration_since(now));
                    wait.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn poll(&self) -> Polling<'_> {
        let mut state = self.lock();
        state.polling += 1;
        if std::mem::take(&mut state.idle) {
            self.changed.notify_one();
        }
        Polling(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, so the state is consistent even if it is
        // poisoned.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Removes one deadline that has passed.
    fn expire(&mut self, now: Instant) -> Option<Control> {
        let first = self.deadlines.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

/// RAII guard of a poll.
struct Polling<'a>(&'a Shared);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.lock().polling -= 1;
    }
}

/// RAII guard of a deadline.
pub(super) struct Timeout<'a> {
    shared: &'a Shared,
    deadline: Deadline,
}

impl Drop for Timeout<'_> {
    fn drop(&mut self) {
        self.shared.lock().deadlines.remove(&self.deadline);
    }
}
