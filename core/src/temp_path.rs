//! A name, and the promise to remove it.

use alloc::string::String;
use alloc::sync::Arc;

use crate::birth::Birth;
use crate::error::{Context, Error, ErrorCode};
use crate::file::{Durability, File, Origin, sync};
use crate::ledger::{self, HandleKind, Line};
use crate::path::{Kind, NamePath, Place, open_parent};
use crate::platform::{Identity, Platform};
use crate::remove::CleanupFailure;

/// What [`TempPath::persist`] does with a target that exists: `replace-mode` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceMode {
    /// It is replaced, in one step.
    Overwrite,
    /// It is left alone, and the answer is `exist`.
    NoClobber,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// The name is ours to remove.
    Held,
    /// The file was persisted by link, and its old name could not be removed yet.
    Leftover,
    /// Kept, persisted or removed.
    Released,
}

/// A name, and the promise to remove it: `temp-path` of the interface. Dropping it removes the name.
///
/// Every method but [`path`](Self::path) and [`close`](Self::close) answers `closed` once the promise is kept or given up.
pub struct TempPath<P: Platform> {
    platform: P,
    place: Place<P>,
    path: NamePath,
    birth: Birth<P>,
    promise: Promise,
    line: Line,
}

impl<P: Platform> TempPath<P> {
    pub(crate) fn new(
        platform: P,
        place: Place<P>,
        path: NamePath,
        birth: Birth<P>,
        label: Option<&str>,
    ) -> Self {
        let line = Line::open(&platform, HandleKind::Path, Some(path.shared()), label);
        TempPath { platform, place, path, birth, promise: Promise::Held, line }
    }

    /// The name's path, as the caller knows it; also after it is gone.
    pub fn path(&self) -> &str {
        self.path.path()
    }

    /// The path, to be held on to without a copy.
    pub fn shared_path(&self) -> Arc<str> {
        self.path.shared().clone()
    }

    /// The name as a platform takes it.
    fn name(&self) -> &[u8] {
        self.path.name()
    }

    /// Opens the file again.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `replaced` if the name is another file's.
    pub fn reopen(&self) -> Result<File<P>, Error> {
        let file = self
            .held()
            .and_then(|()| self.platform.admit_handles(1))
            .and_then(|()| self.open())
            .during("reopen", self.path())?;
        Ok(File::new(self.platform.clone(), file, Origin::Named))
    }

    /// Renames the file to `target` for good.
    ///
    /// # Errors
    /// Those of the interface. If only the last step of [`Durability::Full`] failed, syncing the directory, the file is at `target`
    /// and this handle is closed; after any other failure nothing has changed.
    pub fn persist(&mut self, target: &str, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        self.persist_to(target, mode, durability).during("persist to", target)
    }

    fn persist_to(
        &mut self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), ErrorCode> {
        self.held()?;
        let (to, target) = open_parent(&self.platform, target)?;
        match durability {
            Durability::None => self.compare()?,
            Durability::Data | Durability::Full => sync(&self.platform, &self.open()?, durability)?,
        }
        let (dir, name, target) = (&self.place.dir, self.name(), target.as_bytes());
        self.promise = match mode {
            ReplaceMode::Overwrite => {
                self.platform.rename(dir, name, &to.dir, target)?;
                self.after_rename(&to, target)
            }
            ReplaceMode::NoClobber => match self.platform.rename_new(dir, name, &to.dir, target) {
                Ok(()) => Promise::Released,
                Err(ErrorCode::Unsupported) => {
                    self.platform.link(dir, name, &to.dir, target)?;
                    match self.platform.remove_file(dir, name) {
                        Ok(()) | Err(ErrorCode::NoEntry) => Promise::Released,
                        // The target is won and can't be given back safely; the old name stays owed.
                        Err(_) => Promise::Leftover,
                    }
                }
                Err(code) => return Err(code),
            },
        };
        if self.promise == Promise::Released {
            self.line.keep(&self.platform);
        }
        match durability {
            Durability::None | Durability::Data => Ok(()),
            Durability::Full => self.platform.sync_directory(&to.dir),
        }
    }

    /// Where the target was a second name of the same file, a rename succeeds and does nothing: the old name is still owed. Where it
    /// was the old name itself, that is what was asked for.
    fn after_rename(&self, to: &Place<P>, target: &[u8]) -> Promise {
        let (dir, name) = (&self.place.dir, self.name());
        let left = self.platform.identity_at(dir, name);
        if left.is_err() || left != self.birth.identity(&self.platform) {
            return Promise::Released;
        }
        let directories = (self.platform.directory_identity(dir), self.platform.directory_identity(&to.dir));
        let same = matches!(directories, (Ok(from), Ok(to)) if from == to) && name == target;
        // A file system that folds case finds the new name under the old one: then there is only one.
        let another = self.platform.link_count_at(dir, name).is_ok_and(|count| count > 1);
        if same || !another || self.platform.remove_file(dir, name).is_ok() {
            Promise::Released
        } else {
            Promise::Leftover
        }
    }

    /// Gives up the promise, and returns the path.
    ///
    /// # Errors
    /// `closed`.
    pub fn keep(&mut self) -> Result<String, Error> {
        self.held().during("keep", self.path())?;
        self.promise = Promise::Released;
        self.line.keep(&self.platform);
        Ok(String::from(self.path()))
    }

    /// Removes the name. A name that is gone already is a success, and so is closing again.
    ///
    /// # Errors
    /// `replaced`, where others may write to the directory; those of the system. The promise stands.
    pub fn close(&mut self) -> Result<(), Error> {
        self.remove().during("remove", self.path())
    }

    fn remove(&mut self) -> Result<(), ErrorCode> {
        if self.promise == Promise::Released {
            return Ok(());
        }
        let removed = self.compare().and_then(|()| self.platform.remove_file(&self.place.dir, self.name()));
        match removed {
            Ok(()) | Err(ErrorCode::NoEntry) => {
                self.promise = Promise::Released;
                self.line.close(&self.platform);
                Ok(())
            }
            Err(code) => Err(code),
        }
    }

    fn held(&self) -> Result<(), ErrorCode> {
        if self.promise == Promise::Held { Ok(()) } else { Err(ErrorCode::Closed) }
    }

    /// In a directory that others may write to: is the name still our file's? Between this look and what follows there is a
    /// gap that no system closes.
    fn compare(&self) -> Result<(), ErrorCode> {
        if self.place.kind == Kind::Shared { self.identify() } else { Ok(()) }
    }

    fn identify(&self) -> Result<(), ErrorCode> {
        let there = self.platform.identity_at(&self.place.dir, self.name())?;
        self.is_ours(there)
    }

    fn is_ours(&self, identity: Identity) -> Result<(), ErrorCode> {
        if identity == self.birth.identity(&self.platform)? { Ok(()) } else { Err(ErrorCode::Replaced) }
    }

    /// Opens the file by its name. The look before keeps us from opening a fifo or a device that somebody planted, the look after from
    /// taking what was swapped in between.
    fn open(&self) -> Result<P::File, ErrorCode> {
        self.identify()?;
        let file = self.platform.open_file(&self.place.dir, self.name())?;
        self.is_ours(self.platform.identity(&file)?).map(|()| file)
    }
}

impl<P: Platform> Drop for TempPath<P> {
    fn drop(&mut self) {
        // Drop forgives: whoever wants to know calls close, or looks into the ledger.
        if let Err(error) = self.close() {
            self.line.close(&self.platform);
            ledger::left_over(&self.platform, CleanupFailure { path: String::from(self.path()), error });
        }
    }
}
