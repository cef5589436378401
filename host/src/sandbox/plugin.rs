//! A loaded plugin, and the ways to call it.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};
use wasmtime::component::{Instance as WasmInstance, InstancePre};
use wasmtime::{Engine, Func, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::runtime::{in_tokio, poll_noop, with_ambient_tokio_runtime};

use super::control::Stop;
use super::instance::{Instance, Offloaded, offload};
use super::state::RunMode;
use super::{Common, Control, Outcome, RunOptions, State, telemetry};
use crate::blocking::{on_blocking_pool_of, on_worker_of};
use crate::error::Error;

/// The kind of provider that a plugin was loaded with, as far as its runs differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Provision {
    /// The host.
    Host,
    /// The provider component of this crate, which enforces the limits in its environment.
    Component,
    /// Another component, or none.
    Other,
}

impl Provision {
    /// Whether its provider keeps the limits of a run.
    pub(super) fn enforces_limits(self) -> bool {
        match self {
            Self::Host | Self::Component => true,
            Self::Other => false,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Component => "component",
            Self::Other => "other",
        }
    }
}

/// A future of [`Plugin::call_async`], boxed because it borrows the store.
pub type CallFuture<'a, R> = Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>>;

/// A plugin that has been loaded into a sandbox. Clones share the code.
///
/// Each run and each call has an instance and a scratch directory of its own, and its store is
/// dropped at the end. The closure of a call may use several exports, or one several times: the
/// instance lives until the closure returns.
pub struct Plugin<T: 'static = ()> {
    pub(super) common: Arc<Common>,
    pub(super) provision: Provision,
    pre: InstancePre<State<T>>,
    /// If it exports `wasi:cli/run`.
    command: Option<CommandPre<State<T>>>,
}

impl<T> Clone for Plugin<T> {
    fn clone(&self) -> Self {
        let Self { common, provision, pre, command } = self;
        let (common, pre, command) = (common.clone(), pre.clone(), command.clone());
        Self { common, provision: *provision, pre, command }
    }
}

