//! The guard of a directory and everything in it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::context::{Context, Descriptors, Dir, PlatformFile, check_stopped};
use crate::error::{Cause, Error, ErrorCode, ResultExt};
use crate::failures::CleanupFailure;
use crate::file::{File, Origin};
use crate::ledger::{ExplainExt, Kind, LedgerEntry, PendingRemoval};
use crate::location::{OpenLocation, open_child_parent, walk};
use crate::memory::MemoryCharge;
use crate::name::NamePath;
use crate::path::{MAX_PATH, child_components};
use crate::persist::{Durability, ReplaceMode, Target, rename_directory, sync_tree};
use crate::platform::{
    DirectoryState, EntryKind, Identity, Metadata, Platform, RawEntry, name_to_str,
};
use crate::remove::Removal;
use crate::retry::{may_be_open, retry_removals};
use crate::usage::HandleKind;

/// An entry of a directory: `entry` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One path component.
    pub name: String,
    /// Its kind, links not followed.
    pub kind: EntryKind,
}

/// The memory that an entry of a listing takes besides its name, in bytes.
const ENTRY_MEMORY: u64 = size_of::<Entry>() as u64 + 16;

/// The directory that a handle guards.
struct Guard<C: Context> {
    parent: OpenLocation<C>,
    /// The directory itself. None if it had to be closed and could not be opened again.
    inside: Option<OpenLocation<C>>,
    /// Its identity when it had to be closed, if it has one.
    was: Option<Identity>,
    /// The identity of the directory that was created, if its parent is shared.
    identity: Option<Identity>,
}

/// The guard of a directory: `temp-dir` of the interface. Dropping it removes the directory with
/// everything in it.
///
/// Every method but [`path`](Self::path) and [`close`](Self::close) fails with `closed` once the
/// directory is removed, kept or persisted.
pub struct TempDir<C: Context> {
    ctx: C,
    path: NamePath,
    /// None once the directory is removed, kept or persisted.
    guard: Option<Guard<C>>,
    entry: LedgerEntry,
    _charge: MemoryCharge,
}

impl<C: Context> TempDir<C> {
    /// Opens a directory that was just created.
    pub(crate) fn open(
        ctx: C,
        parent: OpenLocation<C>,
        path: NamePath,
        label: Option<&str>,
        charge: MemoryCharge,
    ) -> Result<Self, ErrorCode> {
        let dir = ctx.platform().open_directory(&parent.dir, path.name())?;
        Self::guarding(ctx, parent, path, dir, label, charge)
    }

    fn guarding(
        ctx: C,
        parent: OpenLocation<C>,
        path: NamePath,
        dir: Dir<C>,
        label: Option<&str>,
        charge: MemoryCharge,
    ) -> Result<Self, ErrorCode> {
        let identify = || ctx.platform().directory_identity(&dir);
        let identity = parent.shared.then(identify).transpose()?;
        let inside = Some(inside(dir, &path));
        let entry = ctx.ledger().open(HandleKind::Directory, Some(path.shared()), label, ctx.now());
        let guard = Some(Guard { parent, inside, was: None, identity });
        Ok(TempDir { ctx, path, guard, entry, _charge: charge })
    }

    /// Guards a directory that exists.
    ///
    /// # Errors
    /// `no-entry`; `not-directory`; `access`; `busy` if it is a mount point; `invalid-name` if
    /// `name` is not one path component; `quota`.
    pub fn adopt(ctx: &C, parent: &OpenLocation<C>, name: &str) -> Result<Self, Error> {
        let path = NamePath::new(&parent.path, name);
        let adopt = || -> Result<Self, Cause> {
            let (dir, name) = open_child_parent(ctx.platform(), &parent.dir, name)?;
            let charge = ctx.ledger().admit_handle(path.path().len())?;
            let dir = ctx.platform().open_for_removal(&dir, name.as_bytes())?;
            Ok(Self::guarding(ctx.clone(), parent.clone(), path.clone(), dir, None, charge)?)
        };
        adopt().explained(ctx.ledger()).at("guard the directory", path.path())
    }

