//! Runs composed plugins: one store, one scratch directory and one budget per run.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine};
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::components;
use crate::compose::{PluginPreopens, check_component, compose};
use crate::error::{Error, one_line};
use crate::provider;

mod control;
mod counters;
mod ending;
mod guards;
mod instance;
mod limits;
mod plugin;
mod run;
mod state;
mod stdio;
mod tell;
mod turns;

pub use control::Control;
pub use counters::Counters;
use counters::Tally;
pub use ending::{Ending, Outcome, Used};
pub use guards::Guards;
pub use plugin::Plugin;
use plugin::Provider;
pub use run::{Mount, Run};
pub use state::State;
pub use stdio::{Capture, Input, Output};
use turns::Turns;

/// An engine and what it serves to plugins: WASI 0.2 without a network, and whatever [`with`](Self::with) adds.
///
/// Making one is cheap, compiling a plugin is not: keep the [`Plugin`]. Clones share the engine.
#[derive(Clone)]
pub struct Sandbox {
    common: Arc<Common>,
    linker: Linker<State>,
}

/// What a sandbox and its plugins share.
struct Common {
    engine: Engine,
    guards: Guards,
    tally: Tally,
    turns: Turns,
}

impl Sandbox {
    /// A sandbox that serves WASI 0.2, behind the default [`Guards`].
    ///
    /// # Errors
    ///
    /// If the engine cannot run on this machine.
    pub fn new() -> Result<Self, Error> {
        Self::with_guards(Guards::default())
    }

    /// A sandbox that serves WASI 0.2, behind these guards.
    ///
    /// # Errors
    ///
    /// If the engine cannot run on this machine, or not with this stack.
    pub fn with_guards(guards: Guards) -> Result<Self, Error> {
        Self::with_config(guards, Config::new())
    }

    /// A sandbox behind the default [`Guards`] that keeps the machine code of plugins in a directory, an absolute path, and
    /// takes it from there when the same plugin is loaded again, by any process. Whoever can write to the directory can
    /// run code in this process.
    ///
    /// # Errors
    ///
    /// If the directory can neither be opened nor made, or the engine cannot run on this machine.
    pub fn with_cache(directory: &Path) -> Result<Self, Error> {
        let mut cache = CacheConfig::new();
        cache.with_directory(directory);
        let cache = Cache::new(cache).map_err(|error| engine_error("open the cache", &error))?;
        let mut config = Config::new();
        config.cache(Some(cache));
        Self::with_config(Guards::default(), config)
    }

    fn with_config(guards: Guards, mut config: Config) -> Result<Self, Error> {
        // How a run is stopped that never calls the host.
        config.epoch_interruption(true);
        guards.configure(&mut config);
        let engine = Engine::new(&config).map_err(|error| engine_error("start the engine", &error))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)
            .map_err(|error| engine_error("link WASI", &error))?;
        let turns = Turns::new(&engine, guards.turn);
        Ok(Self { common: Arc::new(Common { engine, guards, tally: Tally::default(), turns }), linker })
    }

    /// What protects the host from its plugins.
    pub fn guards(&self) -> Guards {
        self.common.guards
    }

    /// What has become of all runs so far, of all plugins of this sandbox and of its clones.
    pub fn counters(&self) -> Counters {
        self.common.tally.snapshot()
    }

    /// Serves more than WASI: `add` gets the linker, and its functions find the run they belong to in [`State`]. One that waits should be
    /// asynchronous (`func_wrap_async`), or it holds up the threads of [`Plugin::run_async`].
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
        let plugin = self.load_with(plugin, components::PROVIDER)?;
        Ok(Plugin { provider: Provider::Carried, ..plugin })
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
        self.link(&self.compile(component)?, &self.linker, Provider::Other)
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

    fn providing(&self) -> Result<Linker<State>, Error> {
        let mut linker = self.linker.clone();
        provider::add_to_linker(&mut linker).map_err(|error| engine_error("link the provider", &error))?;
        Ok(linker)
    }

    fn compile(&self, component: &[u8]) -> Result<Component, Error> {
        check_component("plugin", component)?;
        Component::from_binary(&self.common.engine, component)
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
        Ok(Plugin::new(self.common.clone(), pre, provider))
    }

    /// Names the import that stands in the way.
    fn missing(&self, component: &Component, error: &wasmtime::Error) -> Error {
        // The engine has no other way to tell than its message, which says the import's name between backticks, and after
        // that what is wrong with it.
        let text = one_line(error.as_ref());
        let ty = component.component_type();
        let mut names = ty.imports(&self.common.engine).map(|(name, _)| name);
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

pub(crate) fn engine_error(operation: &'static str, error: &wasmtime::Error) -> Error {
    Error::Engine { operation, cause: one_line(error.as_ref()) }
}