impl<T: Send + 'static> Plugin<T> {
    pub(super) fn new(
        common: Arc<Common>,
        pre: InstancePre<State<T>>,
        provision: Provision,
    ) -> Self {
        let command = CommandPre::new(pre.clone()).ok();
        Self { common, provision, pre, command }
    }

    /// Whether this process provides the interface to the plugin. Otherwise a component inside of
    /// the plugin does.
    pub fn is_served_by_host(&self) -> bool {
        self.provision == Provision::Host
    }

    /// Runs the plugin's `wasi:cli/run` on the calling thread, and removes its scratch directory.
    ///
    /// This blocks the thread, for the plugin's code as well as for its file operations. From a
    /// thread of an asynchronous runtime use [`run_async`](Self::run_async); called there all the
    /// same, this runs the plugin on a new thread while the caller's waits.
    ///
    /// A stopped run ends at once in the plugin's own code, and while it waits for standard input
    /// or a clock. It does not end inside a system call that blocks, such as a write to a full
    /// pipe: see [`Control::abandon`].
    ///
    /// # Errors
    ///
    /// If the plugin does not export `wasi:cli/run`, or the run could not begin: the root is not
    /// writable, say, or a mount cannot be granted. [`Error::Busy`] if the engine's pool is full;
    /// such a run is counted as begun and [dropped](crate::Counters::dropped).
    pub fn run(&self, options: RunOptions<T>) -> Result<Outcome, Error> {
        let command = self.command()?.clone();
        self.block_on(options, async |store| run_command(command, store).await)
    }

    /// Calls an export of the plugin on the calling thread, and removes its scratch directory: as
    /// [`run`](Self::run), for a plugin with a world of its own.
    ///
    /// `call` gets the store and the new instance. It is asynchronous because WASI is, and usually
    /// goes through bindings that [`bindgen!`](wasmtime::component::bindgen) generated with
    /// `exports: { default: async }`.
    ///
    /// ```
    /// use wasi_tempfile_host::{Ending, Provider, RunOptions, Sandbox, ScratchRoot};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plugin = wat::parse_str(
    ///     r#"(component
    ///         (core module $main (func (export "answer") (result i32) (i32.const 42)))
    ///         (core instance $main (instantiate $main))
    ///         (func (export "answer") (result u32) (canon lift (core func $main "answer"))))"#,
    /// )?;
    /// let plugin = Sandbox::new()?.load(&plugin, Provider::Host)?;
    /// let root = ScratchRoot::open_default()?;
    /// let outcome = plugin.call(RunOptions::in_root(&root), async |store, instance| {
    ///     let answer = instance.get_typed_func::<(), (u32,)>(&mut *store, "answer")?;
    ///     Ok(answer.call_async(store, ()).await?.0)
    /// })?;
    /// assert_eq!((outcome.ending, outcome.value), (Ending::Returned, Some(42)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What an export returns is a value: if that is an `Err`, the ending is still
    /// [`Returned`](crate::Ending::Returned).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), if the run could not begin. An error of `call` is the outcome's: its
    /// ending is [`Errored`](crate::Ending::Errored), or says what happened in the plugin.
    pub fn call<R: Send>(
        &self,
        options: RunOptions<T>,
        call: impl AsyncFnOnce(&mut Store<State<T>>, WasmInstance) -> wasmtime::Result<R> + Send,
    ) -> Result<Outcome<R>, Error> {
        self.block_on(options, async |store| {
            let instance = instantiate(&self.pre, store).await?;
            call(store, instance).await.map(Ok)
        })
    }

    /// Runs the plugin's `wasi:cli/run` on tokio, without stalling the runtime's other tasks, and
    /// removes its scratch directory.
    ///
    /// The plugin runs in a task of its own. Its file operations run on the sandbox's [blocking
    /// threads](crate::SandboxBuilder::blocking_threads) or in `block_in_place`, and a
    /// compute-bound plugin yields after a [time slice](crate::EngineLimits::time_slice).
    ///
    /// Dropping the future stops the run: a plugin that computes or waits ends where it is, one in
    /// a system call after it. Its directory is then removed in the background, also by a runtime
    /// that is shutting down. Until that is done the run keeps its place in a pooling allocator:
    /// [`Control::released`] waits for it, and [`RunOptions::hold`] keeps the permit of a semaphore
    /// as long.
    ///
    /// While as many plugins compute as the runtime has workers, its timers and sockets are late,
    /// by up to 61 time slices: a worker polls them after that many tasks. Build the runtime with
    /// [`event_interval(1)`](tokio::runtime::Builder::event_interval), or give plugins a runtime of
    /// their own. On two workers a timer of 10 ms was late by 54 ms in the median and 450 ms at
    /// most, and with `event_interval(1)` by 1.1 and 6.4 ms.
    ///
    /// The future waits for the removal of the directory; [`Control::ended`] does not. On a runtime
    /// whose blocking pool is small or busy, the beginning and the removal queue for a thread.
    ///
    /// A stopped run ends at once, unless it is inside a system call on behalf of the host
    /// provider. Any other system call that hangs is left to its thread, which ends with it.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and if the runtime shuts down first.
    pub fn run_async(
        &self,
        options: RunOptions<T>,
    ) -> impl Future<Output = Result<Outcome, Error>> + Send + use<T> {
        let plugin = self.clone();
        async move {
            let command = plugin.command()?.clone();
            plugin.spawn(options, move |store| Box::pin(run_command(command, store))).await
        }
    }

    /// Calls an export of the plugin on tokio: as [`run_async`](Self::run_async), for a plugin with
    /// a world of its own. A future that is dropped keeps its place in a pooling allocator, and
    /// plugins that compute make timers late, as is said there.
    ///
    /// ```no_run
    /// use wasi_tempfile_host::{Error, Plugin, RunOptions, ScratchRoot};
    ///
    /// # async fn example(plugin: Plugin, root: ScratchRoot) -> Result<(), Error> {
    /// let outcome = plugin
    ///     .call_async(RunOptions::in_root(&root), |store, instance| {
    ///         Box::pin(async move {
    ///             let answer = instance.get_typed_func::<(), (u32,)>(&mut *store, "answer")?;
    ///             Ok(answer.call_async(store, ()).await?.0)
    ///         })
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), and if the runtime shuts down first.
    pub fn call_async<R, F>(
        &self,
        options: RunOptions<T>,
        call: F,
    ) -> impl Future<Output = Result<Outcome<R>, Error>> + Send + use<T, R, F>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(&'a mut Store<State<T>>, WasmInstance) -> CallFuture<'a, R>
            + Send
            + 'static,
    {
        let plugin = self.clone();
        async move {
            let pre = plugin.pre.clone();
            plugin.spawn(options, move |store| Box::pin(call_export(pre, store, call))).await
        }
    }

    fn command(&self) -> Result<&CommandPre<State<T>>, Error> {
        self.command.as_ref().ok_or(Error::NoRun)
    }

    /// Makes a call on this thread or, if a runtime uses this one, on a new thread.
    fn block_on<R: Send>(
        &self,
        options: RunOptions<T>,
        call: impl AsyncFnOnce(&mut Store<State<T>>) -> wasmtime::Result<Result<R, ()>> + Send,
    ) -> Result<Outcome<R>, Error> {
        let execute = || in_tokio(self.execute(options, call));
        if Handle::try_current().is_err() {
            return execute();
        }
        // A thread of a runtime must not wait for a future, and this may be one.
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, execute);
            let thread = thread.map_err(|source| Error::Thread { source })?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    async fn execute<R>(
        &self,
        options: RunOptions<T>,
        call: impl AsyncFnOnce(&mut Store<State<T>>) -> wasmtime::Result<Result<R, ()>>,
    ) -> Result<Outcome<R>, Error> {
        let span = telemetry::span(self.provision);
        let inside = span.clone();
        async {
            let Some(mut instance) = Instance::begin(self, options, RunMode::Blocking, &span)?
            else {
                return Ok(Outcome::never_began());
            };
            let (called, time) = instance.guard.watch(call(&mut instance.store)).await;
            let ended = instance.decide_ending(called, time)?;
            instance.clean_up(ended)
        }
        .instrument(inside)
        .await
    }

    /// Makes a call in a task of the current runtime, or else of wasmtime-wasi's.
    fn spawn<R, F>(self, options: RunOptions<T>, call: F) -> Task<Result<Outcome<R>, Error>>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(&'a mut Store<State<T>>) -> CallFuture<'a, Result<R, ()>>
            + Send
            + 'static,
    {
        let control = options.control();
        let span = telemetry::span(self.provision);
        let handle = with_ambient_tokio_runtime(|| {
            let runtime = Handle::current();
            let worker = runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
            let worker = worker.then(|| runtime.clone());
            runtime.spawn(self.execute_async(options, call, worker, span.clone()).instrument(span))
        });
        Task { handle, control }
    }

    async fn execute_async<R, F>(
        self,
        options: RunOptions<T>,
        call: F,
        worker: Option<Handle>,
        span: Span,
    ) -> Result<Outcome<R>, Error>
    where
        R: Send + 'static,
        F: for<'a> FnOnce(&'a mut Store<State<T>>) -> CallFuture<'a, Result<R, ()>> + Send,
    {
        let (plugin, inside) = (self.clone(), span.clone());
        let mode = if worker.is_some() { RunMode::MultiThread } else { RunMode::CurrentThread };
        let begin = move || inside.in_scope(|| Instance::begin(&plugin, options, mode, &inside));
        let Some(instance) = offload(&self.common.threads, begin).await? else {
            return Ok(Outcome::never_began());
        };
        let mut offloaded = Offloaded::new(instance, self.common.threads.clone());
        let instance = offloaded.get_mut();
        let guest = instance.guard.watch(call(&mut instance.store));
        let guest = self.common.ticker.run(guest);
        let guest = on_worker_of(worker, self.common.threads.clone(), guest);
        let (called, time) = on_blocking_pool_of(self.common.runtime()?, guest).await;
        let ended = instance.decide_ending(called, time);
        let instance = offloaded.into_inner();
        let end = move || span.in_scope(|| instance.clean_up(ended?));
        offload(&self.common.threads, end).await
    }
}

