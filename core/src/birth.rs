//! What tells a named file from others, taken from the open file.
//!
//! Where others may write to its directory, that is when it is created: every removal asks. Elsewhere only who opens it again does, which is
//! rare, and one call of the system's in five: there the name asks the file while that is open, and a file that is closed before its name is
//! gone leaves the answer.

#[cfg(not(all(feature = "native", unix)))]
use alloc::rc::{Rc as Shared, Weak};
#[cfg(all(feature = "native", unix))]
use alloc::sync::{Arc as Shared, Weak};
#[cfg(not(all(feature = "native", unix)))]
use core::cell::OnceCell as Once;
#[cfg(all(feature = "native", unix))]
use std::sync::OnceLock as Once;

use crate::error::ErrorCode;
use crate::platform::{Identity, Platform};

/// An open file, as [`File`](crate::File) holds it.
pub(crate) enum Held<P: Platform> {
    /// Nobody else knows it.
    Alone(P::File),
    /// It was created together with a name.
    Named(Shared<P::File>, Shared<Once<Identity>>),
}

/// The identity of a file that was created with a name, as [`TempPath`](crate::TempPath) holds it.
pub(crate) struct Birth<P: Platform> {
    identity: Shared<Once<Identity>>,
    file: Weak<P::File>,
}

impl<P: Platform> Held<P> {
    /// For a file and its name.
    pub(crate) fn named(file: P::File) -> (Self, Birth<P>) {
        let (file, identity) = (Shared::new(file), Shared::new(Once::new()));
        let birth = Birth { identity: identity.clone(), file: Shared::downgrade(&file) };
        (Held::Named(file, identity), birth)
    }

    pub(crate) fn get_ref(&self) -> &P::File {
        match self {
            Held::Alone(file) => file,
            Held::Named(file, _) => file,
        }
    }

    /// Leaves the identity to the name, if there still is one: after this the file may be closed.
    pub(crate) fn part(&self, platform: &P) -> Result<(), ErrorCode> {
        match self {
            Held::Named(file, identity) if Shared::strong_count(identity) > 1 => {
                // A second time it says the same.
                let _ = identity.set(platform.identity(file)?);
                Ok(())
            }
            Held::Named(..) | Held::Alone(_) => Ok(()),
        }
    }

    /// The file itself, after [`part`](Self::part).
    pub(crate) fn into_inner(self) -> P::File {
        match self {
            Held::Alone(file) => file,
            Held::Named(mut file, _) => loop {
                match Shared::try_unwrap(file) {
                    Ok(file) => return file,
                    // Another thread is looking at its identity, for one call of the system's.
                    Err(shared) => file = shared,
                }
            },
        }
    }
}

impl<P: Platform> Birth<P> {
    /// Of a file that nobody holds open.
    pub(crate) fn known(identity: Identity) -> Self {
        let once = Once::new();
        let _ = once.set(identity);
        Birth { identity: Shared::new(once), file: Weak::new() }
    }

    /// The identity: asked of the file while that is open.
    ///
    /// # Errors
    /// Those of the platform; `io` if the file is closed and could not tell then.
    pub(crate) fn identity(&self, platform: &P) -> Result<Identity, ErrorCode> {
        match self.file.upgrade() {
            Some(file) => platform.identity(&file),
            None => self.identity.get().copied().ok_or(ErrorCode::Io),
        }
    }
}
