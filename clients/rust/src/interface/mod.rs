//! The interface `scratch:tempfile`, function by function, as every language sees it.
//!
//! The rest of this crate is built on it. Use it for what the `tempfile` crate has no name for:
//! error codes, durability, entries of a directory, publishing a directory, the ledger. No method
//! consumes its handle: after a successful `close`, `keep` or `persist`, a handle fails with
//! `closed`. In wasm these functions are the plugin's imports, natively the same rules on the
//! operating system. The interface's text in `wit/` documents what each promises.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as sys;

#[cfg(target_family = "wasm")]
mod imports;
#[cfg(target_family = "wasm")]
use imports as sys;

pub use sys::{
    File, TempDir, TempPath, default_directory, directory, leftovers, limits, link, live_handles,
    named, spooled, unnamed, usage,
};
#[cfg(all(target_family = "wasm", feature = "direct"))]
pub use sys::{directory_descriptor, file_descriptor, read_via_stream, write_via_stream};
pub use tempfile_core::{
    CleanupFailure, Counts, Durability, Entry, EntryKind, Error, ErrorCode, HandleKind, Limits,
    LiveHandle, Metadata, Options, ReplaceMode, Storage, Usage,
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
