//! Files and directories by descriptor.

use alloc::rc::Rc;
use alloc::vec::Vec;

use tempfile_core::{
    DirectoryState, EntryKind, ErrorCode, Identity, Metadata, Platform, RawEntry, name_to_str,
};
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream,
    ErrorCode as WasiCode, OpenFlags, PathFlags,
};

use crate::code::code;

/// The host's wasi:filesystem.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wasi;

/// The flags that every host accepts for a file.
const FILE: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::WRITE);
const DIRECTORY: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::MUTATE_DIRECTORY);
/// No link is followed.
const NO_FOLLOW: PathFlags = PathFlags::empty();

/// A directory listing.
pub struct Entries {
    dir: Rc<Descriptor>,
    listing: DirectoryEntryStream,
    ended: bool,
}

impl Iterator for Entries {
    type Item = Result<RawEntry, ErrorCode>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.listing.read_directory_entry() {
                Ok(None) => self.ended = true,
                // Hosts differ in whether they list these two.
                Ok(Some(entry)) if matches!(&*entry.name, "." | "..") => {}
                Ok(Some(entry)) => {
                    let kind = kind(&self.dir, &entry.name, entry.type_);
                    return Some(Ok(RawEntry { name: entry.name.into_bytes(), kind }));
                }
                // This entry has no name in UTF-8; the next one may have.
                Err(WasiCode::IllegalByteSequence) => return Some(Err(ErrorCode::InvalidName)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(code(error)));
                }
            }
        }
        None
    }
}

