//! The interface `scratch:tempfile`, served by the host itself.
//!
//! A provider component is one more instance between a plugin and its files; here the plugin's imports end in this process. The same rules
//! (`tempfile_core`) then stand directly on the operating system: files of mode 0600 and directories of 0700, unnamed files that never had
//! a name, exact error codes, and bytes that are copied once. A plugin needs no `wasi:filesystem` for it.
//!
//! A sandbox does all of this by itself: [`Provider::Host`](crate::Provider::Host). This module is for an embedder with
//! a wasmtime store of their own, in the manner of wasmtime's own host crates: a [`TempfileCtx`] in the store's state, a
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
//! // A plugin in WebAssembly text: it asks for the default directory, and answers with the length of its path.
//! const PLUGIN: &str = r#"(component
//!     (import "scratch:tempfile/types@0.1.0" (instance $types
//!         (type $code' (enum "access" "busy" "closed" "cross-device" "exist" "exhausted" "file-too-large" "invalid"
//!             "invalid-name" "io" "is-directory" "name-too-long" "no-entry" "no-scratch" "no-space" "not-directory"
//!             "not-empty" "out-of-handles" "out-of-memory" "quota" "read-only" "replaced" "unsupported"))
//!         (export "error-code" (type $code (eq $code')))
//!         (type $error' (record (field "code" $code) (field "message" string)))
//!         (export "error" (type (eq $error')))))
//!     (alias export $types "error" (type $error))
//!     (import "scratch:tempfile/tempfile@0.1.0" (instance $tempfile
//!         (export "error" (type $error' (eq $error)))
//!         (export "default-directory" (func (result (result string (error $error')))))))
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
//!     // One directory for each instance. It goes with everything in it, however the instance ends.
//!     let scratch = ScratchRoot::open_default()?.create_dir()?;
//!     let tempfile = TempfileCtx::builder(&scratch)?.build();
//!     let mut store = Store::new(&engine, State { table: ResourceTable::new(), tempfile });
//!
//!     let plugin = Component::new(&engine, wat::parse_str(PLUGIN)?)?;
//!     let instance = linker.instantiate(&mut store, &plugin)?;
//!     let length = instance.get_typed_func::<(), (u32,)>(&mut store, "length")?;
//!     assert_eq!(length.call(&mut store, ())?, ("/tmp".len() as u32,));
//!     Ok(())
//! }
//! ```

use std::collections::BTreeSet;
use std::fmt;

use tempfile_core::{Lifetimes, Place, Platform as _};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use crate::blocking::block_in_place;
use crate::error::Error;
use crate::scratch::ScratchDir;

mod convert;
mod dir;
mod direct;
mod expiry;
mod file;
mod ledger;
mod platform;
mod streams;
mod temp_path;
mod tempfile;

pub(crate) use platform::Meter;
pub use platform::TempfileCtxBuilder;
pub use tempfile_core::{Counts, Limits, Usage};

/// What wasmtime makes of the world `plugin-with-ledger`.
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin-with-ledger",
        imports: { default: tracing | trappable },
        trappable_error_type: { "scratch:tempfile/types.error" => super::Failure },
        with: {
            "scratch:tempfile/tempfile.file": super::handles::File,
            "scratch:tempfile/tempfile.temp-path": super::handles::TempPath,
            "scratch:tempfile/tempfile.temp-dir": super::handles::TempDir,
            "wasi": wasmtime_wasi::p2::bindings,
        },
        require_store_data_send: true,
    });
}

use bindings::scratch::tempfile as interface;

use handles::{File, Held, Key, Platform, TempDir, TempPath};

/// What handles stand for.
// Public for the bindings, which name them in public types; the module is not.
#[allow(missing_docs, unreachable_pub)]
mod handles {
    use getrandom::SysRng;
    use wasmtime::component::Resource;

    use super::platform::Guest;

    pub type Platform = tempfile_core::Limited<Guest>;
    pub type File = tempfile_core::AnyFile<Platform, SysRng>;
    pub type TempPath = tempfile_core::TempPath<Platform>;
    pub type TempDir = tempfile_core::TempDir<Platform>;

