//! Temporary files and directories for WebAssembly plugins, with the names of the [`tempfile`]
//! crate.
//!
//! ```
//! use std::io::{Read, Seek, SeekFrom, Write};
//!
//! let mut file = wasi_tempfile::tempfile()?;
//! file.write_all(b"scratch")?;
//! file.seek(SeekFrom::Start(0))?;
//! let mut text = String::new();
//! file.read_to_string(&mut text)?;
//! assert_eq!(text, "scratch");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Compiled to a component, this crate imports `scratch:tempfile`: the plugin needs no file system,
//! no preopen and no `std::env::temp_dir()`, which panics there. Compiled natively it applies the
//! same rules to the operating system, so that a plugin's own tests run like any others.
//!
//! # Differences from `tempfile`
//!
//! * [`File`] is this crate's own type: WASI has no way to make a `std::fs::File` of a descriptor.
//!   Natively it is one inside, and converts into it.
//! * Files in a [`TempDir`] can be created and opened through it ([`TempDir::create_file`] and its
//!   neighbours). `std::fs` sees a plugin's scratch directory as `/tmp`, unless the run limits
//!   bytes, entries or the size of files.
//! * Names and paths are UTF-8; others are refused.
//! * An `io::Error` carries the interface's code: [`error_code`].
//!
//! [`tempfile`]: https://docs.rs/tempfile
#![deny(unsafe_code)]

mod atomic;
mod builder;
mod dir;
pub mod env;
mod error;
mod file;
mod handle;
pub mod interface;
mod named;
mod path;
mod spooled;
#[cfg(any(not(target_family = "wasm"), feature = "direct"))]
mod stream;

pub use atomic::write_atomically;
pub use builder::Builder;
pub use dir::{DirPersistError, TempDir, tempdir, tempdir_in};
pub use error::error_code;
pub use file::{File, Metadata, tempfile, tempfile_in};
pub use named::{NamedTempFile, PersistError};
pub use path::{PathPersistError, TempPath};
pub use spooled::{SpooledData, SpooledTempFile, spooled_tempfile, spooled_tempfile_in};
#[cfg(any(not(target_family = "wasm"), feature = "direct"))]
pub use stream::{Reader, Writer};

/// The programs in the repository's README and the package's are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../README.md")]
struct Readme;

/// In wasm too: a program that sends its files to other threads compiles for both placements.
const _: () = {
    const fn sent_and_shared<T: Send + Sync>() {}
    sent_and_shared::<File>();
    sent_and_shared::<NamedTempFile>();
    sent_and_shared::<SpooledTempFile>();
    sent_and_shared::<TempDir>();
    sent_and_shared::<TempPath>();
};
