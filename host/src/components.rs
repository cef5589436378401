//! The provider component and the interface that this crate carries.

/// The provider: the interface `scratch:tempfile`, implemented on top of `wasi:filesystem`.
///
/// It keeps to the limits that the variable [`Limits::VARIABLE`](crate::provider::Limits::VARIABLE) of its
/// environment sets, say `bytes=1048576,handles=20`. Where the variable is set, every byte passes through
/// the provider: `direct` and `streams` are `unsupported`. A variable that it does not understand makes
/// every creation fail with `invalid`.
pub const PROVIDER: &[u8] = include_bytes!(env!("COMPONENT_PROVIDER"));

/// The text of the WIT package `scratch:tempfile`, as one file.
pub const WIT: &str = include_str!(env!("WIT_PACKAGE"));
