//! What a store carries.

use std::path::{Path, PathBuf};

use wasmtime_wasi::{FsPerms, ResourceTable, WasiCtx, WasiCtxView, WasiView};

use super::Provider;
use super::limits::{self, Budget};
use super::run::Run;
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, one_line};
use crate::provider::{TempfileCtx, TempfileCtxView, TempfileView};
use crate::scratch::ScratchDir;

/// One run, as the functions of a linker see it.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
    scratch: PathBuf,
    pub(super) budget: Budget,
}

impl State {
    pub(super) fn new(mut run: Run, scratch: &ScratchDir, provider: Provider) -> Result<Self, Error> {
        let mut wasi = WasiCtx::builder();
        limits::apply_wasi(&mut wasi);
        // Before the first directory, which copies the setting. A run has its thread for itself: a detour through a pool
        // makes every path call three to ten times slower.
        wasi.allow_blocking_current_thread(true);
        // To a provider component the scratch directory is a preopen; a plugin that the host provides for never gets near one.
        if provider != Provider::Host {
            wasi.preopened_dir(scratch.path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite).map_err(|error| {
                Error::Engine { operation: "open the scratch directory", cause: one_line(error.as_ref()) }
            })?;
        }
        let tempfile = run.tempfile(scratch, provider)?;
        let scratch = scratch.path().to_owned();
        let budget = Budget::new(run.memory);
        run.grant(&mut wasi)?;
        Ok(Self { wasi: wasi.build(), table: limits::table(), tempfile, scratch, budget })
    }

    /// Where the run's scratch directory lies, on the host. A function that gets at it must not tell a plugin.
    pub fn scratch_path(&self) -> &Path {
        &self.scratch
    }

    /// What the host's own provider counted so far.
    pub(super) fn usage(&self) -> tempfile_core::Usage {
        self.tempfile.usage()
    }

    /// The handles of the run: where a host function keeps the resources it gives to the plugin.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        self.tempfile.view(&mut self.table)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
