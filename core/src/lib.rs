//! The rules of `scratch:tempfile`: names, exclusive creation, files, persisting, directories,
//! removal, limits.
//!
//! Everything is generic over a [`Platform`], the file system of a system by directory handle and
//! one name, over a [`Context`], which adds base directories, environment and accounting, and over
//! a random source of `rand_core`. The provider component uses it on wasi:filesystem; the native
//! client and the host use it on the operating system (feature `native`). The interface's own text,
//! in `wit/`, documents what each function promises.
//!
//! ```
//! # #[cfg(all(feature = "native", any(unix, windows)))] {
//! use tempfile_core::{Durability, Instance, Location, Options, Process, ReplaceMode};
//!
//! let instance = Instance::new(Process::default(), getrandom::SysRng);
//! let (file, mut path) = instance.named(&Options::default(), Location::Scratch)?;
//! file.write(b"hello", 0)?;
//! let target = format!("{}.kept", path.path());
//! path.persist(&target, ReplaceMode::NoClobber, Durability::None)?;
//! # std::fs::remove_file(target).unwrap();
//! # }
//! # Ok::<(), tempfile_core::Error>(())
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(all(feature = "native", any(unix, windows)))]
extern crate std;

mod account;
mod any_file;
mod blocks;
mod context;
mod convert;
mod create;
mod dir;
mod error;
mod failures;
mod file;
mod instance;
mod ledger;
mod limited;
mod limits;
mod location;
mod memory;
mod name;
#[cfg(all(feature = "native", any(unix, windows)))]
mod native;
mod path;
mod persist;
mod platform;
mod remove;
mod retry;
mod shared;
mod spool;
mod temp_path;
#[cfg(test)]
mod testing;
mod usage;

pub use any_file::{AnyFile, Spooled};
pub use context::{Base, Context, Descriptors};
pub use create::{MAX_TRIES, directory, named, under_new_name, unnamed};
pub use dir::{Entry, TempDir};
pub use error::{Cause, Error, ErrorCode};
pub use failures::CleanupFailure;
pub use file::{File, MAX_READ, MAX_WRITE, link_unnamed, read_at, set_size, write_at};
pub use instance::{Instance, Location};
pub use ledger::{LiveHandle, SharedLedger};
pub use limited::{Limited, LimitedDir, LimitedFile};
pub use limits::Limits;
pub use location::OpenLocation;
pub use memory::MemoryBudget;
pub use name::{DEFAULT_RANDOM_CHARS, MAX_LABEL, Options, check_portable};
#[cfg(all(feature = "native", any(unix, windows)))]
pub use native::{Entries, Native, Process, error_code_of};
pub use path::{MAX_NAME, MAX_PATH, longest_preopen};
pub use persist::{Durability, ReplaceMode, sync_file};
pub use platform::{
    DirectoryState, EntryKind, Identity, Metadata, Platform, RawEntry, name_to_str,
};
pub use spool::{Bytes, Spool, Storage};
pub use temp_path::TempPath;
pub use usage::{Counts, HandleKind, Usage};

/// What the macros of this crate name.
#[doc(hidden)]
pub mod __private {
    pub use alloc::vec::Vec;
}
