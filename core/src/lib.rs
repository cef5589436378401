//! The rules of `scratch:tempfile`, each once: names, exclusive creation, files, paths, persisting, directories, removal.
//!
//! Everything here is generic over [`Platform`], a system's files by directory handle and one name, and over a source of
//! randomness in `rand_core`'s terms. The provider component puts it on wasi:filesystem; the native client and the host on the
//! operating system (feature `native`). What each function promises stands in the interface, `wit/`.
//!
//! ```
//! # #[cfg(feature = "native")] {
//! use tempfile_core::{Durability, Native, Options, ReplaceMode, default_place, named};
//!
//! let mut source = getrandom::SysRng;
//! let place = default_place(&Native, &mut source)?;
//! let (file, mut path) = named(&Native, &mut source, &Options::default(), &place)?;
//! file.write(0, b"hello")?;
//! path.persist(&format!("{}.kept", path.path()), ReplaceMode::NoClobber, Durability::None)?;
//! # std::fs::remove_file(format!("{}.kept", path.path())).unwrap();
//! # }
//! # Ok::<(), tempfile_core::Error>(())
//! ```
#![no_std]
#![deny(unsafe_code)]

// On wasm the feature does nothing: cargo's first resolver adds up the features of all targets.
#[cfg(all(feature = "native", not(any(unix, target_family = "wasm"))))]
compile_error!("the native platform needs a Unix: it works by directory descriptor");

extern crate alloc;
#[cfg(all(feature = "native", unix))]
extern crate std;

mod any_file;
mod birth;
mod blocks;
mod create;
mod default_directory;
mod dir;
mod error;
mod file;
mod ledger;
mod lifetime;
mod limits;
mod name;
#[cfg(all(feature = "native", unix))]
mod native;
mod path;
mod platform;
mod remove;
mod spool;
mod temp_path;
#[cfg(test)]
mod testing;

pub use any_file::{AnyFile, Spooled, SpooledFiles, make_room, spooled};
pub use create::{MAX_TRIES, adopt, directory, named, place_at, under_new_name, unnamed};
pub use default_directory::default_place;
pub use dir::{Entry, TempDir};
pub use error::{Error, ErrorCode};
pub use file::{Durability, File, MAX_READ, MAX_WRITE, link_unnamed};
pub use ledger::{Counts, HandleKind, Ledger, LiveHandle, Usage};
pub use lifetime::Lifetimes;
pub use limits::{Limited, LimitedFile, Limits};
pub use name::{DEFAULT_RANDOM_CHARS, MAX_NAME, Options, text};
#[cfg(all(feature = "native", unix))]
pub use native::{Native, Surroundings, error_code_of};
pub use path::{MAX_PATH, Place, longest_preopen};
pub use platform::{Anchor, EntryKind, Identity, Now, Platform, RawEntry};
pub use remove::CleanupFailure;
pub use spool::{Bytes, Spool, Storage};
pub use temp_path::{ReplaceMode, TempPath};
