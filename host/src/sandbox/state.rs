//! The data of a run's store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

use super::EngineLimits;
use super::control::Begun;
use super::limiter::StoreLimiter;
use super::options::Settings;
use super::plugin::Provision;
use crate::error::Error;
use crate::provider::{MemoryBudget, Meter, TempfileCtx, TempfileCtxView, TempfileView};

/// The thread of a run, and so where it may wait for the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RunMode {
    /// A thread of its own, which may block.
    Blocking,
    /// The thread of a current-thread runtime: files are used on the blocking pool.
    CurrentThread,
    /// A worker of a multi-thread runtime: the same, and host functions that block do so in
    /// `block_in_place`.
    MultiThread,
}

/// The data of a run's store: what the functions added by [`Sandbox::with`](crate::Sandbox::with)
/// and the closures of [`Plugin::call`](crate::Plugin::call) work on.
pub struct State<T = ()> {
    data: T,
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
    scratch: PathBuf,
    /// Whether the scratch directory is to be kept, with what the plugin's handles guard in it.
    keep: bool,
    mode: RunMode,
    /// Bytes that the plugin has written to standard error.
    stderr: Arc<AtomicU64>,
    pub(super) limiter: StoreLimiter,
    /// Whether the plugin has its instance and its stack: from then on errors are of its call.
    pub(super) instantiated: bool,
}

impl<T> State<T> {
    pub(super) fn new(
        data: T,
        mut settings: Settings,
        begun: &Begun,
        provision: Provision,
        limits: &EngineLimits,
        mode: RunMode,
    ) -> Result<Self, Error> {
        settings.read_limits(provision)?;
        settings.check_mounts()?;
        let keep = settings.keep;
        let mut wasi = WasiCtx::builder();
        limits.apply_wasi(&mut wasi);
        // Before the first directory, which copies the setting. The detour through the blocking
        // pool makes every call with a path three to ten times slower.
        wasi.allow_blocking_current_thread(mode == RunMode::Blocking);
        let memory = MemoryBudget::new(settings.memory);
        let tempfile = settings.tempfile(begun, provision, &memory, limits.default_handles())?;
        let stderr = Arc::default();
        settings.grant(&mut wasi, begun.scratch(), provision, mode, &stderr)?;
        Ok(Self {
            data,
            wasi: wasi.build(),
            table: limits.table(),
            tempfile,
            scratch: begun.path().to_owned(),
            keep,
            mode,
            stderr,
            limiter: StoreLimiter::new(memory, limits),
            instantiated: false,
        })
    }

    /// The embedder's data, as given by [`RunOptions::data`](crate::RunOptions::data).
    pub fn data(&self) -> &T {
        &self.data
    }

    /// The embedder's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// The path of the run's scratch directory, on the host. Do not show it to the plugin.
    pub fn scratch_path(&self) -> &Path {
        &self.scratch
    }

    /// The handles of the run: where a host function keeps the resources that it gives to the
    /// plugin.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(super) fn meter(&self) -> Meter {
        self.tempfile.meter()
    }

    pub(super) fn usage(&self) -> tempfile_core::Usage {
        self.tempfile.usage()
    }

    pub(super) fn written_to_stderr(&self) -> u64 {
        self.stderr.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self) -> u64 {
        self.tempfile.refused()
    }
}

impl<T> Drop for State<T> {
    fn drop(&mut self) {
        if self.keep {
            self.tempfile.view(&mut self.table).keep_guarded();
        }
    }
}

impl<T: Send> TempfileView for State<T> {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        let view = self.tempfile.view(&mut self.table);
        match self.mode {
            RunMode::Blocking | RunMode::CurrentThread => view,
            RunMode::MultiThread => view.on_shared_threads(),
        }
    }
}

impl<T: Send> WasiView for State<T> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunOptions;
    use crate::scratch::ScratchRoot;

    #[test]
    fn only_a_run_on_a_multi_thread_runtime_blocks_in_place() {
        let path = std::env::temp_dir().join(format!("state-test-{}", std::process::id()));
        let root = ScratchRoot::open(&path).expect("open the root");
        let engine = wasmtime::Engine::default();
        let blocks_in_place = |mode| {
            let RunOptions { settings, run, .. } = RunOptions::in_root(&root);
            let begun = run.begin(&engine, false, || root.create_dir()).expect("make a directory");
            let (begun, limits) = (begun.expect("not stopped"), EngineLimits::default());
            let state = State::new((), settings, &begun, Provision::Host, &limits, mode);
            state.expect("make it").tempfile().blocks_in_place()
        };
        let modes = [RunMode::Blocking, RunMode::CurrentThread, RunMode::MultiThread];
        assert_eq!(modes.map(blocks_in_place), [false, false, true]);
        std::fs::remove_dir(path).expect("nothing else is in the root");
    }
}
