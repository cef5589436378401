//! Runs composed plugins: one store, one scratch directory and one budget per run.

use std::path::Path;
use std::time::Instant;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::runtime::in_tokio;

use crate::components;
use crate::compose::{PluginPreopens, check_component, compose};
use crate::error::{Error, one_line};
use crate::provider;

mod control;
mod ending;
mod limits;
mod run;
mod state;

use control::Begun;
pub use control::Control;
pub use ending::{Ending, Outcome, Used};
pub use run::{Capture, Input, Mount, Output, Run};
pub use state::State;

/// An engine and what it serves to plugins: WASI 0.2 without a network, and whatever [`with`](Self::with) adds.
///
/// Making one is cheap, compiling a plugin is not: keep the [`Plugin`]. Clones share the engine.
#[derive(Clone)]
pub struct Sandbox {
    engine: Engine,
    linker: Linker<State>,
}

impl Sandbox {
    /// A sandbox that serves WASI 0.2.
    ///
    /// # Errors
    ///
    /// If the engine cannot run on this machine.
    pub fn new() -> Result<Self, Error> {
        let mut config = Config::new();
        // How a run is stopped that never calls the host.
        config.epoch_interruption(true);
        // What a deep recursion in a plugin may use; the fiber it runs on leaves as much again to the host's own calls.
        config.max_wasm_stack(1 << 20);
        config.async_stack_size(2 << 20);
        let engine = Engine::new(&config).map_err(|error| engine_error("start the engine", &error))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .map_err(|error| engine_error("link WASI", &error))?;
        Ok(Self { engine, linker })
    }

    /// Serves more than WASI: `add` gets the linker, and its functions find the run they belong to in [`State`].
    ///
    /// # Errors
    ///
    /// What `add` returns, say because a name is taken.
    pub fn with(
        mut self,
        add: impl FnOnce(&mut Linker<State>) -> wasmtime::Result<()>,
    ) -> Result<Self, Error> {
        add(&mut self.linker).map_err(|error| engine_error("link the embedder's functions", &error))?;
        Ok(self)
    }

    /// Composes a plugin with the provider this crate carries, and compiles it.
    ///
    /// # Errors
    ///
    /// As [`compose`] and [`load_composed`](Self::load_composed).
    pub fn load(&self, plugin: &[u8]) -> Result<Plugin, Error> {
        self.load_with(plugin, components::PROVIDER)
    }

    /// As [`load`](Self::load), with a provider that keeps to the limits of its run ([`Run::limits`]). It is larger, and every byte passes
    /// through it: where the host can provide, [`load_hosted`](Self::load_hosted) does better.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_limited(&self, plugin: &[u8]) -> Result<Plugin, Error> {
        let plugin = self.load_with(plugin, components::LIMITED_PROVIDER)?;
        Ok(Plugin { provider: Provider::LimitedComponent, ..plugin })
    }

    /// Composes a plugin with a provider of the caller's choice, and compiles it.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_with(&self, plugin: &[u8], provider: &[u8]) -> Result<Plugin, Error> {
        self.load_composed(&compose(plugin, provider, PluginPreopens::Granted)?)
    }

    /// Compiles a component as it is. What it contains sees the scratch directory among its preopens: this is for what
    /// [`compose`] made.
    ///
    /// # Errors
    ///
    /// If it is not a component, imports something that is not served, or does not export `wasi:cli/run`.
    pub fn load_composed(&self, component: &[u8]) -> Result<Plugin, Error> {
        self.link(&self.compile(component)?, &self.linker, Provider::Component)
    }

    /// Compiles a plugin as it is, and serves `scratch:tempfile` to it from the host: see [`provider`]. Its scratch directory
    /// is then not among its preopens, so it needs no stub.
    ///
    /// # Errors
    ///
    /// As [`load_composed`](Self::load_composed), or if [`with`](Self::with) has added a part of `scratch:tempfile`.
    pub fn load_hosted(&self, plugin: &[u8]) -> Result<Plugin, Error> {
        self.link(&self.compile(plugin)?, &self.providing()?, Provider::Host)
    }

    /// As [`load_composed`](Self::load_composed) or, if `hosted`, [`load_hosted`](Self::load_hosted), of what [`Plugin::compiled`] gave.
    ///
    /// # Safety
    ///
    /// The file is what [`Plugin::compiled`] gave to this very program, and nobody changes it while the plugin lives: it is code.
    #[allow(
        unsafe_code,
        reason = "the engine has no other way to run code that it compiled in another process"
    )]
    pub(crate) unsafe fn load_compiled(&self, file: &Path, hosted: bool) -> Result<Plugin, Error> {
        // SAFETY: what the caller promises is what the engine asks for.
        let component = unsafe { Component::deserialize_file(&self.engine, file) }
            .map_err(|error| engine_error("load a compiled plugin", &error))?;
        let (linker, provider) = match hosted {
            true => (self.providing()?, Provider::Host),
            false => (self.linker.clone(), Provider::Component),
        };
        self.link(&component, &linker, provider)
    }

    fn providing(&self) -> Result<Linker<State>, Error> {
        let mut linker = self.linker.clone();
        provider::add_to_linker(&mut linker).map_err(|error| engine_error("link the provider", &error))?;
        Ok(linker)
    }

    fn compile(&self, component: &[u8]) -> Result<Component, Error> {
        check_component("plugin", component)?;
        Component::from_binary(&self.engine, component)
            .map_err(|error| Error::Invalid { what: "plugin", cause: one_line(error.as_ref()) })
    }

    fn link(
        &self,
        component: &Component,
        linker: &Linker<State>,
        provider: Provider,
    ) -> Result<Plugin, Error> {
        let pre = linker.instantiate_pre(component).map_err(|error| self.missing(component, &error))?;
        let pre = CommandPre::new(pre).map_err(|_| Error::NoRun)?;
        Ok(Plugin { engine: self.engine.clone(), pre, provider })
    }

    /// Names the import that stands in the way.
    fn missing(&self, component: &Component, error: &wasmtime::Error) -> Error {
        // The engine has no other way to tell than its message, which says the import's name between backticks, and after
        // that what is wrong with it.
        let text = one_line(error.as_ref());
        let ty = component.component_type();
        let mut names = ty.imports(&self.engine).map(|(name, _)| name);
        let Some(import) = names.find(|name| text.contains(&format!("`{name}`"))) else {
            return engine_error("link the plugin", error);
        };
        let absent = text.ends_with("implementation is missing") || text.ends_with("not found in the linker");
        let detail = text.split_once("not found in the linker: ").map_or(&*text, |(_, detail)| detail);
        Error::MissingImport {
            import: import.to_owned(),
            cause: if absent { String::new() } else { detail.to_owned() },
        }
    }
}