    /// Guards a directory that is open. It counts towards no limit.
    ///
    /// # Errors
    /// Those of the comparison of identities, if the parent is shared.
    pub fn guard(
        ctx: &C,
        parent: &OpenLocation<C>,
        name: &str,
        dir: Dir<C>,
    ) -> Result<Self, Error> {
        let path = NamePath::new(&parent.path, name);
        let charge = MemoryCharge::empty(None);
        Self::guarding(ctx.clone(), parent.clone(), path.clone(), dir, None, charge)
            .at("guard the directory", path.path())
    }

    /// The directory's path, as the caller knows it; also after it is gone.
    pub fn path(&self) -> &str {
        self.path.path()
    }

    /// The path, shared.
    pub fn shared_path(&self) -> Arc<str> {
        self.path.shared().clone()
    }

    /// The platform's own handle, while this one is open.
    ///
    /// # Errors
    /// `closed`.
    pub fn get_ref(&self) -> Result<&Dir<C>, Error> {
        self.inside().map(|inside| &inside.dir).at("open", self.path())
    }

    /// The platform's own handle, for a descriptor of it: `directory-descriptor` of the interface.
    ///
    /// # Errors
    /// `closed`; `unsupported` if the context permits no descriptors of directories.
    pub fn descriptor_source(&self) -> Result<&Dir<C>, Error> {
        const OPERATION: &str = "get a descriptor of";
        let inside = self.inside().at(OPERATION, self.path())?;
        match self.ctx.descriptors() {
            Descriptors::All | Descriptors::Streams | Descriptors::Directories => Ok(&inside.dir),
            Descriptors::None => Err(ErrorCode::Unsupported).at(OPERATION, self.path()),
        }
    }

    /// The directory as a place to create in: `location.within` of the interface.
    ///
    /// # Errors
    /// `closed`.
    pub fn location(&self) -> Result<OpenLocation<C>, Error> {
        self.inside().cloned().at("create in", self.path())
    }

    /// Creates a file, which must not exist.
    ///
    /// # Errors
    /// `closed`; `exist`; `no-entry`; `not-directory`; `quota`; those of children's paths.
    pub fn create_file(&self, path: &str) -> Result<File<C>, Error> {
        let create = |dir: &_, name: &[u8]| self.ctx.platform().create_file(dir, name);
        let created = self.on_child("create the file", path, self.file(path, create))?;
        self.ctx.ledger().path_is_given(|| self.child_path(path));
        Ok(created)
    }

    /// Opens an existing regular file.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `is-directory`; `not-directory`; `invalid`; `quota`; those of
    /// children's paths.
    pub fn open_file(&self, path: &str) -> Result<File<C>, Error> {
        let open = |dir: &_, name: &[u8]| self.ctx.platform().open_file(dir, name);
        self.on_child("open the file", path, self.file(path, open))
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// `closed`; `exist`; `no-entry`; `not-directory`; `quota`; those of children's paths.
    pub fn create_directory(&self, path: &str) -> Result<(), Error> {
        let create = |(dir, name): (_, &[u8])| self.ctx.platform().create_directory(&dir, name);
        let created = self.child(path).and_then(|child| Ok(create(child)?));
        self.on_child("create the directory", path, created)?;
        self.ctx.ledger().path_is_given(|| self.child_path(path));
        Ok(())
    }

    /// Returns kind and size of an entry.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `not-directory`; those of children's paths.
    pub fn metadata(&self, path: &str) -> Result<Metadata, Error> {
        let get = |(dir, name): (_, &[u8])| self.ctx.platform().metadata_at(&dir, name);
        let found = self.child(path).and_then(|child| Ok(get(child)?));
        self.on_child("get the metadata of", path, found)
    }

    /// Renames within this directory.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `is-directory` or `not-directory` if the kinds differ; `not-empty`;
    /// `invalid` if a directory would move into itself; those of children's paths.
    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        let (to, target) = self.on_child("rename to", new, self.child(new))?;
        let rename = |(dir, name): (_, &[u8])| self.ctx.platform().rename(&dir, name, &to, target);
        let renamed = self.child(old).and_then(|child| Ok(rename(child)?));
        self.on_child("rename", old, renamed)?;
        self.ctx.ledger().path_is_gone(|| self.child_path(old));
        self.ctx.ledger().path_is_given(|| self.child_path(new));
        Ok(())
    }

