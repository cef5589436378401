//! Plugins that compute, on threads that they share: each has a turn, and then gives the others theirs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

use super::engine_error;
use crate::error::Error;

/// A clock that ends turns, by the engine's epoch. It is a thread of its own, since all threads of a runtime may be computing; the first
/// run that needs it starts it, and while nobody does it sleeps.
pub(super) struct Turns {
    clock: Arc<Clock>,
}

struct Clock {
    engine: EngineWeak,
    turn: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    /// Runs that share threads now.
    runs: usize,
    /// Whether the engine's last plugin is gone.
    over: bool,
}

/// The shortest turn. Below that, the clock would take a thread's whole time.
const SHORTEST: Duration = Duration::from_micros(100);

impl Turns {
    pub(super) fn new(engine: &Engine, turn: Duration) -> Self {
        let (turn, engine) = (turn.max(SHORTEST), engine.weak());
        Self { clock: Arc::new(Clock { engine, turn, state: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Takes part, until the answer is dropped.
    pub(super) fn join(&self) -> Result<Joined, Error> {
        let mut state = self.clock.lock();
        if !state.started {
            let clock = self.clock.clone();
            thread::Builder::new()
                .name("turns of plugins".to_owned())
                .spawn(move || clock.run())
                .map_err(|error| engine_error("start a thread", &error.into()))?;
            state.started = true;
        }
        state.runs += 1;
        if state.runs == 1 {
            self.clock.changed.notify_one();
        }
        Ok(Joined { clock: self.clock.clone() })
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.clock.lock().over = true;
        self.clock.changed.notify_one();
    }
}

impl Clock {
    fn run(&self) {
        let mut state = self.lock();
        while !state.over {
            if state.runs == 0 {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            (state, _) = self.changed.wait_timeout(state, self.turn).unwrap_or_else(PoisonError::into_inner);
            if let Some(engine) = self.engine.upgrade() {
                engine.increment_epoch();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way, so what a poisoned lock guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run among others.
pub(super) struct Joined {
    clock: Arc<Clock>,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.clock.lock().runs -= 1;
    }
}
