//! The life of one instance: its beginning, its call, its end.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tracing::Span;
use wasmtime::{Store, UpdateDeadline};

use super::control::{Begun, Stop};
use super::counters::Directory;
use super::plugin::Provider;
use super::state::Threads;
use super::{Common, Ending, Outcome, Plugin, Run, State, Used, tell};
use crate::error::Error;

/// What the plugin's command gave; nothing if it was stopped while it waited.
pub(super) type Called = Option<wasmtime::Result<Result<(), ()>>>;

/// One instance, and what the host keeps for it. Dropped, it is over and gone: open files first, since what is open may not be
/// removable.
pub(super) struct Instance {
    store: Store<State>,
    life: Life,
}

/// The host's side of it.
struct Life {
    common: Arc<Common>,
    provider: Provider,
    begun: Begun,
    timeout: Option<Duration>,
    keep: bool,
    since: Instant,
    span: Span,
    /// Whether the end is in the books.
    over: bool,
}

impl Instance {
    /// Makes everything ready, directory first; not at all if the run has been stopped already. Waits for the disk.
    pub(super) fn begin(
        plugin: &Plugin,
        run: Run,
        threads: Threads,
        span: &Span,
    ) -> Result<Option<Self>, Error> {
        let (common, provider) = (plugin.common.clone(), plugin.provider);
        let Some(begun) = run.control.clone().begin(&common.engine, || run.root.create_dir())? else {
            return Ok(None);
        };
        common.tally.begun();
        tell::begun(span, begun.scratch.path());
        let (timeout, keep, since) = (run.timeout, run.keep, Instant::now());
        // From here on the books are kept, whatever goes wrong.
        let life = Life { common, provider, begun, timeout, keep, since, span: span.clone(), over: false };

        let Common { engine, guards, .. } = &*life.common;
        let state = State::new(run, &life.begun.scratch, provider, guards, threads)?;
        if provider == Provider::Host {
            life.begun.control.measure(state.meter());
        }
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.budget);
        guards.apply(&mut store)?;
        let stopped = life.begun.control.clone();
        store.epoch_deadline_callback(move |_| {
            Ok(match (stopped.is_stopped(), threads) {
                (true, _) => UpdateDeadline::Interrupt,
                // Another run of this engine was meant.
                (false, Threads::Own) => UpdateDeadline::Continue(1),
                // Its turn is over, or another run was meant.
                (false, Threads::Shared) => UpdateDeadline::Yield(1),
            })
        });
        store.set_epoch_deadline(1);
        Ok(Some(Self { store, life }))
    }

    /// Runs the plugin's command, until it ends or is stopped.
    pub(super) async fn call(&mut self, plugin: &Plugin) -> Called {
        let Self { store, life } = self;
        let control = &life.begun.control;
        let _alarm = life.timeout.map(|timeout| control.stop_after(timeout));
        let guest = async {
            let command = plugin.pre.instantiate_async(&mut *store).await?;
            command.wasi_cli_run().call_run(store).await
        };
        control.unless_stopped(guest).await
    }

    /// Puts the end into the books, and removes the directory or keeps it. Waits for the disk.
    pub(super) fn end(self, called: Called) -> Result<Outcome, Error> {
        let Self { store, mut life } = self;
        let state = store.data();
        let ending = Ending::of(called, &life.begun.control, &state.budget, &life.common.guards);
        let used = Used {
            memory: state.budget.used(),
            time: life.since.elapsed(),
            tempfile: (life.provider == Provider::Host).then(|| state.usage()),
            refused: state.refused(),
        };
        // Open files first: what is still open may not be removable.
        drop(store);
        let scratch = &life.begun.scratch;
        let left_behind = scratch.entries().unwrap_or_default();
        let kept = if life.keep { Some(scratch.keep()?) } else { None };
        let outcome = Outcome { ending, left_behind, not_removed: scratch.close(), kept, used };
        if life.begun.control.stop_reason() != Some(Stop::Dropped) {
            life.over(&outcome);
        }
        Ok(outcome)
    }
}

impl Life {
    fn over(&mut self, outcome: &Outcome) {
        self.over = true;
        let directory = match &outcome.kept {
            Some(_) => Directory::Kept,
            None => Directory::after(&outcome.not_removed),
        };
        self.common.tally.ended(&outcome.ending, directory);
        tell::ended(&self.span, outcome);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if !self.over {
            // What stays is told when the directory itself is dropped.
            let stayed = self.begun.scratch.close();
            self.common.tally.dropped(Directory::after(&stayed));
            tell::dropped(&self.span);
        }
    }
}

/// Does what waits for the disk on a thread made for that.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is ending, and nobody waits for this any more.
            Err(_) => pending().await,
        },
    }
}

/// An instance on a thread that it shares. Dropped, it is taken to one that may wait for the disk.
pub(super) struct Aside(Option<Instance>);

impl Aside {
    /// Runs the command of an instance. The future may be dropped at any point.
    pub(super) async fn call(instance: Instance, plugin: &Plugin) -> (Instance, Called) {
        let mut aside = Self(Some(instance));
        let Some(instance) = &mut aside.0 else { unreachable!("it is there until it is taken") };
        let called = plugin.common.turns.take(instance.call(plugin)).await;
        let Some(instance) = aside.0.take() else { unreachable!("it is there until it is taken") };
        (instance, called)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // A runtime that is ending drops it here and now; without one, this thread is nobody else's.
        if let (Some(instance), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(instance));
        }
    }
}
