//! A directory, and the promise to remove it with everything in it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::error::{Context, Error, ErrorCode};
use crate::file::{File, Origin};
use crate::ledger::{self, HandleKind, Line};
use crate::name::text;
use crate::path::{Kind, NamePath, Place, child_components, open_child_parent, walk};
use crate::platform::{EntryKind, Platform, RawEntry};
use crate::remove::{CleanupFailure, Removal};

/// A name in a directory: `entry` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One path component.
    pub name: String,
    /// What it is, links not followed.
    pub kind: EntryKind,
}

/// A directory, and the promise to remove it: `temp-dir` of the interface. Dropping it removes it.
///
/// Every method but [`path`](Self::path) and [`close`](Self::close) answers `closed` once the promise is kept or given up.
pub struct TempDir<P: Platform> {
    platform: P,
    parent: Place<P>,
    path: NamePath,
    inside: Place<P>,
    held: bool,
    line: Line,
}

impl<P: Platform> TempDir<P> {
    pub(crate) fn new(
        platform: P,
        parent: Place<P>,
        path: NamePath,
        dir: P::Dir,
        label: Option<&str>,
    ) -> Self {
        let inside = Place { dir, path: path.shared().clone(), kind: Kind::Temporary };
        let line = Line::open(&platform, HandleKind::Directory, Some(path.shared()), label);
        TempDir { platform, parent, path, inside, held: true, line }
    }

    /// Takes over a directory that exists, with the promise to remove it.
    ///
    /// # Errors
    /// `no-entry`; `not-directory`; `access`; `invalid-name` if `name` is not one path component.
    pub fn adopt(platform: &P, parent: &Place<P>, name: &str) -> Result<Self, Error> {
        let open = || {
            let (dir, name) = open_child_parent(platform, &parent.dir, name)?;
            platform.open_doomed(&dir, name.as_bytes())
        };
        let dir = open().during("take over the directory", name)?;
        let path = NamePath::new(&parent.path, name);
        Ok(TempDir::new(platform.clone(), parent.clone(), path, dir, None))
    }

    /// The directory's path, as the caller knows it; also after it is gone.
    pub fn path(&self) -> &str {
        self.path.path()
    }

    /// The path, to be held on to without a copy.
    pub fn shared_path(&self) -> Arc<str> {
        self.path.shared().clone()
    }

    /// The platform's own handle, while this one is open.
    ///
    /// # Errors
    /// `closed`.
    pub fn get_ref(&self) -> Result<&P::Dir, Error> {
        self.open().map(|place| &place.dir).during("open", self.path())
    }

    /// The directory as a place to create in: `location.within` of the interface.
    ///
    /// # Errors
    /// `closed`.
    pub fn place(&self) -> Result<Place<P>, Error> {
        self.open().cloned().during("create in", self.path())
    }

    /// Creates a file, which must not exist.
    ///
    /// # Errors
    /// `closed`; `exist`; `no-entry`; `not-directory`; those of children's paths.
    pub fn create_file(&self, path: &str) -> Result<File<P>, Error> {
        self.child(path)
            .and_then(|(dir, name)| {
                self.platform.admit_handles(1).and_then(|()| self.platform.create_file(&dir, name))
            })
            .map(|file| self.file(file))
            .during("create the file", path)
    }

    /// Opens an existing regular file.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `is-directory`; `not-directory`; `invalid`; those of children's paths.
    pub fn open_file(&self, path: &str) -> Result<File<P>, Error> {
        self.child(path)
            .and_then(|(dir, name)| {
                self.platform.admit_handles(1).and_then(|()| self.platform.open_file(&dir, name))
            })
            .map(|file| self.file(file))
            .during("open the file", path)
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// `closed`; `exist`; `no-entry`; `not-directory`; those of children's paths.
    pub fn create_directory(&self, path: &str) -> Result<(), Error> {
        self.child(path)
            .and_then(|(dir, name)| self.platform.create_directory(&dir, name))
            .during("create the directory", path)
    }

    /// Renames within this directory.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `is-directory` or `not-directory` if the kinds differ; `not-empty`; `invalid` if a directory would move
    /// into itself; those of children's paths.
    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        let (to, target) = self.child(new).during("rename to", new)?;
        self.child(old)
            .and_then(|(dir, name)| self.platform.rename(&dir, name, &to, target))
            .during("rename", old)
    }

