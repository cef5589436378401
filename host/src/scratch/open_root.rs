//! The directory of a root: checked, open, and the parent of the directories of runs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use getrandom::SysRng;
use tempfile_core::{
    Base, Cause, Context, Descriptors, Identity, Instance, Location, Native, OpenLocation,
    SharedLedger, TempDir,
};

use super::dir::Run;
use super::{failed, name, refused};
use crate::error::RootCause;
use crate::system::{self, Claim, Dir, Info};

/// A directory that was opened as a root.
pub(super) struct OpenRoot {
    pub(super) dir: Dir,
    pub(super) identity: Identity,
    /// Whether it has the shared lock. Not while something else locks the whole directory.
    locked: Mutex<bool>,
    pub(super) context: RootContext,
    pub(super) location: OpenLocation<RootContext>,
}

/// The context in which a root's own directories are created: every path is the root.
#[derive(Clone)]
pub(super) struct RootContext {
    dir: Dir,
    pub(super) path: Arc<str>,
    ledger: SharedLedger,
}

impl Context for RootContext {
    type Platform = Native;

    fn platform(&self) -> &Native {
        &Native
    }

    fn resolve_base(&self, _: &str) -> Result<Base<Dir>, Cause> {
        let (dir, path) = (self.dir.clone(), self.path.to_string());
        Ok(Base { dir, path, rest: String::new() })
    }

    fn env_var(&self, _: &str) -> Option<String> {
        None
    }

    fn fallback_dirs(&self) -> Vec<String> {
        Vec::new()
    }

    fn descriptors(&self) -> Descriptors {
        Descriptors::None
    }

    fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }

    fn now(&self) -> u64 {
        0
    }

    fn is_stopped(&self) -> bool {
        // The host's own cleanup is not the plugin's time.
        false
    }
}

impl OpenRoot {
    pub(super) fn new(path: &Path) -> Result<Self, RootCause> {
        let opened = Self::at(path, system::check)?;
        opened.ensure_shared_lock()?;
        Ok(opened)
    }

    /// Opens a directory if it passes a check, and does not lock it.
    pub(super) fn at(
        path: &Path,
        check: fn(&Info) -> Result<(), RootCause>,
    ) -> Result<Self, RootCause> {
        check(&system::info_at(path).map_err(failed("examine"))?)?;
        let name: Arc<str> = path.to_str().ok_or(RootCause::NotText)?.into();
        let dir = system::open_root(path).map_err(failed("open"))?;
        // Checked again, because only the opened directory counts. The check before gives reasons.
        let info = system::info(&dir).map_err(failed("examine"))?;
        check(&info)?;
        let context = RootContext { dir: dir.clone(), path: name, ledger: SharedLedger::new() };
        let location = Instance::new(context.clone(), SysRng)
            .open(Location::Directory(&context.path))
            .map_err(|cause| RootCause::Refused { cause })?;
        let (identity, locked) = (system::identity(&info), Mutex::new(false));
        Ok(Self { dir, identity, locked, context, location })
    }

    /// Gets the shared lock, unless something else locks the whole directory now.
    pub(super) fn ensure_shared_lock(&self) -> Result<(), RootCause> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*locked {
            *locked = system::lock_root(&self.dir).map_err(|cause| RootCause::NoLocks { cause })?;
        }
        Ok(())
    }

    /// Creates a directory that need not be locked yet.
    pub(super) fn create_unlocked(&self) -> Result<Run, RootCause> {
        let about = |code| refused(code, "create a directory in", &self.context.path);
        let create = |name: &str| system::make(&self.dir, name);
        let (mut lock, name) = name::under_new_run_name(create).map_err(about)?;
        match TempDir::adopt(&self.context, &self.location, &name) {
            Ok(directory) => Ok(Run { name, directory, lock }),
            Err(error) => {
                system::unmake(&self.dir, &name, &mut lock);
                Err(about(error.code))
            }
        }
    }

    /// Locks a new directory. `None` if a sweep has locked it first, and then removes it.
    pub(super) fn claim(&self, run: Run) -> Result<Option<Run>, RootCause> {
        let handle = run.directory.get_ref().map_err(|cause| RootCause::Refused { cause })?;
        let claim = system::claim(&self.dir, &run.name, handle, &run.lock);
        match claim.map_err(failed("lock a directory in"))? {
            Claim::Ours => Ok(Some(run)),
            Claim::Lost => Ok(None),
            Claim::Unmarked => Err(RootCause::NoMarks),
        }
    }
}
