//! Limits: how much of the disk, of memory and of handles one user of a platform may take.
//!
//! [`Limited`] is a platform over another that counts what is created through it, wherever it lies, until it is gone: a name until it is
//! removed or replaced, a file's bytes until its last name and its last handle are. A file's bytes are its size, so a gap counts as
//! the zeros it reads as. What is kept or persisted goes on counting: it still fills the disk. What others put into a directory counts while
//! it is held open, and what others change behind this platform's back is not seen.
//!
//! The account is part of the ledger, and exact: growth is admitted before it happens, up to the last byte that fits.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::{Context, Error, ErrorCode};
use crate::ledger::Ledger;
use crate::platform::{Anchor, Identity, Now, Platform, RawEntry};

/// How much there may be at one time; none: as much as the system gives. What would be more is refused with `quota`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of files on disk, all together.
    pub bytes: Option<u64>,
    /// Names: of files, and of directories.
    pub entries: Option<u64>,
    /// Handles of the interface: open files, names and directories that will be removed.
    pub handles: Option<u64>,
    /// Bytes of spooled files in memory, all together. One that would take more moves to disk.
    pub memory: Option<u64>,
    /// Bytes of any one file on disk.
    pub file_size: Option<u64>,
    /// How old a handle may become, in nanoseconds: see [`Lifetimes`](crate::Lifetimes).
    pub time_to_live: Option<u64>,
    /// How long a handle may be unused, in nanoseconds: see [`Lifetimes`](crate::Lifetimes).
    pub idle: Option<u64>,
}

impl Limits {
    /// The variable of the environment that a provider component takes its limits from.
    pub const VARIABLE: &str = "SCRATCH_LIMITS";

    const NONE: Self = Limits {
        bytes: None,
        entries: None,
        handles: None,
        memory: None,
        file_size: None,
        time_to_live: None,
        idle: None,
    };

