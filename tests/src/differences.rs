//! Declared differences between placements: each cause, the code in each placement, and the reason.
//!
//! A case asserts the declared code, so a difference that vanishes makes it fail. One that no case
//! uses is dead code, which the compiler reports.

use crate::Placement;
use wasi_tempfile::interface::ErrorCode;

/// A cause with a different effect in each placement.
pub struct Difference {
    /// The operation.
    pub cause: &'static str,
    /// The code natively, or none if it succeeds.
    pub native: Option<ErrorCode>,
    /// The code in the provider component, or none if it succeeds.
    pub component: Option<ErrorCode>,
    /// The code where the host provides, or none if it succeeds.
    pub host: Option<ErrorCode>,
    /// The reason for the difference.
    pub reason: &'static str,
}

impl Difference {
    /// The declared code of a placement.
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
    native: if cfg!(target_os = "linux") { None } else { Some(ErrorCode::Unsupported) },
    component: Some(ErrorCode::Unsupported),
    host: None,
    reason: "WASI and all systems but Linux have no call that names an open file",
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

pub(crate) const IMPOSTOR: Difference = Difference {
    cause: "another file has taken the name in a shared directory",
    native: Some(ErrorCode::Replaced),
    component: None,
    host: Some(ErrorCode::Replaced),
    reason: "WASI shows neither owners nor modes, and its metadata hash identifies no file",
};

pub(crate) const IMPOSTOR_DIRECTORY: Difference = Difference {
    cause: "another directory, which is not empty, has taken the name in a shared directory",
    native: Some(ErrorCode::Replaced),
    component: Some(ErrorCode::NotEmpty),
    host: Some(ErrorCode::Replaced),
    reason: "the component empties its open directory, and cannot tell whose the name is",
};

pub(crate) const PLANTED_ENTRY: Difference = Difference {
    cause: "a link or a fifo has taken the name in a shared directory, and is opened",
    native: Some(ErrorCode::Replaced),
    component: Some(ErrorCode::Invalid),
    host: Some(ErrorCode::Replaced),
    reason: "the component opens no link and no fifo, but cannot tell whose the name is",
};

pub(crate) const MORE_THAN_ALL_MEMORY: Difference = Difference {
    cause: "a spooled file that may not move to disk would be larger than all memory",
    native: Some(ErrorCode::OutOfMemory),
    component: Some(ErrorCode::OutOfMemory),
    host: Some(ErrorCode::Quota),
    reason: "the host keeps its bytes within the memory limit of the run",
};

pub(crate) const UNLISTABLE: Difference = Difference {
    cause: "creation in a directory that may be searched and written, but not listed",
    // Skipped on Windows, which has no modes.
    native: if cfg!(target_os = "linux") { None } else { Some(ErrorCode::Access) },
    component: Some(ErrorCode::Access),
    host: None,
    reason: "WASI's hosts and all systems but Linux open a directory for reading",
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
    reason: "WASI has no modes to change; the host removes it with the scratch directory",
};
