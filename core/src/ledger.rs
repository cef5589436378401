//! The ledger: live handles, what is in use, and what could not be removed.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::account::Account;
use crate::error::{Cause, Error, ErrorCode};
use crate::failures::{CleanupFailure, Failures};
use crate::limits::{Limits, Refusal, fits};
use crate::memory::{MemoryBudget, MemoryCharge};
use crate::path::is_within;
use crate::shared::{Lock, Shared};
use crate::usage::{HandleKind, Usage};

/// The memory that a handle takes besides its texts, in bytes, rounded up.
const HANDLE_MEMORY: usize = 1024;

/// A handle that has not been closed, kept, persisted or exchanged for a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveHandle {
    /// Its kind.
    pub kind: HandleKind,
    /// Its path; none for a file, which has no name.
    pub path: Option<String>,
    /// The label that was given at creation.
    pub label: Option<String>,
    /// Nanoseconds since it was created.
    pub age: u64,
}

/// How many removals are queued, so that closing a file is not slow. More are left over for good.
pub(crate) const MAX_QUEUED: usize = 64;

/// What is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name that is not a directory.
    File,
    /// A directory with everything in it.
    Tree,
}

/// A removal to be tried again when what has the name open is closed.
#[derive(Debug)]
pub(crate) struct PendingRemoval {
    /// As the caller knows it: a handle of its directory would be open until then.
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// The ledger of one user: its live handles, what it uses and may use, and what could not be
/// removed. Clones share it.
#[derive(Clone)]
pub struct SharedLedger(Shared<Inner>);

struct Inner {
    ledger: Lock<Ledger>,
    limits: Limits,
    budget: Option<MemoryBudget>,
}

impl SharedLedger {
    /// A ledger without limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default(), None)
    }

