//! Files and directories by descriptor.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::marker::PhantomData;

use tempfile_core::{
    DirectoryState, EntryKind, ErrorCode, Identity, Metadata, Platform, RawEntry, check_portable,
    name_to_str,
};
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream,
    ErrorCode as WasiCode, OpenFlags, PathFlags,
};

use crate::code::code;
use crate::file::{File, Handle, Names};
use crate::open_files::{At, OpenFiles};

/// The host's wasi:filesystem, with open files as `F`.
///
/// The default is for the bytes of files: it changes no name of an open file on a host that refuses
/// that.
pub struct Wasi<F> {
    names: Option<Rc<Names>>,
    file: PhantomData<F>,
}

impl<F> Clone for Wasi<F> {
    fn clone(&self) -> Self {
        Wasi { names: self.names.clone(), file: PhantomData }
    }
}

impl<F> Default for Wasi<F> {
    fn default() -> Self {
        Wasi { names: None, file: PhantomData }
    }
}

impl Wasi<File> {
    /// The platform of a provider, which names files.
    pub(crate) fn with_names() -> Self {
        Wasi { names: Some(Rc::default()), ..Wasi::default() }
    }

    /// Whether a file of this platform may have to be closed for a moment.
    pub(crate) fn closes_files(&self) -> bool {
        self.names.as_ref().is_some_and(|names| names.are_held())
    }
}

impl<F: Handle> Wasi<F> {
    /// The open files whose names the host holds.
    fn held(&self, dir: &Descriptor) -> Option<&Rc<OpenFiles<Descriptor, Descriptor>>> {
        self.names.as_ref()?.held(dir)
    }

    /// WASI's names are UTF-8. wasmtime on Windows takes some of them for others: it ends a name
    /// before dots and spaces in some calls, and separates it at `\` and `:`.
    // Inlined, it would be in a component 23 times.
    #[inline(never)]
    fn name<'a>(&self, dir: &Descriptor, name: &'a [u8]) -> Result<&'a str, ErrorCode> {
        let name = name_to_str(name).ok_or(ErrorCode::InvalidName)?;
        if self.held(dir).is_some() {
            check_portable(name)?;
        }
        Ok(name)
    }

    fn named(&self, dir: &Rc<Descriptor>, name: &str, descriptor: Descriptor) -> F {
        match &self.names {
            Some(names) => names.file(descriptor, (dir, name)),
            None => F::from(descriptor),
        }
    }
}

/// The flags that every host accepts for a file.
pub(crate) const FILE: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::WRITE);
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

