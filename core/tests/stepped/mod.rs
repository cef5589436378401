//! The operating system's files with a callback before each call, and a context for tests that is
//! confined to one directory.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use getrandom::SysRng;
use tempfile_core::{
    Base, Cause, Context, Descriptors, DirectoryState, ErrorCode, Identity, Instance, Limits,
    MemoryBudget, Metadata, Native, Platform, Process, RawEntry, SharedLedger, longest_preopen,
};

/// The calls that some systems lack.
pub(crate) const OPTIONAL_CALLS: [&str; 3] =
    ["create_unnamed", "create_delete_on_close", "rename_no_replace"];

/// Whether others may rename and remove names in the directory: both, where modes can say so.
pub(crate) const SHARED: &[bool] = if cfg!(unix) { &[false, true] } else { &[false] };

/// An open directory of the operating system.
pub(crate) type Dir = <Native as Platform>::Dir;
/// What clones of a [`Dir`] share.
#[cfg(unix)]
type Handle = std::os::fd::OwnedFd;
#[cfg(windows)]
type Handle = std::os::windows::io::OwnedHandle;
type Name<'a> = &'a [u8];
type Done = Result<(), ErrorCode>;

/// The operating system's files. Before each call the callback gets the name of the method, and an
/// error of the callback is the result of the call.
#[derive(Clone)]
pub(crate) struct Stepped {
    step: Rc<dyn Fn(&'static str) -> Done>,
    /// Whether syncing reaches the disk. Few tests can observe stable storage, and waiting for it
    /// would make all others slow.
    syncs: bool,
    /// Whether it says that it removes and renames no name of what is open.
    locks: bool,
    /// The directories that are open, if none of them may be removed or renamed.
    open: Option<Rc<RefCell<Vec<Weak<Handle>>>>>,
    /// Whether a name finds an entry that differs in case, or by its short name.
    folds: bool,
}

impl Stepped {
    pub(crate) fn new(step: impl Fn(&'static str) -> Done + 'static) -> Self {
        Stepped { step: Rc::new(step), syncs: false, locks: false, open: None, folds: false }
    }

    /// A system that removes and renames no name of what is open, as its steps show.
    pub(crate) fn locking_open_names(self) -> Self {
        Stepped { locks: true, ..self }
    }

    /// A system that removes and renames no directory that is open.
    pub(crate) fn refusing_open_directories(self) -> Self {
        Stepped { open: Some(Rc::default()), ..self.locking_open_names() }
    }

    fn opened(&self, dir: Dir) -> Dir {
        if let Some(open) = &self.open {
            open.borrow_mut().push(Arc::downgrade(&dir));
        }
        dir
    }

    fn refuse_if_open(&self, dir: &Dir, name: Name<'_>) -> Done {
        let Some(open) = &self.open else { return Ok(()) };
        let Ok(named) = Native.identity_at(dir, name) else { return Ok(()) };
        let mut open = open.borrow_mut();
        open.retain(|handle| handle.strong_count() > 0);
        let is_it = |handle: Dir| Native.directory_identity(&handle) == Ok(named);
        let is_open = open.iter().filter_map(Weak::upgrade).any(is_it);
        if is_open { Err(ErrorCode::Access) } else { Ok(()) }
    }

    /// With calls that sync as the operating system does.
    pub(crate) fn syncing(self) -> Self {
        Stepped { syncs: true, ..self }
    }

    /// On a file system that keeps the case of names and ignores it to find them, as those of macOS
    /// and Windows do.
    pub(crate) fn folding(self) -> Self {
        Stepped { folds: true, ..self }
    }

    /// The name of the entry that a name finds, or the name itself if there is none.
    fn found<'a>(&self, dir: &Dir, name: Name<'a>) -> Cow<'a, [u8]> {
        let fold = |name: &[u8]| String::from_utf8_lossy(name).to_lowercase();
        let entries = self.folds.then(|| Native.entries(dir).ok()).flatten();
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.name);
        names
            .filter(|found| [fold(found), fold(&Self::short(found))].contains(&fold(name)))
            .map(Cow::Owned)
            .next()
            .unwrap_or(name.into())
    }

    /// The name that a rename gives: that of the entry which it replaces, unless that is the one
    /// which it renames.
    fn renamed<'a>(
        &self,
        (dir, name): (&Dir, &[u8]),
        (to, target): (&Dir, Name<'a>),
    ) -> Cow<'a, [u8]> {
        let found = self.found(to, target);
        let identity = |dir: &Dir| Native.directory_identity(dir);
        let itself = self.folds && *found == *name && identity(dir) == identity(to);
        if itself { target.into() } else { found }
    }

    /// The short name that Windows gives to a file, if the first six characters need no change.
    fn short(name: &[u8]) -> Vec<u8> {
        [name.get(..6).unwrap_or(name), b"~1"].concat()
    }

    /// A system on which one method always fails.
    pub(crate) fn failing(method: &'static str, code: ErrorCode) -> Self {
        Stepped::new(move |call| if call == method { Err(code) } else { Ok(()) })
    }
}

