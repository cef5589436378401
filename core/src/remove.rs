//! Removal of trees: by directory handle, no link followed, no recursion on the stack, few handles, past every failure.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Error, ErrorCode};
use crate::name::{base32, text};
use crate::path::join;
use crate::platform::{EntryKind, Platform};

/// Something that could not be removed: `cleanup-failure` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupFailure {
    /// Where it is now, as the caller knows it.
    pub path: String,
    /// Why it stayed.
    pub error: Error,
}

/// How many directories of a tree are open at once. A directory deeper than that is moved to the top of the tree and removed
/// from there, so depth costs no handles, no stack, and no second walk from the top.
const MAX_OPEN: usize = 16;

/// How often a directory is read again that was not empty after all: somebody writes to it while it is removed.
const MAX_ROUNDS: u8 = 4;

/// A removal under way: what could not be removed is collected.
pub(crate) struct Removal<'a, P: Platform> {
    platform: &'a P,
    failures: Vec<CleanupFailure>,
    moved: u32,
}

/// A directory on the way down.
struct Frame<P: Platform> {
    dir: P::Dir,
    name: Vec<u8>,
    path: String,
    pending: Vec<(Vec<u8>, EntryKind)>,
    rounds: u8,
    failed: bool,
}

impl<'a, P: Platform> Removal<'a, P> {
    pub(crate) fn new(platform: &'a P) -> Self {
        Removal { platform, failures: Vec::new(), moved: 0 }
    }

    /// What stayed.
    pub(crate) fn finish(self) -> Vec<CleanupFailure> {
        self.failures
    }

    pub(crate) fn failed(&mut self, code: ErrorCode, path: &str) {
        let error = Error::new(code, "remove", path);
        self.failures.push(CleanupFailure { path: path.into(), error });
    }

    /// Removes a file, or a directory with everything in it.
    pub(crate) fn entry(&mut self, dir: &P::Dir, name: &[u8], path: &str) {
        match self.platform.remove_file(dir, name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(ErrorCode::IsDirectory) => match self.platform.open_doomed(dir, name) {
                Ok(inside) => {
                    self.contents(&inside, path);
                    self.emptied(dir, name, &inside, path);
                }
                Err(code) => self.unreadable(dir, name, path, code),
            },
            Err(code) => self.failed(code, path),
        }
    }

    /// Removes a directory that [`contents`](Self::contents) has emptied, unless something in it had to stay.
    pub(crate) fn emptied(&mut self, parent: &P::Dir, name: &[u8], dir: &P::Dir, path: &str) {
        for _ in 0..MAX_ROUNDS {
            if !self.failures.is_empty() {
                return;
            }
            match self.platform.remove_directory(parent, name) {
                Ok(()) | Err(ErrorCode::NoEntry) => return,
                Err(ErrorCode::NotEmpty) => self.contents(dir, path),
                Err(code) => return self.failed(code, path),
            }
        }
        self.failed(ErrorCode::NotEmpty, path);
    }

    /// Removes everything in a directory.
    pub(crate) fn contents(&mut self, dir: &P::Dir, path: &str) {
        let Some(top) = self.frame(dir.clone(), Vec::new(), path.into()) else { return };
        let mut stack = alloc::vec![top];
        while let Some(frame) = stack.last_mut() {
            match frame.pending.pop() {
                Some((name, EntryKind::Directory)) => self.descend(&mut stack, name),
                Some((name, EntryKind::File | EntryKind::Other)) => self.leaf(&mut stack, name),
                None => self.ascend(&mut stack),
            }
        }
    }

    fn leaf(&mut self, stack: &mut [Frame<P>], name: Vec<u8>) {
        let Some(frame) = stack.last_mut() else { return };
        match self.platform.remove_file(&frame.dir, &name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            // It was something else when it was listed.
            Err(ErrorCode::IsDirectory) => frame.pending.push((name, EntryKind::Directory)),
            Err(code) => {
                frame.failed = true;
                let path = child(&frame.path, &name);
                self.failed(code, &path);
            }
        }
    }

