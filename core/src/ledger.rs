//! The ledger: what is open, since when, and what could not be removed.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Account;
use crate::platform::{Now, Platform};
use crate::remove::CleanupFailure;

/// What a handle is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    /// An open file.
    File,
    /// A name that will be removed.
    Path,
    /// A directory that will be removed.
    Directory,
}

/// A handle that has not been closed, kept, persisted or handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveHandle {
    /// What it is of.
    pub kind: HandleKind,
    /// Its path; none of a file, which knows no name.
    pub path: Option<String>,
    /// What its creator called it.
    pub label: Option<String>,
    /// How long it has been open, in nanoseconds.
    pub age: u64,
}

/// Counts of live handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Open files.
    pub files: u32,
    /// Names that will be removed.
    pub paths: u32,
    /// Directories that will be removed.
    pub directories: u32,
    /// Bytes of spooled files that are in memory.
    pub memory: u64,
    /// Bytes on disk, where somebody counts them: see [`Limited`](crate::Limited).
    pub bytes: u64,
    /// Names of files and directories, where somebody counts them.
    pub entries: u64,
}

/// How much is in use, and has been at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Now.
    pub live: Counts,
    /// At most, each count by itself.
    pub peak: Counts,
    /// How many names and directories were given up for good: kept, persisted or linked.
    pub kept: u64,
}

/// How many failed removals are remembered; what comes after is only counted by the directory that holds it.
const MAX_LEFTOVERS: usize = 1024;

/// What is open, and what could not be removed. A platform that keeps one hands it out by [`Platform::ledger`].
///
/// `N` is what a path is known by, until somebody wants to read it.
pub struct Ledger<N = Arc<str>> {
    live: Vec<Option<Entry<N>>>,
    free: Vec<usize>,
    usage: Usage,
    leftovers: Vec<CleanupFailure>,
    pub(crate) account: Account,
}

struct Entry<N> {
    kind: HandleKind,
    path: Option<N>,
    label: Option<String>,
    since: u64,
}

impl<N> Ledger<N> {
    /// An empty one.
    pub const fn new() -> Self {
        const NONE: Counts = Counts { files: 0, paths: 0, directories: 0, memory: 0, bytes: 0, entries: 0 };
        Ledger {
            live: Vec::new(),
            free: Vec::new(),
            usage: Usage { live: NONE, peak: NONE, kept: 0 },
            leftovers: Vec::new(),
            account: Account::new(),
        }
    }

    /// How much is in use.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What is open, in no particular order. `now` is the platform's.
    pub fn live(&self, now: u64) -> Vec<LiveHandle>
    where
        N: ToString,
    {
        let handle = |entry: &Entry<N>| LiveHandle {
            kind: entry.kind,
            path: entry.path.as_ref().map(N::to_string),
            label: entry.label.clone(),
            age: now.saturating_sub(entry.since),
        };
        self.live.iter().flatten().map(handle).collect()
    }

    /// What could not be removed, and nobody is left to try again: the first 1024 of it.
    pub fn leftovers(&self) -> &[CleanupFailure] {
        &self.leftovers
    }

    /// Counts something that stays for good.
    pub fn kept(&mut self) {
        self.usage.kept += 1;
    }

    fn count(&mut self, kind: HandleKind) -> (&mut u32, &mut u32) {
        let Usage { live, peak, .. } = &mut self.usage;
        match kind {
            HandleKind::File => (&mut live.files, &mut peak.files),
            HandleKind::Path => (&mut live.paths, &mut peak.paths),
            HandleKind::Directory => (&mut live.directories, &mut peak.directories),
        }
    }

    /// Enters a handle, open since `now`, and says on which line. Each line is to be [`close`](Self::close)d.
    pub fn open(&mut self, kind: HandleKind, path: Option<N>, label: Option<String>, now: u64) -> usize {
        let entry = Entry { kind, path, label, since: now };
        let (live, peak) = self.count(entry.kind);
        *live += 1;
        *peak = (*peak).max(*live);
        match self.free.pop().and_then(|index| Some((index, self.live.get_mut(index)?))) {
            Some((index, slot)) => {
                *slot = Some(entry);
                index
            }
            None => {
                self.live.push(Some(entry));
                self.live.len() - 1
            }
        }
    }

