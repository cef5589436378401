//! The provider component: `scratch:tempfile` on wasi:filesystem.
//!
//! It translates between the bindings and `tempfile_core`, and contains no rules. On other targets
//! the crate is empty. (The component that uses it is the *plugin*.)
#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod convert;
mod descriptors;
mod dir;
mod file;
mod ledger;
mod provider;
mod runtime;
mod temp_path;

/// Generated from the world `provider`.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: [
            "../wit/wasi/io.wit",
            "../wit/wasi/clocks.wit",
            "../wit/wasi/filesystem.wit",
            "../wit/tempfile",
            "../wit/tempfile-wasi",
            "wit",
        ],
        world: "scratch:tempfile-provider/provider",
        // There are no constructors for each export to run.
        disable_run_ctors_once_workaround: true,
        with: {
            "wasi:clocks/wall-clock@0.2.0": wasip2::clocks::wall_clock,
            "wasi:filesystem/types@0.2.0": wasip2::filesystem::types,
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
    });
    export!(Provider with_types_in self);
    use super::provider::Provider;
}
