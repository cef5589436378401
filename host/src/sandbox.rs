//! Runs plugins: one store, one scratch directory and one memory budget per run.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, Config, Engine};

use crate::blocking::Threads;
use crate::components;
use crate::compose::{
    PluginPreopens, check_component, compose, has_provider, is_scratch, served_version,
};
use crate::error::{Error, one_line};
use crate::provider;

mod control;
mod engine_limits;
mod epoch;
mod instance;
mod limiter;
mod metrics;
mod mount;
mod options;
mod outcome;
mod plugin;
mod process;
mod state;
mod stdio;
mod telemetry;

pub use control::{Control, Disposal};
pub use engine_limits::EngineLimits;
use epoch::EpochTicker;
pub use metrics::Counters;
use metrics::Metrics;
pub use mount::Mount;
pub use options::{RunOptions, ScratchAccess};
pub use outcome::{Ending, Outcome, Used};
use plugin::Provision;
pub use plugin::{CallFuture, Plugin};
pub use process::check_process;
pub use state::State;
pub use stdio::{Capture, Input, Output};

/// An engine and the host functions that it serves to plugins: WASI 0.2 without a network, and
/// those that [`with`](Self::with) adds.
///
/// `T` is data of the embedder's that each run has in its [`State`]. Clones share the engine.
/// Making a sandbox is cheap and loading a plugin is not: keep the [`Plugin`].
pub struct Sandbox<T: 'static = ()> {
    common: Arc<Common>,
    linker: Linker<State<T>>,
}

/// The part of a sandbox that its plugins share.
struct Common {
    engine: Engine,
    limits: EngineLimits,
    metrics: Metrics,
    ticker: EpochTicker,
    blocking_threads: usize,
    /// The threads of the embedder's runtime that runs may block.
    threads: Threads,
    /// Started by the first asynchronous run.
    runtime: OnceLock<Background>,
}

/// A tokio runtime for the blocking work, the timers and the streams of asynchronous runs. That of
/// the embedder may shut down at any time, or have no timer.
struct Background(Option<Runtime>);

impl Common {
    fn runtime(&self) -> Result<&Handle, Error> {
        if let Some(started) = self.runtime.get() {
            return Ok(started.handle());
        }
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(self.blocking_threads).enable_all();
        let started = builder.thread_name("wasi-tempfile").build();
        let started = Background(Some(started.map_err(|source| Error::Thread { source })?));
        Ok(self.runtime.get_or_init(|| started).handle())
    }
}

