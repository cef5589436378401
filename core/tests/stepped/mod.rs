//! A platform that asks somebody before each call: whether it fails, or whether the process goes on at all.

use std::fs;

use tempfile_core::{Anchor, ErrorCode, Identity, Native, Platform, RawEntry};

/// Who is asked.
pub(crate) trait Step: Clone {
    /// Before a call of this verb, which is not made if this fails.
    fn step(&self, verb: &'static str) -> Result<(), ErrorCode>;
}

/// The verbs that not every system has.
pub(crate) const MODERN: [&str; 2] = ["create_unnamed", "rename_new"];

/// The operating system's files, asking before each call.
#[derive(Clone)]
pub(crate) struct Stepped<S>(pub(crate) S);

type Dir = <Native as Platform>::Dir;
type Name<'a> = &'a [u8];
type Done = Result<(), ErrorCode>;

impl<S: Step> Platform for Stepped<S> {
    type Dir = Dir;
    type File = fs::File;

    fn anchor(&self, path: &str) -> Result<Anchor<Dir>, ErrorCode> {
        self.0.step("anchor")?;
        Native.anchor(path)
    }
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
    fn last_resorts(&self) -> Vec<String> {
        Vec::new()
    }
    fn create_file(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        self.0.step("create_file")?;
        Native.create_file(dir, name)
    }
    fn create_unnamed(&self, dir: &Dir, look: bool) -> Result<fs::File, ErrorCode> {
        self.0.step("create_unnamed")?;
        Native.create_unnamed(dir, look)
    }
    fn open_file(&self, dir: &Dir, name: Name<'_>) -> Result<fs::File, ErrorCode> {
        self.0.step("open_file")?;
        Native.open_file(dir, name)
    }
    fn create_directory(&self, dir: &Dir, name: Name<'_>) -> Done {
        self.0.step("create_directory")?;
        Native.create_directory(dir, name)
    }
    fn open_directory(&self, dir: &Dir, name: Name<'_>) -> Result<Dir, ErrorCode> {
        self.0.step("open_directory")?;
        Native.open_directory(dir, name)
    }
    fn open_doomed(&self, dir: &Dir, name: Name<'_>) -> Result<Dir, ErrorCode> {
        self.0.step("open_doomed")?;
        Native.open_doomed(dir, name)
    }
    fn entries(&self, dir: &Dir) -> Result<Vec<Result<RawEntry, ErrorCode>>, ErrorCode> {
        self.0.step("entries")?;
        Native.entries(dir)
    }
    fn remove_file(&self, dir: &Dir, name: Name<'_>) -> Done {
        self.0.step("remove_file")?;
        Native.remove_file(dir, name)
    }
    fn remove_directory(&self, dir: &Dir, name: Name<'_>) -> Done {
        self.0.step("remove_directory")?;
        Native.remove_directory(dir, name)
    }
    fn rename(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        self.0.step("rename")?;
        Native.rename(dir, name, to, target)
    }
    fn rename_new(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        self.0.step("rename_new")?;
        Native.rename_new(dir, name, to, target)
    }
    fn link(&self, dir: &Dir, name: Name<'_>, to: &Dir, target: Name<'_>) -> Done {
        self.0.step("link")?;
        Native.link(dir, name, to, target)
    }
    fn link_unnamed(&self, file: &fs::File, to: &Dir, target: Name<'_>) -> Done {
        self.0.step("link_unnamed")?;
        Native.link_unnamed(file, to, target)
    }
    fn identity(&self, file: &fs::File) -> Result<Identity, ErrorCode> {
        self.0.step("identity")?;
        Native.identity(file)
    }
    fn directory_identity(&self, dir: &Dir) -> Result<Identity, ErrorCode> {
        self.0.step("directory_identity")?;
        Native.directory_identity(dir)
    }
    fn identity_at(&self, dir: &Dir, name: Name<'_>) -> Result<Identity, ErrorCode> {
        self.0.step("identity_at")?;
        Native.identity_at(dir, name)
    }
    fn link_count_at(&self, dir: &Dir, name: Name<'_>) -> Result<u64, ErrorCode> {
        self.0.step("link_count_at")?;
        Native.link_count_at(dir, name)
    }
    fn read_into(
        &self,
        file: &fs::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        self.0.step("read_into")?;
        Native.read_into(file, offset, buffer)
    }
    fn write(&self, file: &fs::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        self.0.step("write")?;
        Native.write(file, offset, data)
    }
    fn size(&self, file: &fs::File) -> Result<u64, ErrorCode> {
        self.0.step("size")?;
        Native.size(file)
    }
    fn set_size(&self, file: &fs::File, size: u64) -> Done {
        self.0.step("set_size")?;
        Native.set_size(file, size)
    }
    // What is on stable storage is not looked at, and waiting for it would make a test crawl.
    fn sync_data(&self, _: &fs::File) -> Done {
        self.0.step("sync_data")
    }
    fn sync_all(&self, _: &fs::File) -> Done {
        self.0.step("sync_all")
    }
    fn sync_directory(&self, _: &Dir) -> Done {
        self.0.step("sync_directory")
    }
}
