//! wasi:filesystem of WASI 0.2 as a platform of `tempfile_core`, and an instance as its context.
//!
//! The provider component uses all of it. The client uses it, in wasm, for files that the provider
//! exchanged for descriptors. On other targets the crate is empty but for its tests.
//!
//! Only what behaves alike on all hosts is used: path flags are empty, so no link is followed; no
//! trailing slash is sent; files are opened with `read` and `write` and nothing else; nothing
//! relies on `metadata-hash`, which on some hosts changes with every write.
#![cfg(any(target_arch = "wasm32", test))]
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod code;
#[cfg(target_arch = "wasm32")]
mod context;
#[cfg(target_arch = "wasm32")]
mod file;
mod open_files;
#[cfg(target_arch = "wasm32")]
mod platform;
#[cfg(target_arch = "wasm32")]
mod streams;

#[cfg(target_arch = "wasm32")]
pub use {
    context::WasiContext,
    file::{File, Handle, Held},
    platform::{Entries, Wasi},
    streams::{directory_descriptor, read_via_stream, stream_error_code, write_via_stream},
    wasip2::filesystem::types::Descriptor,
    wasip2::io::streams::{InputStream, OutputStream},
};
