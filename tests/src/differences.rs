//! Where placements answer differently: each cause, the code in each placement, and why.
//!
//! A case asserts the declared code, so a difference that vanishes fails, and so does one that nobody causes: the compiler
//! finds it unused.

use crate::Placement;
use wasi_tempfile::interface::ErrorCode;

/// One cause that has different effects.
pub struct Difference {
    /// What was done.
    pub cause: &'static str,
    /// The code natively, or none if it succeeds.
    pub native: Option<ErrorCode>,
    /// The code in the provider component, or none if it succeeds.
    pub component: Option<ErrorCode>,
    /// The code where the host provides, or none if it succeeds.
    pub host: Option<ErrorCode>,
    /// Why they differ.
    pub reason: &'static str,
}

impl Difference {
    /// What is declared for a placement.
    pub fn code(&self, placement: Placement) -> Option<ErrorCode> {
        match placement {
            Placement::Native => self.native,
            Placement::Component => self.component,
            Placement::Host => self.host,
        }
    }
}

pub(crate) const LINK_UNNAMED: Difference = Difference {
    cause: "an unnamed file is linked",
    native: None,
    component: Some(ErrorCode::Unsupported),
    host: None,
    reason: "WASI has no call that names an open file",
};

/// Natively there is no such call.
#[cfg(target_arch = "wasm32")]
pub(crate) const FILE_DESCRIPTOR: Difference = Difference {
    cause: "an open file is exchanged for its descriptor",
    native: None,
    component: None,
    host: Some(ErrorCode::Unsupported),
    reason: "the host serves a file's bytes as fast as those of a descriptor, and counts them",
};

pub(crate) const READ_ONLY_FILE_SYSTEM: Difference = Difference {
    cause: "creation on a read-only file system",
    native: Some(ErrorCode::ReadOnly),
    component: Some(ErrorCode::Io),
    host: Some(ErrorCode::ReadOnly),
    reason: "wasmtime-wasi hides EROFS behind `io`",
};

pub(crate) const CROSS_DEVICE: Difference = Difference {
    cause: "a rename to another file system",
    native: Some(ErrorCode::CrossDevice),
    component: Some(ErrorCode::Io),
    host: Some(ErrorCode::CrossDevice),
    reason: "wasmtime-wasi hides EXDEV behind `io`",
};

pub(crate) const OUT_OF_HANDLES: Difference = Difference {
    cause: "the process has no file descriptor left",
    native: Some(ErrorCode::OutOfHandles),
    component: Some(ErrorCode::Io),
    host: Some(ErrorCode::OutOfHandles),
    reason: "wasmtime-wasi hides EMFILE behind `io`",
};

pub(crate) const DOTS_IN_A_PATH: Difference = Difference {
    cause: "a guest path with `..` on the way",
    native: None,
    component: Some(ErrorCode::InvalidName),
    host: Some(ErrorCode::InvalidName),
    reason: "natively a path's directories are resolved by the system, as usual",
};

pub(crate) const LINK_IN_A_PATH: Difference = Difference {
    cause: "a guest path with a symbolic link on the way",
    native: None,
    component: Some(ErrorCode::NotDirectory),
    host: Some(ErrorCode::NotDirectory),
    reason: "natively a path's directories are resolved by the system, as usual",
};

pub(crate) const REMOVE_FOREIGN_NAME: Difference = Difference {
    cause: "removal of a file whose name is not UTF-8",
    native: None,
    component: Some(ErrorCode::InvalidName),
    host: None,
    reason: "WASI's names are UTF-8; the host removes the file with the scratch directory",
};

pub(crate) const REMOVE_UNWRITABLE: Difference = Difference {
    cause: "removal of a directory that its owner may not write to",
    native: None,
    component: Some(ErrorCode::Access),
    host: None,
    reason: "WASI has no modes to change; the host gives itself the right, and removes it with the scratch directory",
};
