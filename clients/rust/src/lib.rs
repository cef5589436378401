//! Temporary files and directories for WebAssembly plugins, under the names of the [`tempfile`] crate.
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
//! Compiled to a component, this crate imports `scratch:tempfile`: the plugin needs no file system, no preopen and no
//! `std::env::temp_dir()`, which panics there. Compiled natively it is the same rules over the operating system, so that a plugin's
//! own tests run like any others.
//!
//! # What differs from `tempfile`
//!
//! * [`File`] is this crate's own, in both placements: WASI has no `std::fs::File` to wrap. It reads, writes and seeks as that one does.
//!   Natively it converts into one.
//! * Files in a [`TempDir`] are created and opened through it ([`TempDir::create_file`] and its neighbours), since `std::fs`
//!   can't see the scratch directory of a plugin.
//! * Names and paths are UTF-8; others are refused.
//! * An error carries the interface's code: [`error_code`].
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
pub use dir::{TempDir, tempdir, tempdir_in};
pub use error::error_code;
pub use file::{File, Metadata, tempfile, tempfile_in};
pub use named::{NamedTempFile, PersistError};
pub use path::{PathPersistError, TempPath};
pub use spooled::{SpooledData, SpooledTempFile, spooled_tempfile, spooled_tempfile_in};
#[cfg(any(not(target_family = "wasm"), feature = "direct"))]
pub use stream::{Reader, Writer};

/// The README's program is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