    /// Removes a file, or a directory with everything in it. What is gone already is a success.
    ///
    /// # Errors
    /// `closed`; the first failure of the removal, which goes on past it; those of children's paths.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        let (dir, name) = self.child(path).during("remove", path)?;
        let mut removal = Removal::new(&self.platform);
        removal.entry(&dir, name, path);
        match removal.finish().into_iter().next() {
            None => Ok(()),
            Some(failure) => Err(failure.error),
        }
    }

    /// The entries of a directory; `""` is this one.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `not-directory`; `invalid-name` if an entry's name is not UTF-8; those of children's paths.
    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, Error> {
        self.list(path).during("list", path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, ErrorCode> {
        let root = &self.open()?.dir;
        let components = if path.is_empty() { Vec::new() } else { child_components(path)? };
        let dir = walk(&self.platform, root, &components)?;
        // A loop: collecting results is another 300 bytes of the provider component.
        let mut entries = Vec::new();
        for entry in self.platform.entries(&dir)? {
            let RawEntry { name, kind } = entry?;
            let name = String::from(text(&name).ok_or(ErrorCode::InvalidName)?);
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Gives up the promise, and returns the path.
    ///
    /// # Errors
    /// `closed`.
    pub fn keep(&mut self) -> Result<String, Error> {
        self.open().during("keep", self.path())?;
        self.held = false;
        self.line.keep(&self.platform);
        Ok(String::from(self.path()))
    }

    /// Removes the directory and everything in it. A directory that is gone already is a success, and so is closing again.
    ///
    /// # Errors
    /// Each path that stayed. The promise stands.
    pub fn close(&mut self) -> Result<(), Vec<CleanupFailure>> {
        if !self.held {
            return Ok(());
        }
        let mut removal = Removal::new(&self.platform);
        if self.is_ours(&mut removal) {
            removal.contents(&self.inside.dir, &self.inside.path);
            removal.emptied(&self.parent.dir, self.path.name(), &self.inside.dir, &self.inside.path);
        }
        let failures = removal.finish();
        if failures.is_empty() {
            self.held = false;
            self.line.close(&self.platform);
            Ok(())
        } else {
            Err(failures)
        }
    }

    /// Whether the name is still our directory's, where others may write.
    fn is_ours(&self, removal: &mut Removal<P>) -> bool {
        if self.parent.kind != Kind::Shared {
            return true;
        }
        let there = self.platform.identity_at(&self.parent.dir, self.path.name());
        let ours = self.platform.directory_identity(&self.inside.dir);
        let code = match (there, ours) {
            (Ok(there), Ok(ours)) if there == ours => return true,
            (Ok(_), Ok(_)) => ErrorCode::Replaced,
            (Err(ErrorCode::NoEntry), _) => return true,
            (Err(code), _) | (_, Err(code)) => code,
        };
        removal.failed(code, &self.inside.path);
        false
    }

    fn file(&self, file: P::File) -> File<P> {
        File::new(self.platform.clone(), file, Origin::Named)
    }

    fn open(&self) -> Result<&Place<P>, ErrorCode> {
        if self.held { Ok(&self.inside) } else { Err(ErrorCode::Closed) }
    }

    /// The directory that a child is in, and its name there.
    fn child<'a>(&self, path: &'a str) -> Result<(P::Dir, &'a [u8]), ErrorCode> {
        let (dir, name) = open_child_parent(&self.platform, &self.open()?.dir, path)?;
        Ok((dir, name.as_bytes()))
    }
}

impl<P: Platform> Drop for TempDir<P> {
    fn drop(&mut self) {
        // Drop forgives: whoever wants to know calls close, or looks into the ledger.
        if let Err(failures) = self.close() {
            self.line.close(&self.platform);
            failures.into_iter().for_each(|failure| ledger::left_over(&self.platform, failure));
        }
    }
}
