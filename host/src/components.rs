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

/// The text of the WIT package `scratch:tempfile`, as one file.
pub const WIT: &str = include_str!(concat!(env!("OUT_DIR"), "/package.wit"));

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

    /// The example plugin with a world of its own.
    pub const TRANSFORM: &[u8] = include_bytes!(env!("COMPONENT_TRANSFORM"));

    /// A plugin whose imports name no file system.
    pub const BARE_PLUGIN: &[u8] = include_bytes!(env!("COMPONENT_BARE_PLUGIN"));
}
