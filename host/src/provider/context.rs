//! An instance as a user of the interface: its scratch directory, its mounts, its variables.

use std::sync::{Arc, Weak};
use std::time::Instant;

use getrandom::SysRng;
use tempfile_core::{
    Base, Cause, Context, Descriptors, ErrorCode, Instance, Limited, LimitedDir, Limits,
    MemoryBudget, Native, SharedLedger, Usage, longest_preopen,
};

use super::TempfileCtx;
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, MountCause};
use crate::sandbox::Mount;
use crate::scratch::ScratchDir;
use crate::system;

type Dir = LimitedDir<system::Dir>;

/// The context of one instance. Clones share everything.
#[allow(unreachable_pub, reason = "named in the types of handles")]
#[derive(Clone)]
pub struct InstanceContext(Arc<Inner>);

struct Inner {
    platform: Limited<Native>,
    ledger: SharedLedger,
    preopens: Vec<Preopen<Dir>>,
    environment: Vec<(String, String)>,
    start: Instant,
    stop: Option<StopCheck>,
    /// Until the last handle is dropped.
    scratch: Arc<ScratchDir>,
}

/// Whether the instance is to end.
type StopCheck = Box<dyn Fn() -> bool + Send + Sync>;

/// An open directory, and its path in the plugin.
struct Preopen<D> {
    guest: String,
    dir: D,
    read_only: bool,
}

impl InstanceContext {
    pub(super) fn scratch(&self) -> &Arc<ScratchDir> {
        &self.0.scratch
    }

    pub(super) fn meter(&self) -> Meter {
        Meter(Arc::downgrade(&self.0))
    }
}

/// Reads an instance's ledger without keeping the instance alive.
pub(crate) struct Meter(Weak<Inner>);

impl Meter {
    /// What the instance has in use, and had at most; none once it is gone.
    pub(crate) fn usage(&self) -> Option<Usage> {
        Some(self.0.upgrade()?.ledger.usage())
    }
}

impl Context for InstanceContext {
    type Platform = Limited<Native>;

    fn platform(&self) -> &Limited<Native> {
        &self.0.platform
    }

    fn resolve_base(&self, path: &str) -> Result<Base<Dir>, Cause> {
        let guests = self.0.preopens.iter().map(|preopen| preopen.guest.as_str());
        let (index, rest) = longest_preopen(guests, path)?;
        let preopen = &self.0.preopens[index];
        // Every caller resolves a path in order to create something there.
        if preopen.read_only {
            return Err(Cause::rule(ErrorCode::Access, "the mount is read-only"));
        }
        Ok(Base { dir: preopen.dir.clone(), path: preopen.guest.clone(), rest })
    }

    fn env_var(&self, name: &str) -> Option<String> {
        let found = self.0.environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    }

    fn fallback_dirs(&self) -> Vec<String> {
        self.0.preopens.iter().map(|preopen| preopen.guest.clone()).collect()
    }

    fn descriptors(&self) -> Descriptors {
        // A file's bytes pass through the host as fast as through a descriptor, and a file that
        // stays here can still be linked.
        if self.0.platform.is_counting() { Descriptors::None } else { Descriptors::Directories }
    }

    fn ledger(&self) -> &SharedLedger {
        &self.0.ledger
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_stopped(&self) -> bool {
        self.0.stop.as_ref().is_some_and(|stop| stop())
    }
}

/// Builds a [`TempfileCtx`].
pub struct TempfileCtxBuilder {
    scratch: Arc<ScratchDir>,
    preopens: Vec<Preopen<system::Dir>>,
    environment: Vec<(String, String)>,
    limits: Limits,
    memory: MemoryBudget,
    stop: Option<StopCheck>,
}

impl TempfileCtxBuilder {
    /// Bytes that the host keeps for an instance unless [`memory`](Self::memory) is set: 64 MiB.
    pub const DEFAULT_MEMORY: u64 = 64 << 20;

