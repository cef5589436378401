//! What a store carries.

use std::path::{Path, PathBuf};

use wasmtime_wasi::{FsPerms, ResourceTable, WasiCtx, WasiCtxView, WasiView};

use super::guards::Guards;
use super::limits::Budget;
use super::plugin::Provider;
use super::run::Run;
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, one_line};
use crate::provider::{Meter, TempfileCtx, TempfileCtxView, TempfileView};
use crate::scratch::ScratchDir;

/// Whose threads a run is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    /// It has one for itself.
    Own,
    /// It shares them with other tasks.
    Shared,
}

/// One run, as the functions of a linker see it.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
    scratch: PathBuf,
    threads: Threads,
    pub(super) budget: Budget,
}

impl State {
    pub(super) fn new(
        mut run: Run,
        scratch: &ScratchDir,
        provider: Provider,
        guards: &Guards,
        threads: Threads,
    ) -> Result<Self, Error> {
        let mut wasi = WasiCtx::builder();
        guards.apply_wasi(&mut wasi);
        // Before the first directory, which copies the setting. The detour through a pool makes every path call three to ten
        // times slower, so a run that has its thread for itself is spared it.
        wasi.allow_blocking_current_thread(threads == Threads::Own);
        // To a provider component the scratch directory is a preopen; a plugin that the host provides for never gets near one.
        if provider != Provider::Host {
            wasi.preopened_dir(scratch.path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite).map_err(|error| {
                Error::Engine { operation: "open the scratch directory", cause: one_line(error.as_ref()) }
            })?;
        }
        let tempfile = run.tempfile(scratch, provider)?;
        let scratch = scratch.path().to_owned();
        let budget = Budget::new(run.memory, guards);
        run.grant(&mut wasi, threads)?;
        Ok(Self { wasi: wasi.build(), table: guards.table(), tempfile, scratch, threads, budget })
    }

    /// Where the run's scratch directory lies, on the host. A function that gets at it must not tell a plugin.
    pub fn scratch_path(&self) -> &Path {
        &self.scratch
    }

    /// Where the host's own provider counts.
    pub(super) fn meter(&self) -> Meter {
        self.tempfile.meter()
    }

    /// What it counted so far.
    pub(super) fn usage(&self) -> tempfile_core::Usage {
        self.tempfile.usage()
    }

    /// How often the host's own provider refused more than the limits.
    pub(super) fn refused(&self) -> u64 {
        self.tempfile.refused()
    }

    /// The handles of the run: where a host function keeps the resources it gives to the plugin.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        let view = self.tempfile.view(&mut self.table);
        match self.threads {
            Threads::Own => view,
            Threads::Shared => view.on_shared_threads(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::ScratchRoot;

    #[test]
    fn what_the_host_provides_tells_a_runtime_whose_threads_are_shared() {
        let path = std::env::temp_dir().join(format!("state-test-{}", std::process::id()));
        let root = ScratchRoot::open(&path).expect("open the root");
        let scratch = root.create_dir().expect("make a directory");
        let tells = |threads| {
            let run = Run::in_root(&root);
            let mut state =
                State::new(run, &scratch, Provider::Host, &Guards::default(), threads).expect("make it");
            state.tempfile().tells_the_runtime()
        };
        assert_eq!([Threads::Own, Threads::Shared].map(tells), [false, true]);
        assert!(scratch.close().is_empty());
        std::fs::remove_dir(path).expect("nothing else is in the root");
    }
}
