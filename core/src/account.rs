//! The accounting of files and names on disk, under numbers of its own.
//!
//! Every file and directory that is created or opened through a limited platform has a number,
//! found by the number of its directory and its name there. So the accounting needs no identity
//! from the system. What others create or remove is not seen until the name is used through the
//! platform.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::limits::{Limits, Refusal, fits};
use crate::memory::MemoryCharge;
use crate::usage::Usage;

/// The number of a file or directory. It is never used again.
pub(crate) type Number = u64;

/// The directory number that the names of base directories are in.
pub(crate) const BASES: Number = 0;

/// A name: the number of its directory, and one component.
type Name = (Number, Box<[u8]>);

/// The memory that an entry takes besides its name, which is stored twice: in bytes, rounded up.
const ENTRY_MEMORY: u64 = 256;

/// Files, directories and names that are known.
pub(crate) struct Account {
    nodes: BTreeMap<Number, Node>,
    names: BTreeMap<Name, Number>,
    last: Number,
    memory: MemoryCharge,
}

struct Node {
    size: u64,
    handles: u32,
    names: Vec<Name>,
    /// Created by others: its names do not count, and its bytes only while it is open.
    foreign: bool,
}

impl Account {
    pub(crate) fn new(memory: MemoryCharge) -> Self {
        Account { nodes: BTreeMap::new(), names: BTreeMap::new(), last: BASES, memory }
    }

    /// Whether there may be one more name of `len` bytes, for which memory is reserved until
    /// [`remove_name`](Self::remove_name).
    pub(crate) fn admit_name(
        &mut self,
        len: usize,
        limits: &Limits,
        usage: &Usage,
    ) -> Result<(), Refusal> {
        fits("entries", limits.entries, usage.live.entries, 1)?;
        self.memory.grow(name_memory(len))
    }

    /// Gives back the memory of a name that was admitted and then not created.
    pub(crate) fn cancel_name(&mut self, len: usize) {
        self.memory.shrink(name_memory(len));
    }

    /// Admits the growth of a file to `end` bytes. Returns the size that it may have: `end`, or
    /// less if only a part fits, but more than `start`. Fails if nothing beyond `start` fits.
    pub(crate) fn admit_growth(
        &self,
        file: Number,
        (start, end): (u64, u64),
        limits: &Limits,
        usage: &Usage,
    ) -> Result<u64, Refusal> {
        let size = self.nodes.get(&file).map_or(0, |node| node.size);
        let more = end.saturating_sub(size);
        if more == 0 {
            return Ok(end);
        }
        let admit = |what, limit: Option<u64>, used: u64| match fits(what, limit, used, more) {
            Ok(()) => Ok(end),
            Err(refusal) => {
                let most = size.saturating_add(refusal.limit.saturating_sub(used));
                if start < most { Ok(most) } else { Err(refusal) }
            }
        };
        let bytes = admit("bytes", limits.bytes, usage.live.bytes)?;
        Ok(bytes.min(admit("the size of a file", limits.file_size, size)?))
    }

    /// Records an admitted name for something new.
    pub(crate) fn create(
        &mut self,
        (dir, name): (Number, &[u8]),
        handles: u32,
        usage: &mut Usage,
    ) -> Number {
        let number = self.insert(Node { size: 0, handles, names: Vec::new(), foreign: false });
        self.name(number, dir, name, usage);
        number
    }

    /// Records a new file without a name.
    pub(crate) fn create_unnamed(&mut self) -> Number {
        self.insert(Node { size: 0, handles: 1, names: Vec::new(), foreign: false })
    }

    /// Records a handle to an existing file of `size` bytes.
    pub(crate) fn open(
        &mut self,
        (dir, name): (Number, &[u8]),
        size: u64,
        usage: &mut Usage,
    ) -> Result<Number, Refusal> {
        let number = match self.find(dir, name) {
            Some(number) => number,
            None => {
                let number = self.insert_foreign(dir, name)?;
                self.resize(number, |_| size, usage);
                number
            }
        };
        self.open_again(number);
        Ok(number)
    }

    /// Records another handle to an open file.
    pub(crate) fn open_again(&mut self, file: Number) {
        if let Some(node) = self.nodes.get_mut(&file) {
            node.handles += 1;
        }
    }

    /// The number of a directory.
    pub(crate) fn directory(&mut self, dir: Number, name: &[u8]) -> Result<Number, Refusal> {
        match self.find(dir, name) {
            Some(number) => Ok(number),
            None => self.insert_foreign(dir, name),
        }
    }

