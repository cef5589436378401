//! A handle on one run, for other threads and tasks.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::Notify;
use wasmtime::{Engine, EngineWeak};

use super::Ending;
use crate::error::Error;
use crate::provider::{Meter, Usage};
use crate::scratch::{CleanupFailure, ScratchDir};

/// Watches and stops one run, from another thread or task.
///
/// [`RunOptions::control`](crate::RunOptions::control) gives it, so each belongs to one run.
#[derive(Clone, Debug)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Inner>,
    /// Wakes the run when it waits in a host function.
    stopped: Notify,
    /// Wakes tasks that wait for the end of the call or of the run.
    changed: Notify,
    /// Wakes threads that wait until the directory has been made.
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
    /// Whether the directory is to be kept, and then its path.
    keep: bool,
    kept: Option<PathBuf>,
    /// The ledger of the host provider.
    meter: Option<Meter>,
    /// Whether the plugin is being called. What the host removes before and after is not its time.
    calling: bool,
    ending: Option<Ending>,
    /// Whether the run is over, or will never begin.
    over: bool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("stop", &self.stop)
            .field("abandoned", &self.abandoned)
            .field("scratch", &self.scratch)
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupted,
    TimedOut,
    /// The future of the run was dropped.
    Dropped,
}

/// What became of the scratch directory of a run: see [`Control::abandon`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Disposal {
    /// Its path, if the run was to [keep](crate::RunOptions::keep) it.
    pub kept: Option<PathBuf>,
    /// What could not be removed.
    pub not_removed: Vec<CleanupFailure>,
}

impl Control {
    /// Stops the run; a run that has not begun will not begin. Returns at once, before the run has
    /// ended.
    pub fn stop(&self) {
        self.stop_because(Stop::Interrupted);
    }

    /// The path of the scratch directory, while there is one.
    pub fn scratch_path(&self) -> Option<PathBuf> {
        Some(self.lock().scratch.as_ref()?.path().to_owned())
    }

    /// The plugin's usage now and at its peak, while the run goes on: the ledger of the host
    /// provider. None before, after, and where the provider is a component.
    pub fn usage(&self) -> Option<Usage> {
        self.lock().meter.as_ref()?.usage()
    }

    /// How the call of the plugin ended; none while it has not, and after the future of the run was
    /// dropped. The host may still be removing the scratch directory.
    pub fn ending(&self) -> Option<Ending> {
        self.lock().ending.clone()
    }

    /// Waits until the call of the plugin has ended, and not for the removal of its scratch
    /// directory.
    ///
    /// Gives none if the run did not begin, or if its future was dropped before the call had ended:
    /// then it waits as [`released`](Self::released) does.
    pub async fn ended(&self) -> Option<Ending> {
        self.until(|inner| inner.ending.is_some() || inner.over).await;
        self.ending()
    }

    /// Waits until nothing of the run is left, however it ended: its memory and its place in a
    /// pooling allocator are free, its scratch directory has been removed, kept or given up, and
    /// [what it held](crate::RunOptions::hold) has been dropped. Ends at once if the run will never
    /// begin.
    ///
    /// A future of a run that is ready has waited for this; one that is dropped has not.
    pub async fn released(&self) {
        self.until(|inner| inner.over).await;
    }

    async fn until(&self, reached: impl Fn(&Inner) -> bool) {
        loop {
            // Before the look at the state: it is notified of every change since it was made.
            let changed = self.shared.changed.notified();
            if reached(&self.lock()) {
                return;
            }
            changed.await;
        }
    }

    /// Last resort: removes (or [keeps](crate::RunOptions::keep)) the scratch directory of a run
    /// that is stuck in a system call and does not end after [`stop`](Self::stop). Call it only
    /// before exiting the process.
    ///
    /// # Errors
    ///
    /// If the directory was to be kept and cannot be renamed.
    pub fn abandon(&self) -> Result<Disposal, Error> {
        let mut inner = self.lock();
        // A run that is about to begin must not make another one.
        inner.abandoned = true;
        let making = self.shared.made.wait_while(inner, |inner| inner.making);
        let scratch = making.unwrap_or_else(PoisonError::into_inner).scratch.take();
        match scratch {
            Some(scratch) => self.dispose(&scratch),
            None => Ok(Disposal { kept: self.lock().kept.clone(), not_removed: Vec::new() }),
        }
    }

    /// Removes the directory of the run, or keeps it. The second time it only reports.
    pub(super) fn dispose(&self, scratch: &ScratchDir) -> Result<Disposal, Error> {
        let mut inner = self.lock();
        if !inner.keep {
            // A removal may take long, and others want the lock.
            drop(inner);
            return Ok(Disposal { kept: None, not_removed: scratch.close() });
        }
        if inner.kept.is_none() {
            inner.kept = Some(scratch.keep()?);
        }
        Ok(Disposal { kept: inner.kept.clone(), not_removed: Vec::new() })
    }

    pub(super) fn measure(&self, meter: Meter) {
        self.lock().meter = Some(meter);
    }

    /// Publishes the ending, and wakes the tasks that wait for it. A call that ends because the
    /// future of its run was dropped has none.
    pub(super) fn publish(&self, ending: &Ending) {
        let mut inner = self.lock();
        if inner.stop == Some(Stop::Dropped) && *ending == Ending::Interrupted {
            return;
        }
        inner.ending = Some(ending.clone());
        drop(inner);
        self.shared.changed.notify_waiters();
    }

