//! `tempfile_core::Platform` over wasi:filesystem, in the terms of WASI 0.2.
//!
//! The provider component uses all of it; the client, in wasm, uses what concerns a file that was handed over. Off wasm the crate is
//! empty.
//!
//! What differs from host to host is kept to what all of them do: path flags are empty, so no link is followed; no trailing slash is sent;
//! files are opened with `read` and `write` and nothing else.
#![cfg(target_arch = "wasm32")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod code;
mod handles;
mod platform;

pub use handles::{open_again, reader, writer};
pub use platform::Wasi;
pub use wasip2::filesystem::types::Descriptor;
pub use wasip2::io::streams::{InputStream, OutputStream};