    /// Strikes out a line; once is enough, and it may be another's by the second time.
    pub fn close(&mut self, index: usize) {
        if let Some(entry) = self.live.get_mut(index).and_then(Option::take) {
            self.free.push(index);
            *self.count(entry.kind).0 -= 1;
        }
    }

    /// Says that a spooled file takes `new` bytes of memory, and no longer `old`.
    pub fn resize(&mut self, old: u64, new: u64) {
        let Usage { live, peak, .. } = &mut self.usage;
        live.memory = live.memory.saturating_sub(old).saturating_add(new);
        peak.memory = peak.memory.max(live.memory);
    }

    pub(crate) fn count_bytes(&mut self, more: u64, less: u64) {
        let Usage { live, peak, .. } = &mut self.usage;
        live.bytes = live.bytes.saturating_sub(less).saturating_add(more);
        peak.bytes = peak.bytes.max(live.bytes);
    }

    pub(crate) fn count_entries(&mut self, more: u64, less: u64) {
        let Usage { live, peak, .. } = &mut self.usage;
        live.entries = live.entries.saturating_sub(less).saturating_add(more);
        peak.entries = peak.entries.max(live.entries);
    }

    /// Remembers what could not be removed.
    pub fn left_over(&mut self, failure: CleanupFailure) {
        if self.leftovers.len() < MAX_LEFTOVERS {
            self.leftovers.push(failure);
        }
    }
}

impl<N> Default for Ledger<N> {
    fn default() -> Self {
        Ledger::new()
    }
}

/// A handle's line in the ledger of its platform, if that keeps one.
pub(crate) struct Line(Option<usize>);

impl Line {
    /// No line: somebody else has it.
    pub(crate) fn none() -> Self {
        Line(None)
    }

    pub(crate) fn open<P: Platform>(
        platform: &P,
        kind: HandleKind,
        path: Option<&Arc<str>>,
        label: Option<&str>,
    ) -> Self {
        let enter = |ledger: &mut Ledger, now: Now<'_>| {
            ledger.open(kind, path.cloned(), label.map(String::from), now())
        };
        Line(platform.ledger(enter))
    }

    /// Strikes it out; once is enough.
    pub(crate) fn close<P: Platform>(&mut self, platform: &P) {
        if let Some(index) = self.0.take() {
            platform.ledger(|ledger, _| ledger.close(index));
        }
    }

    /// Strikes it out for something that stays.
    pub(crate) fn keep<P: Platform>(&mut self, platform: &P) {
        self.close(platform);
        platform.ledger(|ledger, _| ledger.kept());
    }
}

/// Says how much memory a spooled file takes now.
pub(crate) fn resize<P: Platform>(platform: &P, old: u64, new: u64) {
    if old != new {
        platform.ledger(|ledger, _| ledger.resize(old, new));
    }
}

/// Remembers what a drop could not remove.
pub(crate) fn left_over<P: Platform>(platform: &P, failure: CleanupFailure) {
    platform.ledger(|ledger, _| ledger.left_over(failure));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(ledger: &mut Ledger, kind: HandleKind) -> usize {
        ledger.open(kind, None, None, 5)
    }

    #[test]
    fn a_place_is_used_again() {
        let mut ledger = Ledger::new();
        let first = open(&mut ledger, HandleKind::File);
        open(&mut ledger, HandleKind::Path);
        ledger.close(first);
        assert_eq!(open(&mut ledger, HandleKind::Directory), first);
        assert_eq!(ledger.live(7).len(), 2);
        assert_eq!(ledger.live(7)[0].age, 2);
    }

    #[test]
    fn closing_twice_counts_once() {
        let mut ledger = Ledger::new();
        let index = open(&mut ledger, HandleKind::File);
        ledger.close(index);
        ledger.close(index);
        assert_eq!(ledger.usage().live, Counts::default());
        assert_eq!(ledger.usage().peak.files, 1);
    }

    #[test]
    fn memory_has_a_peak() {
        let mut ledger: Ledger = Ledger::new();
        ledger.resize(0, 100);
        ledger.resize(100, 10);
        assert_eq!((ledger.usage().live.memory, ledger.usage().peak.memory), (10, 100));
    }
}
