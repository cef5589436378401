//! Removal of directory trees: by directory handle, following no link, in bounded stack and
//! handles, and past every failure.

use alloc::string::String;
use alloc::vec::Vec;

use crate::context::{Context, Dir, check_stopped};
use crate::error::{ErrorCode, ResultExt};
use crate::failures::{CleanupFailure, Failures};
use crate::name::base32;
use crate::platform::{EntryKind, Platform, RawEntry, display_path};

/// How many directories of a tree are open at once, with two handles each. A directory that is
/// deeper is moved to the top of the tree and removed from there, so depth costs neither handles
/// nor stack.
const MAX_OPEN: usize = 12;

/// How often a directory is listed again when it is found not to be empty, because somebody creates
/// entries in it meanwhile.
const MAX_ROUNDS: u8 = 4;

/// How many directories that were too deep may wait at the top of the tree, so that memory is
/// bounded.
const MAX_PENDING: usize = 1024;

/// A removal in progress. It collects what could not be removed.
pub(crate) struct Removal<'a, C: Context> {
    ctx: &'a C,
    platform: &'a C::Platform,
    failures: Failures,
    moved: u32,
}

/// A directory whose entries are being removed.
struct Frame<P: Platform> {
    dir: P::Dir,
    name: Vec<u8>,
    path: String,
    entries: P::Entries,
    /// Entries to visit before those of the listing.
    pending: Vec<RawEntry>,
    rounds: u8,
    failed: bool,
}

impl<P: Platform> Frame<P> {
    fn next(&mut self) -> Option<Result<RawEntry, ErrorCode>> {
        self.pending.pop().map(Ok).or_else(|| self.entries.next())
    }
}

impl<'a, C: Context> Removal<'a, C> {
    pub(crate) fn new(ctx: &'a C) -> Self {
        Removal { ctx, platform: ctx.platform(), failures: Failures::default(), moved: 0 }
    }

    /// Returns what could not be removed: the first failures, at most 1024 and at most 1 MiB of
    /// text.
    pub(crate) fn finish(self) -> Vec<CleanupFailure> {
        self.failures.into_list()
    }

    /// Records something that could not be removed.
    pub(crate) fn record(&mut self, code: ErrorCode, path: &str) {
        let error = self.ctx.ledger().explain(code.into()).at("remove", path);
        self.failures.push(CleanupFailure { path: path.into(), error });
    }

    /// Removes a file, or a directory with everything in it.
    pub(crate) fn remove_entry(&mut self, dir: &Dir<C>, name: &[u8], path: &str) {
        match self.platform.remove_file(dir, name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(ErrorCode::IsDirectory) => match self.open_unless_empty(dir, name) {
                Ok(Some(inside)) => {
                    self.remove_contents(&inside, path);
                    // Some hosts remove no directory that is open.
                    drop(inside);
                    let platform = self.platform;
                    let reopen = || platform.open_for_removal(dir, name);
                    self.remove_emptied_directory(dir, name, path, reopen);
                }
                Ok(None) => {}
                Err(code) => self.record(code, path),
            },
            Err(code) => self.record(code, path),
        }
    }