    /// Records that a handle was closed.
    pub(crate) fn close(&mut self, file: Number, usage: &mut Usage) {
        let Some(node) = self.nodes.get_mut(&file) else { return };
        node.handles = node.handles.saturating_sub(1);
        if node.foreign && node.handles == 0 {
            for (dir, name) in node.names.clone() {
                self.remove((dir, &name), usage);
            }
        }
        self.forget_unreachable(file, usage);
    }

    /// Records that a name was removed; with a directory, everything that was known to be in it.
    pub(crate) fn remove(&mut self, (dir, name): (Number, &[u8]), usage: &mut Usage) {
        let mut pending: Vec<Name> = Vec::from([(dir, Box::from(name))]);
        while let Some((dir, name)) = pending.pop() {
            let Some(number) = self.remove_name(dir, &name, usage) else { continue };
            let inside = (number, Box::from([]))..(number + 1, Box::from([]));
            pending.extend(self.names.range(inside).map(|(name, _)| name.clone()));
            self.forget_unreachable(number, usage);
        }
    }

    /// Reserves the memory by which a name grows, before it is changed. Returns how much.
    pub(crate) fn admit_rename(&mut self, len: usize, target: usize) -> Result<u64, Refusal> {
        let more = name_memory(target).saturating_sub(name_memory(len));
        self.memory.grow(more)?;
        Ok(more)
    }

    /// Gives back the memory of a name that was not changed.
    pub(crate) fn cancel_rename(&mut self, admitted: u64) {
        self.memory.shrink(admitted);
    }

    /// Records that a name was changed with `admitted` bytes of memory, and that whatever had the
    /// new name was replaced.
    pub(crate) fn rename(
        &mut self,
        (dir, name): (Number, &[u8]),
        (to, target): (Number, &[u8]),
        admitted: u64,
        usage: &mut Usage,
    ) {
        let (moved, replaced) = (self.find(dir, name), self.find(to, target));
        if moved.is_some() && moved == replaced {
            // Two names of one file: the system leaves both.
            return self.cancel_rename(admitted);
        }
        match self.take_name(dir, name, usage) {
            Some(number) => {
                // The memory of the old name serves the new one.
                self.memory
                    .shrink(name_memory(name.len()).saturating_sub(name_memory(target.len())));
                self.name(number, to, target, usage);
            }
            None => {
                self.remove((to, target), usage);
                self.cancel_rename(admitted);
            }
        }
    }

    /// Records an admitted second name.
    pub(crate) fn link(&mut self, file: Number, (to, target): (Number, &[u8]), usage: &mut Usage) {
        if self.nodes.contains_key(&file) {
            self.name(file, to, target, usage);
        }
    }

    /// Records a change of size.
    pub(crate) fn resize(
        &mut self,
        file: Number,
        size: impl FnOnce(u64) -> u64,
        usage: &mut Usage,
    ) {
        if let Some(node) = self.nodes.get_mut(&file) {
            let (old, new) = (node.size, size(node.size));
            node.size = new;
            usage.count_bytes(new, old);
        }
    }

    /// The number at a name.
    pub(crate) fn find(&self, dir: Number, name: &[u8]) -> Option<Number> {
        self.names.get(&(dir, Box::from(name))).copied()
    }

    fn insert(&mut self, node: Node) -> Number {
        self.last += 1;
        self.nodes.insert(self.last, node);
        self.last
    }

    fn insert_foreign(&mut self, dir: Number, name: &[u8]) -> Result<Number, Refusal> {
        self.memory.grow(name_memory(name.len()))?;
        let number = self.insert(Node { size: 0, handles: 0, names: Vec::new(), foreign: true });
        self.name(number, dir, name, &mut Usage::default());
        Ok(number)
    }

    fn name(&mut self, number: Number, dir: Number, name: &[u8], usage: &mut Usage) {
        // If the name is already recorded, its file is replaced, or was removed by others.
        self.remove((dir, name), usage);
        let key = (dir, Box::from(name));
        self.names.insert(key.clone(), number);
        if let Some(node) = self.nodes.get_mut(&number) {
            node.names.push(key);
            usage.count_entries(u64::from(!node.foreign), 0);
        }
    }

    fn remove_name(&mut self, dir: Number, name: &[u8], usage: &mut Usage) -> Option<Number> {
        let number = self.take_name(dir, name, usage)?;
        self.memory.shrink(name_memory(name.len()));
        Some(number)
    }

    /// Removes a name whose memory stays reserved.
    fn take_name(&mut self, dir: Number, name: &[u8], usage: &mut Usage) -> Option<Number> {
        let key = (dir, Box::from(name));
        let number = self.names.remove(&key)?;
        if let Some(node) = self.nodes.get_mut(&number) {
            node.names.retain(|known| *known != key);
            usage.count_entries(0, u64::from(!node.foreign));
        }
        Some(number)
    }