    /// A ledger with limits, whose memory is part of `budget`.
    pub fn with_limits(limits: Limits, budget: Option<MemoryBudget>) -> Self {
        let ledger = Lock::new(Ledger::new(budget.clone()));
        SharedLedger(Shared::new(Inner { ledger, limits, budget }))
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// What is in use.
    pub fn usage(&self) -> Usage {
        self.0.ledger.lock().usage
    }

    /// The live handles in no particular order. `now` is the context's.
    ///
    /// # Errors
    /// `quota` if the budget has no room for the list; `out-of-memory`.
    pub fn live_handles(&self, now: u64) -> Result<Vec<LiveHandle>, Error> {
        self.list_live(now).map_err(|cause| cause.without_path("list the live handles"))
    }

    fn list_live(&self, now: u64) -> Result<Vec<LiveHandle>, Cause> {
        let ledger = self.0.ledger.lock();
        let live = || ledger.live.iter().flatten();
        let memory = |entry: &Entry| {
            let path = entry.path.as_ref().map_or(0, |path| path.len());
            size_of::<LiveHandle>() + path + entry.label.as_ref().map_or(0, String::len)
        };
        if let Some(budget) = &self.0.budget {
            // Twice: here, and on the way to the caller.
            budget.fits(2 * live().map(memory).sum::<usize>() as u64)?;
        }
        let mut handles = Vec::new();
        handles.try_reserve_exact(live().count()).map_err(|_| ErrorCode::OutOfMemory)?;
        handles.extend(live().map(|entry| LiveHandle {
            kind: entry.kind,
            path: entry.path.as_ref().map(Arc::to_string),
            label: entry.label.clone(),
            age: now.saturating_sub(entry.since),
        }));
        Ok(handles)
    }

    /// What drops could not remove, and is still there: the first failures, at most 1024 and at
    /// most 1 MiB of text.
    pub fn leftovers(&self) -> Vec<CleanupFailure> {
        self.0.ledger.lock().leftovers.list().to_vec()
    }

    /// Whether memory is limited, so that spooled files have to share it.
    pub(crate) fn limits_memory(&self) -> bool {
        self.0.limits.memory.is_some() || self.0.budget.is_some()
    }

    /// A part of the memory budget for something that may grow.
    pub(crate) fn empty_charge(&self) -> MemoryCharge {
        MemoryCharge::empty(self.0.budget.clone())
    }

    /// Admits one more handle, and reserves the memory that it and its texts take.
    pub(crate) fn admit_handle(&self, texts: usize) -> Result<MemoryCharge, ErrorCode> {
        self.admit_handles(1)?;
        let mut charge = self.empty_charge();
        let bytes = texts.saturating_add(HANDLE_MEMORY) as u64;
        charge.resize(bytes).map_err(|refusal| self.refuse(refusal))?;
        Ok(charge)
    }

    /// Whether there may be `more` handles.
    pub(crate) fn admit_handles(&self, more: u32) -> Result<(), ErrorCode> {
        let live = self.usage().live;
        let now = u64::from(live.files) + u64::from(live.paths) + u64::from(live.directories);
        fits("handles", self.0.limits.handles, now, u64::from(more))
            .map_err(|refusal| self.refuse(refusal))
    }

    /// Whether spooled files may occupy `more` bytes of memory.
    pub(crate) fn admit_memory(&self, more: u64) -> Result<(), Refusal> {
        fits("the memory of spooled files", self.0.limits.memory, self.usage().live.memory, more)
    }

    /// Records which limit refused something until [`explain`](Self::explain) asks for it, because
    /// the error of a platform is only a code.
    #[cold]
    fn refuse(&self, refusal: Refusal) -> ErrorCode {
        self.0.ledger.lock().refusal = Some(refusal);
        ErrorCode::Quota
    }

    /// Adds to the code `quota` which limit it was. A file system has quotas too: for those,
    /// nothing is recorded.
    #[cold]
    pub(crate) fn explain(&self, cause: Cause) -> Cause {
        if cause != ErrorCode::Quota.into() {
            return cause;
        }
        self.0.ledger.lock().refusal.take().map_or(cause, Cause::from)
    }

    /// Records a handle that was created at `now`.
    pub(crate) fn open(
        &self,
        kind: HandleKind,
        path: Option<&Arc<str>>,
        label: Option<&str>,
        now: u64,
    ) -> LedgerEntry {
        let (path, label) = (path.cloned(), label.map(String::from));
        let mut ledger = self.0.ledger.lock();
        if let Some(path) = &path {
            ledger.forget_path(true, || String::from(&**path));
        }
        let index = ledger.open(Entry { kind, path, label, since: now });
        drop(ledger);
        LedgerEntry(Some((self.clone(), index)))
    }

    /// Counts a name that stays for good.
    pub(crate) fn count_kept(&self, path: impl FnOnce() -> String) {
        let mut ledger = self.0.ledger.lock();
        ledger.usage.kept += 1;
        ledger.forget_path(true, path);
    }

    /// Forgets what was at a path that has been given to something: it is no longer left over, and
    /// nothing is removed later by that path, below it or by one above it.
    pub(crate) fn path_is_given(&self, path: impl FnOnce() -> String) {
        self.0.ledger.lock().forget_path(true, path);
    }

    /// Forgets what was at a path that leads to nothing any more, and below it.
    pub(crate) fn path_is_gone(&self, path: impl FnOnce() -> String) {
        self.0.ledger.lock().forget_path(false, path);
    }

    /// Records that a spooled file occupies `new` bytes of memory instead of `old`.
    pub(crate) fn resize_memory(&self, old: u64, new: u64) {
        if old != new {
            self.0.ledger.lock().usage.count_memory(new, old);
        }
    }

    /// Records something that a drop could not remove.
    pub(crate) fn record_leftover(&self, failure: CleanupFailure) {
        self.0.ledger.lock().leftovers.push(failure);
    }

    /// Forgets what was left at a path and below it: it is removed now.
    pub(crate) fn forget_leftovers(&self, path: &str) {
        self.0.ledger.lock().leftovers.forget(path);
    }

    /// Queues the removal of a name, to be tried again when a file is closed or a guard is dropped.
    /// Does nothing if [`MAX_QUEUED`] removals are queued.
    pub(crate) fn queue_removal(&self, pending: PendingRemoval) {
        let all = &mut self.0.ledger.lock().pending;
        if all.len() < MAX_QUEUED {
            all.push(pending);
        }
    }

    /// Takes the queued removals.
    pub(crate) fn take_pending(&self) -> Vec<PendingRemoval> {
        core::mem::take(&mut self.0.ledger.lock().pending)
    }

    /// Reads or changes the accounting of files on disk.
    pub(crate) fn account<T>(&self, act: impl FnOnce(&mut Account, &Limits, &mut Usage) -> T) -> T {
        let Ledger { account, usage, .. } = &mut *self.0.ledger.lock();
        act(account, &self.0.limits, usage)
    }

    /// As [`account`](Self::account), for a change that a limit may refuse.
    pub(crate) fn admit<T>(
        &self,
        act: impl FnOnce(&mut Account, &Limits, &mut Usage) -> Result<T, Refusal>,
    ) -> Result<T, ErrorCode> {
        self.account(act).map_err(|refusal| self.refuse(refusal))
    }
}

impl Default for SharedLedger {
    fn default() -> Self {
        SharedLedger::new()
    }
}

struct Ledger {
    live: Vec<Option<Entry>>,
    free: Vec<usize>,
    usage: Usage,
    leftovers: Failures,
    /// Those among them that are tried again when a file is closed.
    pending: Vec<PendingRemoval>,
    account: Account,
    /// The limit that refused last, until an error says so.
    refusal: Option<Refusal>,
}

struct Entry {
    kind: HandleKind,
    path: Option<Arc<str>>,
    label: Option<String>,
    since: u64,
}

impl Ledger {
    fn forget_path(&mut self, given: bool, path: impl FnOnce() -> String) {
        // Whatever is queued is left over too.
        if self.leftovers.list().is_empty() {
            return;
        }
        let path = path();
        self.pending.retain(|pending| {
            let below = is_within(&pending.path, &path);
            let above = is_within(&path, &pending.path);
            !(below || (given && above))
        });
        self.leftovers.forget(&path);
    }

