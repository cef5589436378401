//! The host provider: `scratch:tempfile` implemented by the host.
//!
//! It uses the same rules as the provider component (`tempfile_core`), on the operating system
//! instead of wasi:filesystem. On Unix, files have mode 0600 and directories 0700; on Linux, an
//! unnamed file never has a name where the file system has such files. Error codes are exact.
//! Besides the system's own copy, a write copies no bytes and a read copies them once. A plugin
//! needs no `wasi:filesystem`.
//!
//! A sandbox sets all of this up, with the [`Limits`] of
//! [`RunOptions::limits`](crate::RunOptions::limits), and shows the [`Usage`] in the
//! [`Outcome`](crate::Outcome). The rest of this module is for embedders with a wasmtime store of
//! their own, and works like wasmtime's host crates: a [`TempfileCtx`] in the store's data, a
//! [`TempfileView`] that finds it there, and [`add_to_linker`].
//!
//! ```
//! use wasi_tempfile_host::ScratchRoot;
//! use wasi_tempfile_host::provider::{TempfileCtx, TempfileCtxView, TempfileView};
//! use wasmtime::component::{Component, Linker, ResourceTable};
//! use wasmtime::{Engine, Store};
//!
//! struct State {
//!     table: ResourceTable,
//!     tempfile: TempfileCtx,
//! }
//!
//! impl TempfileView for State {
//!     fn tempfile(&mut self) -> TempfileCtxView<'_> {
//!         self.tempfile.view(&mut self.table)
//!     }
//! }
//!
//! // A plugin in WebAssembly text: it returns the length of the default directory's path.
//! const PLUGIN: &str = r#"(component
//!     (import "scratch:tempfile/tempfile@0.1.0" (instance $tempfile
//!         (type $code' (enum "access" "busy" "closed" "cross-device" "exist" "exhausted"
//!             "file-too-large" "invalid" "invalid-name" "io" "is-directory" "name-too-long"
//!             "no-entry" "no-scratch" "no-space" "not-directory" "not-durable" "not-empty" "other"
//!             "out-of-handles" "out-of-memory" "quota" "read-only" "replaced" "unsupported"))
//!         (export "error-code" (type $code (eq $code')))
//!         (type $error' (record (field "code" $code) (field "message" string)
//!             (field "path" (option string))))
//!         (export "error" (type $error (eq $error')))
//!         (export "default-directory" (func (result (result string (error $error)))))))
//!     (core module $heap
//!         (memory (export "memory") 1)
//!         (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
//!     (core instance $heap (instantiate $heap))
//!     (alias core export $heap "memory" (core memory $memory))
//!     (core func $ask (canon lower (func $tempfile "default-directory")
//!         (memory $memory) (realloc (core func $heap "realloc"))))
//!     (core module $main
//!         (import "" "memory" (memory 1))
//!         (import "" "ask" (func $ask (param i32)))
//!         (func (export "length") (result i32)
//!             (call $ask (i32.const 0))
//!             (i32.load (i32.const 8))))
//!     (core instance $main (instantiate $main (with "" (instance
//!         (export "memory" (memory $memory))
//!         (export "ask" (func $ask))))))
//!     (func (export "length") (result u32) (canon lift (core func $main "length"))))"#;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let engine = Engine::default();
//!     let mut linker = Linker::<State>::new(&engine);
//!     wasi_tempfile_host::provider::add_to_linker(&mut linker)?;
//!
//!     // One directory for each store, removed with everything in it however the instance ends.
//!     let scratch = ScratchRoot::open_default()?.create_dir()?;
//!     let tempfile = TempfileCtx::builder(scratch)?.build()?;
//!     let mut store = Store::new(&engine, State { table: ResourceTable::new(), tempfile });
//!
//!     let plugin = Component::new(&engine, wat::parse_str(PLUGIN)?)?;
//!     let instance = linker.instantiate(&mut store, &plugin)?;
//!     let length = instance.get_typed_func::<(), (u32,)>(&mut store, "length")?;
//!     assert_eq!(length.call(&mut store, ())?, ("/tmp".len() as u32,));
//!     Ok(())
//! }
//! ```

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use getrandom::SysRng;
use tempfile_core::Context as _;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::JoinHandle;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