impl Platform for Wasi {
    type Dir = Rc<Descriptor>;
    type File = Descriptor;
    type Entries = Entries;

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        dir.open_at(NO_FOLLOW, utf8(name)?, OpenFlags::CREATE | OpenFlags::EXCLUSIVE, FILE)
            .map_err(code)
    }

    fn create_delete_on_close(&self, _: &Self::Dir, _: &[u8]) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn create_unnamed(&self, _: &Self::Dir, _: DirectoryState) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        open_regular(dir, utf8(name)?, FILE)
    }

    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let name = utf8(name)?;
        match open_regular(dir, name, DescriptorFlags::READ) {
            Err(ErrorCode::Access) => open_regular(dir, name, DescriptorFlags::WRITE),
            opened => opened,
        }
    }

    fn duplicate(&self, _: &Self::File) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        dir.create_directory_at(utf8(name)?).map_err(code)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open_directory(dir, utf8(name)?).map(Rc::new).map_err(code)
    }

    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        // WASI has neither modes nor mount points.
        self.open_directory(dir, name)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode> {
        let listing = dir.read_directory().map_err(code)?;
        Ok(Entries { dir: dir.clone(), listing, ended: false })
    }

    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode> {
        let stat = dir.stat_at(NO_FOLLOW, utf8(name)?).map_err(code)?;
        let kind = entry_kind(stat.type_);
        let size = if kind == EntryKind::File { stat.size } else { 0 };
        Ok(Metadata { kind, size })
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        if cfg!(feature = "broken-removal") {
            return Ok(());
        }
        let name = utf8(name)?;
        let removed = match dir.unlink_file_at(name) {
            // Deno tries to remove a directory too, and answers as that does.
            Err(WasiCode::NotEmpty) => Err(ErrorCode::IsDirectory),
            removed => removed.map_err(code),
        };
        match removed {
            // What Windows and macOS say of a directory.
            Err(ErrorCode::Access) if dir.stat_at(NO_FOLLOW, name).is_ok_and(is_directory) => {
                Err(ErrorCode::IsDirectory)
            }
            removed => removed,
        }
    }

    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match dir.remove_directory_at(utf8(name)?) {
            Err(WasiCode::Exist) => Err(ErrorCode::NotEmpty),
            removed => removed.map_err(code),
        }
    }

    fn rename(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        match dir.rename_at(utf8(name)?, to, utf8(target)?) {
            Err(WasiCode::Exist) => Err(ErrorCode::NotEmpty),
            renamed => renamed.map_err(code),
        }
    }

    fn rename_new(
        &self,
        _: &Self::Dir,
        _: &[u8],
        _: &Self::Dir,
        _: &[u8],
    ) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        dir.link_at(NO_FOLLOW, utf8(name)?, to, utf8(target)?).map_err(code)
    }

    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn is_shared(&self, _: &Self::Dir) -> Result<bool, ErrorCode> {
        // WASI has neither owners nor modes.
        Ok(false)
    }

    // `metadata-hash` identifies nothing: a host may include the size and the modification time.
    fn identity(&self, _: &Self::File) -> Result<Identity, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn directory_identity(&self, _: &Self::Dir) -> Result<Identity, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn identity_at(&self, _: &Self::Dir, _: &[u8]) -> Result<Identity, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        dir.stat_at(NO_FOLLOW, utf8(name)?).map(|stat| stat.link_count).map_err(code)
    }

    fn read_into(
        &self,
        file: &Self::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        let bytes = self.read(file, offset, buffer.len())?;
        // Cut to the buffer: a host might return more than was asked for.
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn read(&self, file: &Self::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode> {
        file.read(length as u64, offset).map(|(bytes, _)| bytes).map_err(code)
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        match file.write(data, offset).map_err(code)? {
            0 => Err(ErrorCode::Io),
            count => usize::try_from(count).map_err(|_| ErrorCode::Io),
        }
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        file.stat().map(|stat| stat.size).map_err(code)
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        // Core has checked for 2^63-1, so `invalid` means too large for the host's file system.
        file.set_size(size).map_err(|error| match error {
            WasiCode::Invalid => ErrorCode::FileTooLarge,
            error => code(error),
        })
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_data().map_err(code)
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync().map_err(code)
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        // A preopen itself cannot be synced everywhere (preview2-shim), what is opened through it
        // can.
        let synced = match dir.sync() {
            Err(WasiCode::Invalid) => dir
                .open_at(NO_FOLLOW, ".", OpenFlags::DIRECTORY, DescriptorFlags::READ)
                .and_then(|opened| opened.sync()),
            synced => synced,
        };
        synced.map_err(code)
    }
}

/// Opens a regular file for the access that `flags` ask for.
fn open_regular(
    dir: &Descriptor,
    name: &str,
    flags: DescriptorFlags,
) -> Result<Descriptor, ErrorCode> {
    // Checked before it is opened, because opening a fifo or a device may block the host.
    match dir.stat_at(NO_FOLLOW, name).map_err(code)?.type_ {
        DescriptorType::RegularFile => {}
        DescriptorType::Directory => return Err(ErrorCode::IsDirectory),
        _ => return Err(ErrorCode::Invalid),
    }
    let file =
        dir.open_at(NO_FOLLOW, name, OpenFlags::empty(), flags).map_err(|error| match error {
            WasiCode::Loop => ErrorCode::Invalid,
            error => code(error),
        })?;
    match file.get_type().map_err(code)? {
        DescriptorType::RegularFile => Ok(file),
        _ => Err(ErrorCode::Invalid),
    }
}

/// Opens a directory, for changing it if the host permits that.
pub(crate) fn open_directory(dir: &Descriptor, name: &str) -> Result<Descriptor, WasiCode> {
    match dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DIRECTORY) {
        // A read-only preopen, or a host (such as preview2-shim) that refuses the flag. Without it
        // the directory can be walked through, and what tries to change it fails.
        Err(
            WasiCode::NotPermitted | WasiCode::Access | WasiCode::ReadOnly | WasiCode::Unsupported,
        ) => dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DescriptorFlags::READ),
        opened => opened,
    }
}

/// WASI's names are UTF-8.
fn utf8(name: &[u8]) -> Result<&str, ErrorCode> {
    name_to_str(name).ok_or(ErrorCode::InvalidName)
}

/// The kind in the listing or, where the host does not list it, in the entry's metadata.
fn kind(dir: &Descriptor, name: &str, listed: DescriptorType) -> EntryKind {
    entry_kind(match listed {
        DescriptorType::Unknown => {
            dir.stat_at(NO_FOLLOW, name).map_or(DescriptorType::Unknown, |stat| stat.type_)
        }
        known => known,
    })
}

fn is_directory(stat: DescriptorStat) -> bool {
    stat.type_ == DescriptorType::Directory
}

fn entry_kind(kind: DescriptorType) -> EntryKind {
    match kind {
        DescriptorType::RegularFile => EntryKind::File,
        DescriptorType::Directory => EntryKind::Directory,
        DescriptorType::Unknown
        | DescriptorType::BlockDevice
        | DescriptorType::CharacterDevice
        | DescriptorType::Fifo
        | DescriptorType::SymbolicLink
        | DescriptorType::Socket => EntryKind::Other,
    }
}
