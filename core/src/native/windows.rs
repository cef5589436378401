//! Windows files by directory handle, never by a joined path.
//!
//! Everything is opened so that others may read, write, rename and remove it meanwhile, which is
//! how Unix behaves and how the standard library opens files. What is removed goes at once where
//! the file system can (NTFS, since Windows 10 1809), else when its last handle is closed.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::path::Path;
use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DELETE_ON_CLOSE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN,
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_RENAME_IGNORE_READONLY_ATTRIBUTE,
    FILE_RENAME_POSIX_SEMANTICS, FILE_RENAME_REPLACE_IF_EXISTS, FileLinkInformation,
    FileRenameInformation, FileRenameInformationEx, NTCREATEFILE_CREATE_DISPOSITION,
    NTCREATEFILE_CREATE_OPTIONS,
};
use windows_sys::Win32::Foundation::STATUS_DELETE_PENDING;
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_LIST_DIRECTORY,
    FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_TRAVERSE, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA,
};

use crate::error::ErrorCode;
use crate::platform::{DirectoryState, EntryKind, Identity, Metadata, Platform, RawEntry};

mod code;
mod name;
mod nt;

use code::code;
pub use code::code_of;
use name::{is_same_name, new_name, wide};

/// The operating system's files, with the rights of the process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

/// A directory, also for a process that may back up what it may not list.
const DIRECTORY: NTCREATEFILE_CREATE_OPTIONS = FILE_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT;
const FILE: NTCREATEFILE_CREATE_OPTIONS = FILE_NON_DIRECTORY_FILE;
const EITHER: NTCREATEFILE_CREATE_OPTIONS = FILE_OPEN_FOR_BACKUP_INTENT;

/// In the tag of a reparse point: it stands for another name, as symbolic links, junctions and
/// mount points of volumes do.
const NAME_SURROGATE: u32 = 0x2000_0000;

/// Opens a directory by its path, following links.
pub(super) fn open_base(path: &str) -> Result<OwnedHandle, ErrorCode> {
    let mut options = fs::OpenOptions::new();
    options.access_mode(FILE_READ_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    // A separator at the end of a file's path would be another error.
    let path = without_end(path);
    let opened = options.open(path).map_err(|error| match code_of(&error) {
        // For a name that is too long, and for a file on the way, the system reports the same as
        // for a directory that is missing.
        ErrorCode::NoEntry if has_long_name(path) => ErrorCode::NameTooLong,
        ErrorCode::NoEntry if is_below_a_file(path) => ErrorCode::NotDirectory,
        code => code,
    })?;
    let metadata = opened.metadata().map_err(|error| code_of(&error))?;
    if metadata.is_dir() { Ok(opened.into()) } else { Err(ErrorCode::NotDirectory) }
}

fn has_long_name(path: &str) -> bool {
    path.split(['\\', '/']).any(|name| name.encode_utf16().count() > nt::MAX_NAME)
}

fn is_below_a_file(path: &str) -> bool {
    let ancestors = Path::new(path).ancestors().skip(1);
    let mut found = ancestors.filter_map(|ancestor| fs::metadata(ancestor).ok());
    found.next().is_some_and(|found| !found.is_dir())
}

/// A path without separators at its end, except that of a root.
pub(super) fn without_end(path: &str) -> &str {
    match path.trim_end_matches(['\\', '/']) {
        root if root.is_empty() || root.ends_with(':') => &path[..path.len().min(root.len() + 1)],
        path => path,
    }
}

/// The usual directories for temporary files, in Python's order.
pub(super) fn usual_dirs() -> Vec<String> {
    let below = |dir: Option<String>, path| Some(std::format!("{}{path}", dir?));
    let home = std::env::home_dir().and_then(|home| home.to_str().map(str::to_string));
    let of_user = below(home, "\\AppData\\Local\\Temp");
    let of_system = below(std::env::var("SYSTEMROOT").ok(), "\\Temp");
    let fixed = ["c:\\temp", "c:\\tmp", "\\temp", "\\tmp"].map(str::to_string);
    of_user.into_iter().chain(of_system).chain(fixed).collect()
}

impl Native {
    /// Creates a file that nobody else can open to read or write while the handle is open, and
    /// everybody can remove.
    ///
    /// # Errors
    /// `exist`; those of the name and of the system.
    pub fn create_exclusive(dir: &Arc<OwnedHandle>, name: &[u8]) -> Result<fs::File, ErrorCode> {
        Self::exclusive(dir, &new_name(name)?, FILE_CREATE)
    }

    /// Opens a file as [`create_exclusive`](Self::create_exclusive) creates one.
    ///
    /// # Errors
    /// `busy` if anybody has it open to read or write; those of the name and of the system.
    pub fn open_exclusive(dir: &Arc<OwnedHandle>, name: &[u8]) -> Result<fs::File, ErrorCode> {
        Self::exclusive(dir, &wide(name)?, FILE_OPEN)
    }

    fn exclusive(
        dir: &Arc<OwnedHandle>,
        name: &[u16],
        disposition: NTCREATEFILE_CREATE_DISPOSITION,
    ) -> Result<fs::File, ErrorCode> {
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
        nt::open_sharing(dir, name, access, FILE_SHARE_DELETE, disposition, FILE)
            .map(fs::File::from)
            .map_err(code)
    }

    /// Opens a file once more, so that what is written through the new handle goes to the end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn reopen_for_append(file: &fs::File) -> io::Result<fs::File> {
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE & !FILE_WRITE_DATA;
        match nt::open(file, &[], access, FILE_OPEN, FILE) {
            Ok(opened) => Ok(opened.into()),
            Err(status) => Err(io::Error::from_raw_os_error(nt::win32_error(status).cast_signed())),
        }
    }
}