use crate::blocking::{Threads, block_in_place, on_worker_of};
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::Error;
use crate::scratch::ScratchDir;

mod context;
mod convert;
mod descriptors;
mod dir;
pub(crate) mod error_text;
mod file;
mod ledger;
mod temp_path;
mod tempfile;

pub(crate) use context::Meter;
pub use context::TempfileCtxBuilder;
#[doc(inline)]
pub use tempfile_core::MemoryBudget;
pub use tempfile_core::{Counts, Limits, Usage};

/// Generated from the world `imports` of `scratch:tempfile-wasi`.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: [
            "wit/wasi/io.wit",
            "wit/wasi/clocks.wit",
            "wit/wasi/filesystem.wit",
            "wit/tempfile",
            "wit/tempfile-wasi",
        ],
        world: "scratch:tempfile-wasi/imports",
        imports: { default: tracing | trappable },
        trappable_error_type: { "scratch:tempfile/tempfile.error" => super::Failure },
        with: {
            "scratch:tempfile/tempfile.file": super::handles::File,
            "scratch:tempfile/tempfile.temp-path": super::handles::TempPath,
            "scratch:tempfile/tempfile.temp-dir": super::handles::TempDir,
            "wasi:clocks/wall-clock": wasmtime_wasi::p2::bindings::clocks::wall_clock,
            "wasi:filesystem/types": wasmtime_wasi::p2::bindings::filesystem::types,
            "wasi:io/error": wasmtime_wasi::p2::bindings::io::error,
            "wasi:io/poll": wasmtime_wasi::p2::bindings::io::poll,
            "wasi:io/streams": wasmtime_wasi::p2::bindings::io::streams,
        },
        require_store_data_send: true,
    });
}

use bindings::scratch::tempfile as interface;

/// The interfaces that [`add_to_linker`] adds.
pub(crate) const SERVED: [&str; 3] = [
    "scratch:tempfile/tempfile@0.1.0",
    "scratch:tempfile/ledger@0.1.0",
    "scratch:tempfile-wasi/descriptors@0.2.0",
];

use handles::{File, TempDir, TempPath};

/// The Rust types behind the interface's resources.
// Public for the bindings, which name them in public types; the module is not.
#[allow(missing_docs, unreachable_pub)]
mod handles {
    use getrandom::SysRng;

    use super::context::InstanceContext;

    pub type File = tempfile_core::AnyFile<InstanceContext, SysRng>;
    pub type TempPath = tempfile_core::TempPath<InstanceContext>;
    pub type TempDir = tempfile_core::TempDir<InstanceContext>;
}

/// The interface's state for one instance: its scratch directory, the mounts and variables it was
/// granted, and its ledger.
///
/// It belongs into the data of one store.
pub struct TempfileCtx {
    instance: tempfile_core::Instance<context::InstanceContext, SysRng>,
    /// How often a call failed with `quota` or `out-of-handles`.
    refused: u64,
    /// How many files, paths and directories are in the table, closed ones too.
    in_table: usize,
    /// How much else is in the table, at most: WASI drops what this interface gives to it.
    of_wasi: usize,
}

impl TempfileCtx {
    fn new(instance: tempfile_core::Instance<context::InstanceContext, SysRng>) -> Self {
        Self { instance, refused: 0, in_table: 0, of_wasi: 0 }
    }

    /// Builds the state for this scratch directory, which the plugin knows as
    /// [`SCRATCH_GUEST_PATH`].
    ///
    /// The state owns the directory, and removes it when it and the last handle are dropped. So a
    /// directory has one ledger and one set of limits: [`share`](Self::share) gives both to another
    /// store.
    ///
    /// # Errors
    ///
    /// If the directory has been closed.
    pub fn builder(scratch: ScratchDir) -> Result<TempfileCtxBuilder, Error> {
        TempfileCtxBuilder::new(Arc::new(scratch))
    }

    /// The scratch directory. A clone outlives the store, to close the directory afterwards and
    /// learn what could not be removed.
    pub fn scratch(&self) -> &Arc<ScratchDir> {
        self.instance.context().scratch()
    }

    /// The state for another store with the same scratch directory: it has the same mounts and
    /// variables, and ledger, limits and memory are those of both together.
    pub fn share(&self) -> Self {
        Self::new(self.instance.clone())
    }

