//! An embedder with a store of their own: instances that live on, with other settings than a sandbox's.

use std::sync::Arc;

use wasi_tempfile_host::provider::{self, TempfileCtx, TempfileCtxView, TempfileView};
use wasi_tempfile_host::{PluginPreopens, SCRATCH_GUEST_PATH, ScratchDir, components, compose};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::{Command, CommandPre};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

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
    /// Whether a call waits for the file system on the thread that runs the plugin, and not on one of a pool.
    blocking: bool,
}

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
    _scratch: Arc<ScratchDir>,
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
        let engine = Engine::default();
        let bytes = match placement {
            Placement::Component => whole(plugin),
            Placement::Host => plugin.to_vec(),
        };
        let component = Component::from_binary(&engine, &bytes).expect("compile a plugin");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("link WASI");
        if placement == Placement::Host {
            provider::add_to_linker(&mut linker).expect("link the provider");
        }
        let pre = linker.instantiate_pre(&component).and_then(CommandPre::new).expect("link a plugin");
        Self { engine, pre, placement, blocking: true }
    }

    pub(crate) fn with_blocking(self, blocking: bool) -> Self {
        Self { blocking, ..self }
    }

    /// An instance that has not run.
    pub(crate) fn instantiate(&self, scratch: &Arc<ScratchDir>) -> Store<State> {
        let mut store = self.store(scratch, &[], MemoryOutputPipe::new(0));
        in_tokio(self.pre.instantiate_async(&mut store)).expect("instantiate a plugin");
        store
    }

    /// An instance that has done a work, and lives on; and what it answered.
    pub(crate) fn live(&self, scratch: &Arc<ScratchDir>, work: &str, count: u64) -> (Store<State>, u64) {
        let output = MemoryOutputPipe::new(1 << 10);
        let mut store = self.store(scratch, &["bench", work, &count.to_string()], output.clone());
        let ran = in_tokio(async {
            let command: Command = self.pre.instantiate_async(&mut store).await?;
            command.wasi_cli_run().call_run(&mut store).await
        });
        ran.expect("run a plugin").expect("the plugin succeeds");
        let answer = String::from_utf8_lossy(&output.contents()).trim().parse().unwrap_or(0);
        (store, answer)
    }

    fn store(&self, scratch: &Arc<ScratchDir>, arguments: &[&str], output: MemoryOutputPipe) -> Store<State> {
        let mut wasi = WasiCtx::builder();
        wasi.allow_blocking_current_thread(self.blocking).args(arguments).stdout(output);
        if self.placement == Placement::Component {
            wasi.preopened_dir(scratch.path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite)
                .expect("grant a directory");
        }
        let tempfile = TempfileCtx::builder(scratch).expect("the directory is open").build();
        let (wasi, table) = (wasi.build(), ResourceTable::new());
        let mut store = Store::new(&self.engine, State { wasi, table, tempfile, _scratch: scratch.clone() });
        // A hundred thousand files in one instance, with a handle on either side.
        store.set_max_component_handles(1 << 20);
        store
    }
}

/// A plugin with the provider inside.
pub(crate) fn whole(plugin: &[u8]) -> Vec<u8> {
    compose(plugin, components::PROVIDER, PluginPreopens::Granted)
        .expect("compose a plugin with the provider")
}