    fn forget_unreachable(&mut self, number: Number, usage: &mut Usage) {
        let unreachable = |node: &Node| node.names.is_empty() && node.handles == 0;
        if self.nodes.get(&number).is_some_and(unreachable)
            && let Some(node) = self.nodes.remove(&number)
        {
            usage.count_bytes(0, node.size);
        }
    }
}

fn name_memory(len: usize) -> u64 {
    ENTRY_MEMORY + 2 * len as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = 1;

    fn account() -> (Account, Usage) {
        (Account::new(MemoryCharge::empty(None)), Usage::default())
    }

    fn counts(usage: &Usage) -> (u64, u64) {
        (usage.live.bytes, usage.live.entries)
    }

    #[test]
    fn a_name_that_is_created_again_no_longer_counts_the_old_file() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/tmp").unwrap();
        let old = account.create((base, b"x"), 0, &mut usage);
        account.resize(old, |_| 100, &mut usage);
        assert_eq!(counts(&usage), (100, 1));
        account.create((base, b"x"), 1, &mut usage);
        assert_eq!(counts(&usage), (0, 1));
    }

    #[test]
    fn files_of_others_count_while_they_are_open() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/data").unwrap();
        let file = account.open((base, b"x"), 100, &mut usage).unwrap();
        assert_eq!(account.open((base, b"x"), 100, &mut usage), Ok(file));
        account.close(file, &mut usage);
        assert_eq!(counts(&usage), (100, 0));
        account.close(file, &mut usage);
        assert_eq!(counts(&usage), (0, 0));
        assert_eq!(account.find(base, b"x"), None);
        let again = account.open((base, b"x"), 7, &mut usage).unwrap();
        account.close(again, &mut usage);
        assert_eq!(counts(&usage), (0, 0));
    }

    #[test]
    fn a_removed_directory_takes_along_what_was_known_to_be_in_it() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/tmp").unwrap();
        let dir = account.create((base, b"dir"), 0, &mut usage);
        let file = account.create((dir, b"file"), 0, &mut usage);
        account.resize(file, |_| 7, &mut usage);
        account.remove((base, b"dir"), &mut usage);
        assert_eq!(counts(&usage), (0, 0));
    }

    #[test]
    fn a_file_counts_until_its_last_name_and_handle_are_gone() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/tmp").unwrap();
        let file = account.create((base, b"a"), 1, &mut usage);
        account.resize(file, |_| 5, &mut usage);
        account.link(file, (base, b"b"), &mut usage);
        account.remove((base, b"a"), &mut usage);
        account.close(file, &mut usage);
        assert_eq!(counts(&usage), (5, 1));
        account.rename((base, b"b"), (base, b"c"), 0, &mut usage);
        assert_eq!(counts(&usage), (5, 1));
        account.remove((base, b"c"), &mut usage);
        assert_eq!(counts(&usage), (0, 0));
    }

    #[test]
    fn a_rename_onto_another_name_of_the_same_file_changes_nothing() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/tmp").unwrap();
        let file = account.create((base, b"a"), 0, &mut usage);
        account.link(file, (base, b"b"), &mut usage);
        account.rename((base, b"a"), (base, b"b"), 0, &mut usage);
        assert_eq!(counts(&usage), (0, 2));
    }

    #[test]
    fn a_replaced_file_no_longer_counts() {
        let (mut account, mut usage) = account();
        let base = account.directory(BASES, b"/tmp").unwrap();
        for (name, size) in [(b"a", 1), (b"b", 10)] {
            let file = account.create((base, name), 0, &mut usage);
            account.resize(file, |_| size, &mut usage);
        }
        account.rename((base, b"a"), (base, b"b"), 0, &mut usage);
        assert_eq!(counts(&usage), (1, 1));
    }

    #[test]
    fn names_are_paid_for_with_memory_until_they_are_gone() {
        use crate::memory::MemoryBudget;
        let budget = MemoryBudget::new(10 * name_memory(LEN));
        let mut account = Account::new(MemoryCharge::empty(Some(budget.clone())));
        let (mut usage, limits) = (Usage::default(), Limits::default());
        for name in b'a'..b'k' {
            account.admit_name(LEN, &limits, &usage).unwrap();
            account.create((BASES, &[name]), 0, &mut usage);
        }
        account.admit_name(LEN, &limits, &usage).unwrap_err();
        for name in b'a'..b'k' {
            account.remove((BASES, &[name]), &mut usage);
        }
        assert_eq!(budget.used(), 0);
    }
}