    pub(super) fn stop_reason(&self) -> Option<Stop> {
        self.lock().stop
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop_reason().is_some()
    }

    /// Whether an operation on behalf of the plugin is to end at its next step.
    pub(super) fn is_call_stopped(&self) -> bool {
        let inner = self.lock();
        inner.calling && inner.stop.is_some()
    }

    /// The result of a call; nothing if the run was stopped while it waited.
    pub(super) async fn unless_stopped<T>(&self, run: impl Future<Output = T>) -> Option<T> {
        self.lock().calling = true;
        let _calling = Calling(self);
        let mut run = pin!(run);
        let mut stopped = pin!(self.shared.stopped.notified());
        poll_fn(|context| {
            // First: after a stop before the store got its epoch deadline, that deadline is never
            // reached.
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
        // A guest that computes is interrupted at the next epoch; one that waits is woken. The
        // permit is stored until it waits.
        if let Some(engine) = inner.engine.as_ref().and_then(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
        self.shared.stopped.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock, so the state is consistent even if it is
        // poisoned.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RAII guard of a call.
struct Calling<'a>(&'a Control);

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.0.lock().calling = false;
    }
}

/// The run that a [`Control`] belongs to. Dropped, it is over, or will never begin.
#[derive(Debug)]
pub(super) struct Controlled {
    control: Control,
    /// The embedder's, until the run is over. The lock is there for `Sync` alone.
    held: Mutex<Vec<Box<dyn Any + Send>>>,
}

impl Controlled {
    pub(super) fn new() -> Self {
        Self { control: Control { shared: Arc::default() }, held: Mutex::default() }
    }

    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    pub(super) fn hold(&mut self, held: impl Send + 'static) {
        self.held_mut().push(Box::new(held));
    }

    fn held_mut(&mut self) -> &mut Vec<Box<dyn Any + Send>> {
        self.held.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the run with a scratch directory; not at all if it has been stopped already.
    pub(super) fn begin(
        self,
        engine: &Engine,
        keep: bool,
        create: impl FnOnce() -> Result<ScratchDir, Error>,
    ) -> Result<Option<Begun>, Error> {
        let mut inner = self.control.lock();
        if inner.stop.is_some() || inner.abandoned {
            return Ok(None);
        }
        inner.engine = Some(engine.weak());
        inner.keep = keep;
        inner.making = true;
        drop(inner);
        let made = create().map(Arc::new);
        let mut inner = self.control.lock();
        inner.making = false;
        inner.scratch = made.as_ref().ok().cloned();
        self.control.shared.made.notify_all();
        drop(inner);
        Ok(Some(Begun { scratch: made?, run: self }))
    }
}

impl Drop for Controlled {
    fn drop(&mut self) {
        // Before it is over, which `Control::released` waits for.
        self.held_mut().clear();
        let mut inner = self.control.lock();
        inner.engine = None;
        inner.scratch = None;
        inner.meter = None;
        inner.over = true;
        drop(inner);
        self.control.shared.changed.notify_waiters();
    }
}

/// A run that has begun.
pub(super) struct Begun {
    scratch: Arc<ScratchDir>,
    run: Controlled,
}

impl Begun {
    pub(super) fn control(&self) -> &Control {
        self.run.control()
    }

    pub(super) fn scratch(&self) -> &Arc<ScratchDir> {
        &self.scratch
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Removes the directory of the run, or keeps it.
    pub(super) fn dispose(&self) -> Result<Disposal, Error> {
        self.control().dispose(&self.scratch)
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

    fn begin(run: Controlled, create: impl FnOnce() -> Result<ScratchDir, Error>) -> Begun {
        run.begin(&Engine::default(), false, create).expect("no error").expect("it has begun")
    }

    #[test]
    fn a_stop_does_not_wait_for_the_directory_and_is_not_lost() {
        with_root("stop", |root| {
            let run = Controlled::new();
            let control = run.control().clone();
            let begun = begin(run, || {
                control.stop();
                root.create_dir()
            });
            let waited = in_tokio(begun.control().unless_stopped(pending::<()>()));
            assert_eq!((waited, control.stop_reason()), (None, Some(Stop::Interrupted)));
        });
    }

    #[test]
    fn abandoning_waits_for_the_directory_and_removes_it() {
        with_root("abandon", |root| {
            let run = Controlled::new();
            let control = run.control().clone();
            let _begun = begin(run, || {
                let abandoning = thread::spawn({
                    let control = control.clone();
                    move || control.abandon()
                });
                while !control.lock().abandoned {
                    thread::yield_now();
                }
                assert!(!abandoning.is_finished(), "there is no directory yet");
                root.create_dir().inspect(|_| drop(abandoning))
            });
            // The lock goes after the directory, where it is a file of its own.
            while std::fs::read_dir(root.path()).expect("list the root").next().is_some() {
                thread::yield_now();
            }
        });
    }

    #[test]
    fn waiting_for_the_end_of_a_run_that_never_begins_ends() {
        let run = Controlled::new();
        let control = run.control().clone();
        let waiting = thread::spawn(move || in_tokio(control.ended()));
        drop(run);
        assert_eq!(waiting.join().expect("no panic"), None);
    }
}
