//! One instance of a plugin, from its instantiation to its end.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing::Span;
use wasmtime::{OutOfMemory, PoolConcurrencyLimitError, Store, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::control::{Begun, Disposal, Stop};
use super::metrics::Directory;
use super::plugin::{Plugin, Provision};
use super::state::RunMode;
use super::{Common, Ending, Outcome, RunOptions, State, Used, telemetry};
use crate::blocking::Threads;
use crate::error::Error;
use crate::trim;

/// The result of a call: `None` if the run was stopped while the call waited, else the engine's
/// result around the plugin's.
pub(super) type Called<R> = Option<wasmtime::Result<Result<R, ()>>>;

/// One instance, and the host's side of it. Dropping it ends the run and removes its directory.
pub(super) struct Instance<T: 'static> {
    // Before the directory: open files may not be removable.
    pub(super) store: Store<State<T>>,
    pub(super) guard: RunGuard,
}

/// The host's side of an instance: its directory, its timeout and its place in the counters.
pub(super) struct RunGuard {
    common: Arc<Common>,
    provision: Provision,
    begun: Begun,
    timeout: Option<Duration>,
    span: Span,
    stage: Stage,
}

enum Stage {
    /// The directory has been made; the rest may still fail.
    Preparing,
    Running,
    /// The end has been counted.
    Over,
}

/// How a call ended, before the host has cleaned up and there is an [`Outcome`].
pub(super) struct CallEnd<R> {
    ending: Ending,
    value: Option<R>,
    error: Option<wasmtime::Error>,
    used: Used,
}

impl<T: Send + 'static> Instance<T> {
    /// Makes everything ready, the directory first. Returns `None` if the run has been stopped
    /// already. Blocks on the disk.
    pub(super) fn begin(
        plugin: &Plugin<T>,
        options: RunOptions<T>,
        mode: RunMode,
        span: &Span,
    ) -> Result<Option<Self>, Error> {
        let mut directory_made = false;
        let begun = Self::try_begin(plugin, options, mode, span, &mut directory_made);
        match &begun {
            Ok(Some(_)) => {}
            Ok(None) => {
                telemetry::stopped_early(span);
                plugin.common.metrics.stopped_early();
            }
            Err(error) => {
                telemetry::not_begun(span, error);
                if !directory_made {
                    plugin.common.metrics.not_begun(None);
                }
            }
        }
        begun
    }

    fn try_begin(
        plugin: &Plugin<T>,
        options: RunOptions<T>,
        mode: RunMode,
        span: &Span,
        directory_made: &mut bool,
    ) -> Result<Option<Self>, Error> {
        let (common, provision) = (plugin.common.clone(), plugin.provision);
        let RunOptions { settings, run, data } = options;
        settings.check_zero()?;
        let (timeout, keep, root) = (settings.timeout, settings.keep, settings.root.clone());
        if mode != RunMode::Blocking {
            common.runtime()?;
        }
        if mode != RunMode::Blocking || timeout.is_some() {
            common.ticker.start()?;
        }
        let Some(begun) = run.begin(&common.engine, keep, || root.create_dir())? else {
            return Ok(None);
        };
        *directory_made = true;
        telemetry::directory_made(span, begun.path());
        // From here on the directory is counted, whatever goes wrong.
        let stage = Stage::Preparing;
        let mut guard = RunGuard { common, provision, begun, timeout, span: span.clone(), stage };

        let Common { engine, limits, metrics, .. } = &*guard.common;
        let control = guard.begun.control().clone();
        let state = State::new(data, settings, &guard.begun, provision, limits, mode)?;
        if provision == Provision::Host {
            control.measure(state.meter());
        }
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        limits.apply(&mut store)?;
        store.epoch_deadline_callback(move |_| {
            Ok(match (control.is_stopped(), mode) {
                (true, _) => UpdateDeadline::Interrupt,
                // Another run of this engine was stopped.
                (false, RunMode::Blocking) => UpdateDeadline::Continue(1),
                // Another run was stopped, or the time slice is over.
                (false, RunMode::CurrentThread | RunMode::MultiThread) => UpdateDeadline::Yield(1),
            })
        });
        store.set_epoch_deadline(1);
        metrics.begun();
        guard.stage = Stage::Running;
        Ok(Some(Self { store, guard }))
    }

    /// Decides how a call ended, at its very end.
    pub(super) fn decide_ending<R>(
        &self,
        called: Called<R>,
        time: Duration,
    ) -> Result<CallEnd<R>, Error> {
        let (state, control) = (self.store.data(), self.guard.begun.control());
        let (value, error) = match called {
            Some(Ok(Ok(value))) => (Some(Ok(value)), None),
            Some(Ok(Err(()))) => (Some(Err(())), None),
            Some(Err(error)) if !state.instantiated && is_of_host(&error) => {
                let error = not_instantiated(error);
                telemetry::not_continued(self.guard.begun.path(), &error);
                return Err(error);
            }
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let ending = match &value {
            Some(Ok(_)) => Ending::Returned,
            Some(Err(())) => Ending::Failed { status: 1 },
            None => {
                let limits = &self.guard.common.limits;
                Ending::of(error.as_ref(), control.stop_reason(), state, limits)
            }
        };
        let used = Used {
            memory: state.limiter.memory().peak(),
            time,
            tempfile: (self.guard.provision == Provision::Host).then(|| state.usage()),
            refused: state.refused(),
            stderr: state.written_to_stderr(),
        };
        control.publish(&ending);
        let error = error.filter(|error| !error.is::<I32Exit>());
        Ok(CallEnd { ending, value: value.and_then(Result::ok), error, used })
    }

    /// Removes the directory or keeps it, and counts the end. Blocks on the disk.
    pub(super) fn clean_up<R>(self, ended: CallEnd<R>) -> Result<Outcome<R>, Error> {
        let Self { store, mut guard } = self;
        let spooled = store.data().usage().peak.memory;
        // With the store, the host provider removes what handles guard.
        let left_behind = guard.begun.scratch().entries().unwrap_or_default();
        // Open files first: they may not be removable.
        drop(store);
        trim::freed(spooled);
        let Disposal { kept, not_removed } = guard.begun.dispose()?;
        let CallEnd { ending, value, error, used } = ended;
        let outcome = Outcome { ending, value, error, left_behind, not_removed, kept, used };
        if guard.begun.control().stop_reason() != Some(Stop::Dropped) {
            guard.count_end(&outcome);
        }
        Ok(outcome)
    }
}