    fn descend(&mut self, stack: &mut Vec<Frame<P>>, name: Vec<u8>) {
        if stack.len() == MAX_OPEN {
            return self.move_up(stack, name);
        }
        let Some(frame) = stack.last_mut() else { return };
        let path = child(&frame.path, &name);
        match self.platform.open_doomed(&frame.dir, &name) {
            Ok(dir) => match self.frame(dir, name, path) {
                Some(inside) => stack.push(inside),
                None => frame.failed = true,
            },
            Err(ErrorCode::NoEntry) => {}
            // It was a directory when it was listed; a link in its place is a name like any other.
            Err(ErrorCode::NotDirectory) => frame.pending.push((name, EntryKind::Other)),
            Err(code) => {
                let before = self.failures.len();
                let dir = frame.dir.clone();
                self.unreadable(&dir, &name, &path, code);
                frame.failed |= self.failures.len() > before;
            }
        }
    }

    /// Moves a directory that is too deep to the top of the tree, where its turn comes.
    fn move_up(&mut self, stack: &mut [Frame<P>], name: Vec<u8>) {
        let [top, .., deep] = stack else { return };
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
            Ok(free) => top.pending.push((free, EntryKind::Directory)),
            Err(ErrorCode::NoEntry) => {}
            Err(code) => {
                deep.failed = true;
                let path = child(&deep.path, &name);
                self.failed(code, &path);
            }
        }
    }

    fn ascend(&mut self, stack: &mut Vec<Frame<P>>) {
        let Some(mut done) = stack.pop() else { return };
        let Some(parent) = stack.last_mut() else { return };
        if done.failed {
            parent.failed = true;
            return;
        }
        match self.platform.remove_directory(&parent.dir, &done.name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(ErrorCode::NotEmpty) if done.rounds < MAX_ROUNDS => match self.list(&done.dir) {
                Ok((pending, _)) => {
                    done.pending = pending;
                    done.rounds += 1;
                    stack.push(done);
                }
                Err(code) => {
                    parent.failed = true;
                    self.failed(code, &done.path);
                }
            },
            Err(code) => {
                parent.failed = true;
                self.failed(code, &done.path);
            }
        }
    }

    /// A directory that can't be looked into can still be removed if it is empty.
    fn unreadable(&mut self, parent: &P::Dir, name: &[u8], path: &str, code: ErrorCode) {
        match self.platform.remove_directory(parent, name) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(_) => self.failed(code, path),
        }
    }

    fn frame(&mut self, dir: P::Dir, name: Vec<u8>, path: String) -> Option<Frame<P>> {
        match self.list(&dir) {
            Ok((pending, unnamed)) => {
                for code in &unnamed {
                    self.failed(*code, &child(&path, b"\xFF"));
                }
                Some(Frame { dir, name, path, pending, rounds: 0, failed: !unnamed.is_empty() })
            }
            Err(code) => {
                self.failed(code, &path);
                None
            }
        }
    }

    /// The entries that can be removed, and why others can't even be named.
    #[allow(clippy::type_complexity)]
    fn list(&self, dir: &P::Dir) -> Result<(Vec<(Vec<u8>, EntryKind)>, Vec<ErrorCode>), ErrorCode> {
        let mut pending = Vec::new();
        let mut unnamed = Vec::new();
        for entry in self.platform.entries(dir)? {
            match entry {
                Ok(entry) => pending.push((entry.name, entry.kind)),
                Err(code) => unnamed.push(code),
            }
        }
        Ok((pending, unnamed))
    }
}

/// The path of an entry, as far as it can be written down.
fn child(directory: &str, name: &[u8]) -> String {
    join(directory, text(name).unwrap_or("\u{FFFD}"))
}