impl Background {
    fn handle(&self) -> &Handle {
        let Some(runtime) = &self.0 else { unreachable!("only the drop takes it") };
        runtime.handle()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // The last plugin may be dropped by a task, where a runtime's ordinary drop would panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The provider of `scratch:tempfile` for a plugin.
///
/// A plugin that has been [composed](compose) with a provider already has that one, whatever is
/// chosen here, as if the choice were [`Composed`](Self::Composed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider<'a> {
    /// This process: see the module [`provider`]. The faster and the stronger one.
    Host,
    /// The provider component that this crate carries, composed with the plugin.
    ///
    /// WASI has no modes: what it creates in a mount is readable as the process's umask allows, and
    /// what it has not removed from a mount when the plugin traps or is stopped stays there.
    Component,
    /// Another provider component, composed with the plugin. Runs cannot have
    /// [limits](RunOptions::limits), since it may not enforce them.
    Custom(&'a [u8]),
    /// The component itself: [`compose`] made it, or it does not use the interface. Whether the
    /// plugin sees its scratch directory is then up to the stub that it was composed with, and runs
    /// cannot have limits.
    Composed,
}

impl Sandbox {
    /// A sandbox with an engine of its own and the default [`EngineLimits`].
    ///
    /// # Errors
    ///
    /// If the engine cannot run on this machine.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Builds a sandbox with an engine, limits, a cache or data of the embedder's choice.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }
}

impl<T> Clone for Sandbox<T> {
    fn clone(&self) -> Self {
        Self { common: self.common.clone(), linker: self.linker.clone() }
    }
}

impl<T: Send + 'static> Sandbox<T> {
    /// The limits that protect the host from the plugins.
    pub fn limits(&self) -> EngineLimits {
        self.common.limits
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.common.engine
    }

    /// The counters of all runs so far, of all plugins of this sandbox and of its clones.
    pub fn counters(&self) -> Counters {
        self.common.metrics.snapshot()
    }

    /// Serves more than WASI: `add` gets the linker, and its functions find the run that they
    /// belong to in [`State`].
    ///
    /// A function that waits should be asynchronous (`func_wrap_async`), or it stalls the other
    /// tasks of [`Plugin::run_async`]'s runtime. Inside of a function the current tokio runtime is
    /// one of the sandbox's; to spawn tasks on yours, keep its `Handle`.
    ///
    /// # Errors
    ///
    /// The error of `add`: a name is taken, say.
    pub fn with(
        mut self,
        add: impl FnOnce(&mut Linker<State<T>>) -> wasmtime::Result<()>,
    ) -> Result<Self, Error> {
        add(&mut self.linker).map_err(failed("link the embedder's functions"))?;
        Ok(self)
    }

    /// Compiles a plugin, composed with its provider if that is a component.
    ///
    /// This takes as long as the compiler does, on the calling thread, unless a
    /// [cache](SandboxBuilder::cache) has the code.
    ///
    /// # Errors
    ///
    /// If the plugin is not a component, imports something that is not served, or cannot be
    /// [composed](compose); if the pool of the embedder's engine has no room for one instance; or
    /// if [`with`](Self::with) has added a part of `scratch:tempfile` that the host provider
    /// serves.
    pub fn load(&self, plugin: &[u8], provider: Provider<'_>) -> Result<Plugin<T>, Error> {
        let (component, provision) = match provider {
            Provider::Host => (self.compile(plugin)?, Provision::Host),
            Provider::Component => {
                self.composed(plugin, components::PROVIDER, Provision::Component)?
            }
            Provider::Custom(provider) => self.composed(plugin, provider, Provision::Other)?,
            Provider::Composed => (self.compile(plugin)?, Provision::Other),
        };
        let ty = component.component_type();
        let mut imports = ty.imports(&self.common.engine).map(|(name, _)| name);
        let provision = match provision {
            Provision::Host if has_provider(plugin, imports.by_ref()) => Provision::Other,
            provision => provision,
        };
        self.link(&component, provision)
    }

    /// Composes a plugin with a provider, unless it has one already.
    fn composed(
        &self,
        plugin: &[u8],
        provider: &[u8],
        provision: Provision,
    ) -> Result<(Component, Provision), Error> {
        match compose(plugin, provider, PluginPreopens::Granted) {
            Ok(whole) => Ok((self.compile(&whole)?, provision)),
            Err(Error::HasProvider) => Ok((self.compile(plugin)?, Provision::Other)),
            Err(error) => Err(error),
        }
    }

    fn compile(&self, component: &[u8]) -> Result<Component, Error> {
        check_component("plugin", component)?;
        let engine = &self.common.engine;
        Component::from_binary(engine, component).map_err(|source| {
            // What compiles is valid: then it is the engine that has no room for it, in its pool.
            if engine.precompile_component(component).is_ok() {
                return Error::Engine { operation: "load the plugin", source };
            }
            Error::Invalid { what: "plugin", source: source.into() }
        })
    }

    fn link(&self, component: &Component, provision: Provision) -> Result<Plugin<T>, Error> {
        let mut linker = self.linker.clone();
        if provision == Provision::Host {
            provider::add_to_linker(&mut linker).map_err(failed("link the provider"))?;
        }
        let pre = linker
            .instantiate_pre(component)
            .map_err(|error| self.missing(&linker, component, provision, error))?;
        Ok(Plugin::new(self.common.clone(), pre, provision))
    }

    /// Names the import that could not be linked.
    fn missing(
        &self,
        linker: &Linker<State<T>>,
        component: &Component,
        provision: Provision,
        source: wasmtime::Error,
    ) -> Error {
        // Only the engine's message has the name of the import, between backticks, and after that
        // the reason.
        let text = one_line(source.as_ref());
        let ty = component.component_type();
        let mut names = ty.imports(&self.common.engine).map(|(name, _)| name);
        let Some(import) = names.find(|name| text.contains(&format!("`{name}`"))) else {
            return Error::Engine { operation: "link the plugin", source };
        };
        let detail =
            text.split_once("not found in the linker: ").map_or(&*text, |(_, detail)| detail);
        // The engine says of an interface that is not there that its first function is missing.
        let absent = detail.ends_with("implementation is missing")
            || detail.ends_with("not found in the linker");
        let absent = absent && !has(linker, import);
        let cause = match provision {
            _ if !absent => detail.to_owned(),
            Provision::Host => served_version(import, provider::SERVED)
                .map_or_else(String::new, |version| {
                    format!("the host serves version {version} of it")
                }),
            Provision::Other if is_scratch(import) => {
                "the plugin has no provider: load it with Provider::Host, or compose it with one"
                    .to_owned()
            }
            Provision::Component | Provision::Other => String::new(),
        };
        Error::MissingImport { import: import.to_owned(), cause, source: Some(source.into()) }
    }
}

/// Whether a linker has an import under this very name, which it then refuses to define again.
fn has<T: 'static>(linker: &Linker<T>, import: &str) -> bool {
    linker.clone().root().func_wrap(import, |_, ()| Ok(())).is_err()
}