    /// Removes a directory if it is empty, and otherwise opens it in order to empty it.
    ///
    /// The attempt comes first, because systems refuse to remove a mount point, with `busy`, before
    /// they look whether it is empty. So mount points are left alone on platforms that have no
    /// other way to detect them.
    fn open_unless_empty(&self, parent: &Dir<C>, name: &[u8]) -> Result<Option<Dir<C>>, ErrorCode> {
        match self.platform.remove_directory(parent, name) {
            Ok(()) | Err(ErrorCode::NoEntry) => return Ok(None),
            Err(ErrorCode::Busy) => return Err(ErrorCode::Busy),
            // It is not empty, or `open_for_removal` or the next attempt gives the cause.
            Err(_) => {}
        }
        match self.platform.open_for_removal(parent, name) {
            Err(ErrorCode::NoEntry) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Removes a directory that [`remove_contents`](Self::remove_contents) has emptied, unless
    /// something in it could not be removed. If it is not empty, it is opened and emptied again.
    pub(crate) fn remove_emptied_directory(
        &mut self,
        parent: &Dir<C>,
        name: &[u8],
        path: &str,
        open: impl Fn() -> Result<Dir<C>, ErrorCode>,
    ) {
        for _ in 0..MAX_ROUNDS {
            if !self.failures.list().is_empty() {
                return;
            }
            match self.platform.remove_directory(parent, name) {
                Ok(()) | Err(ErrorCode::NoEntry) => return,
                Err(ErrorCode::NotEmpty) => {}
                Err(code) => return self.record(code, path),
            }
            match open() {
                Ok(dir) => self.remove_contents(&dir, path),
                Err(ErrorCode::NoEntry) => return,
                Err(code) => return self.record(code, path),
            }
        }
        self.record(ErrorCode::NotEmpty, path);
    }

    /// Removes everything in a directory. A removal that is stopped leaves the rest, and can be
    /// begun again.
    pub(crate) fn remove_contents(&mut self, dir: &Dir<C>, path: &str) {
        let top = match self.open_frame(dir.clone(), Vec::new(), path.into()) {
            Ok(top) => top,
            // Some hosts give this for a directory that was removed while it was open.
            Err(ErrorCode::NoEntry) => return,
            Err(code) => return self.record(code, path),
        };
        let mut stack = alloc::vec![top];
        while let Some(frame) = stack.last_mut() {
            if let Err(error) = check_stopped(self.ctx).at("remove", path) {
                return self.failures.push(CleanupFailure { path: path.into(), error });
            }
            match frame.next() {
                Some(Ok(entry)) if entry.kind == EntryKind::Directory => {
                    self.descend(&mut stack, entry.name);
                }
                Some(Ok(entry)) => self.remove_leaf(frame, entry.name),
                // The directory was removed while it was listed.
                Some(Err(ErrorCode::NoEntry)) => {}
                Some(Err(ErrorCode::InvalidName)) => {
                    frame.failed = true;
                    self.record(ErrorCode::InvalidName, &display_path(&frame.path, b"\xFF"));
                }
                Some(Err(code)) => {
                    frame.failed = true;
                    self.record(code, &frame.path);
                }
                None => self.ascend(&mut stack),
            }
        }
    }

    fn remove_leaf(&mut self, frame: &mut Frame<C::Platform>, name: Vec<u8>) {
        match self.platform.remove_file(&frame.dir, &name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            // It was something else when it was listed.
            Err(ErrorCode::IsDirectory) => {
                frame.pending.push(RawEntry { name, kind: EntryKind::Directory });
            }
            Err(code) => {
                frame.failed = true;
                self.record(code, &display_path(&frame.path, &name));
            }
        }
    }

    fn descend(&mut self, stack: &mut Vec<Frame<C::Platform>>, name: Vec<u8>) {
        if stack.len() == MAX_OPEN {
            return self.move_up(stack, name);
        }
        let Some(frame) = stack.last_mut() else { return };
        let path = display_path(&frame.path, &name);
        let inside = match self.open_unless_empty(&frame.dir, &name) {
            Ok(Some(dir)) => self.open_frame(dir, name, path.clone()),
            Ok(None) => return,
            // It was a directory when it was listed. A link in its place is removed like a file.
            Err(ErrorCode::NotDirectory) => {
                return frame.pending.push(RawEntry { name, kind: EntryKind::Other });
            }
            Err(code) => Err(code),
        };
        match inside {
            Ok(inside) => stack.push(inside),
            Err(ErrorCode::NoEntry) => {}
            Err(code) => {
                frame.failed = true;
                self.record(code, &path);
            }
        }
    }

    /// Moves a directory that is too deep to the top of the tree, to be removed there. When many
    /// wait there, they are removed before the rest of what is deep.
    fn move_up(&mut self, stack: &mut Vec<Frame<C::Platform>>, name: Vec<u8>) {
        let [top, below, .., deep] = stack.as_mut_slice() else { return };
        let moved = loop {
            let mut free = String::from("moved-");
            base32(&self.moved.to_le_bytes(), 6, |byte| free.push(char::from(byte)));
            let free = free.into_bytes();
            self.moved += 1;
            match self.platform.rename(&deep.dir, &name, &top.dir, &free) {
                Err(ErrorCode::Exist | ErrorCode::NotEmpty | ErrorCode::NotDirectory)
                    if self.moved < u32::MAX => {}
                Ok(()) => break Ok(free),
                Err(code) => break Err(code),
            }
        };
        match moved {
            Ok(free) => {
                top.pending.push(RawEntry { name: free, kind: EntryKind::Directory });
                if top.pending.len() >= MAX_PENDING {
                    let name = below.name.clone();
                    top.pending.insert(0, RawEntry { name, kind: EntryKind::Directory });
                    stack.truncate(1);
                }
            }
            Err(ErrorCode::NoEntry) => {}
            Err(code) => {
                deep.failed = true;
                self.record(code, &display_path(&deep.path, &name));
            }
        }
    }

    fn ascend(&mut self, stack: &mut Vec<Frame<C::Platform>>) {
        let Some(Frame { dir, name, path, entries, rounds, failed, .. }) = stack.pop() else {
            return;
        };
        let Some(parent) = stack.last_mut() else { return };
        if failed {
            parent.failed = true;
            return;
        }
        // Some hosts remove no directory that is open.
        drop((dir, entries));
        let failed = match self.platform.remove_directory(&parent.dir, &name) {
            Ok(()) | Err(ErrorCode::NoEntry) => return,
            Err(ErrorCode::NotEmpty) if rounds < MAX_ROUNDS => {
                let opened = self.platform.open_for_removal(&parent.dir, &name);
                match opened.and_then(|dir| self.open_frame(dir, name, path.clone())) {
                    Ok(frame) => return stack.push(Frame { rounds: rounds + 1, ..frame }),
                    Err(ErrorCode::NoEntry) => return,
                    Err(code) => code,
                }
            }
            Err(code) => code,
        };
        parent.failed = true;
        self.record(failed, &path);
    }

    fn open_frame(
        &self,
        dir: Dir<C>,
        name: Vec<u8>,
        path: String,
    ) -> Result<Frame<C::Platform>, ErrorCode> {
        let entries = self.platform.entries(&dir)?;
        Ok(Frame { dir, name, path, entries, pending: Vec::new(), rounds: 0, failed: false })
    }
}
