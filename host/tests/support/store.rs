//! A store of an embedder's own, with WASI and the provider.

use wasi_tempfile_host::provider::{TempfileCtx, TempfileCtxView, TempfileView};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a store of an embedder's own.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) tempfile: TempfileCtx,
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
