//! Plugins that compute, on threads that they share: each has a turn, and then gives the others theirs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

use super::engine_error;
use crate::error::Error;

/// A clock that ends turns, by the engine's epoch. It is a thread of its own, since all threads of a runtime may be computing; the first
/// run that shares threads starts it, and while none of them is in a plugin's code it sleeps.
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
    /// Threads that are in a plugin's code now, or in what it called.
    computing: usize,
    /// Whether the clock has to be woken.
    asleep: bool,
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

    /// Starts the clock, unless it runs.
    pub(super) fn start(&self) -> Result<(), Error> {
        let mut state = self.clock.lock();
        if !state.started {
            let clock = self.clock.clone();
            thread::Builder::new()
                .name("turns of plugins".to_owned())
                .spawn(move || clock.run())
                .map_err(|error| engine_error("start a thread", &error.into()))?;
            state.started = true;
        }
        Ok(())
    }

    /// The future's result. A look at it is a turn, which the clock ends.
    pub(super) async fn take<T>(&self, plugin: impl Future<Output = T>) -> T {
        let mut plugin = pin!(plugin);
        poll_fn(|context| {
            let _turn = self.clock.begin();
            plugin.as_mut().poll(context)
        })
        .await
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
            if state.computing == 0 {
                state.asleep = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.asleep = false;
                continue;
            }
            (state, _) = self.changed.wait_timeout(state, self.turn).unwrap_or_else(PoisonError::into_inner);
            if let Some(engine) = self.engine.upgrade() {
                engine.increment_epoch();
            }
        }
    }

    fn begin(&self) -> Turn<'_> {
        let mut state = self.lock();
        state.computing += 1;
        if state.asleep {
            self.changed.notify_one();
        }
        Turn(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way, so what a poisoned lock guards is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread in a plugin's code.
struct Turn<'a>(&'a Clock);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().computing -= 1;
    }
}