impl<F: Handle> Platform for Wasi<F> {
    type Dir = Rc<Descriptor>;
    type File = F;
    type Entries = Entries;

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let (name, flags) = (self.name(dir, name)?, OpenFlags::CREATE | OpenFlags::EXCLUSIVE);
        let created = dir.open_at(NO_FOLLOW, name, flags, FILE).map_err(code)?;
        Ok(self.named(dir, name, created))
    }

    fn create_delete_on_close(&self, _: &Self::Dir, _: &[u8]) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn create_unnamed(&self, _: &Self::Dir, _: DirectoryState) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let name = self.name(dir, name)?;
        Ok(self.named(dir, name, open_regular(dir, name, FILE)?))
    }

    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let name = self.name(dir, name)?;
        match open_regular(dir, name, DescriptorFlags::READ) {
            Err(ErrorCode::Access) => open_regular(dir, name, DescriptorFlags::WRITE),
            opened => opened,
        }
        .map(F::from)
    }

    fn duplicate(&self, _: &Self::File) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        dir.create_directory_at(self.name(dir, name)?).map_err(code)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open_directory(dir, self.name(dir, name)?).map(Rc::new).map_err(code)
    }

    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        // WASI has neither modes nor mount points.
        self.open_directory(dir, name)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode> {
        let listing = match dir.read_directory() {
            // A preopen itself cannot be listed everywhere (preview2-shim), what is opened through
            // it can.
            Err(WasiCode::BadDescriptor) => {
                open_directory(dir, ".").and_then(|opened| opened.read_directory())
            }
            listed => listed,
        }
        .map_err(code)?;
        Ok(Entries { dir: dir.clone(), listing, ended: false })
    }

    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode> {
        let stat = dir.stat_at(NO_FOLLOW, self.name(dir, name)?).map_err(code)?;
        let kind = entry_kind(stat.type_);
        let size = if kind == EntryKind::File { stat.size } else { 0 };
        Ok(Metadata { kind, size })
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        if cfg!(feature = "broken-removal") {
            return Ok(());
        }
        let name = self.name(dir, name)?;
        let remove = || match dir.unlink_file_at(name) {
            // Deno tries to remove a directory too, and answers as that does.
            Err(WasiCode::NotEmpty) => Err(ErrorCode::IsDirectory),
            removed => removed.map_err(code),
        };
        let removed = match self.held(dir) {
            Some(files) => files.remove((dir, name), remove),
            None => remove(),
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
        match dir.remove_directory_at(self.name(dir, name)?) {
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
        let (name, target) = (self.name(dir, name)?, self.name(to, target)?);
        let rename = || match dir.rename_at(name, to, target) {
            Err(WasiCode::Exist) => Err(ErrorCode::NotEmpty),
            renamed => renamed.map_err(code),
        };
        let Some(files) = self.held(dir) else { return rename() };
        let replaced = check_kinds((dir, name), (to, target))?;
        match files.rename((dir, name), (to, target), rename) {
            // Some file systems replace no directory.
            Err(ErrorCode::Access) if replaced == Some(EntryKind::Directory) => {
                self.remove_directory(to, target.as_bytes())?;
                rename().inspect_err(|_| {
                    let _ = self.create_directory(to, target.as_bytes());
                })
            }
            renamed => renamed,
        }
    }

    fn rename_no_replace(
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
        let (name, target) = (self.name(dir, name)?, self.name(to, target)?);
        let link = || dir.link_at(NO_FOLLOW, name, to, target).map_err(code);
        match self.held(dir) {
            Some(files) => files.link((dir, name), (to, target), link),
            None => link(),
        }
    }

    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn locks_open_names(&self) -> bool {
        self.names.as_ref().is_some_and(|names| names.are_held())
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

    fn is_same_directory(&self, dir: &Self::Dir, other: &Self::Dir) -> bool {
        dir.is_same_object(other)
    }

    fn is_directory_at(
        &self,
        dir: &Self::Dir,
        parent: &Self::Dir,
        name: &[u8],
    ) -> Result<bool, ErrorCode> {
        let open = || open_directory(parent, self.name(parent, name)?).map_err(code);
        let found = open()?;
        // jco's shim takes any two descriptors for different objects.
        Ok(dir.is_same_object(&found) || !found.is_same_object(&open()?))
    }

    fn identity_at(&self, _: &Self::Dir, _: &[u8]) -> Result<Identity, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        dir.stat_at(NO_FOLLOW, self.name(dir, name)?).map(|stat| stat.link_count).map_err(code)
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
        file.with(|file| file.read(length as u64, offset).map(|(bytes, _)| bytes).map_err(code))
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        match file.with(|file| file.write(data, offset).map_err(code))? {
            0 => Err(ErrorCode::Io),
            count => usize::try_from(count).map_err(|_| ErrorCode::Io),
        }
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        file.with(|file| file.stat().map(|stat| stat.size).map_err(code))
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        // Core has checked for 2^63-1, so `invalid` means too large for the host's file system.
        let failed = |error| match error {
            WasiCode::Invalid => ErrorCode::FileTooLarge,
            error => code(error),
        };
        file.with(|file| file.set_size(size).map_err(failed))
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.with(|file| file.sync_data().map_err(code))
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.with(|file| file.sync().map_err(code))
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        // As for a listing: what is opened through a preopen can be synced everywhere.
        let synced = match dir.sync() {
            Err(WasiCode::Invalid) => dir
                .open_at(NO_FOLLOW, ".", OpenFlags::DIRECTORY, DescriptorFlags::READ)
                .and_then(|opened| opened.sync()),
            synced => synced,
        };
        match synced {
            // Hosts open no directory there so that it could be synced.
            Err(WasiCode::Access | WasiCode::NotPermitted) if is_on_windows(dir) => Ok(()),
            synced => synced.map_err(code),
        }
    }
}

/// Opens a regular file for the access that `flags` ask for.
pub(crate) fn open_regular(
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

/// Whether the host is wasmtime on Windows. There `\` separates names, which elsewhere is part of
/// one that does not exist, and `C:` leads out of every directory. Node's shim takes `\` for `/`
/// too.
pub(crate) fn is_on_windows(dir: &Descriptor) -> bool {
    dir.stat_at(NO_FOLLOW, ".\\.").is_ok_and(is_directory)
        && matches!(dir.stat_at(NO_FOLLOW, "C:"), Err(WasiCode::Access | WasiCode::NotPermitted))
}

/// Refuses a rename that would replace a directory with a file, or a file with a directory: on
/// Windows that is `access`, or succeeds. Returns the kind of another entry that is replaced.
fn check_kinds(
    (dir, name): At<'_, Descriptor>,
    (to, target): At<'_, Descriptor>,
) -> Result<Option<EntryKind>, ErrorCode> {
    let stat = |dir: &Descriptor, name| dir.stat_at(NO_FOLLOW, name).map_err(code);
    let Ok(replaced) = stat(to, target) else { return Ok(None) };
    let from = stat(dir, name)?;
    match (is_directory(from), is_directory(replaced)) {
        (false, true) => Err(ErrorCode::IsDirectory),
        (true, false) => Err(ErrorCode::NotDirectory),
        _ if name == target && dir.is_same_object(to) => Ok(None),
        _ => Ok(Some(entry_kind(replaced.type_))),
    }
}

/// Opens a directory, for changing it if the host permits that.
pub(crate) fn open_directory(dir: &Descriptor, name: &str) -> Result<Descriptor, WasiCode> {
    // Checked before it is opened, because opening a fifo may block the host: wasmtime looks only
    // then whether it is a directory.
    if !is_directory(dir.stat_at(NO_FOLLOW, name)?) {
        return Err(WasiCode::NotDirectory);
    }
    match dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DIRECTORY) {
        // A read-only preopen, or a host (such as preview2-shim) that refuses the flag. Without it
        // the directory can be walked through, and what tries to change it fails.
        Err(
            WasiCode::NotPermitted | WasiCode::Access | WasiCode::ReadOnly | WasiCode::Unsupported,
        ) => dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DescriptorFlags::READ),
        opened => opened,
    }
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