    fn new(budget: Option<MemoryBudget>) -> Self {
        Ledger {
            live: Vec::new(),
            free: Vec::new(),
            usage: Usage::default(),
            leftovers: Failures::default(),
            pending: Vec::new(),
            account: Account::new(MemoryCharge::empty(budget)),
            refusal: None,
        }
    }

    fn open(&mut self, entry: Entry) -> usize {
        let (live, peak) = self.usage.handles(entry.kind);
        *live += 1;
        *peak = (*peak).max(*live);
        match self.free.pop() {
            Some(index) => {
                self.live[index] = Some(entry);
                index
            }
            None => {
                self.live.push(Some(entry));
                self.live.len() - 1
            }
        }
    }

    fn close(&mut self, index: usize) {
        if let Some(entry) = self.live[index].take() {
            self.free.push(index);
            *self.usage.handles(entry.kind).0 -= 1;
        }
    }
}

/// Adds to an error which limit it was.
pub(crate) trait ExplainExt<T> {
    /// Adds the limit that refused it, if it was one of the ledger's.
    fn explained(self, ledger: &SharedLedger) -> Result<T, Cause>;
}

impl<T, E: Into<Cause>> ExplainExt<T> for Result<T, E> {
    fn explained(self, ledger: &SharedLedger) -> Result<T, Cause> {
        self.map_err(|cause| ledger.explain(cause.into()))
    }
}

/// A live handle's entry in the ledger. Dropping it closes the entry.
pub(crate) struct LedgerEntry(Option<(SharedLedger, usize)>);

impl LedgerEntry {
    /// No entry: the handle is part of something that has one.
    pub(crate) const fn none() -> Self {
        LedgerEntry(None)
    }

    /// Closes the entry. Closing it again does nothing.
    pub(crate) fn close(&mut self) {
        if let Some((ledger, index)) = self.0.take() {
            ledger.0.ledger.lock().close(index);
        }
    }
}

impl Drop for LedgerEntry {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_index_is_used_again() {
        let ledger = SharedLedger::new();
        let first = ledger.open(HandleKind::File, None, None, 5);
        let _second = ledger.open(HandleKind::Path, None, None, 5);
        drop(first);
        let _third = ledger.open(HandleKind::Directory, None, None, 5);
        assert_eq!(ledger.0.ledger.lock().live.len(), 2);
        assert_eq!(ledger.live_handles(7).unwrap().iter().map(|live| live.age).max(), Some(2));
    }

    #[test]
    fn closing_twice_counts_once() {
        let ledger = SharedLedger::new();
        let mut entry = ledger.open(HandleKind::File, None, None, 0);
        let _other = ledger.open(HandleKind::File, None, None, 0);
        entry.close();
        entry.close();
        drop(entry);
        assert_eq!((ledger.usage().live.files, ledger.usage().peak.files), (1, 2));
    }

    #[test]
    fn memory_has_a_peak() {
        let ledger = SharedLedger::new();
        ledger.resize_memory(0, 100);
        ledger.resize_memory(100, 10);
        assert_eq!((ledger.usage().live.memory, ledger.usage().peak.memory), (10, 100));
    }
}
