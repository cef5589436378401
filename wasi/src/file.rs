//! An open file of a component.

use alloc::rc::Rc;
use core::cell::OnceCell;

use tempfile_core::ErrorCode;
use wasip2::filesystem::types::Descriptor;

use crate::open_files::{At, OpenFile, OpenFiles};
use crate::platform::{FILE, is_on_windows, open_regular};

/// What the platform opens a file as.
pub trait Handle: From<Descriptor> {
    /// Wraps a file whose name the host locks while it is open. `add` registers it, so that it can
    /// be closed and reopened when its name changes.
    fn held(descriptor: Descriptor, add: impl FnOnce(Descriptor) -> Held) -> Self;

    /// Uses the descriptor.
    ///
    /// # Errors
    /// Those of `act`; those of opening the file, if it had to be closed.
    fn with<T>(
        &self,
        act: impl FnOnce(&Descriptor) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode>;
}

impl Handle for Descriptor {
    fn held(descriptor: Descriptor, _: impl FnOnce(Descriptor) -> Held) -> Self {
        descriptor
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&Descriptor) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        act(self)
    }
}

/// An open file of a provider. Dropping it closes it.
pub struct File(Kind);

enum Kind {
    Open(Descriptor),
    Held(Held),
}

/// An open file that is closed for a moment when its name changes.
pub struct Held(Rc<OpenFile<Descriptor, Descriptor>>);

impl File {
    /// The descriptor.
    ///
    /// # Errors
    /// `unsupported` on a host on Windows, where the provider may have to close the file.
    pub fn into_descriptor(self) -> Result<Descriptor, ErrorCode> {
        match self.0 {
            Kind::Open(descriptor) => Ok(descriptor),
            Kind::Held(_) => Err(ErrorCode::Unsupported),
        }
    }
}

impl From<Descriptor> for File {
    fn from(descriptor: Descriptor) -> Self {
        File(Kind::Open(descriptor))
    }
}

impl Handle for File {
    fn held(descriptor: Descriptor, add: impl FnOnce(Descriptor) -> Held) -> Self {
        File(Kind::Held(add(descriptor)))
    }

    fn with<T>(
        &self,
        act: impl FnOnce(&Descriptor) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        match &self.0 {
            Kind::Open(descriptor) => act(descriptor),
            Kind::Held(Held(file)) => file.with(act),
        }
    }
}

/// The open files of a provider, and whether the host locks their names.
pub(crate) struct Names {
    /// Whether the host locks the names of open files, as wasmtime on Windows does; empty until the
    /// first use.
    held: OnceCell<bool>,
    files: Rc<OpenFiles<Descriptor, Descriptor>>,
}

impl Default for Names {
    fn default() -> Self {
        let files =
            OpenFiles::new(|dir, name| open_regular(dir, name, FILE), Descriptor::is_same_object);
        Names { held: OnceCell::new(), files: Rc::new(files) }
    }
}

impl Names {
    /// Whether the host is known to hold the names of open files.
    pub(crate) fn are_held(&self) -> bool {
        self.held.get() == Some(&true)
    }

    /// The open files, if the host, which `dir` is a directory of, holds their names.
    pub(crate) fn held(&self, dir: &Descriptor) -> Option<&Rc<OpenFiles<Descriptor, Descriptor>>> {
        self.held.get_or_init(|| is_on_windows(dir)).then_some(&self.files)
    }

    /// A file that has just been created or opened by this name.
    pub(crate) fn file<F: Handle>(&self, descriptor: Descriptor, at: At<'_, Descriptor>) -> F {
        match self.held(at.0) {
            Some(files) => F::held(descriptor, |descriptor| Held(files.add(descriptor, at))),
            None => F::from(descriptor),
        }
    }
}