    /// The view that a [`TempfileView`] returns. `table` stores the instance's handles.
    pub fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> TempfileCtxView<'a> {
        TempfileCtxView { ctx: self, table, blocking: Blocking::Inline }
    }

    /// What the instance has in use, and had at most: what its own `ledger.get-usage` returns.
    pub fn usage(&self) -> Usage {
        self.instance.context().ledger().usage()
    }

    /// Whether operations that take many steps are to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.instance.context().is_stopped()
    }

    pub(crate) fn meter(&self) -> Meter {
        self.instance.context().meter()
    }

    /// How often a call failed with `quota` or `out-of-handles`, whether by a limit of the host's,
    /// of the file system's or of the process's.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// What the instance may have in use at one moment: what its own `ledger.get-limits` returns.
    pub fn limits(&self) -> Limits {
        self.instance.context().ledger().limits()
    }
}

impl fmt::Debug for TempfileCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempfileCtx").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

/// A store's data, as the interface's functions see it.
pub struct TempfileCtxView<'a> {
    ctx: &'a mut TempfileCtx,
    table: &'a mut ResourceTable,
    blocking: Blocking,
}

impl fmt::Debug for TempfileCtxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ctx.fmt(f)
    }
}

/// A store's data that has a [`TempfileCtx`].
pub trait TempfileView: Send {
    /// Returns it, together with the table for its handles.
    fn tempfile(&mut self) -> TempfileCtxView<'_>;
}

/// How a blocking call is made.
#[derive(Clone, Copy)]
enum Blocking {
    /// On the calling thread, which runs nothing but the plugin.
    Inline,
    /// On the calling thread, after the runtime has moved its other tasks to another one.
    BlockInPlace,
}

impl Blocking {
    fn run<T>(self, act: impl FnOnce() -> T) -> T {
        match self {
            Blocking::BlockInPlace => block_in_place(act),
            Blocking::Inline => act(),
        }
    }
}

/// Adds `scratch:tempfile` and `scratch:tempfile-wasi` to a linker.
///
/// The functions are synchronous, for stores of either kind: a call that waits for the disk blocks
/// its thread. Use [`add_to_linker_async`] on a runtime that shares its threads among instances.
///
/// Add WASI first: if `wasi:io/error` is there, it is replaced by one with messages of a single
/// line. WASI's own shows a backtrace of your process to the plugin, if `RUST_BACKTRACE` is set.
///
/// # Errors
///
/// If the linker has one of the interfaces already.
pub fn add_to_linker<T: TempfileView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add(linker, T::tempfile)
}

/// As [`add_to_linker`], for stores on tokio: in a task of [`spawn`], blocking calls run in
/// [`tokio::task::block_in_place`], so that a slow disk does not stall the other tasks of a worker
/// thread. In any other place they run as with [`add_to_linker`].
///
/// # Errors
///
/// As [`add_to_linker`].
pub fn add_to_linker_async<T: TempfileView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    add(linker, |data| data.tempfile().on_shared_threads())
}

/// The threads that tasks of [`spawn`] may block at the same time.
const MAX_BLOCKED: usize = 32;

static BLOCKED: OnceLock<Threads> = OnceLock::new();

/// Spawns a task on the current tokio runtime, in which stores that were linked by
/// [`add_to_linker_async`] do not stall the other tasks of a multi-thread runtime.
///
/// Works as [`tokio::spawn`]. In such a task the provider may call `block_in_place`, which panics
/// in several other places, and tokio has no way to detect those. At most 32 threads block at the
/// same time; beyond that a call blocks its worker. Without a current runtime, the task runs on the
/// runtime of `wasmtime-wasi`.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    with_ambient_tokio_runtime(|| {
        let runtime = Handle::current();
        match runtime.runtime_flavor() {
            RuntimeFlavor::MultiThread => {
                let threads = BLOCKED.get_or_init(|| Threads::new(MAX_BLOCKED)).clone();
                runtime.spawn(on_worker_of(Some(runtime.clone()), threads, future))
            }
            _ => runtime.spawn(future),
        }
    })
}

struct HasTempfile;

impl HasData for HasTempfile {
    type Data<'a> = TempfileCtxView<'a>;
}

