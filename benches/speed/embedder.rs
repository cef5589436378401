//! Plugins in a store of the embedder's own: instances stay alive, with settings that `Sandbox`
//! does not offer.

use tokio::runtime::Runtime;
use wasi_tempfile_host::provider::{
    self, Limits, MemoryBudget, TempfileCtx, TempfileCtxView, TempfileView,
};
use wasi_tempfile_host::{PluginPreopens, SCRATCH_GUEST_PATH, ScratchRoot, components, compose};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Store};
use wasmtime_wasi::p2::bindings::{Command, CommandPre, sync};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// The limit on handles: one row has a hundred thousand live files in an instance.
const HANDLES: u64 = 1 << 19;

/// The limit on the memory that the host's provider keeps for them, in bytes.
const MEMORY: u64 = 1 << 30;

/// Who provides.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    Component,
    Host,
}

/// A compiled plugin, and how its instances are made.
#[derive(Clone)]
pub(crate) struct Embedder {
    pub(crate) engine: Engine,
    pre: CommandPre<State>,
    placement: Placement,
    /// Whether file calls block the thread of the plugin, instead of running on a thread pool.
    blocking: bool,
}

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        self.tempfile.view(&mut self.table)
    }
}

impl Embedder {
    /// Compiles a plugin, composed with the provider or as it is.
    pub(crate) fn new(plugin: &[u8], placement: Placement) -> Self {
        Self::on(&Engine::default(), plugin, placement)
    }

    /// The same, for an engine of its own.
    pub(crate) fn on(engine: &Engine, plugin: &[u8], placement: Placement) -> Self {
        let bytes = match placement {
            Placement::Component => whole(plugin),
            Placement::Host => plugin.to_vec(),
        };
        let component = Component::from_binary(engine, &bytes).expect("compile a plugin");
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("link WASI");
        if placement == Placement::Host {
            provider::add_to_linker(&mut linker).expect("link the provider");
        }
        let pre =
            linker.instantiate_pre(&component).and_then(CommandPre::new).expect("link a plugin");
        Self { engine: engine.clone(), pre, placement, blocking: true }
    }

    pub(crate) fn with_blocking(self, blocking: bool) -> Self {
        Self { blocking, ..self }
    }

    /// An instance that has not run.
    pub(crate) fn instantiate(&self, scratch: &TempfileCtx) -> Store<State> {
        let mut store = self.store(scratch, &[], MemoryOutputPipe::new(0));
        in_tokio(self.pre.instantiate_async(&mut store)).expect("instantiate a plugin");
        store
    }

    /// An instance that has done a work, and lives on; and what it answered.
    pub(crate) fn live(
        &self,
        scratch: &TempfileCtx,
        work: &str,
        count: u64,
    ) -> (Store<State>, u64) {
        let output = MemoryOutputPipe::new(1 << 10);
        let mut store = self.store(scratch, &["bench", work, &count.to_string()], output.clone());
        let ran = in_tokio(async {
            let command: Command = self.pre.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        });
        ran.expect("run a plugin").expect("the plugin succeeds");
        (store, answer(&output))
    }

    fn store(
        &self,
        scratch: &TempfileCtx,
        arguments: &[&str],
        output: MemoryOutputPipe,
    ) -> Store<State> {
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(self.blocking)
            .args(arguments)
            .stdout(output)
            .inherit_stderr();
        store(&self.engine, wasi, scratch, self.placement)
    }
}

/// A composed plugin that is called synchronously.
pub(crate) struct Synchronous {
    engine: Engine,
    pre: sync::CommandPre<State>,
    runtime: Runtime,
}

impl Synchronous {
    pub(crate) fn new(plugin: &[u8]) -> Self {
        let engine = Engine::default();
        let component = Component::from_binary(&engine, &whole(plugin)).expect("compile a plugin");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("link WASI");
        let pre = linker
            .instantiate_pre(&component)
            .and_then(sync::CommandPre::new)
            .expect("link a plugin");
        Self { engine, pre, runtime: Runtime::new().expect("start a runtime") }
    }

    /// Has an instance do a work, and says what it answers.
    pub(crate) fn work(&self, scratch: &TempfileCtx, work: &str, count: u64, entered: bool) -> u64 {
        let output = MemoryOutputPipe::new(1 << 10);
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(true).stdout(output.clone());
        wasi.args(&["bench", work, &count.to_string()]);
        let mut store = store(&self.engine, wasi, scratch, Placement::Component);
        let _entered = entered.then(|| self.runtime.enter());
        let command = self.pre.instantiate(&mut store).expect("instantiate a plugin");
        let ran = command.wasi_cli_run().call_run(&mut store);
        ran.expect("run a plugin").expect("the plugin succeeds");
        answer(&output)
    }
}

/// An engine that keeps the memory of instances that have ended for those to come.
pub(crate) fn pooling() -> Engine {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    Engine::new(&config).expect("start an engine")
}

/// A scratch directory, for any number of instances.
pub(crate) fn scratch(root: &ScratchRoot) -> TempfileCtx {
    let scratch = root.create_dir().expect("make a scratch directory");
    let tempfile = TempfileCtx::builder(scratch).expect("the directory is open");
    let limits = Limits { handles: Some(HANDLES), ..Limits::default() };
    let memory = MemoryBudget::new(MEMORY);
    tempfile.limits(limits).memory(&memory).build().expect("there is memory for the provider")
}

fn store(
    engine: &Engine,
    mut wasi: WasiCtxBuilder,
    scratch: &TempfileCtx,
    placement: Placement,
) -> Store<State> {
    if placement == Placement::Component {
        wasi.preopened_dir(scratch.scratch().path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite)
            .expect("grant a directory");
        wasi.env(Limits::VARIABLE, format!("handles={HANDLES}"));
    }
    let (wasi, table, tempfile) = (wasi.build(), ResourceTable::new(), scratch.share());
    let mut store = Store::new(engine, State { wasi, table, tempfile });
    // Each file has a handle on either side.
    store.set_max_component_handles(2 * HANDLES as usize);
    store
}

fn answer(output: &MemoryOutputPipe) -> u64 {
    String::from_utf8_lossy(&output.contents()).trim().parse().unwrap_or(0)
}

/// A plugin with the provider inside.
pub(crate) fn whole(plugin: &[u8]) -> Vec<u8> {
    compose(plugin, components::PROVIDER, PluginPreopens::Granted)
        .expect("compose a plugin with the provider")
}
