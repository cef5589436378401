//! The guard of a file's name.

use alloc::string::String;
use alloc::sync::Arc;

use crate::context::{Context, Dir, PlatformFile};
use crate::error::{Cause, Error, ErrorCode, ResultExt};
use crate::failures::CleanupFailure;
use crate::file::{File, Origin};
use crate::ledger::{ExplainExt, Kind, LedgerEntry, PendingRemoval};
use crate::location::OpenLocation;
use crate::memory::MemoryCharge;
use crate::name::NamePath;
use crate::persist::{Durability, ReplaceMode, Target, rename_file, sync_file};
use crate::platform::{Identity, Platform};
use crate::retry::{may_be_open, retry_removals};
use crate::usage::HandleKind;

/// The name that a handle guards.
struct Guard<C: Context> {
    location: OpenLocation<C>,
    /// The identity of the file that was created, in a shared directory.
    identity: Option<Identity>,
    /// The file is persisted, but its old name could not be removed yet.
    persisted: bool,
}

/// A platform's way to open a file.
type Open<C> = fn(&<C as Context>::Platform, &Dir<C>, &[u8]) -> Result<PlatformFile<C>, ErrorCode>;

/// The guard of a file's name: `temp-path` of the interface. Dropping it removes the name.
///
/// Every method but [`path`](Self::path) and [`close`](Self::close) fails with `closed` once the
/// name is removed, kept or persisted.
pub struct TempPath<C: Context> {
    ctx: C,
    path: NamePath,
    /// None once the name is removed, kept or persisted.
    guard: Option<Guard<C>>,
    entry: LedgerEntry,
    _charge: MemoryCharge,
}

impl<C: Context> TempPath<C> {
    pub(crate) fn new(
        ctx: C,
        location: OpenLocation<C>,
        path: NamePath,
        identity: Option<Identity>,
        label: Option<&str>,
        charge: MemoryCharge,
    ) -> Self {
        let entry = ctx.ledger().open(HandleKind::Path, Some(path.shared()), label, ctx.now());
        let guard = Some(Guard { location, identity, persisted: false });
        TempPath { ctx, path, guard, entry, _charge: charge }
    }

    /// The name's path, as the caller knows it; also after it is gone.
    pub fn path(&self) -> &str {
        self.path.path()
    }

    /// The path, shared.
    pub fn shared_path(&self) -> Arc<str> {
        self.path.shared().clone()
    }

    /// Opens the file again.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `replaced` in a shared directory; `quota`.
    pub fn reopen(&self) -> Result<File<C>, Error> {
        let reopen = || {
            let guard = self.guard()?;
            let charge = self.ctx.ledger().admit_handle(0)?;
            Ok::<_, ErrorCode>((self.open(guard, C::Platform::open_file)?, charge))
        };
        let (file, charge) = reopen().explained(self.ctx.ledger()).at("reopen", self.path())?;
        Ok(File::new(self.ctx.clone(), file, Origin::Named, charge))
    }

    /// Renames the file to `target` and stops guarding it.
    ///
    /// # Errors
    /// Those of the interface. After `not-durable` the file is at `target` and this handle is
    /// closed; after any other failure nothing has changed.
    pub fn persist(
        &mut self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        self.persist_to(target, mode, durability)
            .explained(self.ctx.ledger())
            .at("persist a temporary file to", target)
    }

    fn persist_to(
        &mut self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Cause> {
        let guard = self.guard()?;
        let target = Target::open(&self.ctx, target)?;
        match durability {
            Durability::None => self.compare(guard)?,
            Durability::Data | Durability::Full => {
                let file = self.open(guard, C::Platform::open_for_sync)?;
                sync_file(self.ctx.platform(), &file, durability)?;
            }
        }
        let is_ours = || self.compare(guard).is_ok();
        let from = (&guard.location, self.path.name());
        if rename_file(&self.ctx, from, &target, mode, is_ours)? {
            if let Some(guard) = &mut self.guard {
                guard.persisted = true;
            }
        } else {
            self.guard = None;
            self.entry.close();
        }
        self.ctx.ledger().count_kept(|| target.path());
        Ok(target.sync_directory(&self.ctx, durability)?)
    }

    /// Stops guarding the name and returns its path.
    ///
    /// # Errors
    /// `closed`.
    pub fn keep(&mut self) -> Result<String, Error> {
        self.guard().at("keep", self.path())?;
        self.guard = None;
        self.entry.close();
        self.ctx.ledger().count_kept(|| String::from(self.path()));
        Ok(String::from(self.path()))
    }

    /// Removes the name. A name that is already gone is a success, and so is closing again.
    ///
    /// # Errors
    /// `replaced` in a shared directory; those of the system. The name is still guarded.
    pub fn close(&mut self) -> Result<(), Error> {
        if let Some(guard) = &self.guard {
            let remove =
                |()| self.ctx.platform().remove_file(&guard.location.dir, self.path.name());
            match self.compare(guard).and_then(remove) {
                Ok(()) | Err(ErrorCode::NoEntry) => {}
                Err(code) => return Err(Error::new(code, "remove", self.path())),
            }
            self.guard = None;
            self.entry.close();
        }
        Ok(())
    }

    fn guard(&self) -> Result<&Guard<C>, ErrorCode> {
        self.guard.as_ref().filter(|guard| !guard.persisted).ok_or(ErrorCode::Closed)
    }

    /// In a shared directory: compares the file at the name with the one that was created. Between
    /// this and what follows there is a gap that no system closes.
    fn compare(&self, guard: &Guard<C>) -> Result<(), ErrorCode> {
        match guard.identity {
            Some(created) => {
                let dir = &guard.location.dir;
                self.expect(created, self.ctx.platform().identity_at(dir, self.path.name())?)
            }
            None => Ok(()),
        }
    }

    fn expect(&self, created: Identity, found: Identity) -> Result<(), ErrorCode> {
        if created == found { Ok(()) } else { Err(ErrorCode::Replaced) }
    }

    /// Opens the file by its name. In a shared directory the comparison before it avoids opening a
    /// fifo or a device, and the one after it detects a file that was swapped in between.
    fn open(&self, guard: &Guard<C>, open: Open<C>) -> Result<PlatformFile<C>, ErrorCode> {
        self.compare(guard)?;
        let platform = self.ctx.platform();
        let file = open(platform, &guard.location.dir, self.path.name())?;
        if let Some(created) = guard.identity {
            self.expect(created, platform.identity(&file)?)?;
        }
        Ok(file)
    }
}

impl<C: Context> Drop for TempPath<C> {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            let path = String::from(self.path());
            // A later removal compares nothing, so it is only for a name that nobody else can take.
            let compares = self.guard.as_ref().is_some_and(|guard| guard.identity.is_some());
            if may_be_open(&self.ctx, error.code) && !compares {
                self.ctx
                    .ledger()
                    .queue_removal(PendingRemoval { path: path.clone(), kind: Kind::File });
            }
            self.ctx.ledger().record_leftover(CleanupFailure { path, error });
        }
        // Its directory may wait until nothing has it open.
        self.guard = None;
        retry_removals(&self.ctx);
    }
}