async fn run_command<T: Send>(
    command: CommandPre<State<T>>,
    store: &mut Store<State<T>>,
) -> wasmtime::Result<Result<(), ()>> {
    allocate_stack(store).await?;
    let command = command.instantiate_async(&mut *store).await?;
    store.data_mut().instantiated = true;
    command.wasi_cli_run().call_run(store).await
}

async fn call_export<T: Send, R>(
    pre: InstancePre<State<T>>,
    store: &mut Store<State<T>>,
    call: impl for<'a> FnOnce(&'a mut Store<State<T>>, WasmInstance) -> CallFuture<'a, R>,
) -> wasmtime::Result<Result<R, ()>> {
    let instance = instantiate(&pre, store).await?;
    call(store, instance).await.map(Ok)
}

async fn instantiate<T: Send>(
    pre: &InstancePre<State<T>>,
    store: &mut Store<State<T>>,
) -> wasmtime::Result<WasmInstance> {
    allocate_stack(store).await?;
    let instance = pre.instantiate_async(&mut *store).await?;
    store.data_mut().instantiated = true;
    Ok(instance)
}

/// Allocates the stack of a store's calls, which else the first call does: then its error could not
/// be told from one of the embedder's closure.
async fn allocate_stack<T: Send>(store: &mut Store<T>) -> wasmtime::Result<()> {
    Func::wrap(&mut *store, || ()).call_async(store, &[], &mut []).await
}

/// Checks that an engine's stack can be allocated.
pub(super) fn try_stack(engine: &Engine) -> wasmtime::Result<()> {
    let mut store = Store::new(engine, ());
    // It never waits.
    poll_noop(pin!(allocate_stack(&mut store))).unwrap_or(Ok(()))
}

/// The task of a run. Dropped, it stops the run.
struct Task<O> {
    handle: JoinHandle<O>,
    control: Control,
}

impl<R> Future for Task<Result<R, Error>> {
    type Output = Result<R, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(context).map(|joined| match joined {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(Error::RuntimeEnded),
            },
        })
    }
}

impl<O> Drop for Task<O> {
    fn drop(&mut self) {
        if !self.handle.is_finished() {
            // The abort takes effect where the task waits; the stop makes a guest that computes
            // end.
            self.control.stop_because(Stop::Dropped);
            self.handle.abort();
        }
    }
}
