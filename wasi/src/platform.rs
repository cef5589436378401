//! The platform itself.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use tempfile_core::{Anchor, EntryKind, ErrorCode, Identity, Platform, RawEntry, longest_preopen};
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode as WasiCode, MetadataHashValue, OpenFlags,
    PathFlags,
};

use crate::code::code;

type Preopens = Vec<(Rc<Descriptor>, String)>;

/// Files by descriptor, in what the host has preopened. The preopens are asked for once, when a path is first resolved.
#[derive(Clone, Default)]
pub struct Wasi(Rc<Shared>);

#[derive(Default)]
struct Shared {
    preopens: OnceCell<Preopens>,
    #[cfg(feature = "ledger")]
    ledger: core::cell::RefCell<tempfile_core::Ledger>,
}

/// What every file is opened with: some hosts refuse more.
const FILE: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::WRITE);
const DIRECTORY: DescriptorFlags = DescriptorFlags::READ.union(DescriptorFlags::MUTATE_DIRECTORY);
/// No link is followed.
const NO_FOLLOW: PathFlags = PathFlags::empty();

impl Wasi {
    fn preopens(&self) -> &Preopens {
        self.0.preopens.get_or_init(|| {
            let directories = wasip2::filesystem::preopens::get_directories();
            directories.into_iter().map(|(dir, path)| (Rc::new(dir), path)).collect()
        })
    }
}

impl Platform for Wasi {
    type Dir = Rc<Descriptor>;
    type File = Descriptor;

    fn anchor(&self, path: &str) -> Result<Anchor<Self::Dir>, ErrorCode> {
        let preopens = self.preopens();
        let paths = preopens.iter().map(|(_, path)| path.as_str());
        let (index, rest) = longest_preopen(paths, path).ok_or(ErrorCode::NoEntry)?;
        let (dir, path) = preopens.get(index).ok_or(ErrorCode::NoEntry)?;
        Ok(Anchor { dir: dir.clone(), path: path.clone(), rest })
    }

    fn variable(&self, name: &str) -> Option<String> {
        let environment = wasip2::cli::environment::get_environment();
        environment.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    #[cfg(feature = "ledger")]
    fn ledger<T>(
        &self,
        act: impl FnOnce(&mut tempfile_core::Ledger, tempfile_core::Now<'_>) -> T,
    ) -> Option<T> {
        // Nobody asks this ledger for ages.
        Some(act(&mut self.0.ledger.borrow_mut(), &|| 0))
    }

    fn last_resorts(&self) -> Vec<String> {
        self.preopens().iter().map(|(_, path)| path.clone()).collect()
    }

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        dir.open_at(NO_FOLLOW, utf8(name)?, OpenFlags::CREATE | OpenFlags::EXCLUSIVE, FILE).map_err(code)
    }

    fn create_unnamed(&self, _dir: &Self::Dir, _look: bool) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let name = utf8(name)?;
        // Looked at before it is opened: opening a fifo or a device may block the host.
        match dir.stat_at(NO_FOLLOW, name).map_err(code)?.type_ {
            DescriptorType::RegularFile => {}
            DescriptorType::Directory => return Err(ErrorCode::IsDirectory),
            _ => return Err(ErrorCode::Invalid),
        }
        let file = dir.open_at(NO_FOLLOW, name, OpenFlags::empty(), FILE).map_err(|error| match error {
            WasiCode::Loop => ErrorCode::Invalid,
            error => code(error),
        })?;
        match file.get_type().map_err(code)? {
            DescriptorType::RegularFile => Ok(file),
            _ => Err(ErrorCode::Invalid),
        }
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        dir.create_directory_at(utf8(name)?).map_err(code)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open_directory(dir, utf8(name)?).map(Rc::new).map_err(code)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Vec<Result<RawEntry, ErrorCode>>, ErrorCode> {
        let listing = dir.read_directory().map_err(code)?;
        let mut entries = Vec::new();
        loop {
            match listing.read_directory_entry() {
                Ok(None) => return Ok(entries),
                Ok(Some(entry)) => {
                    // Hosts differ in whether they list these two.
                    if entry.name != "." && entry.name != ".." {
                        let kind = kind(dir, &entry.name, entry.type_);
                        entries.push(Ok(RawEntry { name: entry.name.into_bytes(), kind }));
                    }
                }
                // One entry that has no name in UTF-8; the next may have one.
                Err(WasiCode::IllegalByteSequence) => entries.push(Err(ErrorCode::InvalidName)),
                Err(error) => return Err(code(error)),
            }
        }
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        if cfg!(feature = "broken-removal") {
            return Ok(());
        }
        dir.unlink_file_at(utf8(name)?).map_err(code)
    }

    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match dir.remove_directory_at(utf8(name)?) {
            Err(WasiCode::Exist) => Err(ErrorCode::NotEmpty),
            removed => removed.map_err(code),
        }
    }

    fn rename(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        match dir.rename_at(utf8(name)?, to, utf8(target)?) {
            Err(WasiCode::Exist) => Err(ErrorCode::NotEmpty),
            renamed => renamed.map_err(code),
        }
    }

    fn rename_new(&self, _: &Self::Dir, _: &[u8], _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        dir.link_at(NO_FOLLOW, utf8(name)?, to, utf8(target)?).map_err(code)
    }

    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode> {
        file.metadata_hash().map(identity).map_err(code)
    }

    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode> {
        dir.metadata_hash().map(identity).map_err(code)
    }

    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        dir.metadata_hash_at(NO_FOLLOW, utf8(name)?).map(identity).map_err(code)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        dir.stat_at(NO_FOLLOW, utf8(name)?).map(|stat| stat.link_count).map_err(code)
    }

    fn read_into(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> Result<usize, ErrorCode> {
        let bytes = self.read(file, offset, buffer.len())?;
        let target = buffer.get_mut(..bytes.len()).ok_or(ErrorCode::Io)?;
        target.copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn read(&self, file: &Self::File, offset: u64, max: usize) -> Result<Vec<u8>, ErrorCode> {
        file.read(max as u64, offset).map(|(bytes, _)| bytes).map_err(code)
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
        // Hosts say `invalid` for what is past the largest file they know; sizes past 2^63-1 don't come here.
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
        dir.sync().map_err(code)
    }
}

/// Opens a directory, to change it if it may be.
pub(crate) fn open_directory(dir: &Descriptor, name: &str) -> Result<Descriptor, WasiCode> {
    match dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DIRECTORY) {
        // A read-only preopen, or a host that ties the right to change a directory to its preopen, or (as under Node) refuses to
        // hear of it: without asking for it the directory can be walked through, and what then tries to change it is told so.
        Err(WasiCode::NotPermitted | WasiCode::Access | WasiCode::ReadOnly | WasiCode::Unsupported) => {
            dir.open_at(NO_FOLLOW, name, OpenFlags::DIRECTORY, DescriptorFlags::READ)
        }
        opened => opened,
    }
}

/// WASI's names are UTF-8; core's that aren't came from another system.
fn utf8(name: &[u8]) -> Result<&str, ErrorCode> {
    tempfile_core::text(name).ok_or(ErrorCode::InvalidName)
}

fn identity(hash: MetadataHashValue) -> Identity {
    [hash.lower, hash.upper]
}

/// What the listing says, or, where the host does not say, what a look at the entry says.
fn kind(dir: &Descriptor, name: &str, listed: DescriptorType) -> EntryKind {
    let known = match listed {
        DescriptorType::Unknown => {
            dir.stat_at(NO_FOLLOW, name).map_or(DescriptorType::Unknown, |stat| stat.type_)
        }
        known => known,
    };
    match known {
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
