//! A plugin, and the two ways to run it.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tracing::{Instrument, Span};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::runtime::{in_tokio, spawn};

use super::control::Stop;
use super::instance::{Aside, Instance, aside};
use super::state::Threads;
use super::{Common, Control, Outcome, Run, State, engine_error, tell};
use crate::error::Error;

/// Who serves `scratch:tempfile` to a plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    /// The component that this crate carries, inside the plugin: it keeps to the limits in its environment.
    Carried,
    /// A component of the caller's inside the plugin, or nobody.
    Other,
    /// This process.
    Host,
}

impl Provider {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Carried | Self::Other => "component",
            Self::Host => "host",
        }
    }
}

/// A compiled plugin. Clones share the code.
#[derive(Clone)]
pub struct Plugin {
    pub(super) common: Arc<Common>,
    pub(super) pre: CommandPre<State>,
    pub(super) provider: Provider,
}

impl Plugin {
    pub(super) fn new(common: Arc<Common>, pre: CommandPre<State>, provider: Provider) -> Self {
        Self { common, pre, provider }
    }

    /// Runs the plugin to its end, whatever that is, and removes its scratch directory.
    ///
    /// The calling thread is used for the plugin's code and for its file operations. It waits; so a program on an asynchronous runtime
    /// wants [`run_async`](Self::run_async). Called from there all the same, this runs the plugin on a thread made for it, and holds up the
    /// caller's.
    ///
    /// A run that is stopped ends at once in its own code and while it waits for standard input or a clock. It does not end
    /// inside a system call that blocks, such as a write to a full pipe: see [`Control::abandon`].
    ///
    /// # Errors
    ///
    /// If the run could not begin: the root is not writable, or a mount cannot be granted.
    pub fn run(&self, run: Run) -> Result<Outcome, Error> {
        let execute = || in_tokio(self.execute(run));
        if Handle::try_current().is_err() {
            return execute();
        }
        // A runtime's thread must not wait for a future, and which threads are meant nobody can tell.
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, execute);
            let thread = thread.map_err(|error| engine_error("start a thread", &error.into()))?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    async fn execute(&self, run: Run) -> Result<Outcome, Error> {
        let span = tell::span(self.provider);
        let inside = span.clone();
        async {
            let Some(mut instance) = Instance::begin(self, run, Threads::Own, &span)? else {
                return Ok(Outcome::never_began());
            };
            let called = instance.call(self).await;
            instance.end(called)
        }
        .instrument(inside)
        .await
    }

    /// Runs the plugin to its end, whatever that is, and removes its scratch directory; on the threads of the tokio runtime that polls the
    /// future, and without holding up its other tasks. The runtime needs its timer.
    ///
    /// The plugin runs in a task of its own, so a future that is joined with others does not hold up those either. Dropped half-way, the
    /// future ends the run: a plugin that computes or waits ends where it is, one in a system call after it; and its directory is removed
    /// behind the caller's back, also by a runtime that is ending. [`Control::scratch_path`] and
    /// [`Sandbox::counters`](super::Sandbox::counters) tell when.
    ///
    /// A run that is stopped ends at once, unless it is inside a system call on behalf of `scratch:tempfile`, where the host serves that. A
    /// system call that hangs otherwise is left to its thread, which ends with it.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_async(&self, run: Run) -> impl Future<Output = Result<Outcome, Error>> + Send + use<> {
        let plugin = self.clone();
        async move {
            let mut dropped = StopOnDrop(Some(run.control.clone()));
            let span = tell::span(plugin.provider);
            let outcome = spawn(plugin.execute_aside(run, span.clone()).instrument(span)).await;
            dropped.0 = None;
            outcome
        }
    }

    async fn execute_aside(self, run: Run, span: Span) -> Result<Outcome, Error> {
        self.common.turns.start()?;
        let (plugin, begun) = (self.clone(), span.clone());
        let begin = move || begun.in_scope(|| Instance::begin(&plugin, run, Threads::Shared, &begun));
        let Some(instance) = aside(begin).await? else {
            return Ok(Outcome::never_began());
        };
        let (instance, called) = Aside::call(instance, &self).await;
        aside(move || span.in_scope(|| instance.end(called))).await
    }
}

/// Ends a run whose future is dropped: its task is aborted, which takes effect where it waits; this gets it there.
struct StopOnDrop(Option<Control>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(control) = &self.0 {
            control.stop_because(Stop::Dropped);
        }
    }
}
