//! The seam: what a system must do, so that everything above it is written once.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::ErrorCode;
use crate::ledger::Ledger;

/// Two numbers that tell a file from all others that exist at the same time: device and inode, or a host's hash of
/// them. They prove something only while a handle to one of the two files is open, since a number is free again when
/// its file is gone.
pub type Identity = [u64; 2];

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, fifo, socket or device: never opened, only named.
    Other,
}

/// An entry as the system lists it: a name need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// One path component, neither `.` nor `..`.
    pub name: Vec<u8>,
    /// What it is, links not followed.
    pub kind: EntryKind,
}

/// Where the resolution of a path begins.
pub struct Anchor<D> {
    /// The directory that is open.
    pub dir: D,
    /// Its path, as the caller knows it.
    pub path: String,
    /// What is left to resolve from there, component by component.
    pub rest: String,
}

/// What time it is, in nanoseconds from some start: a clock is looked at only by who wants to know.
pub type Now<'a> = &'a dyn Fn() -> u64;

/// A system's files, by directory handle and one name.
///
/// * A `name` is one path component that core has looked at: not empty, not `.` or `..`, no `/`, no NUL.
/// * No verb follows a symbolic link in the last component.
/// * A verb either does the whole of what it says or changes nothing; one that was interrupted is tried again here,
///   not above.
/// * What fails says why with the code of its cause; `unsupported` makes core take another way where there is one.
pub trait Platform: Clone {
    /// A directory held open. Cloning shares the handle.
    type Dir: Clone;
    /// A file open for reading and writing. Dropping it closes it.
    type File;

    /// Opens the directory where the resolution of `path`, a directory's path, begins.
    fn anchor(&self, path: &str) -> Result<Anchor<Self::Dir>, ErrorCode>;
    /// A variable of the environment; none if it is unset or not Unicode.
    fn variable(&self, name: &str) -> Option<String>;
    /// Hands out the ledger and the time; none where nobody looks at one.
    fn ledger<T>(&self, _act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        None
    }
    /// Whether there may be this many more handles of the interface: `quota` if not.
    fn admit_handles(&self, _more: u32) -> Result<(), ErrorCode> {
        Ok(())
    }
    /// Whether spooled files may take this much more memory: `quota` if not.
    fn admit_memory(&self, _more: u64) -> Result<(), ErrorCode> {
        Ok(())
    }
    /// The directories to try for temporary files when the usual ones fail: preopens, the current directory.
    fn last_resorts(&self) -> Vec<String>;

    /// Creates a regular file, exclusively, readable and writable by its owner alone where modes exist.
    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode>;
    /// Creates a file that has no name. `unsupported` where the system or file system has no such thing. Some file systems do so in a
    /// directory that has been removed: where that may be, `look` asks for `no-entry`.
    fn create_unnamed(&self, dir: &Self::Dir, look: bool) -> Result<Self::File, ErrorCode>;
    /// Opens a regular file for reading and writing. `invalid` if it is neither that nor a directory.
    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode>;
    /// Another handle to the same open file. `unsupported` where nothing goes on after the handle that it came from.
    fn duplicate(&self, _file: &Self::File) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }
    /// Creates a directory, exclusively, for its owner alone where modes exist.
    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Opens a directory. `not-directory` for anything else, a link to a directory included.
    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode>;
    /// Opens a directory that is to be emptied. Where modes exist and its owner has no right to do so, the owner is given it.
    fn open_doomed(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        self.open_directory(dir, name)
    }
    /// Lists a directory. An entry that the system can't name is an error in its place.
    fn entries(&self, dir: &Self::Dir) -> Result<Vec<Result<RawEntry, ErrorCode>>, ErrorCode>;

    /// Removes a name that is not a directory; `is-directory` if it is one.
    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Removes an empty directory.
    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Renames, replacing the target.
    fn rename(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode>;
    /// Renames to a free name, in one step. `unsupported` where there is no such call.
    fn rename_new(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode>;
    /// Gives a named file a second, free name.
    fn link(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode>;
    /// Gives a file made by [`create_unnamed`](Self::create_unnamed) a free name.
    fn link_unnamed(&self, file: &Self::File, to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode>;

    /// The identity of an open file.
    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode>;
    /// The identity of an open directory.
    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode>;
    /// The identity of what a name stands for, links not followed.
    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode>;

    /// How many names the file has that this name stands for, links not followed.
    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode>;

    /// Reads into `buffer`; 0 at the end. `offset` is at most 2^63-1. May be short.
    fn read_into(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> Result<usize, ErrorCode>;
    /// Reads up to `max` bytes, a number that is safe to allocate.
    fn read(&self, file: &Self::File, offset: u64, max: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut bytes = alloc::vec![0; max];
        let count = self.read_into(file, offset, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }
    /// Writes `data`, which is not empty; at least one byte goes in, or it is an error.
    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode>;
    /// The size in bytes.
    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode>;
    /// Cuts the file, or grows it with zeros. `size` is at most 2^63-1.
    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode>;
    /// Waits until bytes and size are on stable storage.
    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode>;
    /// Waits until the file with all its metadata is on stable storage.
    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode>;
    /// Waits until a directory's names are on stable storage.
    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode>;
}
