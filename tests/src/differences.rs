//! Declared differences between placements: each cause, the code in each placement, and the reason.
//!
//! A case asserts the declared code, so a difference that vanishes makes it fail. One that no case
//! uses is dead code, which the compiler reports.

use crate::Placement;
use crate::world::System;
use wasi_tempfile::interface::ErrorCode;

/// The code that is declared for the system that has the files, or none if the operation succeeds.
pub(crate) type Code = fn(System) -> Option<ErrorCode>;

/// A cause with a different effect in each placement.
pub struct Difference {
    /// The operation.
    pub cause: &'static str,
    /// The code natively.
    pub native: Code,
    /// The code in the provider component.
    pub component: Code,
    /// The code where the host provides.
    pub host: Code,
    /// The reason for the difference.
    pub reason: &'static str,
}

impl Difference {
    /// The declared code of a placement, with files on this system.
    pub fn code(&self, placement: Placement, system: System) -> Option<ErrorCode> {
        match placement {
            Placement::Native => (self.native)(system),
            Placement::Component => (self.component)(system),
            Placement::Host => (self.host)(system),
        }
    }
}

pub(crate) const LINK_UNNAMED: Difference = Difference {
    cause: "an unnamed file is linked",
    native: |system| (system != System::Linux).then_some(ErrorCode::Unsupported),
    component: |_| Some(ErrorCode::Unsupported),
    host: |system| (system != System::Linux).then_some(ErrorCode::Unsupported),
    reason: "WASI and all systems but Linux have no call that names an open file",
};

/// Natively there is no such call.
#[cfg(target_arch = "wasm32")]
pub(crate) const FILE_DESCRIPTOR: Difference = Difference {
    cause: "an open file is exchanged for its descriptor",
    native: |_| None,
    component: |system| (system == System::Windows).then_some(ErrorCode::Unsupported),
    host: |_| Some(ErrorCode::Unsupported),
    reason: "the host serves a file's bytes as fast as those of a descriptor, and counts them; on \
        Windows the provider closes the file to rename it",
};

pub(crate) const IMPOSTOR: Difference = Difference {
    cause: "another file has taken the name in a shared directory",
    native: |_| Some(ErrorCode::Replaced),
    component: |_| None,
    host: |_| Some(ErrorCode::Replaced),
    reason: "WASI shows neither owners nor modes, and its metadata hash identifies no file",
};

pub(crate) const IMPOSTOR_DIRECTORY: Difference = Difference {
    cause: "another directory, which is not empty, has taken the name in a shared directory",
    native: |_| Some(ErrorCode::Replaced),
    component: |_| Some(ErrorCode::NotEmpty),
    host: |_| Some(ErrorCode::Replaced),
    reason: "the component empties its open directory, and cannot tell whose the name is",
};

pub(crate) const PLANTED_ENTRY: Difference = Difference {
    cause: "a link or a fifo has taken the name in a shared directory, and is opened",
    native: |_| Some(ErrorCode::Replaced),
    component: |_| Some(ErrorCode::Invalid),
    host: |_| Some(ErrorCode::Replaced),
    reason: "the component opens no link and no fifo, but cannot tell whose the name is",
};

pub(crate) const MORE_THAN_ALL_MEMORY: Difference = Difference {
    cause: "a spooled file that may not move to disk would be larger than all memory",
    native: |_| Some(ErrorCode::OutOfMemory),
    component: |_| Some(ErrorCode::OutOfMemory),
    host: |_| Some(ErrorCode::Quota),
    reason: "the host keeps its bytes within the memory limit of the run",
};

pub(crate) const UNLISTABLE: Difference = Difference {
    cause: "creation in a directory that may be searched and written, but not listed",
    // Skipped on Windows, which has no modes.
    native: |system| (system != System::Linux).then_some(ErrorCode::Access),
    component: |_| Some(ErrorCode::Access),
    host: |system| (system != System::Linux).then_some(ErrorCode::Access),
    reason: "WASI's hosts and all systems but Linux open a directory for reading",
};

pub(crate) const READ_ONLY_FILE_SYSTEM: Difference = Difference {
    cause: "creation on a read-only file system",
    native: |_| Some(ErrorCode::ReadOnly),
    component: |_| Some(ErrorCode::Io),
    host: |_| Some(ErrorCode::ReadOnly),
    reason: "wasmtime-wasi hides EROFS behind `io`",
};

pub(crate) const CROSS_DEVICE: Difference = Difference {
    cause: "a rename to another file system",
    native: |_| Some(ErrorCode::CrossDevice),
    component: |_| Some(ErrorCode::Io),
    host: |_| Some(ErrorCode::CrossDevice),
    reason: "wasmtime-wasi hides EXDEV behind `io`",
};

pub(crate) const OUT_OF_HANDLES: Difference = Difference {
    cause: "the process has no file descriptor left",
    native: |_| Some(ErrorCode::OutOfHandles),
    component: |_| Some(ErrorCode::Io),
    host: |_| Some(ErrorCode::OutOfHandles),
    reason: "wasmtime-wasi hides EMFILE behind `io`",
};

pub(crate) const DOTS_IN_A_PATH: Difference = Difference {
    cause: "a guest path with `..` on the way",
    native: |_| None,
    component: |_| Some(ErrorCode::InvalidName),
    host: |_| Some(ErrorCode::InvalidName),
    reason: "natively a path's directories are resolved by the system, as usual",
};

pub(crate) const LINK_IN_A_PATH: Difference = Difference {
    cause: "a guest path with a symbolic link on the way",
    native: |_| None,
    component: |_| Some(ErrorCode::NotDirectory),
    host: |_| Some(ErrorCode::NotDirectory),
    reason: "natively a path's directories are resolved by the system, as usual",
};

pub(crate) const REMOVE_OPEN_FILE: Difference = Difference {
    cause: "removal of the name of an open file",
    native: |_| None,
    component: |system| (system == System::Windows).then_some(ErrorCode::Access),
    host: |_| None,
    reason: "wasmtime on Windows opens files so that nobody can remove their names",
};

pub(crate) const REMOVE_OPEN_DIRECTORY: Difference = Difference {
    cause: "removal of an open directory",
    native: |_| None,
    component: |system| (system == System::Windows).then_some(ErrorCode::Access),
    host: |_| None,
    reason: "wasmtime on Windows opens directories so that nobody can remove them",
};

pub(crate) const INTO_ITSELF: Difference = Difference {
    cause: "a directory is renamed into itself",
    native: |_| Some(ErrorCode::Invalid),
    component: |system| match system {
        System::Windows => Some(ErrorCode::Access),
        System::Linux | System::Unix => Some(ErrorCode::Invalid),
    },
    host: |_| Some(ErrorCode::Invalid),
    reason: "Windows has no error of its own for this, and answers that access is denied",
};

pub(crate) const REMOVE_FOREIGN_NAME: Difference = Difference {
    cause: "removal of a file whose name is not UTF-8",
    native: |_| None,
    component: |_| Some(ErrorCode::InvalidName),
    host: |_| None,
    reason: "WASI's names are UTF-8; the host removes the file with the scratch directory",
};

pub(crate) const REMOVE_UNWRITABLE: Difference = Difference {
    cause: "removal of a directory that its owner may not write to",
    native: |_| None,
    component: |_| Some(ErrorCode::Access),
    host: |_| None,
    reason: "WASI has no modes to change; the host removes it with the scratch directory",
};