    /// What the table calls a handle, and what it is of.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Key {
        File(u32),
        Path(u32),
        Directory(u32),
    }

    pub trait Held: Send + Sized + 'static {
        const KEY: fn(u32) -> Key;
        fn key(handle: &Resource<Self>) -> Key {
            Self::KEY(handle.rep())
        }
    }

    impl Held for File {
        const KEY: fn(u32) -> Key = Key::File;
    }

    impl Held for TempPath {
        const KEY: fn(u32) -> Key = Key::Path;
    }

    impl Held for TempDir {
        const KEY: fn(u32) -> Key = Key::Directory;
    }
}

/// What one instance's `scratch:tempfile` stands on: its scratch directory, the mounts and variables it was granted, and its ledger.
///
/// It belongs into the state of a store, and to one instance: two that share it share their files.
pub struct TempfileCtx {
    platform: Platform,
    default: Option<Place<Platform>>,
    /// How many handles are in the table.
    handles: usize,
    /// Those of spooled files, among which room in memory is made.
    spooled: BTreeSet<u32>,
    /// How long handles have lived, where that is limited.
    lives: Option<Lifetimes<Key>>,
    /// How often it was refused more than its limits.
    refused: u64,
}

impl TempfileCtx {
    /// One for this scratch directory, which the plugin knows as [`SCRATCH_GUEST_PATH`](crate::SCRATCH_GUEST_PATH).
    ///
    /// # Errors
    ///
    /// If the directory has been closed.
    pub fn builder(scratch: &ScratchDir) -> Result<TempfileCtxBuilder, Error> {
        TempfileCtxBuilder::new(scratch)
    }

    /// The view that a [`TempfileView`] answers with. `table` is where the instance's handles are kept.
    pub fn view<'a>(&'a mut self, table: &'a mut ResourceTable) -> TempfileCtxView<'a> {
        TempfileCtxView { ctx: self, table, waiting: Waiting::Here }
    }

    /// How much the instance has in use, and had at most: what its own `ledger.usage` says.
    pub fn usage(&self) -> Usage {
        self.platform.ledger(|ledger, _| ledger.usage()).unwrap_or_default()
    }

    pub(crate) fn meter(&self) -> Meter {
        self.platform.get_ref().meter()
    }

    /// How often it was refused more than its limits: answers of `quota`, whether the limit is the host's or the file system's.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// How much it may have at one time: what its own `ledger.limits` says.
    pub fn limits(&self) -> Limits {
        self.platform.ledger(|ledger, _| ledger.limits()).unwrap_or_default()
    }
}

impl fmt::Debug for TempfileCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempfileCtx").field("usage", &self.usage()).finish_non_exhaustive()
    }
}

/// The state of a store, as the functions of the interface see it.
pub struct TempfileCtxView<'a> {
    ctx: &'a mut TempfileCtx,
    table: &'a mut ResourceTable,
    waiting: Waiting,
}

impl fmt::Debug for TempfileCtxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ctx.fmt(f)
    }
}

/// A store's state that has a [`TempfileCtx`].
pub trait TempfileView: Send {
    /// Finds it, together with the table for its handles.
    fn tempfile(&mut self) -> TempfileCtxView<'_>;
}

/// Where a call waits for the disk.
#[derive(Clone, Copy)]
enum Waiting {
    /// On the thread that runs the plugin, which has it for itself.
    Here,
    /// There too, but after the runtime has been told, so that its other tasks find another thread.
    Told,
}

impl Waiting {
    fn wait<T>(self, act: impl FnOnce() -> T) -> T {
        match self {
            Waiting::Told => block_in_place(act),
            Waiting::Here => act(),
        }
    }
}

/// Serves `scratch:tempfile` to the components of a linker: all interfaces of the world `plugin-with-ledger`.
///
/// The functions are synchronous, for stores of either kind; a call that waits for the disk holds up its thread. A runtime that shares its
/// threads among instances wants [`add_to_linker_async`].
///
/// # Errors
///
/// If the linker has one of the interfaces already.
pub fn add_to_linker<T: TempfileView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add(linker, T::tempfile)
}

