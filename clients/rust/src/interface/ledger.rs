//! In wasm: the plugin's own ledger, since a provider component keeps none.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::imports::Name;
use super::{CleanupFailure, HandleKind, LiveHandle, Usage};
use tempfile_core::Ledger;

static LEDGER: Mutex<Ledger<Name>> = Mutex::new(Ledger::new());

fn ledger() -> MutexGuard<'static, Ledger<Name>> {
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nanoseconds since this was first asked for.
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// How much this instance has in use.
pub fn usage() -> Usage {
    ledger().usage()
}

/// What this instance has open. Empty when nothing is leaked.
pub fn live() -> Vec<LiveHandle> {
    ledger().live(now())
}

/// What could not be removed when its handle was dropped.
pub fn leftovers() -> Vec<CleanupFailure> {
    ledger().leftovers().to_vec()
}

pub(super) fn kept() {
    ledger().kept();
}

pub(super) fn left_over(failures: impl IntoIterator<Item = CleanupFailure>) {
    let mut ledger = ledger();
    failures.into_iter().for_each(|failure| ledger.left_over(failure));
}

/// A handle's line in the ledger, struck out when it is dropped.
pub(crate) struct Line(AtomicUsize);

const STRUCK_OUT: usize = usize::MAX;

impl Line {
    pub(super) fn open(kind: HandleKind, path: Option<Name>, label: Option<String>, now: u64) -> Self {
        Line(AtomicUsize::new(ledger().open(kind, path, label, now)))
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) != STRUCK_OUT
    }

    pub(super) fn close(&self) {
        let line = self.0.swap(STRUCK_OUT, Ordering::Relaxed);
        if line != STRUCK_OUT {
            ledger().close(line);
        }
    }

    pub(super) fn keep(&self) {
        self.close();
        kept();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close();
    }
}

/// How much memory the provider holds for a spooled file, as the ledger knows it.
#[derive(Default)]
pub(super) struct Memory(AtomicU64);

impl Memory {
    pub(super) fn set(&self, new: u64) {
        let old = self.0.swap(new, Ordering::Relaxed);
        ledger().resize(old, new);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.set(0);
    }
}