    pub(crate) fn new(scratch: Arc<ScratchDir>) -> Result<Self, Error> {
        let guest = SCRATCH_GUEST_PATH.to_owned();
        let preopen = Preopen { guest, dir: scratch.handle()?, read_only: false };
        Ok(Self {
            scratch,
            preopens: vec![preopen],
            environment: Vec::new(),
            limits: Limits::default(),
            memory: MemoryBudget::new(Self::DEFAULT_MEMORY),
            stop: None,
        })
    }

    /// Makes a directory of the host's available to the interface's paths: as `location.directory`,
    /// and as the target of `persist` and `link`.
    ///
    /// # Errors
    ///
    /// If the directory cannot be opened, or another mount has the same path in the plugin.
    pub fn mount(mut self, mount: &Mount) -> Result<Self, Error> {
        if self.preopens.iter().any(|preopen| preopen.guest == mount.guest()) {
            let guest = mount.guest().to_owned();
            return Err(Error::Mount { guest, cause: MountCause::Twice });
        }
        self.preopens.push(Preopen {
            guest: mount.guest().to_owned(),
            dir: mount.open()?,
            read_only: mount.is_read_only(),
        });
        Ok(self)
    }

    /// Sets a variable that the search for the default directory reads: `TMPDIR`, `TEMP` or `TMP`.
    /// The first of a name counts.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Limits what the instance may have in use at one moment. What would exceed a limit fails with
    /// `quota`. Everything counts that is created through the interface, wherever it is, until it
    /// is gone; a file's bytes are its size, sparse or not. If bytes, entries or the size of files
    /// are limited, every byte passes through the host, and the functions of
    /// `scratch:tempfile-wasi` that give out descriptors are `unsupported`.
    ///
    /// Handles are limited to [`Limits::DEFAULT_HANDLES`] unless `limits` has another number.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Shares a memory budget: it limits what the host keeps for the instance (handles, paths,
    /// labels, spooled files). A clone of it may also count the instance's linear memories. What
    /// does not fit fails with `quota`; spooled files move to disk.
    pub fn memory(mut self, budget: &MemoryBudget) -> Self {
        self.memory = budget.clone();
        self
    }

    /// Ends operations that take many steps (the removal or the sync of a tree, a listing, the move
    /// of a spooled file to disk) at their next step once `stop` returns true. They fail
    /// with `other`, and a directory whose removal was stopped is still guarded: it goes when the
    /// plugin's handle is dropped with the store, if `stop` returns false again by then.
    ///
    /// An instance that is to be interrupted, by its epoch or a trap, would otherwise go on until
    /// such a call returns.
    pub fn stop_when(mut self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.stop = Some(Box::new(stop));
        self
    }

    /// Builds the state.
    ///
    /// # Errors
    ///
    /// If the memory budget has no room for the directories.
    pub fn build(self) -> Result<TempfileCtx, Error> {
        let Self { scratch, preopens, environment, limits, memory, stop } = self;
        let ledger = SharedLedger::with_limits(limits.with_default_handles(), Some(memory));
        let platform = Limited::new(Native, &ledger);
        let open = |Preopen { guest, dir, read_only }| {
            let dir = platform
                .base(dir, &guest)
                .map_err(|code| Error::Memory { guest: guest.clone(), code })?;
            Ok(Preopen { guest, dir, read_only })
        };
        let preopens = preopens.into_iter().map(open).collect::<Result<_, Error>>()?;
        let start = Instant::now();
        let inner = Inner { platform, ledger, preopens, environment, start, stop, scratch };
        let context = InstanceContext(Arc::new(inner));
        Ok(TempfileCtx::new(Instance::new(context, SysRng)))
    }
}

impl std::fmt::Debug for TempfileCtxBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let guests: Vec<&str> = self.preopens.iter().map(|preopen| &*preopen.guest).collect();
        f.debug_struct("TempfileCtxBuilder").field("preopens", &guests).finish_non_exhaustive()
    }
}
