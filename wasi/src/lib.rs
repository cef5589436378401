//! wasi:filesystem of WASI 0.2 as a platform of `tempfile_core`, and an instance as its context.
//!
//! The provider component uses all of it. The client uses it, in wasm, for files that the provider
//! exchanged for descriptors. On other targets the crate is empty.
//!
//! Only what behaves alike on all hosts is used: path flags are empty, so no link is followed; no
//! trailing slash is sent; files are opened with `read` and `write` and nothing else; nothing
//! relies on `metadata-hash`, which on some hosts changes with every write.
#![cfg(target_arch = "wasm32")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod code;
mod context;
mod platform;
mod streams;

pub use context::WasiContext;
pub use platform::{Entries, Wasi};
pub use streams::{directory_descriptor, read_via_stream, write_via_stream};
pub use wasip2::filesystem::types::Descriptor;
pub use wasip2::io::streams::{InputStream, OutputStream};
