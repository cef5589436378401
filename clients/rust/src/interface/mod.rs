//! The interface `scratch:tempfile`, function by function, as every language sees it.
//!
//! The rest of this crate is built on it. Use it for what the `tempfile` crate has no name for:
//! error codes, durability, entries of a directory, publishing a directory, the ledger. No method
//! consumes its handle: after a successful `close`, `keep` or `persist`, a handle fails with
//! `closed`. In wasm these functions are the plugin's imports, natively the same rules on the
//! operating system. The interface's text in `wit/` documents what each promises.
//!
//! # Examples
//!
//! A result that readers see complete or not at all, on the disk when `persist` returns:
//!
//! ```
//! use wasi_tempfile::interface::{
//!     self, Durability, Error, ErrorCode, Location, Options, ReplaceMode,
//! };
//!
//! # let out = interface::directory(&Options::default(), Location::Scratch)?;
//! # let target = format!("{}/result", out.path());
//! # let out_path = out.path();
//! let options = Options { suffix: ".txt".into(), ..Options::default() };
//! let (file, name) = interface::named(&options, Location::Directory(&out_path))?;
//! file.write(b"text", 0)?;
//! name.persist(&target, ReplaceMode::NoClobber, Durability::Full)?;
//! // The handle is still there, and closed.
//! assert_eq!(name.reopen().map_err(|error| error.code).err(), Some(ErrorCode::Closed));
//! # Ok::<(), Error>(())
//! ```
//!
//! The ledger shows what is not closed yet:
//!
//! ```
//! use wasi_tempfile::interface::{self, Error, HandleKind, Location, Options};
//!
//! let options = Options { label: Some("upload".into()), ..Options::default() };
//! let dir = interface::directory(&options, Location::Scratch)?;
//! let open = interface::live_handles()?;
//! let ours = open.iter().find(|handle| handle.path.as_deref() == Some(&*dir.path()));
//! let ours = ours.map(|handle| (&handle.kind, handle.label.as_deref()));
//! assert_eq!(ours, Some((&HandleKind::Directory, Some("upload"))));
//! # Ok::<(), Error>(())
//! ```

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
///
/// ```
/// use wasi_tempfile::interface::{self, Error, Location, Options};
///
/// let dir = interface::directory(&Options::default(), Location::Scratch)?;
/// // Removed with the directory.
/// let (file, name) = interface::named(&Options::default(), Location::Within(&dir))?;
/// assert!(name.path().starts_with(&dir.path()));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy)]
pub enum Location<'a> {
    /// In the default directory.
    Scratch,
    /// In a temporary directory.
    Within(&'a TempDir),
    /// In an existing directory, given by its path.
    Directory(&'a str),
}
