//! A handle on one run, for another thread.

use std::future::{Future, poll_fn};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use wasmtime::{Engine, EngineWeak};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use crate::error::Error;
use crate::provider::{Meter, Usage};
use crate::scratch::{CleanupFailure, ScratchDir};

/// Watches and stops one run from another thread. Give a clone of it to [`Run::control`](crate::Run::control); for the
/// next run make a new one.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Inner>,
    /// Wakes the run when it waits in a call of the host's.
    stopped: Notify,
    /// Wakes who waits for the directory to be made.
    made: Condvar,
}

#[derive(Default)]
struct Inner {
    stop: Option<Stop>,
    abandoned: bool,
    /// Whether the directory is being made, which may take as long as the disk does.
    making: bool,
    engine: Option<EngineWeak>,
    scratch: Option<Arc<ScratchDir>>,
    /// Where the host's own provider counts.
    meter: Option<Meter>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("stop", &self.stop)
            .field("abandoned", &self.abandoned)
            .field("scratch", &self.scratch)
            .finish_non_exhaustive()
    }
}

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupted,
    TimedOut,
    /// Nobody waits for its outcome any more.
    Dropped,
}

impl Control {
    /// A handle on a run that has not begun yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run; one that has not begun will not begin. Returns at once, before the run has ended.
    pub fn stop(&self) {
        self.stop_because(Stop::Interrupted);
    }

    /// Where the scratch directory of the run lies, as long as it goes on.
    pub fn scratch_path(&self) -> Option<PathBuf> {
        Some(self.lock().scratch.as_ref()?.path().to_owned())
    }

    /// What the plugin has in use right now, and had at most, as long as the run goes on: none before, after, and where the provider is a
    /// component, whose host can't see it.
    pub fn usage(&self) -> Option<Usage> {
        self.lock().meter.as_ref()?.usage()
    }

    /// Takes the scratch directory away from under a run that does not end after [`stop`](Self::stop), because it hangs in
    /// a system call; and says what could not be removed. The process should end next.
    pub fn abandon(&self) -> Vec<CleanupFailure> {
        let mut inner = self.lock();
        // A run that is about to begin must not make another one.
        inner.abandoned = true;
        let mut inner =
            self.shared.made.wait_while(inner, |inner| inner.making).unwrap_or_else(PoisonError::into_inner);
        inner.scratch.take().map(|scratch| scratch.close()).unwrap_or_default()
    }

    /// Begins the run with a scratch directory; not at all if it has been stopped already.
    pub(super) fn begin(
        &self,
        engine: &Engine,
        create: impl FnOnce() -> Result<ScratchDir, Error>,
    ) -> Result<Option<Begun>, Error> {
        let mut inner = self.lock();
        if inner.stop.is_some() || inner.abandoned {
            return Ok(None);
        }
        inner.engine = Some(engine.weak());
        inner.making = true;
        drop(inner);
        let made = create().map(Arc::new);
        let mut inner = self.lock();
        inner.making = false;
        inner.scratch = made.as_ref().ok().cloned();
        self.shared.made.notify_all();
        Ok(Some(Begun { control: self.clone(), scratch: made? }))
    }

    pub(super) fn measure(&self, meter: Meter) {
        self.lock().meter = Some(meter);
    }

    pub(super) fn stop_reason(&self) -> Option<Stop> {
        self.lock().stop
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop_reason().is_some()
    }

    /// An alarm that stops the run, unless it is dropped before.
    pub(super) fn stop_after(&self, timeout: Duration) -> AbortOnDropJoinHandle<()> {
        let control = self.clone();
        spawn(async move {
            tokio::time::sleep(timeout).await;
            control.stop_because(Stop::TimedOut);
        })
    }

    /// The future's result; nothing if the run was stopped while it waited.
    pub(super) async fn unless_stopped<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        let mut run = pin!(run);
        let mut stopped = pin!(self.shared.stopped.notified());
        poll_fn(|context| {
            // First: the epoch of a stop before the run had its deadline is past, and its own code would never know.
            if stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            run.as_mut().poll(context).map(Some)
        })
        .await
    }

    pub(super) fn stop_because(&self, stop: Stop) {
        let mut inner = self.lock();
        // The first reason is the one that counts.
        inner.stop.get_or_insert(stop);
        // In its own code the run stops at the next epoch; waiting, it is woken. The permit is kept until it waits.
        if let Some(engine) = inner.engine.as_ref().and_then(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
        self.shared.stopped.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing here panics half-way, so what a poisoned lock guards is whole.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that has begun. When this is dropped, the run is over, whatever the way.
pub(super) struct Begun {
    pub(super) control: Control,
    pub(super) scratch: Arc<ScratchDir>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        let mut inner = self.control.lock();
        inner.engine = None;
        inner.scratch = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::thread;

    use wasmtime_wasi::runtime::in_tokio;

    use super::*;
    use crate::scratch::ScratchRoot;

    fn with_root(name: &str, test: impl FnOnce(&ScratchRoot)) {
        let path = std::env::temp_dir().join(format!("control-test-{name}-{}", std::process::id()));
        test(&ScratchRoot::open(&path).expect("open the root"));
        std::fs::remove_dir(path).expect("nothing is left in the root");
    }

    #[test]
    fn a_stop_does_not_wait_for_the_directory_and_is_not_lost() {
        with_root("stop", |root| {
            let control = Control::new();
            let making = || {
                control.stop();
                root.create_dir()
            };
            let begun = control.begin(&Engine::default(), making).expect("no error").expect("it has begun");
            let waited = in_tokio(begun.control.unless_stopped(pending::<()>()));
            assert_eq!((waited, control.stop_reason()), (None, Some(Stop::Interrupted)));
        });
    }

    #[test]
    fn who_abandons_a_run_waits_for_its_directory_and_takes_it_away() {
        with_root("abandon", |root| {
            let control = Control::new();
            let making = || {
                let abandoning = thread::spawn({
                    let control = control.clone();
                    move || control.abandon()
                });
                while !control.lock().abandoned {
                    thread::yield_now();
                }
                assert!(!abandoning.is_finished(), "there is no directory yet");
                root.create_dir().inspect(|_| drop(abandoning))
            };
            let begun = control.begin(&Engine::default(), making).expect("no error").expect("it has begun");
            while begun.scratch.path().exists() {
                thread::yield_now();
            }
        });
    }
}