/// Builds a [`Sandbox`].
pub struct SandboxBuilder<T: 'static = ()> {
    engine: Option<Engine>,
    limits: EngineLimits,
    cache: Option<Cache>,
    blocking_threads: usize,
    data: PhantomData<fn() -> T>,
}

/// The blocking threads of a sandbox by default: enough for plugins that wait for a disk, and few
/// enough not to slow each other down.
const BLOCKING_THREADS: usize = 32;

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            engine: None,
            limits: EngineLimits::default(),
            cache: None,
            blocking_threads: BLOCKING_THREADS,
            data: PhantomData,
        }
    }
}

impl<T: Send + 'static> SandboxBuilder<T> {
    /// Uses an engine of the embedder's: with a pooling allocator, say, or shared with other
    /// stores. Its configuration must be as [`EngineLimits::configure`] makes it; whatever else it
    /// has is the embedder's choice.
    ///
    /// The sandbox advances the engine's epoch, once per [time slice](EngineLimits::time_slice)
    /// while an asynchronous run computes, and once when a run is stopped. So other stores of the
    /// engine cannot measure time in epochs, and each needs a deadline that does not end it, such
    /// as [`epoch_deadline_async_yield_and_update`][update].
    ///
    /// A run that finds a pool full is [`Error::Busy`]: let runs wait for a place with
    /// [`RunOptions::hold`].
    ///
    /// [update]: wasmtime::Store::epoch_deadline_async_yield_and_update
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Sets the limits that protect the host from all plugins. With an [`engine`](Self::engine) of
    /// the embedder's, the size of the stack is the engine's.
    pub fn limits(mut self, limits: EngineLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Caches compiled plugins on disk, where every process of this user may reuse them.
    ///
    /// Code in the cache is executed without a check: its directory must belong to this user alone.
    /// For an [`engine`](Self::engine) of the embedder's, set the cache in its
    /// [`Config`](wasmtime::Config::cache).
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Limits the threads on which asynchronous runs wait for the disk: 32, at least 1.
    ///
    /// It is the size of the sandbox's own blocking pool, for `wasi:filesystem` and for files as
    /// standard streams. As many threads of the embedder's runtime at most, whatever the size of
    /// its blocking pool, make and remove scratch directories and serve the host provider. More
    /// serve more slow disks at once; each plugin that hangs in a system call takes one.
    pub fn blocking_threads(mut self, count: usize) -> Self {
        self.blocking_threads = count.max(1);
        self
    }

    /// Sets the type of the embedder's data; [`RunOptions::data`] gives the data of a run.
    pub fn data<U: Send + 'static>(self) -> SandboxBuilder<U> {
        let Self { engine, limits, cache, blocking_threads, data: _ } = self;
        SandboxBuilder { engine, limits, cache, blocking_threads, data: PhantomData }
    }

    /// The sandbox.
    ///
    /// # Errors
    ///
    /// If a limit is zero with which no plugin can run. If the engine cannot run on this machine,
    /// or the system refuses a stack of this size; if the embedder's engine lacks a setting that
    /// runs need; if there is an engine and a cache; if this process may not start threads or open
    /// descriptors as runs need them.
    pub fn build(self) -> Result<Sandbox<T>, Error> {
        check_process()?;
        let limits = self.limits;
        limits.check_zero()?;
        let engine = match (self.engine, self.cache) {
            (Some(_), Some(_)) => return Err(Error::CacheOfEngine),
            (Some(engine), None) => {
                limits.check(&engine)?;
                engine
            }
            (None, cache) => {
                let mut config = Config::new();
                limits.configure(&mut config);
                config.cache(cache);
                let engine = Engine::new(&config).map_err(failed("start the engine"))?;
                plugin::try_stack(&engine).map_err(failed("allocate a stack of this size"))?;
                engine
            }
        };
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .and_then(|()| provider::error_text::replace_in(&mut linker))
            .map_err(failed("link WASI"))?;
        let ticker = EpochTicker::new(&engine, limits.time_slice);
        let common = Common {
            engine,
            limits,
            metrics: Metrics::default(),
            ticker,
            blocking_threads: self.blocking_threads,
            threads: Threads::new(self.blocking_threads),
            runtime: OnceLock::new(),
        };
        Ok(Sandbox { common: Arc::new(common), linker })
    }
}

fn failed(operation: &'static str) -> impl FnOnce(wasmtime::Error) -> Error {
    move |source| Error::Engine { operation, source }
}