/// A listing with a callback before each entry, `next_entry`.
pub(crate) struct SteppedEntries {
    platform: Stepped,
    _dir: Dir,
    inner: Option<<Native as Platform>::Entries>,
}

impl Iterator for SteppedEntries {
    type Item = Result<RawEntry, ErrorCode>;

    fn next(&mut self) -> Option<Self::Item> {
        let entries = self.inner.as_mut()?;
        if let Err(code) = (self.platform.step)("next_entry") {
            self.inner = None;
            return Some(Err(code));
        }
        entries.next()
    }
}

impl Platform for Stepped {
    type Dir = Dir;
    type File = fs::File;
    type Entries = SteppedEntries;

    fn create_file(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        (self.step)("create_file")?;
        Native.create_file(dir, &self.found(dir, name))
    }
    fn create_delete_on_close(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        (self.step)("create_delete_on_close")?;
        Native.create_delete_on_close(dir, &self.found(dir, name))
    }
    fn create_unnamed(&self, dir: &Dir, state: DirectoryState) -> Result<fs::File, ErrorCode> {
        (self.step)("create_unnamed")?;
        Native.create_unnamed(dir, state)
    }
    fn open_file(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        (self.step)("open_file")?;
        Native.open_file(dir, &self.found(dir, name))
    }
    fn open_for_sync(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        (self.step)("open_for_sync")?;
        Native.open_for_sync(dir, &self.found(dir, name))
    }
    fn duplicate(&self, file: &fs::File) -> Result<fs::File, ErrorCode> {
        (self.step)("duplicate")?;
        Native.duplicate(file)
    }
    fn create_directory(&self, dir: &Dir, name: Name<'_>) -> Done {
        (self.step)("create_directory")?;
        Native.create_directory(dir, &self.found(dir, name))
    }
    fn open_directory(&self, dir: &Dir, name: Name<'_>) -> Result<Dir, ErrorCode> {
        (self.step)("open_directory")?;
        Native.open_directory(dir, &self.found(dir, name)).map(|dir| self.opened(dir))
    }
    fn open_for_removal(&self, dir: &Dir, name: Name<'_>) -> Result<Dir, ErrorCode> {
        (self.step)("open_for_removal")?;
        Native.open_for_removal(dir, &self.found(dir, name)).map(|dir| self.opened(dir))
    }
    fn entries(&self, dir: &Dir) -> Result<SteppedEntries, ErrorCode> {
        (self.step)("entries")?;
        let inner = Some(Native.entries(dir)?);
        Ok(SteppedEntries { platform: self.clone(), _dir: dir.clone(), inner })
    }
    fn metadata_at(&self, dir: &Dir, name: Name<'_>) -> Result<Metadata, ErrorCode> {
        (self.step)("metadata_at")?;
        Native.metadata_at(dir, &self.found(dir, name))
    }
    fn remove_file(&self, dir: &Dir, name: Name<'_>) -> Done {
        (self.step)("remove_file")?;
        Native.remove_file(dir, &self.found(dir, name))
    }
    fn remove_directory(&self, dir: &Dir, name: Name<'_>) -> Done {
        (self.step)("remove_directory")?;
        self.refuse_if_open(dir, name)?;
        Native.remove_directory(dir, &self.found(dir, name))
    }
    fn rename(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        (self.step)("rename")?;
        self.refuse_if_open(dir, name)?;
        let name = self.found(dir, name);
        Native.rename(dir, &name, to, &self.renamed((dir, &name), (to, target)))
    }
    fn rename_no_replace(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        (self.step)("rename_no_replace")?;
        self.refuse_if_open(dir, name)?;
        Native.rename_no_replace(dir, &self.found(dir, name), to, &self.found(to, target))
    }
    fn link(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        (self.step)("link")?;
        Native.link(dir, &self.found(dir, name), to, &self.found(to, target))
    }
    fn link_unnamed(&self, file: &fs::File, to: &Dir, target: Name<'_>) -> Done {
        (self.step)("link_unnamed")?;
        Native.link_unnamed(file, to, &self.found(to, target))
    }
    fn locks_open_names(&self) -> bool {
        self.locks
    }
    fn is_shared(&self, dir: &Dir) -> Result<bool, ErrorCode> {
        (self.step)("is_shared")?;
        Native.is_shared(dir)
    }
    fn identity(&self, file: &fs::File) -> Result<Identity, ErrorCode> {
        (self.step)("identity")?;
        Native.identity(file)
    }
    fn directory_identity(&self, dir: &Dir) -> Result<Identity, ErrorCode> {
        (self.step)("directory_identity")?;
        Native.directory_identity(dir)
    }
    fn is_same_directory(&self, dir: &Dir, other: &Dir) -> bool {
        Native.is_same_directory(dir, other)
    }
    fn is_directory_at(&self, dir: &Dir, parent: &Dir, name: Name<'_>) -> Result<bool, ErrorCode> {
        (self.step)("is_directory_at")?;
        Native.is_directory_at(dir, parent, &self.found(parent, name))
    }
    fn identity_at(&self, dir: &Dir, name: Name<'_>) -> Result<Identity, ErrorCode> {
        (self.step)("identity_at")?;
        Native.identity_at(dir, &self.found(dir, name))
    }
    fn link_count_at(&self, dir: &Dir, name: Name<'_>) -> Result<u64, ErrorCode> {
        (self.step)("link_count_at")?;
        Native.link_count_at(dir, &self.found(dir, name))
    }
    fn read_into(
        &self,
        file: &fs::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        (self.step)("read_into")?;
        Native.read_into(file, offset, buffer)
    }
    fn read(&self, file: &fs::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode> {
        (self.step)("read")?;
        Native.read(file, offset, length)
    }
    fn write(&self, file: &fs::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        (self.step)("write")?;
        Native.write(file, offset, data)
    }
    fn size(&self, file: &fs::File) -> Result<u64, ErrorCode> {
        (self.step)("size")?;
        Native.size(file)
    }
    fn set_size(&self, file: &fs::File, size: u64) -> Done {
        (self.step)("set_size")?;
        Native.set_size(file, size)
    }
    fn sync_data(&self, file: &fs::File) -> Done {
        (self.step)("sync_data")?;
        if self.syncs { Native.sync_data(file) } else { Ok(()) }
    }
    fn sync_all(&self, file: &fs::File) -> Done {
        (self.step)("sync_all")?;
        if self.syncs { Native.sync_all(file) } else { Ok(()) }
    }
    fn sync_directory(&self, dir: &Dir) -> Done {
        (self.step)("sync_directory")?;
        if self.syncs { Native.sync_directory(dir) } else { Ok(()) }
    }
}

/// Lets everybody rename and remove names in a directory, where modes can say so.
pub(crate) fn share(_path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(_path, fs::Permissions::from_mode(0o777)).expect("a mode");
    }
}