impl RunGuard {
    /// Waits for a call, until it ends, is stopped, or its timeout passes. Gives the time it took
    /// too.
    pub(super) async fn watch<R>(
        &self,
        call: impl Future<Output = wasmtime::Result<Result<R, ()>>>,
    ) -> (Called<R>, Duration) {
        let control = self.begun.control();
        let start = Instant::now();
        let deadline = self.timeout.and_then(|timeout| start.checked_add(timeout));
        let timeout = deadline.map(|deadline| {
            if deadline <= start {
                control.stop_because(Stop::TimedOut);
            }
            self.common.ticker.stop_at(deadline, control)
        });
        let called = control.unless_stopped(call).await;
        drop(timeout);
        (called, start.elapsed())
    }

    fn count_end<R>(&mut self, outcome: &Outcome<R>) {
        self.stage = Stage::Over;
        let directory = match &outcome.kept {
            Some(_) => Directory::Kept,
            None => Directory::closed(&outcome.not_removed),
        };
        self.common.metrics.ended(&outcome.ending, directory);
        telemetry::ended(&self.span, self.begun.path(), outcome);
    }

    /// Removes or keeps the directory of a run without an outcome.
    fn dispose(&self) -> Directory {
        match self.begun.dispose() {
            Ok(Disposal { kept: Some(path), .. }) => {
                self.span.in_scope(|| telemetry::kept(&path));
                Directory::Kept
            }
            // Failures are reported when the directory itself is dropped.
            Ok(Disposal { kept: None, not_removed }) => Directory::closed(&not_removed),
            Err(_) => Directory::closed(&self.begun.scratch().close()),
        }
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        match self.stage {
            Stage::Preparing => self.common.metrics.not_begun(Some(self.dispose())),
            Stage::Running => {
                self.common.metrics.dropped(self.dispose());
                telemetry::dropped(&self.span);
            }
            Stage::Over => {}
        }
    }
}

