//! The interface `scratch:tempfile`, function by function, as every language sees it.
//!
//! The rest of this crate is made of it. Use it for what the `tempfile` crate has no name for: the codes of errors, durability, entries
//! of a directory. Nothing is consumed: after `close`, `keep` or `persist` has succeeded, a handle answers `closed`. In wasm these are the imports,
//! natively the same rules over the operating system; docs on what each promises are in the interface's text, `wit/`.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as sys;

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(target_family = "wasm")]
mod ledger;
#[cfg(target_family = "wasm")]
use imports as sys;

#[cfg(target_family = "wasm")]
pub use ledger::{leftovers, live, usage};
#[cfg(not(target_family = "wasm"))]
pub use native::{leftovers, live, usage};
#[cfg(all(target_family = "wasm", feature = "direct"))]
pub(crate) use sys::hand_over;
pub use sys::{File, TempDir, TempPath, default_directory, directory, link, named, spooled, unnamed};
#[cfg(all(target_family = "wasm", feature = "direct"))]
pub use sys::{open_directory, reader, writer};
pub use tempfile_core::{
    CleanupFailure, Counts, Durability, Entry, EntryKind, Error, ErrorCode, HandleKind, LiveHandle, Options,
    ReplaceMode, Storage, Usage,
};

/// Where something is created.
#[derive(Clone, Copy)]
pub enum Location<'a> {
    /// In the default directory.
    Scratch,
    /// In a temporary directory.
    Within(&'a TempDir),
    /// In an existing directory, given by its path.
    Directory(&'a str),
}