/// A directory listing.
pub struct Entries {
    listing: Option<nt::Listing>,
}

impl Iterator for Entries {
    type Item = Result<RawEntry, ErrorCode>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let listed = match self.listing.as_mut()?.next() {
                Ok(listed) => listed?,
                Err(status) => {
                    self.listing = None;
                    return Some(Err(code(status)));
                }
            };
            // WTF-8: UTF-8, except for a name that is not Unicode.
            let name = OsString::from_wide(&listed.name).into_encoded_bytes();
            if name != b"." && name != b".." {
                let kind = kind(listed.attributes, listed.tag);
                return Some(Ok(RawEntry { name, kind }));
            }
        }
    }
}

impl Platform for Native {
    type Dir = Arc<OwnedHandle>;
    type File = fs::File;
    type Entries = Entries;

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        create(dir, name, FILE_GENERIC_READ | FILE_GENERIC_WRITE, FILE).map(fs::File::from)
    }

    fn create_delete_on_close(
        &self,
        dir: &Self::Dir,
        name: &[u8],
    ) -> Result<Self::File, ErrorCode> {
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE;
        create(dir, name, access, FILE | FILE_DELETE_ON_CLOSE).map(fs::File::from)
    }

    fn create_unnamed(&self, _: &Self::Dir, _: DirectoryState) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        open_regular(dir, name, FILE_GENERIC_READ | FILE_GENERIC_WRITE)
    }

    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        // Only what may be written can be synced.
        match open_regular(dir, name, FILE_GENERIC_WRITE) {
            Err(ErrorCode::Access) => {
                let found = open_regular(dir, name, FILE_WRITE_ATTRIBUTES)?;
                match set_read_only(&found, false) {
                    Ok(true) => {
                        let opened = open_regular(dir, name, FILE_GENERIC_WRITE);
                        let restored = set_read_only(&found, true);
                        restored.and(opened)
                    }
                    Ok(false) => Err(ErrorCode::Access),
                    Err(code) => Err(code),
                }
            }
            opened => opened,
        }
    }

    fn duplicate(&self, file: &Self::File) -> Result<Self::File, ErrorCode> {
        file.try_clone().map_err(|error| code_of(&error))
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        create(dir, name, FILE_READ_ATTRIBUTES, DIRECTORY).map(drop)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open_directory(dir, name, FILE_TRAVERSE).map(Arc::new)
    }

    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        // A mount point is a link here, and no directory.
        self.open_directory(dir, name)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode> {
        // Opens the directory anew, because clones of a handle share its position.
        let opened = nt::open(dir, &[], FILE_LIST_DIRECTORY, FILE_OPEN, DIRECTORY).map_err(code)?;
        Ok(Entries { listing: Some(nt::Listing::new(opened)) })
    }

    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode> {
        let found = open(dir, name, FILE_READ_ATTRIBUTES, EITHER)?;
        metadata(&found.into())
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match open(dir, name, DELETE, FILE) {
            Ok(found) => delete(found),
            Err(ErrorCode::IsDirectory) => {
                let found = fs::File::from(open(dir, name, DELETE, DIRECTORY)?);
                match metadata(&found)?.kind {
                    EntryKind::Directory => Err(ErrorCode::IsDirectory),
                    // A link to a directory, or a junction.
                    EntryKind::File | EntryKind::Other => delete(found.into()),
                }
            }
            Err(code) => Err(code),
        }
    }

    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        open_directory(dir, name, DELETE).and_then(delete)
    }

    fn rename(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let (from, name) = (fs::File::from(open(dir, name, DELETE, EITHER)?), new_name(target)?);
        let is_directory = metadata(&from)?.kind == EntryKind::Directory;
        // Some file systems would replace a file with a directory.
        let replace = if is_directory { 0 } else { FILE_RENAME_REPLACE_IF_EXISTS };
        let replaces_directory = is_directory
            && self.metadata_at(to, target).is_ok_and(|it| it.kind == EntryKind::Directory);
        let flags = FILE_RENAME_POSIX_SEMANTICS
            | FILE_RENAME_IGNORE_READONLY_ATTRIBUTE
            | if replaces_directory { FILE_RENAME_REPLACE_IF_EXISTS } else { replace };
        match nt::set_name(&from, FileRenameInformationEx, flags, to, &name) {
            Ok(()) => return Ok(()),
            Err(status) if nt::is_unknown(status) => {}
            Err(status) => return refused_rename(&from, to, target, code(status)),
        }
        match nt::set_name(&from, FileRenameInformation, replace, to, &name) {
            Ok(()) => Ok(()),
            Err(status) => refused_rename(&from, to, target, code(status)),
        }
    }

    fn rename_no_replace(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let (from, target) = (open(dir, name, DELETE, EITHER)?, new_name(target)?);
        if is_same_name(&wide(name)?, &target) && identity(dir)? == identity(to)? {
            // The system would do nothing, or change the case.
            return Err(ErrorCode::Exist);
        }
        match nt::set_name(&from, FileRenameInformation, 0, to, &target) {
            Ok(()) => Ok(()),
            Err(_) if is_below(to, &from) => Err(ErrorCode::Invalid),
            Err(status) => Err(code(status)),
        }
    }

    fn link(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let from = open(dir, name, FILE_WRITE_ATTRIBUTES, FILE)?;
        nt::set_name(&from, FileLinkInformation, 0, to, &new_name(target)?).map_err(code)
    }

    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn locks_open_names(&self) -> bool {
        false
    }

    fn is_shared(&self, _: &Self::Dir) -> Result<bool, ErrorCode> {
        // Who may rename in a directory is up to the access lists of all that is in it, and the
        // directories for temporary files are each user's own.
        Ok(false)
    }

    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode> {
        identity(file)
    }

    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode> {
        identity(dir)
    }

    fn is_same_directory(&self, dir: &Self::Dir, other: &Self::Dir) -> bool {
        let identity = self.directory_identity(dir);
        identity.is_ok() && identity == self.directory_identity(other)
    }

    fn is_directory_at(
        &self,
        dir: &Self::Dir,
        parent: &Self::Dir,
        name: &[u8],
    ) -> Result<bool, ErrorCode> {
        Ok(self.directory_identity(dir)? == self.identity_at(parent, name)?)
    }

    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        identity(&open(dir, name, FILE_READ_ATTRIBUTES, EITHER)?)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        let found = open(dir, name, FILE_READ_ATTRIBUTES, EITHER)?;
        nt::numbers(&found).map(|(_, names)| names).map_err(|error| code_of(&error))
    }

    // The system has no read or write at an offset that leaves the handle's own position alone.
    // Only the client's `File` uses that position, and restores it afterwards.
    fn read_into(
        &self,
        file: &Self::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        file.seek_read(buffer, offset).map_err(|error| code_of(&error))
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        match file.seek_write(data, offset) {
            Ok(0) => Err(ErrorCode::Io),
            Ok(count) => Ok(count),
            Err(error) => Err(too_large_if_invalid(code_of(&error))),
        }
    }

    fn read(&self, file: &Self::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| ErrorCode::OutOfMemory)?;
        bytes.resize(length, 0);
        let count = self.read_into(file, offset, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        file.metadata().map(|metadata| metadata.len()).map_err(|error| code_of(&error))
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        file.set_len(size).map_err(|error| too_large_if_invalid(code_of(&error)))
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_data().map_err(|error| code_of(&error))
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_all().map_err(|error| code_of(&error))
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        // It takes the right to change what is synced.
        let opened = nt::open(dir, &[], FILE_ADD_FILE, FILE_OPEN, DIRECTORY).map_err(code)?;
        self.sync_all(&opened.into())
    }
}

