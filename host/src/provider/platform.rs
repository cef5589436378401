//! The operating system, as far as an instance was granted it.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tempfile_core::{
    Anchor, ErrorCode, Ledger, Lifetimes, Limited, Limits, Now, Surroundings, Usage, longest_preopen,
};

use super::TempfileCtx;
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::Error;
use crate::sandbox::Mount;
use crate::scratch::ScratchDir;

/// What surrounds one instance: paths begin in its scratch directory and its mounts, variables are those it was given.
#[allow(unreachable_pub, reason = "named in the types of handles")]
#[derive(Clone)]
pub struct Guest(Arc<Shared>);

struct Shared {
    places: Vec<GuestPlace>,
    environment: Vec<(String, String)>,
    ledger: Mutex<Ledger>,
    clock: Clock,
}

/// How long ago something was, that does not change.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// A directory that is open, and what the plugin calls it.
struct GuestPlace {
    guest: String,
    dir: Arc<OwnedFd>,
    read_only: bool,
}

impl Guest {
    pub(super) fn meter(&self) -> Meter {
        Meter(Arc::downgrade(&self.0))
    }

    /// The time, in nanoseconds from the clock's start.
    pub(super) fn now(&self) -> u64 {
        u64::try_from((self.0.clock)().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Looks into an instance's ledger from outside, and keeps nothing of it alive.
pub(crate) struct Meter(Weak<Shared>);

impl Meter {
    /// What the instance has in use, and had at most; none once it is gone.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let guest = Guest(self.0.upgrade()?);
        Surroundings::ledger(&guest, |ledger, _| ledger.usage())
    }
}

impl Surroundings for Guest {
    fn anchor(&self, path: &str) -> Result<Anchor<Arc<OwnedFd>>, ErrorCode> {
        let guests = self.0.places.iter().map(|place| place.guest.as_str());
        let (index, rest) = longest_preopen(guests, path).ok_or(ErrorCode::NoEntry)?;
        let place = self.0.places.get(index).ok_or(ErrorCode::NoEntry)?;
        // Whoever asks for a path wants to create there.
        if place.read_only {
            return Err(ErrorCode::Access);
        }
        Ok(Anchor { dir: place.dir.clone(), path: place.guest.clone(), rest })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        let now = || self.now();
        // Nothing in core panics half-way, so what a poisoned lock guards is whole.
        Some(act(&mut self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner), &now))
    }

    fn last_resorts(&self) -> Vec<String> {
        self.0.places.iter().map(|place| place.guest.clone()).collect()
    }
}

/// What a [`TempfileCtx`] is made from.
pub struct TempfileCtxBuilder {
    places: Vec<GuestPlace>,
    environment: Vec<(String, String)>,
    limits: Option<Limits>,
    clock: Clock,
}

impl TempfileCtxBuilder {
    pub(super) fn new(scratch: &ScratchDir) -> Result<Self, Error> {
        let place =
            GuestPlace { guest: SCRATCH_GUEST_PATH.to_owned(), dir: scratch.handle()?, read_only: false };
        let start = Instant::now();
        let clock: Clock = Box::new(move || start.elapsed());
        Ok(Self { places: vec![place], environment: Vec::new(), limits: None, clock })
    }

    /// Lets paths of the interface lead into a directory of the host's: as `location.directory`, and as the target of `persist` and `link`.
    ///
    /// # Errors
    ///
    /// If the directory can't be opened.
    pub fn mount(mut self, mount: &Mount) -> Result<Self, Error> {
        let dir = mount.open()?;
        self.places.push(GuestPlace {
            guest: mount.guest().to_owned(),
            dir: Arc::new(dir),
            read_only: mount.is_read_only(),
        });
        Ok(self)
    }

    /// Sets a variable that the rule for the default directory reads: `TMPDIR`, `TEMP` or `TMP`. The first of a name counts.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Limits what the instance may have at one time, and counts it: what would be more is refused with `quota`. Everything
    /// counts that is created through the interface, wherever it lies, until it is gone; a file's bytes are its size, sparse or not. Of a limited
    /// instance every byte passes through the host: `direct` is `unsupported`.
    ///
    /// Handles that have had their time are closed when the instance next calls the interface; between its calls an embedder can do so
    /// by [`expire`](super::TempfileCtxView::expire).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Takes the time from another clock than the system's, for the ages of handles. It must not go backwards.
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The finished state.
    pub fn build(self) -> TempfileCtx {
        let Self { places, environment, limits, clock } = self;
        let shared = Shared { places, environment, ledger: Mutex::default(), clock };
        let platform = Limited::new(Guest(Arc::new(shared)), limits);
        let lives = limits.as_ref().and_then(Lifetimes::new);
        TempfileCtx { platform, default: None, handles: 0, spooled: BTreeSet::new(), lives, refused: 0 }
    }
}

impl std::fmt::Debug for TempfileCtxBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let guests: Vec<&str> = self.places.iter().map(|place| place.guest.as_str()).collect();
        f.debug_struct("TempfileCtxBuilder").field("places", &guests).finish_non_exhaustive()
    }
}
