//! The provider component: `scratch:tempfile` on wasi:filesystem.
//!
//! Thin on purpose: bindings on one side, `tempfile_core` on `tempfile_wasi::Wasi` on the other, and nothing decided here. Off wasm the
//! crate is empty.
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod convert;
mod dir;
mod direct;
mod file;
mod provider;
mod runtime;
mod streams;
#[cfg_attr(feature = "limits", path = "limited.rs")]
#[cfg_attr(not(feature = "limits"), path = "unlimited.rs")]
mod system;
mod temp_path;

/// What `wit-bindgen` makes of the world `provider`.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "provider",
        with: {
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
            "wasi:filesystem/preopens@0.2.12": wasip2::filesystem::preopens,
            "wasi:filesystem/types@0.2.12": wasip2::filesystem::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
            "wasi:random/random@0.2.12": wasip2::random::random,
        },
    });
    export!(Provider with_types_in self);
    use super::provider::Provider;
}
