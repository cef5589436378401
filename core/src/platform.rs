//! The file system as core needs it: the trait that each system implements.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::ErrorCode;

/// Distinguishes a file from all others that exist at the same time: device and inode on Unix.
///
/// A system may give both numbers to a new file once the old one is gone, so equality proves
/// identity only while a handle to one of the two files is open.
pub type Identity = [u64; 2];

/// The kind of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A link, fifo, socket or device: never opened, only named.
    Other,
}

/// An entry as the system lists it: its name need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// One path component, neither `.` nor `..`.
    pub name: Vec<u8>,
    /// Its kind, links not followed.
    pub kind: EntryKind,
}

/// Kind and size of a directory entry: `metadata` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Its kind, links not followed.
    pub kind: EntryKind,
    /// The size in bytes of a regular file, else 0.
    pub size: u64,
}

/// Whether a directory may have been removed while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryState {
    /// It still has its name.
    Linked,
    /// It may be removed: check before creating something that no name would lead to.
    MaybeRemoved,
}

/// The files of a system, by directory handle and one name.
///
/// * A `name` is one path component that core has checked: not empty, not `.` or `..`, without `/`
///   and NUL.
/// * No method follows a symbolic link in the last component.
/// * A method does all that it promises or changes nothing. It retries calls that were interrupted.
/// * An error is the code of its cause. `unsupported` makes core use another way if there is one.
/// * No method has a default body, so that a platform on top of another cannot forget one.
pub trait Platform: Clone {
    /// An open directory. Clones share the handle.
    type Dir: Clone;
    /// A file that is open for reading and writing. Dropping it closes it.
    type File;
    /// Lists a directory. An entry whose name the system cannot give is `invalid-name`; after any
    /// other error the iterator ends.
    type Entries: Iterator<Item = Result<RawEntry, ErrorCode>>;

    /// Creates a regular file exclusively, accessible to its owner only where modes exist.
    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode>;
    /// As [`create_file`](Self::create_file), of a file that the system removes when its last
    /// handle is closed, whatever closes it. `unsupported` where there are no such files.
    fn create_delete_on_close(&self, dir: &Self::Dir, name: &[u8])
    -> Result<Self::File, ErrorCode>;
    /// Creates a file that has no name. `unsupported` where the system or the file system has no
    /// such files; `no-entry` in a directory that has been removed, if `state` asks for that.
    fn create_unnamed(
        &self,
        dir: &Self::Dir,
        state: DirectoryState,
    ) -> Result<Self::File, ErrorCode>;
    /// Opens a regular file for reading and writing. `is-directory` for a directory, `invalid` for
    /// everything else.
    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode>;
    /// Opens a regular file in order to sync it, which takes the right to read or to write it, and
    /// not both. Errors are those of [`open_file`](Self::open_file).
    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode>;
    /// Returns another handle to the same open file. `unsupported` where handles cannot be
    /// duplicated.
    fn duplicate(&self, file: &Self::File) -> Result<Self::File, ErrorCode>;
    /// Creates a directory exclusively, accessible to its owner only where modes exist.
    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Opens a directory. `not-directory` for everything else, a link to a directory included.
    /// Where the system can, it opens one that may not be listed too.
    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode>;
    /// Opens a directory in order to remove its contents. Gives its owner the rights that this
    /// needs, where modes exist. `busy` if it is a mount point, where the system can tell.
    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode>;
    /// Lists a directory.
    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode>;
    /// Returns kind and size of an entry.
    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode>;

    /// Removes a name that is not a directory; `is-directory` if it is one.
    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Removes an empty directory.
    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode>;
    /// Renames, replacing the target: a file replaces a file, a directory an empty directory.
    fn rename(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode>;
    /// Renames to a free name, in one step. `unsupported` where there is no such call.
    fn rename_no_replace(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode>;
    /// Gives a named file a second, free name.
    fn link(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode>;
    /// Gives a file from [`create_unnamed`](Self::create_unnamed) a free name.
    fn link_unnamed(
        &self,
        file: &Self::File,
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode>;

    /// Whether the system refuses to remove or rename the name of what is open.
    fn locks_open_names(&self) -> bool;

    /// Whether other users may rename or remove names in the directory. False where owners and
    /// modes cannot be seen; then nobody asks for identities.
    fn is_shared(&self, dir: &Self::Dir) -> Result<bool, ErrorCode>;
    /// Returns the identity of an open file.
    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode>;
    /// Returns the identity of an open directory. `unsupported` where nothing identifies it.
    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode>;
    /// Whether two handles are of one directory. False where the host cannot compare them.
    fn is_same_directory(&self, dir: &Self::Dir, other: &Self::Dir) -> bool;
    /// Whether the name in `parent` is that of an open directory. True where the host cannot
    /// compare directories, and the name is that of one.
    fn is_directory_at(
        &self,
        dir: &Self::Dir,
        parent: &Self::Dir,
        name: &[u8],
    ) -> Result<bool, ErrorCode>;
    /// Returns the identity of the file at a name, links not followed.
    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode>;
    /// Returns the number of names of the file at a name, links not followed.
    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode>;

    /// Reads into `buffer`; 0 means end of file. `offset` is at most 2^63-1. May read less.
    fn read_into(
        &self,
        file: &Self::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode>;
    /// Reads at most `length` bytes, a number that is safe to allocate.
    fn read(&self, file: &Self::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode>;
    /// Writes some of `data`, which is not empty: at least one byte, or it is an error.
    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode>;
    /// Returns the size in bytes.
    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode>;
    /// Truncates the file, or extends it with zeros. `size` is at most 2^63-1.
    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode>;
    /// Waits until bytes and size are on stable storage.
    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode>;
    /// Waits until the file with all its metadata is on stable storage.
    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode>;
    /// Waits until the names in a directory are on stable storage.
    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode>;
}

/// A name as text, or none if it is not UTF-8. For platforms whose names are text.
pub fn name_to_str(name: &[u8]) -> Option<&str> {
    core::str::from_utf8(name).ok()
}

/// The path of an entry, with U+FFFD for a name that is not UTF-8.
pub(crate) fn display_path(directory: &str, name: &[u8]) -> String {
    crate::path::join(directory, &String::from_utf8_lossy(name))
}

#[cfg(test)]
mod tests {
    /// With a default body, a platform on top of another could forget a method, and with it a
    /// limit.
    #[test]
    fn no_method_of_a_platform_has_a_default_body() {
        let source = include_str!("platform.rs");
        let (_, rest) = source.split_once("pub trait Platform: Clone {\n").expect("the trait");
        let (methods, _) = rest.split_once("\n}\n").expect("its end");
        assert!(methods.matches("    fn ").count() > 20);
        assert!(!methods.contains('{'), "a method has a body");
    }
}
