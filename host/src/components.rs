//! The components and the interface this crate carries, built from the workspace's own sources.

/// The provider: the interface `scratch:tempfile`, implemented on top of `wasi:filesystem`.
pub const PROVIDER: &[u8] = include_bytes!(env!("COMPONENT_PROVIDER"));

/// The same, within the limits that the variable [`Limits::VARIABLE`](crate::provider::Limits::VARIABLE) of its environment sets, say
/// `bytes=1048576,handles=20`. Where it does, every byte passes through the provider: `direct` and `streams` are `unsupported`. A variable that it does not understand
/// makes every creation fail with `invalid`.
pub const LIMITED_PROVIDER: &[u8] = include_bytes!(env!("COMPONENT_LIMITED_PROVIDER"));

/// The conformance suite, a `wasi:cli/run` command that imports the interface.
pub const SUITE: &[u8] = include_bytes!(env!("COMPONENT_SUITE"));

/// The example plugin: an external merge sort from standard input to standard output.
pub const SORT: &[u8] = include_bytes!(env!("COMPONENT_SORT"));

/// The WIT packages that a plugin may import, as files: each one's path below a folder, and its text.
///
/// In a folder beside a `world.wit`, tools find them without further options. The order is that of
/// reading: `scratch:tempfile` first, then its bridge to WASI 0.2, then what that needs of WASI.
pub const WIT: &[(&str, &str)] = &[
    ("deps/scratch-tempfile/types.wit", include_str!("../wit/tempfile/types.wit")),
    ("deps/scratch-tempfile/tempfile.wit", include_str!("../wit/tempfile/tempfile.wit")),
    ("deps/scratch-tempfile/ledger.wit", include_str!("../wit/tempfile/ledger.wit")),
    (
        "deps/scratch-tempfile-wasi/descriptors.wit",
        include_str!("../wit/tempfile-wasi/descriptors.wit"),
    ),
    ("deps/wasi-io/io.wit", include_str!("../wit/wasi/io.wit")),
    ("deps/wasi-clocks/clocks.wit", include_str!("../wit/wasi/clocks.wit")),
    ("deps/wasi-filesystem/filesystem.wit", include_str!("../wit/wasi/filesystem.wit")),
];

/// What only this project's own tests run. A published package does not carry it.
#[cfg(test_components)]
#[doc(hidden)]
pub mod for_tests {
    /// A provider whose removal lies.
    pub const BROKEN_PROVIDER: &[u8] = include_bytes!(env!("COMPONENT_BROKEN_PROVIDER"));

    /// A plugin with a subcommand for every way to misbehave.
    pub const PLUGIN: &[u8] = include_bytes!(env!("COMPONENT_TEST_PLUGIN"));

    /// The example plugin for a service: it takes an upload in.
    pub const UPLOAD: &[u8] = include_bytes!(env!("COMPONENT_UPLOAD"));

    /// A plugin whose imports name no file system.
    pub const BARE_PLUGIN: &[u8] = include_bytes!(env!("COMPONENT_BARE_PLUGIN"));
}