/// As [`add_to_linker`], for stores on tokio: on a worker thread of a multi-thread runtime, blocking calls
/// run in [`tokio::task::block_in_place`], so that a slow disk does not stall the worker's other tasks.
///
/// Elsewhere (on a current-thread runtime, in a `LocalSet`, in `block_on`) they run as with
/// [`add_to_linker`]. One arrangement cannot be told from a worker: a current-thread runtime on whose
/// thread another, multi-thread runtime has been [entered](tokio::runtime::Handle::enter) while the
/// store is polled. `block_in_place` panics there, so use [`add_to_linker`].
///
/// # Errors
///
/// As [`add_to_linker`].
pub fn add_to_linker_async<T: TempfileView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add(linker, |state| state.tempfile().on_shared_threads())
}

struct HasTempfile;

impl HasData for HasTempfile {
    type Data<'a> = TempfileCtxView<'a>;
}

fn add<T: TempfileView + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> TempfileCtxView<'_>,
) -> wasmtime::Result<()> {
    interface::types::add_to_linker::<T, HasTempfile>(linker, view)?;
    interface::tempfile::add_to_linker::<T, HasTempfile>(linker, view)?;
    file::serve_write(linker, view)?;
    interface::ledger::add_to_linker::<T, HasTempfile>(linker, view)?;
    interface::direct::add_to_linker::<T, HasTempfile>(linker, view)?;
    interface::streams::add_to_linker::<T, HasTempfile>(linker, view)
}

/// How a call fails: with an answer to the plugin, or, for a handle that is none, with a trap.
#[derive(Debug)]
pub(crate) enum Failure {
    Answer(tempfile_core::Error),
    Trap(wasmtime::Error),
}

impl From<tempfile_core::Error> for Failure {
    fn from(error: tempfile_core::Error) -> Self {
        Failure::Answer(error)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Failure::Trap(error.into())
    }
}

impl interface::types::Host for TempfileCtxView<'_> {
    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<interface::types::Error> {
        match failure {
            Failure::Answer(error) => {
                self.ctx.refused += u64::from(error.code == tempfile_core::ErrorCode::Quota);
                Ok(convert::error(error))
            }
            Failure::Trap(error) => Err(error),
        }
    }
}

impl TempfileCtxView<'_> {
    /// The same, for a store whose calls must not hold up their thread: see [`add_to_linker_async`].
    pub(crate) fn on_shared_threads(self) -> Self {
        Self { waiting: Waiting::Told, ..self }
    }

    #[cfg(test)]
    pub(crate) fn tells_the_runtime(&self) -> bool {
        matches!(self.waiting, Waiting::Told)
    }

    /// Does what may wait for the disk, when no handle is used.
    fn call<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        self.call_using(None, act)
    }

    /// Does what may wait for the disk with a handle.
    fn call_on<H: Held, T>(&mut self, handle: &Resource<H>, act: impl FnOnce(&mut Self) -> T) -> T {
        self.call_using(Some(H::key(handle)), act)
    }

    fn call_using<T>(&mut self, used: Option<Key>, act: impl FnOnce(&mut Self) -> T) -> T {
        self.waiting.wait(|| {
            self.live(used);
            act(self)
        })
    }

    /// Hands something to the plugin, which was made from another handle or from none. Where the table is full, which would be a trap, it is
    /// dropped again, and with it what it promised to remove.
    fn push<H: Held>(&mut self, value: H, from: Option<Key>) -> Result<Resource<H>, Failure> {
        let handle = self.put(value)?;
        self.ctx.handles += 1;
        self.born(H::key(&handle), from);
        Ok(handle)
    }

    /// Hands out what WASI serves from then on, and drops in the end.
    fn put<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, Failure> {
        let full = || {
            let code = tempfile_core::ErrorCode::OutOfHandles;
            Failure::Answer(tempfile_core::Error::new(code, "hand out", "a handle"))
        };
        // WASI traps when it finds no room, so an eighth is left to its streams and descriptors.
        let all = self.table.max_capacity();
        if self.ctx.handles >= all - all / 8 {
            return Err(full());
        }
        self.table.push(value).map_err(|error| match error {
            ResourceTableError::Full => full(),
            error => Failure::Trap(error.into()),
        })
    }

    /// Takes it back, and drops it.
    fn delete<H: Held>(&mut self, handle: Resource<H>) -> wasmtime::Result<()> {
        self.died(H::key(&handle));
        drop(self.table.delete(handle)?);
        self.ctx.handles -= 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