    /// Reads what [`Display`](fmt::Display) writes: `bytes=1048576,handles=20`. What is not named is not limited; nothing is, in an
    /// empty text. None if the text is of another form: whoever wanted a limit must not go without.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut limits = Limits::NONE;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, number) = part.split_once('=')?;
            let limit = limits.named().into_iter().find(|(known, _)| *known == name)?.1;
            if limit.is_some() {
                return None;
            }
            *limit = Some(number.parse().ok()?);
        }
        Some(limits)
    }

    /// Each limit under its name in the interface.
    fn named(&mut self) -> [(&'static str, &mut Option<u64>); 7] {
        let Self { bytes, entries, handles, memory, file_size, time_to_live, idle } = self;
        [
            ("bytes", bytes),
            ("entries", entries),
            ("handles", handles),
            ("memory", memory),
            ("file-size", file_size),
            ("time-to-live", time_to_live),
            ("idle", idle),
        ]
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, limit) in { *self }.named() {
            if let Some(limit) = limit {
                write!(f, "{separator}{name}={limit}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

/// What of a platform's files is on disk, and what may be.
pub(crate) struct Account {
    pub(crate) limits: Limits,
    nodes: BTreeMap<Identity, Node>,
}

/// A file or directory that counts.
struct Node {
    size: u64,
    names: u32,
    handles: u32,
}

impl Account {
    pub(crate) const fn new() -> Self {
        Account { limits: Limits::NONE, nodes: BTreeMap::new() }
    }
}

fn fits(limit: Option<u64>, now: u64, more: u64) -> Result<(), ErrorCode> {
    match limit {
        Some(limit) if now.saturating_add(more) > limit => Err(ErrorCode::Quota),
        Some(_) | None => Ok(()),
    }
}

impl Ledger {
    /// What there may be.
    pub fn limits(&self) -> Limits {
        self.account.limits
    }

    fn admit_handles(&self, more: u32) -> Result<(), ErrorCode> {
        let live = self.usage().live;
        let now = [live.files, live.paths, live.directories].map(u64::from).iter().sum();
        fits(self.account.limits.handles, now, u64::from(more))
    }

    fn admit_memory(&self, more: u64) -> Result<(), ErrorCode> {
        fits(self.account.limits.memory, self.usage().live.memory, more)
    }

    fn admit_entry(&self) -> Result<(), ErrorCode> {
        fits(self.account.limits.entries, self.usage().live.entries, 1)
    }

    /// How far a file may reach that is wanted to reach `end`: past `start`, or it is an error.
    fn admit_growth(&self, file: Identity, start: u64, end: u64) -> Result<u64, ErrorCode> {
        let size = self.account.nodes.get(&file).map_or(0, |node| node.size);
        let room = |limit: Option<u64>, now: u64| limit.map_or(u64::MAX, |limit| limit.saturating_sub(now));
        let more = room(self.account.limits.bytes, self.usage().live.bytes);
        let most = size.saturating_add(more.min(room(self.account.limits.file_size, size)));
        if end <= size || end <= most {
            Ok(end)
        } else if start < most {
            Ok(most)
        } else {
            Err(ErrorCode::Quota)
        }
    }

    /// Something new, with a name or a handle. A number that counted already belonged to something that went unseen.
    fn created(&mut self, what: Identity, names: u32, handles: u32) {
        self.forget(what);
        self.account.nodes.insert(what, Node { size: 0, names, handles });
        self.count_entries(u64::from(names), 0);
    }

    /// A handle to a file that was found.
    fn opened(&mut self, file: Identity, size: u64) {
        if let Some(node) = self.account.nodes.get_mut(&file) {
            node.handles += 1;
        } else {
            self.account.nodes.insert(file, Node { size, names: 0, handles: 1 });
            self.count_bytes(size, 0);
        }
    }

    fn closed(&mut self, file: Identity) {
        if let Some(node) = self.account.nodes.get_mut(&file) {
            node.handles = node.handles.saturating_sub(1);
            self.forget_unreachable(file);
        }
    }

    fn linked(&mut self, file: Identity) {
        if let Some(node) = self.account.nodes.get_mut(&file) {
            node.names += 1;
            self.count_entries(1, 0);
        }
    }

    fn unlinked(&mut self, what: Identity) {
        if let Some(node) = self.account.nodes.get_mut(&what)
            && node.names > 0
        {
            node.names -= 1;
            self.count_entries(0, 1);
            self.forget_unreachable(what);
        }
    }

    fn resized(&mut self, file: Identity, size: impl FnOnce(u64) -> u64) {
        if let Some(node) = self.account.nodes.get_mut(&file) {
            let (old, new) = (node.size, size(node.size));
            node.size = new;
            self.count_bytes(new, old);
        }
    }

    fn forget_unreachable(&mut self, what: Identity) {
        if self.account.nodes.get(&what).is_some_and(|node| node.names == 0 && node.handles == 0) {
            self.forget(what);
        }
    }

    fn forget(&mut self, what: Identity) {
        if let Some(Node { size, names, .. }) = self.account.nodes.remove(&what) {
            self.count_bytes(0, size);
            self.count_entries(0, u64::from(names));
        }
    }
}

/// A platform over another that counts and limits what is created through it. It keeps its account in the other's ledger.
#[derive(Clone)]
pub struct Limited<P> {
    inner: P,
    counts: bool,
}

/// An open file that counts. Dropping it closes it.
pub struct LimitedFile<P: Platform> {
    // Closed before it no longer counts.
    file: P::File,
    counted: Option<Counted<P>>,
}

/// A handle that counts, for as long as this lives.
struct Counted<P: Platform> {
    platform: P,
    file: Identity,
}

impl<P: Platform> LimitedFile<P> {
    /// The other platform's file.
    pub fn get_ref(&self) -> &P::File {
        &self.file
    }

    /// The other platform's file, which no longer counts.
    pub fn into_inner(self) -> P::File {
        self.file
    }
}

impl<P: Platform> Drop for Counted<P> {
    fn drop(&mut self) {
        self.platform.ledger(|ledger, _| ledger.closed(self.file));
    }
}

impl<P: Platform> Limited<P> {
    /// Limits a platform that keeps a ledger. Without limits nothing is counted, and nothing costs more than it does on the other.
    pub fn new(inner: P, limits: Option<Limits>) -> Self {
        if let Some(limits) = limits {
            inner.ledger(|ledger, _| ledger.account.limits = limits);
        }
        Limited { inner, counts: limits.is_some() }
    }

    /// Limits a platform as its environment says, in [`Limits::VARIABLE`]; not at all where the variable is not set.
    ///
    /// # Errors
    /// `invalid` if the variable is not understood, or limits time, which is for whoever keeps the handles: what was to be limited must
    /// not go without.
    pub fn from_environment(inner: P) -> Result<Self, Error> {
        let limits = match inner.variable(Limits::VARIABLE) {
            None => None,
            Some(text) => match Limits::from_text(&text) {
                Some(limits @ Limits { time_to_live: None, idle: None, .. }) => Some(limits),
                Some(_) | None => {
                    return Err(ErrorCode::Invalid).during("understand the limits in", Limits::VARIABLE);
                }
            },
        };
        Ok(Limited::new(inner, limits))
    }

    /// Whether this platform counts, so that nothing may go round it.
    pub fn counts(&self) -> bool {
        self.counts
    }

    /// The platform below.
    pub fn get_ref(&self) -> &P {
        &self.inner
    }

    /// Asks the account, if there is one.
    fn admit(&self, ask: impl FnOnce(&Ledger) -> Result<(), ErrorCode>) -> Result<(), ErrorCode> {
        match self.counts {
            true => self.inner.ledger(|ledger, _| ask(ledger)).unwrap_or(Ok(())),
            false => Ok(()),
        }
    }

    fn count(&self, act: impl FnOnce(&mut Ledger)) {
        if self.counts {
            self.inner.ledger(|ledger, _| act(ledger));
        }
    }

    /// What a name stands for, where it matters.
    fn named(&self, dir: &P::Dir, name: &[u8]) -> Option<Identity> {
        if self.counts { self.inner.identity_at(dir, name).ok() } else { None }
    }

    /// A file that was opened, once it has been entered.
    fn file(
        &self,
        file: P::File,
        enter: impl FnOnce(&mut Ledger, Identity),
    ) -> Result<LimitedFile<P>, ErrorCode> {
        if !self.counts {
            return Ok(LimitedFile { file, counted: None });
        }
        let identity = self.inner.identity(&file)?;
        self.count(|ledger| enter(ledger, identity));
        Ok(LimitedFile { file, counted: Some(self.counted(identity)) })
    }

    fn counted(&self, file: Identity) -> Counted<P> {
        Counted { platform: self.inner.clone(), file }
    }

    fn unlinked(&self, what: Option<Identity>) {
        if let Some(what) = what {
            self.count(|ledger| ledger.unlinked(what));
        }
    }
}

impl<P: Platform> Platform for Limited<P> {
    type Dir = P::Dir;
    type File = LimitedFile<P>;

    fn anchor(&self, path: &str) -> Result<Anchor<P::Dir>, ErrorCode> {
        self.inner.anchor(path)
    }
    fn variable(&self, name: &str) -> Option<String> {
        self.inner.variable(name)
    }
    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        self.inner.ledger(act)
    }
    fn last_resorts(&self) -> Vec<String> {
        self.inner.last_resorts()
    }
    fn admit_handles(&self, more: u32) -> Result<(), ErrorCode> {
        self.admit(|ledger| ledger.admit_handles(more))
    }
    fn admit_memory(&self, more: u64) -> Result<(), ErrorCode> {
        self.admit(|ledger| ledger.admit_memory(more))
    }

    fn create_file(&self, dir: &P::Dir, name: &[u8]) -> Result<LimitedFile<P>, ErrorCode> {
        self.admit(Ledger::admit_entry)?;
        let file = self.inner.create_file(dir, name)?;
        let entered = self.file(file, |ledger, file| ledger.created(file, 1, 1));
        if entered.is_err() {
            // What can't be counted is taken back; where even that fails, the directory that holds it goes in the end.
            let _ = self.inner.remove_file(dir, name);
        }
        entered
    }
    fn create_unnamed(&self, dir: &P::Dir, look: bool) -> Result<LimitedFile<P>, ErrorCode> {
        let file = self.inner.create_unnamed(dir, look)?;
        self.file(file, |ledger, file| ledger.created(file, 0, 1))
    }
    fn open_file(&self, dir: &P::Dir, name: &[u8]) -> Result<LimitedFile<P>, ErrorCode> {
        let file = self.inner.open_file(dir, name)?;
        let size = if self.counts { self.inner.size(&file)? } else { 0 };
        self.file(file, |ledger, file| ledger.opened(file, size))
    }
    fn duplicate(&self, file: &LimitedFile<P>) -> Result<LimitedFile<P>, ErrorCode> {
        let another = self.inner.duplicate(&file.file)?;
        let counted = file.counted.as_ref().map(|counted| {
            // Its size is known.
            self.count(|ledger| ledger.opened(counted.file, 0));
            self.counted(counted.file)
        });
        Ok(LimitedFile { file: another, counted })
    }
    fn create_directory(&self, dir: &P::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        self.admit(Ledger::admit_entry)?;
        self.inner.create_directory(dir, name)?;
        if let Some(made) = self.named(dir, name) {
            self.count(|ledger| ledger.created(made, 1, 0));
        }
        Ok(())
    }
    fn open_directory(&self, dir: &P::Dir, name: &[u8]) -> Result<P::Dir, ErrorCode> {
        self.inner.open_directory(dir, name)
    }
    fn open_doomed(&self, dir: &P::Dir, name: &[u8]) -> Result<P::Dir, ErrorCode> {
        self.inner.open_doomed(dir, name)
    }
    fn entries(&self, dir: &P::Dir) -> Result<Vec<Result<RawEntry, ErrorCode>>, ErrorCode> {
        self.inner.entries(dir)
    }

    fn remove_file(&self, dir: &P::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        let gone = self.named(dir, name);
        self.inner.remove_file(dir, name)?;
        self.unlinked(gone);
        Ok(())
    }
    fn remove_directory(&self, dir: &P::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        let gone = self.named(dir, name);
        self.inner.remove_directory(dir, name)?;
        self.unlinked(gone);
        Ok(())
    }
    fn rename(&self, dir: &P::Dir, name: &[u8], to: &P::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        let (moved, replaced) = (self.named(dir, name), self.named(to, target));
        self.inner.rename(dir, name, to, target)?;
        // Two names of one file: the system leaves both.
        if moved != replaced {
            self.unlinked(replaced);
        }
        Ok(())
    }
    fn rename_new(&self, dir: &P::Dir, name: &[u8], to: &P::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        self.inner.rename_new(dir, name, to, target)
    }
    fn link(&self, dir: &P::Dir, name: &[u8], to: &P::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        self.admit(Ledger::admit_entry)?;
        self.inner.link(dir, name, to, target)?;
        if let Some(linked) = self.named(to, target) {
            self.count(|ledger| ledger.linked(linked));
        }
        Ok(())
    }
    fn link_unnamed(&self, file: &LimitedFile<P>, to: &P::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        self.admit(Ledger::admit_entry)?;
        self.inner.link_unnamed(&file.file, to, target)?;
        if let Some(linked) = &file.counted {
            self.count(|ledger| ledger.linked(linked.file));
        }
        Ok(())
    }

    fn identity(&self, file: &LimitedFile<P>) -> Result<Identity, ErrorCode> {
        match &file.counted {
            Some(counted) => Ok(counted.file),
            None => self.inner.identity(&file.file),
        }
    }
    fn directory_identity(&self, dir: &P::Dir) -> Result<Identity, ErrorCode> {
        self.inner.directory_identity(dir)
    }
    fn identity_at(&self, dir: &P::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        self.inner.identity_at(dir, name)
    }
    fn link_count_at(&self, dir: &P::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        self.inner.link_count_at(dir, name)
    }

    fn read_into(&self, file: &LimitedFile<P>, offset: u64, buffer: &mut [u8]) -> Result<usize, ErrorCode> {
        self.inner.read_into(&file.file, offset, buffer)
    }
    fn read(&self, file: &LimitedFile<P>, offset: u64, max: usize) -> Result<Vec<u8>, ErrorCode> {
        self.inner.read(&file.file, offset, max)
    }
    fn write(&self, file: &LimitedFile<P>, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        let Some(Counted { platform, file: identity }) = &file.counted else {
            return self.inner.write(&file.file, offset, data);
        };
        let wanted = offset.saturating_add(data.len() as u64);
        let end = platform
            .ledger(|ledger, _| ledger.admit_growth(*identity, offset, wanted))
            .unwrap_or(Ok(wanted))?;
        let fitting = usize::try_from(end - offset).unwrap_or(usize::MAX).min(data.len());
        let count = self.inner.write(&file.file, offset, &data[..fitting])?;
        let end = offset.saturating_add(count as u64);
        platform.ledger(|ledger, _| ledger.resized(*identity, |size| size.max(end)));
        Ok(count)
    }
    fn size(&self, file: &LimitedFile<P>) -> Result<u64, ErrorCode> {
        self.inner.size(&file.file)
    }
    fn set_size(&self, file: &LimitedFile<P>, size: u64) -> Result<(), ErrorCode> {
        let Some(Counted { platform, file: identity }) = &file.counted else {
            return self.inner.set_size(&file.file, size);
        };
        let admitted = platform.ledger(|ledger, _| ledger.admit_growth(*identity, 0, size));
        if admitted.unwrap_or(Ok(size))? < size {
            return Err(ErrorCode::Quota);
        }
        self.inner.set_size(&file.file, size)?;
        platform.ledger(|ledger, _| ledger.resized(*identity, |_| size));
        Ok(())
    }
    fn sync_data(&self, file: &LimitedFile<P>) -> Result<(), ErrorCode> {
        self.inner.sync_data(&file.file)
    }
    fn sync_all(&self, file: &LimitedFile<P>) -> Result<(), ErrorCode> {
        self.inner.sync_all(&file.file)
    }
    fn sync_directory(&self, dir: &P::Dir) -> Result<(), ErrorCode> {
        self.inner.sync_directory(dir)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn limits_survive_the_environment() {
        let limits = Limits { bytes: Some(0), file_size: Some(u64::MAX), idle: Some(7), ..Limits::default() };
        assert_eq!(limits.to_string(), "bytes=0,file-size=18446744073709551615,idle=7");
        for limits in [limits, Limits::default()] {
            assert_eq!(Limits::from_text(&limits.to_string()), Some(limits));
        }
    }

    #[test]
    fn a_text_that_is_not_understood_limits_nothing_by_mistake() {
        for text in [
            "bytes",
            "bytes=",
            "bytes=-1",
            "bytes=1K",
            "bytes =1",
            "bites=1",
            "bytes=1,bytes=2",
            "bytes=1;idle=2",
            "=",
        ] {
            assert_eq!(Limits::from_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_given_to_a_new_file_is_no_longer_the_old_one() {
        let mut ledger = Ledger::new();
        ledger.created([1, 1], 1, 1);
        ledger.resized([1, 1], |_| 100);
        ledger.closed([1, 1]);
        assert_eq!((ledger.usage().live.bytes, ledger.usage().live.entries), (100, 1));
        // Somebody else has removed it, and the system gives its number to the next file.
        ledger.created([1, 1], 1, 1);
        assert_eq!((ledger.usage().live.bytes, ledger.usage().live.entries), (0, 1));
    }

    #[test]
    fn what_others_made_counts_while_it_is_open() {
        let mut ledger = Ledger::new();
        ledger.opened([1, 1], 100);
        ledger.opened([1, 1], 100);
        ledger.unlinked([1, 1]);
        ledger.closed([1, 1]);
        assert_eq!((ledger.usage().live.bytes, ledger.usage().live.entries), (100, 0));
        ledger.closed([1, 1]);
        assert_eq!(ledger.usage().live.bytes, 0);
    }
}