    /// Removes a file, or a directory with everything in it. Something already gone is a success.
    ///
    /// # Errors
    /// `closed`; the first failure of the removal, which goes on past it; those of children's
    /// paths.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        let shown = self.child_path(path);
        let (dir, name) = self.on_child("remove", path, self.child(path))?;
        let mut removal = Removal::new(&self.ctx);
        removal.remove_entry(&dir, name, &shown);
        match removal.finish().into_iter().next() {
            None => {
                self.ctx.ledger().path_is_gone(|| shown);
                Ok(())
            }
            Some(failure) => Err(failure.error),
        }
    }

    /// Returns the entries of a directory; the path `""` is this one.
    ///
    /// # Errors
    /// `closed`; `no-entry`; `not-directory`; `invalid-name` if an entry's name is not UTF-8;
    /// `quota` if the listing needs more memory than there is; those of children's paths.
    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, Error> {
        self.on_child("list", path, self.list(path))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, Cause> {
        let root = &self.inside()?.dir;
        let components = if path.is_empty() { Vec::new() } else { child_components(path)? };
        let dir = walk(self.ctx.platform(), root, components)?;
        let mut charge = self.ctx.ledger().empty_charge();
        let mut entries = Vec::new();
        for entry in self.ctx.platform().entries(&dir)? {
            check_stopped(&self.ctx)?;
            let RawEntry { name, kind } = entry?;
            // Twice: here, and on the way to the caller.
            charge.grow(2 * (ENTRY_MEMORY + name.len() as u64)).map_err(Cause::from)?;
            let refused = Cause::rule(ErrorCode::InvalidName, "an entry's name is not UTF-8");
            let name = String::from(name_to_str(&name).ok_or(refused)?);
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    /// Renames the directory to `target` and stops guarding it.
    ///
    /// # Errors
    /// Those of the interface. After `not-durable` the directory is at `target` and this handle is
    /// closed; after any other failure nothing has changed.
    pub fn persist(
        &mut self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        self.persist_to(target, mode, durability)
            .explained(self.ctx.ledger())
            .at("persist a temporary directory to", target)
    }

    fn persist_to(
        &mut self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Cause> {
        let guard = self.guard.as_ref().ok_or(ErrorCode::Closed)?;
        let target = Target::open(&self.ctx, target)?;
        self.compare(guard)?;
        sync_tree(&self.ctx, &self.inside()?.dir, durability)?;
        let rename = |ctx: &C, parent: &OpenLocation<C>, name: &NamePath| {
            rename_directory(ctx, (parent, name.name()), &target, mode)
        };
        match rename(&self.ctx, &guard.parent, &self.path) {
            Err(code) if may_be_open(&self.ctx, code) => {
                self.retry_with_handle_closed(code, rename)?
            }
            renamed => renamed?,
        }
        self.ctx.ledger().path_is_gone(|| String::from(self.path()));
        self.release(|| target.path());
        Ok(target.sync_directory(&self.ctx, durability)?)
    }

    /// Stops guarding the directory and returns its path.
    ///
    /// # Errors
    /// `closed`.
    pub fn keep(&mut self) -> Result<String, Error> {
        self.guard.as_ref().ok_or(ErrorCode::Closed).at("keep", self.path())?;
        let path = String::from(self.path());
        self.release(|| path.clone());
        Ok(path)
    }

    /// Stops guarding the directory, which is at `path` from now on.
    fn release(&mut self, path: impl FnOnce() -> String) {
        self.guard = None;
        self.entry.close();
        self.ctx.ledger().count_kept(path);
    }

    /// Removes the directory and everything in it. A directory that is already gone is a success,
    /// and so is closing again.
    ///
    /// # Errors
    /// Each path that is left. The directory is still guarded.
    pub fn close(&mut self) -> Result<(), Vec<CleanupFailure>> {
        let Some(guard) = &self.guard else { return Ok(()) };
        let mut removal = Removal::new(&self.ctx);
        match (self.compare(guard), &guard.inside) {
            (Ok(()), Some(inside)) => {
                self.remove_open(&mut removal, &guard.parent.dir, &inside.dir)
            }
            (Ok(()), None) => {
                let (platform, name) = (self.ctx.platform(), self.path.name());
                let open = || platform.open_for_removal(&guard.parent.dir, name);
                let is_ours = |dir: &Dir<C>| {
                    guard.was.is_some() && platform.directory_identity(dir).ok() == guard.was
                };
                if let Some(dir) = open().ok().filter(is_ours) {
                    removal.remove_contents(&dir, self.path());
                }
                match platform.remove_directory(&guard.parent.dir, name) {
                    Ok(()) | Err(ErrorCode::NoEntry) => {}
                    Err(code) => removal.record(code, self.path()),
                }
            }
            // It has been removed, or renamed: then it is somebody's who wants it.
            (Err(ErrorCode::NoEntry), _) => {}
            (Err(code), _) => removal.record(code, self.path()),
        }
        let mut failures = removal.finish();
        if let [CleanupFailure { path, error }] = failures.as_slice()
            && path == self.path()
            && may_be_open(&self.ctx, error.code)
        {
            let remove = |ctx: &C, parent: &OpenLocation<C>, name: &NamePath| {
                ctx.platform().remove_directory(&parent.dir, name.name())
            };
            if let Ok(()) | Err(ErrorCode::NoEntry) =
                self.retry_with_handle_closed(error.code, remove)
            {
                failures.clear();
            }
        }
        if failures.is_empty() {
            self.guard = None;
            self.entry.close();
            self.ctx.ledger().path_is_gone(|| String::from(self.path()));
            Ok(())
        } else {
            Err(failures)
        }
    }

    /// Removes the directory, which is open as `inside`, if its name leads to it.
    fn remove_open(&self, removal: &mut Removal<'_, C>, parent: &Dir<C>, inside: &Dir<C>) {
        let (platform, path, name) = (self.ctx.platform(), self.path(), self.path.name());
        let refused = match platform.remove_directory(parent, name) {
            Ok(()) | Err(ErrorCode::NoEntry) => return,
            Err(code) => code,
        };
        match platform.is_directory_at(inside, parent, name) {
            Ok(true) => {
                removal.remove_contents(inside, path);
                // The name may have come to be somebody else's: what is emptied is what is open.
                removal.remove_emptied_directory(parent, name, path, || Ok(inside.clone()));
            }
            Ok(false) => removal.record(refused, path),
            Err(ErrorCode::NoEntry) => {}
            Err(code) => removal.record(code, path),
        }
    }

    /// If the parent is shared: compares the directory at the name with the one that was created.
    fn compare(&self, guard: &Guard<C>) -> Result<(), ErrorCode> {
        let Some(created) = guard.identity else { return Ok(()) };
        let found = self.ctx.platform().identity_at(&guard.parent.dir, self.path.name())?;
        if created == found { Ok(()) } else { Err(ErrorCode::Replaced) }
    }

    fn inside(&self) -> Result<&OpenLocation<C>, ErrorCode> {
        let guard = self.guard.as_ref().ok_or(ErrorCode::Closed)?;
        guard.inside.as_ref().ok_or(ErrorCode::Access)
    }

    /// Closes the directory to do something with its name, which has been refused with `code`: some
    /// hosts remove or rename none that is open. If that fails too, opens the directory again.
    ///
    /// Does nothing if the name is not the directory's: of another one, or of a mount over it.
    fn retry_with_handle_closed(
        &mut self,
        code: ErrorCode,
        act: impl FnOnce(&C, &OpenLocation<C>, &NamePath) -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        let Some(guard) = &mut self.guard else { return Err(ErrorCode::Closed) };
        let (platform, parent) = (self.ctx.platform(), &guard.parent.dir);
        let is_ours = |inside: &OpenLocation<C>| {
            platform.is_directory_at(&inside.dir, parent, self.path.name()) == Ok(true)
        };
        let Some(open) = guard.inside.take_if(|inside| is_ours(inside)) else { return Err(code) };
        guard.was = platform.directory_identity(&open.dir).ok();
        drop(open);
        act(&self.ctx, &guard.parent, &self.path).inspect_err(|_| {
            let opened = platform.open_directory(parent, self.path.name());
            guard.inside = opened.ok().map(|dir| inside(dir, &self.path));
        })
    }

    /// Creates or opens a child.
    fn file(
        &self,
        path: &str,
        open: impl FnOnce(&Dir<C>, &[u8]) -> Result<PlatformFile<C>, ErrorCode>,
    ) -> Result<File<C>, Cause> {
        let (dir, name) = self.child(path)?;
        let charge = self.ctx.ledger().admit_handle(0)?;
        Ok(File::new(self.ctx.clone(), open(&dir, name)?, Origin::Named, charge))
    }

    /// Opens the directory of a child; returns its name too.
    fn child<'a>(&self, path: &'a str) -> Result<(Dir<C>, &'a [u8]), Cause> {
        let (dir, name) = open_child_parent(self.ctx.platform(), &self.inside()?.dir, path)?;
        Ok((dir, name.as_bytes()))
    }

    /// Makes the error of an operation on a child.
    fn on_child<T>(&self, operation: &str, path: &str, done: Result<T, Cause>) -> Result<T, Error> {
        done.map_err(|cause| self.ctx.ledger().explain(cause).at(operation, &self.child_path(path)))
    }

    /// The full path of a child, for messages: of one that is far too long, the beginning.
    fn child_path(&self, path: &str) -> String {
        let mut end = path.len().min(3 * MAX_PATH);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        crate::path::join(self.path(), &path[..end])
    }
}

fn inside<C: Context>(dir: Dir<C>, path: &NamePath) -> OpenLocation<C> {
    let (path, state) = (path.shared().clone(), DirectoryState::MaybeRemoved);
    OpenLocation { dir, path, state, shared: false }
}

impl<C: Context> Drop for TempDir<C> {
    fn drop(&mut self) {
        if let Err(failures) = self.close() {
            let compares = self.guard.as_ref().is_some_and(|guard| guard.identity.is_some());
            let is_open = failures.iter().any(|failure| may_be_open(&self.ctx, failure.error.code));
            if is_open && !compares {
                let path = String::from(self.path());
                self.ctx.ledger().queue_removal(PendingRemoval { path, kind: Kind::Tree });
            }
            let listed = failures.iter().any(|failure| failure.path == self.path());
            failures.into_iter().for_each(|failure| self.ctx.ledger().record_leftover(failure));
            // What is left in it may be removed by a guard of its own, and the directory stay.
            if !listed {
                let (path, code) = (String::from(self.path()), ErrorCode::NotEmpty);
                let error = Error::new(code, "remove", self.path());
                self.ctx.ledger().record_leftover(CleanupFailure { path, error });
            }
        }
        // Now nothing has it open, nor the directory that it is in.
        self.guard = None;
        retry_removals(&self.ctx);
    }
}
