//! [`wasi_tempfile`] under the name `tempfile`, for `[patch.crates-io]`: the crates that a plugin
//! depends on then create their temporary files through `scratch:tempfile` too.
//!
//! `docs/from-tempfile.md` has the lines to add to `Cargo.toml`.
#![forbid(unsafe_code)]

pub use wasi_tempfile::*;
