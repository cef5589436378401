//! The provider component and the interface that this crate carries.

/// The provider: the interface `scratch:tempfile`, implemented on top of `wasi:filesystem`.
///
/// It enforces the limits in the variable [`Limits::VARIABLE`](crate::provider::Limits::VARIABLE)
/// of its environment, such as `bytes=1048576,handles=20`. If bytes, entries or file size are
/// limited, every byte passes through the provider, and `scratch:tempfile-wasi` is `unsupported`. A
/// malformed variable makes every creation fail with `invalid`.
pub const PROVIDER: &[u8] = include_bytes!(env!("COMPONENT_PROVIDER"));

/// The WIT packages that a plugin may import, as files: each one's path below a folder, and its
/// text.
///
/// In a folder beside a `world.wit`, tools find them without further options. The order is that of
/// reading: `scratch:tempfile` first, then its bridge to WASI 0.2, then what that needs of WASI.
pub const WIT: &[(&str, &str)] = &[
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