/// A directory of one test, removed with everything in it.
pub(crate) struct TestDir(PathBuf);

impl TestDir {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("randomness");
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Some tests create thousands of directories: in memory, where the system has such a place.
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        // Windows takes slashes too, but not in the paths that it makes canonical.
        let parent = if cfg!(windows) {
            parent.to_str().expect("UTF-8").trim_end_matches('\\').replace('\\', "/").into()
        } else {
            fs::canonicalize(parent).expect("a directory for temporary files")
        };
        let path = PathBuf::from(format!("{}/tempfile-core-{name}", parent.display()));
        fs::create_dir(&path).expect("a directory");
        TestDir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of an entry, as text.
    pub(crate) fn join(&self, name: &str) -> String {
        format!("{}/{name}", self.0.display())
    }

    /// Lets everybody rename and remove names in the directory.
    pub(crate) fn share(&self) {
        share(&self.0);
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("a listing");
        let names = names.map(|entry| entry.expect("an entry").file_name().into_string());
        let mut names: Vec<String> = names.map(|name| name.expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// The directory, opened.
    pub(crate) fn open(&self) -> Dir {
        Process.resolve_base(&self.join("")).expect("the test's directory").dir
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A context whose only base directory is a test's, which is the default directory too.
#[derive(Clone)]
pub(crate) struct TestContext<P: Platform> {
    pub(crate) platform: P,
    /// The base directory. Every handle that has it open has a clone of it.
    pub(crate) root: Rc<P::Dir>,
    pub(crate) path: Arc<str>,
    pub(crate) ledger: SharedLedger,
    /// Whether operations that take many steps are to end.
    pub(crate) stopped: Rc<Cell<bool>>,
    pub(crate) descriptors: Descriptors,
}

/// One user in a test's directory.
pub(crate) type TestInstance<P> = Instance<TestContext<P>, SysRng>;

impl TestContext<Stepped> {
    /// A context without limits.
    pub(crate) fn new(dir: &TestDir, platform: Stepped) -> Self {
        Self::with_limits(dir, platform, Limits::default(), None)
    }

    pub(crate) fn with_limits(
        dir: &TestDir,
        platform: Stepped,
        limits: Limits,
        budget: Option<MemoryBudget>,
    ) -> Self {
        let ledger = SharedLedger::with_limits(limits, budget);
        TestContext {
            platform,
            root: Rc::new(dir.open()),
            path: dir.join("").trim_end_matches('/').into(),
            ledger,
            stopped: Rc::default(),
            descriptors: Descriptors::All,
        }
    }
}

impl<P: Platform> TestContext<P> {
    pub(crate) fn instance(&self) -> TestInstance<P> {
        Instance::new(self.clone(), SysRng)
    }
}

impl<P: Platform> Context for TestContext<P> {
    type Platform = P;

    fn platform(&self) -> &P {
        &self.platform
    }
    fn resolve_base(&self, path: &str) -> Result<Base<P::Dir>, Cause> {
        let (_, rest) = longest_preopen([&*self.path].into_iter(), path)?;
        Ok(Base { dir: P::Dir::clone(&self.root), path: self.path.to_string(), rest })
    }
    fn env_var(&self, name: &str) -> Option<String> {
        (name == "TMPDIR").then(|| self.path.to_string())
    }
    /// A directory that exists only if the test makes it.
    fn fallback_dirs(&self) -> Vec<String> {
        vec![format!("{}/fallback", self.path)]
    }
    fn descriptors(&self) -> Descriptors {
        self.descriptors
    }

    fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }
    fn now(&self) -> u64 {
        0
    }
    fn is_stopped(&self) -> bool {
        self.stopped.get()
    }
}