/// Who serves `scratch:tempfile` to a plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// A component inside it, or nobody.
    Component,
    /// A component inside it, which keeps to the limits in its environment.
    LimitedComponent,
    /// This process.
    Host,
}

/// A compiled plugin. Clones share the code.
#[derive(Clone)]
pub struct Plugin {
    engine: Engine,
    pre: CommandPre<State>,
    provider: Provider,
}

impl Plugin {
    /// The machine code, for another process of this very program.
    pub(crate) fn compiled(&self) -> Result<Vec<u8>, Error> {
        let code = self.pre.instance_pre().component().serialize();
        code.map_err(|error| engine_error("keep a compiled plugin", &error))
    }

    /// Runs the plugin to its end, whatever that is, and removes its scratch directory.
    ///
    /// The calling thread is used for the plugin's code and for its file operations. It waits; so this must not be called
    /// from inside an asynchronous runtime.
    ///
    /// A run that is stopped ends at once in its own code and while it waits for standard input or a clock. It does not end
    /// inside a system call that blocks, such as a write to a full pipe: see [`Control::abandon`].
    ///
    /// # Errors
    ///
    /// If the run could not begin: the root is not writable, or a mount cannot be granted.
    pub fn run(&self, run: Run) -> Result<Outcome, Error> {
        in_tokio(self.execute(run))
    }

    async fn execute(&self, run: Run) -> Result<Outcome, Error> {
        match run.control.clone().begin(&self.engine, || run.root.create_dir())? {
            Some(begun) => self.execute_in(run, begun).await,
            None => Ok(Outcome::never_began()),
        }
    }

    async fn execute_in(&self, run: Run, begun: Begun) -> Result<Outcome, Error> {
        let Begun { control, scratch } = &begun;
        let (timeout, keep, began) = (run.timeout, run.keep, Instant::now());
        let mut store = Store::new(&self.engine, State::new(run, scratch, self.provider)?);
        store.limiter(|state| &mut state.budget);
        limits::apply(&mut store);
        let stopped = control.clone();
        store.epoch_deadline_callback(move |_| {
            Ok(match stopped.is_stopped() {
                true => UpdateDeadline::Interrupt,
                // Another run of this engine was meant.
                false => UpdateDeadline::Continue(1),
            })
        });
        store.set_epoch_deadline(1);

        let alarm = timeout.map(|timeout| control.stop_after(timeout));
        let guest = async {
            let command = self.pre.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        };
        let result = control.unless_stopped(guest).await;
        drop(alarm);

        let ending = Ending::of(result, control, &store.data().budget);
        let used = Used {
            memory: store.data().budget.used(),
            time: began.elapsed(),
            tempfile: (self.provider == Provider::Host).then(|| store.data().usage()),
        };
        // Open files first: what is still open may not be removable.
        drop(store);
        let left_behind = scratch.entries().unwrap_or_default();
        let kept = if keep { Some(scratch.keep()?) } else { None };
        Ok(Outcome { ending, left_behind, not_removed: scratch.close(), kept, used })
    }
}

pub(crate) fn engine_error(operation: &'static str, error: &wasmtime::Error) -> Error {
    Error::Engine { operation, cause: one_line(error.as_ref()) }
}