/// Whether an instance could not be made for want of the host's own resources: a place in the pool,
/// addresses to map, a descriptor. An error that has passed through the plugin's code is one of a
/// function that it called at its start.
fn is_of_host(error: &wasmtime::Error) -> bool {
    let of_host = error.is::<PoolConcurrencyLimitError>()
        || error.is::<OutOfMemory>()
        || crate::system::is_of_system(error.root_cause());
    of_host && !error.is::<WasmBacktrace>()
}

fn not_instantiated(source: wasmtime::Error) -> Error {
    if source.is::<PoolConcurrencyLimitError>() {
        Error::Busy { source }
    } else {
        Error::Engine { operation: "instantiate the plugin", source }
    }
}

/// Does blocking work on the runtime's blocking pool, when one of the `threads` is free.
pub(super) async fn offload<T: Send + 'static>(
    threads: &Threads,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    // The permit is held until the work is done, even if the caller has given up, and then until
    // this future is polled again: by then the thread of the pool is free.
    let permit = Arc::new(threads.acquire().await);
    let working = permit.clone();
    let work = move || {
        let _working = working;
        work()
    };
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down, and will not poll this again.
            Err(_) => pending().await,
        },
    }
}

/// An instance on a thread that must not block. Dropped, it is dropped on the blocking pool.
pub(super) struct Offloaded<T: Send + 'static>(Option<(Instance<T>, Threads)>);

impl<T: Send + 'static> Offloaded<T> {
    pub(super) fn new(instance: Instance<T>, threads: Threads) -> Self {
        Self(Some((instance, threads)))
    }

    pub(super) fn get_mut(&mut self) -> &mut Instance<T> {
        let Some((instance, _)) = &mut self.0 else { unreachable!("only `into_inner` takes it") };
        instance
    }

    pub(super) fn into_inner(mut self) -> Instance<T> {
        let Some((instance, _)) = self.0.take() else { unreachable!("only `into_inner` takes it") };
        instance
    }
}

impl<T: Send + 'static> Drop for Offloaded<T> {
    fn drop(&mut self) {
        // A runtime that is shutting down drops it at once, on this thread; without a runtime no
        // other task shares this thread.
        let (Some((instance, threads)), Ok(runtime)) = (self.0.take(), Handle::try_current())
        else {
            return;
        };
        match threads.try_acquire() {
            Some(permit) => drop(runtime.spawn_blocking(move || {
                drop(instance);
                drop(permit);
            })),
            // The instance is dropped with this task, too.
            None => drop(runtime.spawn(async move {
                offload(&threads, move || drop(instance)).await;
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Provider, Sandbox, ScratchRoot};

    #[test]
    fn the_ending_is_decided_before_the_directory_is_removed() {
        let path = std::env::temp_dir().join(format!("instance-test-{}", std::process::id()));
        let root = ScratchRoot::open(&path).expect("open the root");
        let plugin = wat::parse_str("(component)").expect("valid text");
        let sandbox = Sandbox::new().expect("make a sandbox");
        let plugin = sandbox.load(&plugin, Provider::Composed).expect("load the plugin");

        let options = RunOptions::in_root(&root);
        let control = options.control();
        let instance = Instance::begin(&plugin, options, RunMode::Blocking, &Span::none());
        let instance = instance.expect("no error").expect("it has begun");
        let ended = instance.decide_ending(Some(Ok(Ok(()))), Duration::ZERO).expect("no error");
        assert_eq!(control.ending(), Some(Ending::Returned));
        assert!(control.scratch_path().is_some_and(|path| path.exists()), "not yet removed");

        // The timeout passes, and the embedder loses patience, while the host cleans up.
        control.stop_because(Stop::TimedOut);
        control.stop();
        let outcome = instance.clean_up(ended).expect("no error");
        assert_eq!(outcome.ending, Ending::Returned);
        std::fs::remove_dir(path).expect("nothing is left in the root");
    }
}