fn open(
    dir: &impl AsHandle,
    name: &[u8],
    access: u32,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, ErrorCode> {
    nt::open(dir, &wide(name)?, access, FILE_OPEN, options).map_err(code)
}

/// Creates a file or directory exclusively.
fn create(
    dir: &impl AsHandle,
    name: &[u8],
    access: u32,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, ErrorCode> {
    nt::open(dir, &new_name(name)?, access, FILE_CREATE, options).map_err(|status| match status {
        // A removed file that is still open has the name, or the directory itself is removed.
        STATUS_DELETE_PENDING if !nt::is_deleted(dir) => ErrorCode::Exist,
        status => code(status),
    })
}

/// Opens a regular file, and no link. A reparse point that stands for no other name, such as that
/// of a deduplicated file, is only how the bytes are stored.
fn open_regular(dir: &impl AsHandle, name: &[u8], access: u32) -> Result<fs::File, ErrorCode> {
    let file = match open(dir, name, access, FILE) {
        Ok(opened) => fs::File::from(opened),
        Err(ErrorCode::IsDirectory) => {
            let found = open(dir, name, FILE_READ_ATTRIBUTES, EITHER)?;
            return Err(match metadata(&found.into())?.kind {
                EntryKind::Directory => ErrorCode::IsDirectory,
                EntryKind::File | EntryKind::Other => ErrorCode::Invalid,
            });
        }
        Err(code) => return Err(code),
    };
    if !is_reparse_point(&file)? {
        return Ok(file);
    }
    if metadata(&file)?.kind != EntryKind::File {
        return Err(ErrorCode::Invalid);
    }
    // The handle is to the reparse point, and would bypass the filter that serves the bytes.
    let opened = fs::File::from(nt::open_served(dir, &wide(name)?, access, FILE).map_err(code)?);
    // The name may have become a link meanwhile, which this call follows: it is the same file only
    // if it was not.
    if identity(&opened)? == identity(&file)? { Ok(opened) } else { Err(ErrorCode::Invalid) }
}

fn is_reparse_point(file: &fs::File) -> Result<bool, ErrorCode> {
    let attributes = file.metadata().map_err(|error| code_of(&error))?.file_attributes();
    Ok(attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0)
}

/// Opens a directory that is no link, junction or mount point.
fn open_directory(dir: &impl AsHandle, name: &[u8], access: u32) -> Result<OwnedHandle, ErrorCode> {
    let opened = fs::File::from(open(dir, name, access, DIRECTORY)?);
    match metadata(&opened)?.kind {
        EntryKind::Directory => Ok(opened.into()),
        EntryKind::File | EntryKind::Other => Err(ErrorCode::NotDirectory),
    }
}

/// Removes the name of what is open and then closes it.
fn delete(found: OwnedHandle) -> Result<(), ErrorCode> {
    match nt::delete(&found) {
        Err(status) if nt::is_unknown(status) => {}
        deleted => return deleted.map_err(code),
    }
    // A file system that has only the older call, which refuses what is read-only.
    let writable = nt::open(&found, &[], FILE_WRITE_ATTRIBUTES, FILE_OPEN, EITHER);
    let writable = writable.map(fs::File::from).ok();
    let changed = writable.as_ref().is_some_and(|file| set_read_only(file, false) == Ok(true));
    nt::delete_on_close(&found).map_err(|status| {
        if let (true, Some(file)) = (changed, &writable) {
            // The cause is reported, and this was only tried.
            let _ = set_read_only(file, true);
        }
        code(status)
    })
}

/// Sets or clears the read-only attribute; returns whether it was different.
fn set_read_only(file: &fs::File, read_only: bool) -> Result<bool, ErrorCode> {
    let set = || {
        let mut permissions = file.metadata()?.permissions();
        if permissions.readonly() == read_only {
            return Ok(false);
        }
        permissions.set_readonly(read_only);
        file.set_permissions(permissions)?;
        Ok(true)
    };
    set().map_err(|error: io::Error| code_of(&error))
}

/// What to do if a rename that replaces was refused: the system says "access denied" to much.
fn refused_rename(
    from: &fs::File,
    to: &Arc<OwnedHandle>,
    target: &[u8],
    refused: ErrorCode,
) -> Result<(), ErrorCode> {
    let is_directory = metadata(from)?.kind == EntryKind::Directory;
    match Native.metadata_at(to, target).map(|found| found.kind) {
        Ok(EntryKind::Directory) if !is_directory => Err(ErrorCode::IsDirectory),
        Ok(EntryKind::File | EntryKind::Other) if is_directory => Err(ErrorCode::NotDirectory),
        Ok(EntryKind::Directory) => replace_directory(from, to, target),
        _ if is_below(to, from) => Err(ErrorCode::Invalid),
        _ => Err(refused),
    }
}

/// Renames a directory over an empty one, where no system call does that in one step.
fn replace_directory(
    from: &fs::File,
    to: &Arc<OwnedHandle>,
    target: &[u8],
) -> Result<(), ErrorCode> {
    if is_below(to, from) {
        return Err(ErrorCode::Invalid);
    }
    Native.remove_directory(to, target)?;
    nt::set_name(from, FileRenameInformation, 0, to, &new_name(target)?).map_err(|status| {
        // Nothing is to have changed.
        let _ = Native.create_directory(to, target);
        code(status)
    })
}

/// Whether a directory is another, or somewhere in it.
fn is_below(dir: &impl AsHandle, other: &impl AsHandle) -> bool {
    match (nt::path(dir), nt::path(other)) {
        (Some(dir), Some(other)) => dir.starts_with(other),
        (None, _) | (_, None) => false,
    }
}

/// Kind and size of what is open.
fn metadata(file: &fs::File) -> Result<Metadata, ErrorCode> {
    let metadata = file.metadata().map_err(|error| code_of(&error))?;
    let kind = match metadata.file_type() {
        kind if kind.is_symlink() => EntryKind::Other,
        kind if kind.is_dir() => EntryKind::Directory,
        _ => EntryKind::File,
    };
    let size = if kind == EntryKind::File { metadata.len() } else { 0 };
    Ok(Metadata { kind, size })
}

/// The kind of a listed entry, as [`metadata`] has it.
fn kind(attributes: u32, tag: u32) -> EntryKind {
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 && tag & NAME_SURROGATE != 0 {
        EntryKind::Other
    } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        EntryKind::Directory
    } else {
        EntryKind::File
    }
}

fn identity(handle: &impl AsHandle) -> Result<Identity, ErrorCode> {
    nt::numbers(handle).map(|(identity, _)| identity).map_err(|error| code_of(&error))
}

/// The code of a write or resize that failed. Core has already refused what ends after 2^63-1, the
/// last offset of the interface, so an "invalid parameter" is an end past the file system's own
/// limit.
fn too_large_if_invalid(code: ErrorCode) -> ErrorCode {
    if code == ErrorCode::Invalid { ErrorCode::FileTooLarge } else { code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_keeps_its_separator() {
        for (path, expected) in [
            ("C:\\", "C:\\"),
            ("C:\\\\", "C:\\"),
            ("C:", "C:"),
            ("C:\\dir\\", "C:\\dir"),
            ("C:/dir/", "C:/dir"),
            ("\\", "\\"),
            ("/", "/"),
            ("dir", "dir"),
        ] {
            assert_eq!(without_end(path), expected);
        }
    }

    #[test]
    fn links_and_junctions_are_neither_files_nor_directories() {
        const LINK: u32 = 0xA000_000C;
        const JUNCTION: u32 = 0xA000_0003;
        const DEDUPLICATED: u32 = 0x8000_0013;
        let reparse = FILE_ATTRIBUTE_REPARSE_POINT;
        for (attributes, tag, expected) in [
            (0, 0, EntryKind::File),
            (FILE_ATTRIBUTE_DIRECTORY, 0, EntryKind::Directory),
            (reparse, LINK, EntryKind::Other),
            (reparse | FILE_ATTRIBUTE_DIRECTORY, JUNCTION, EntryKind::Other),
            (reparse, DEDUPLICATED, EntryKind::File),
            // Without the attribute the number means something else.
            (FILE_ATTRIBUTE_DIRECTORY, LINK, EntryKind::Directory),
        ] {
            assert_eq!(kind(attributes, tag), expected);
        }
    }
}