fn add<T: TempfileView + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    interface::tempfile::add_to_linker::<T, HasTempfile>(linker, view)?;
    file::add_write_to_linker(linker, view)?;
    interface::ledger::add_to_linker::<T, HasTempfile>(linker, view)?;
    error_text::replace_in(linker)?;
    bindings::scratch::tempfile_wasi::descriptors::add_to_linker::<T, HasTempfile>(linker, view)
}

/// Defines something in a linker again, also in one that otherwise refuses names that are taken.
fn shadowing<T>(
    linker: &mut Linker<T>,
    define: impl Fn(&mut Linker<T>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    if define(linker).is_ok() {
        return Ok(());
    }
    linker.allow_shadowing(true);
    let defined = define(linker);
    linker.allow_shadowing(false);
    defined
}

/// How a call fails: with an error that the plugin receives, or with a trap for an invalid handle.
#[derive(Debug)]
pub(crate) enum Failure {
    Error(tempfile_core::Error),
    Trap(wasmtime::Error),
}

impl From<tempfile_core::Error> for Failure {
    fn from(error: tempfile_core::Error) -> Self {
        Failure::Error(error)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Failure::Trap(error.into())
    }
}

impl TempfileCtxView<'_> {
    /// The same view, whose blocking calls run in `block_in_place`: see [`add_to_linker_async`].
    pub(crate) fn on_shared_threads(self) -> Self {
        Self { blocking: Blocking::BlockInPlace, ..self }
    }

    #[cfg(test)]
    pub(crate) fn blocks_in_place(&self) -> bool {
        matches!(self.blocking, Blocking::BlockInPlace)
    }

    /// Makes a call that may wait for the disk.
    fn call<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.blocking.run(|| act(self))
    }

    /// Uses a resource in a call that may wait for the disk.
    fn call_on<R: 'static, T>(
        &mut self,
        resource: &Resource<R>,
        act: impl FnOnce(&mut R) -> Result<T, tempfile_core::Error>,
    ) -> Result<T, Failure> {
        self.call(|view| Ok(act(view.table.get_mut(resource)?)?))
    }

    /// Gives something of this interface to the plugin. If the table is full it is dropped, and
    /// with it what it guards.
    fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, Failure> {
        let handle = self.push_uncounted(value)?;
        self.ctx.in_table += 1;
        Ok(handle)
    }

    /// Gives something to the plugin that WASI serves, and drops.
    fn push_for_wasi<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, Failure> {
        let handle = self.push_uncounted(value)?;
        self.ctx.of_wasi += 1;
        Ok(handle)
    }

    fn push_uncounted<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, Failure> {
        let full = || {
            let code = tempfile_core::ErrorCode::OutOfHandles;
            Failure::from(tempfile_core::Error::without_path(code, "give out a handle"))
        };
        // A full table is a trap in WASI, so an eighth of it is left to WASI.
        let capacity = self.table.max_capacity();
        let room = capacity - capacity / 8;
        if self.ctx.in_table + self.ctx.of_wasi >= room {
            // Some of it may have been dropped.
            self.ctx.of_wasi = self.table.iter_mut().count().saturating_sub(self.ctx.in_table);
            if self.ctx.in_table + self.ctx.of_wasi >= room {
                return Err(full());
            }
        }
        self.table.push(value).map_err(|error| match error {
            ResourceTableError::Full => full(),
            error => Failure::Trap(error.into()),
        })
    }

    /// Drops something that the plugin had.
    fn delete<T: Send + 'static>(&mut self, handle: Resource<T>) -> wasmtime::Result<()> {
        self.call(|view| {
            drop(view.table.delete(handle)?);
            view.ctx.in_table -= 1;
            Ok(())
        })
    }

    /// Keeps what the live handles guard in the scratch directory, so that their drop leaves it.
    pub(crate) fn keep_guarded(&mut self) {
        let in_scratch = |path: &str| Path::new(path).starts_with(SCRATCH_GUEST_PATH);
        for entry in self.table.iter_mut() {
            // A handle that is closed has nothing to keep.
            if let Some(path) = entry.downcast_mut::<TempPath>()
                && in_scratch(path.path())
            {
                let _ = path.keep();
            } else if let Some(dir) = entry.downcast_mut::<TempDir>()
                && in_scratch(dir.path())
            {
                let _ = dir.keep();
            }
        }
    }
}

#[cfg(test)]
mod tests;
