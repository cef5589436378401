//! In wasm: the imports.

use tempfile_core as core;

use super::{
    CleanupFailure, Counts, Durability, Entry, EntryKind, Error, HandleKind, LiveHandle, Location, Options,
    ReplaceMode, Storage, Usage,
};
use bindings::scratch::tempfile::{ledger, tempfile as wit, types};

/// What `wit-bindgen` makes of the world `plugin`, or `plugin-direct`.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    #[cfg(feature = "direct")]
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin-direct",
        with: {
            "wasi:clocks/wall-clock@0.2.12": wasip2::clocks::wall_clock,
            "wasi:filesystem/types@0.2.12": wasip2::filesystem::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
        generate_all,
    });
    #[cfg(not(feature = "direct"))]
    wit_bindgen::generate!({ path: "wit", world: "plugin", generate_all });
}

/// Creates a file that no name leads to.
///
/// # Errors
/// Those of the interface's `unnamed`.
pub fn unnamed(location: Location<'_>) -> Result<File, Error> {
    wit::unnamed(&place(location)).map(File).map_err(error)
}

/// Creates a file under a new name.
///
/// # Errors
/// Those of the interface's `named`.
pub fn named(options: &Options, location: Location<'_>) -> Result<(File, TempPath), Error> {
    let (file, path) = wit::named(&naming(options), &place(location)).map_err(error)?;
    Ok((File(file), TempPath(path)))
}

/// Creates a file that stays in memory up to and including `max_memory` bytes.
///
/// # Errors
/// Those of the interface's `spooled`.
pub fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<File, Error> {
    wit::spooled(max_memory, &place(location)).map(File).map_err(error)
}

/// Creates a directory under a new name.
///
/// # Errors
/// Those of the interface's `directory`.
pub fn directory(options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
    wit::directory(&naming(options), &place(location)).map(TempDir).map_err(error)
}

/// Gives an unnamed file a name, for good.
///
/// # Errors
/// Those of the interface's `link`.
pub fn link(file: &File, target: &str, durability: Durability) -> Result<(), Error> {
    wit::link(&file.0, target, level(durability)).map_err(error)
}

/// The path of the default directory.
///
/// # Errors
/// `no-scratch`.
pub fn default_directory() -> Result<String, Error> {
    wit::default_directory().map_err(error)
}

/// How much this instance has in use.
pub fn usage() -> Usage {
    let ledger::Summary { live, peak, kept } = ledger::usage();
    Usage { live: counts(live), peak: counts(peak), kept }
}

/// What this instance has open. Empty when nothing is leaked.
pub fn live() -> Vec<LiveHandle> {
    ledger::live().into_iter().map(live_handle).collect()
}

/// What could not be removed when its handle was dropped.
pub fn leftovers() -> Vec<CleanupFailure> {
    ledger::leftovers().into_iter().map(failure).collect()
}

/// Asks for the open directory itself.
///
/// # Errors
/// Those of the interface's `open-directory`.
#[cfg(feature = "direct")]
pub fn open_directory(dir: &TempDir) -> Result<tempfile_wasi::Descriptor, Error> {
    bindings::scratch::tempfile::direct::open_directory(&dir.0).map_err(error)
}

/// A stream that reads the file from `offset` on.
///
/// # Errors
/// Those of the interface's `reader`.
#[cfg(feature = "direct")]
pub fn reader(file: &File, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
    bindings::scratch::tempfile::streams::reader(&file.0, offset).map_err(error)
}

/// A stream that writes to the file from `offset` on.
///
/// # Errors
/// Those of the interface's `writer`.
#[cfg(feature = "direct")]
pub fn writer(file: &File, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
    bindings::scratch::tempfile::streams::writer(&file.0, offset).map_err(error)
}

/// Asks for the open file itself.
#[cfg(feature = "direct")]
pub(crate) fn hand_over(file: &File) -> Result<tempfile_wasi::Descriptor, Error> {
    bindings::scratch::tempfile::direct::hand_over(&file.0).map_err(error)
}

/// An open file, with no cursor and no name.
pub struct File(wit::File);

/// A name, and the promise to remove it.
pub struct TempPath(wit::TempPath);

/// A directory, and the promise to remove it with everything in it.
pub struct TempDir(wit::TempDir);

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl File {
    pub fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        self.0.read(offset, max).map_err(error)
    }

    pub fn write(&self, offset: u64, data: &[u8]) -> Result<u64, Error> {
        self.0.write(offset, data).map_err(error)
    }

    pub fn size(&self) -> Result<u64, Error> {
        self.0.size().map_err(error)
    }

    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        self.0.set_size(size).map_err(error)
    }

    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.0.sync(level(durability)).map_err(error)
    }

    pub fn storage(&self) -> Result<Storage, Error> {
        let storage = |storage| match storage {
            types::Storage::Memory => Storage::Memory,
            types::Storage::Disk => Storage::Disk,
        };
        self.0.storage().map(storage).map_err(error)
    }

    pub fn roll_over(&self) -> Result<(), Error> {
        self.0.roll_over().map_err(error)
    }

    pub fn close(&self) -> Result<(), Error> {
        self.0.close().map_err(error)
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempPath {
    pub fn path(&self) -> String {
        self.0.path()
    }

    pub fn reopen(&self) -> Result<File, Error> {
        self.0.reopen().map(File).map_err(error)
    }

    pub fn persist(&self, target: &str, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        let mode = match mode {
            ReplaceMode::Overwrite => wit::ReplaceMode::Overwrite,
            ReplaceMode::NoClobber => wit::ReplaceMode::NoClobber,
        };
        self.0.persist(target, mode, level(durability)).map_err(error)
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.keep().map_err(error)
    }

    pub fn close(&self) -> Result<(), Error> {
        self.0.close().map_err(error)
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempDir {
    pub fn path(&self) -> String {
        self.0.path()
    }

    pub fn create_file(&self, path: &str) -> Result<File, Error> {
        self.0.create_file(path).map(File).map_err(error)
    }

    pub fn open_file(&self, path: &str) -> Result<File, Error> {
        self.0.open_file(path).map(File).map_err(error)
    }

    pub fn create_directory(&self, path: &str) -> Result<(), Error> {
        self.0.create_directory(path).map_err(error)
    }

    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        self.0.rename(old, new).map_err(error)
    }

    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.0.remove(path).map_err(error)
    }

    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, Error> {
        let entry = |entry: wit::Entry| {
            let kind = match entry.kind {
                types::EntryKind::File => EntryKind::File,
                types::EntryKind::Directory => EntryKind::Directory,
                types::EntryKind::Other => EntryKind::Other,
            };
            Entry { name: entry.name, kind }
        };
        Ok(self.0.entries(path).map_err(error)?.into_iter().map(entry).collect())
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.keep().map_err(error)
    }

    pub fn close(&self) -> Result<(), Vec<CleanupFailure>> {
        self.0.close().map_err(|failures| failures.into_iter().map(failure).collect())
    }
}

fn error(error: types::Error) -> Error {
    let code = core::convert_code!(error.code, types::ErrorCode => core::ErrorCode);
    Error { code, message: error.message }
}

fn failure(failure: types::CleanupFailure) -> CleanupFailure {
    CleanupFailure { path: failure.path, error: error(failure.error) }
}

fn counts(counts: ledger::Counts) -> Counts {
    let ledger::Counts { files, paths, directories, memory } = counts;
    Counts { files, paths, directories, memory }
}

fn live_handle(handle: ledger::LiveHandle) -> LiveHandle {
    let ledger::LiveHandle { kind, path, label, age } = handle;
    let kind = match kind {
        ledger::HandleKind::File => HandleKind::File,
        ledger::HandleKind::Path => HandleKind::Path,
        ledger::HandleKind::Directory => HandleKind::Directory,
    };
    LiveHandle { kind, path, label, age }
}

fn level(durability: Durability) -> wit::Durability {
    match durability {
        Durability::None => wit::Durability::None,
        Durability::Data => wit::Durability::Data,
        Durability::Full => wit::Durability::Full,
    }
}

fn naming(options: &Options) -> wit::Options {
    let Options { prefix, suffix, random_chars, label } = options.clone();
    wit::Options { prefix, suffix, random_chars, label }
}

fn place(location: Location<'_>) -> wit::Location<'_> {
    match location {
        Location::Scratch => wit::Location::Scratch,
        Location::Within(dir) => wit::Location::Within(&dir.0),
        Location::Directory(path) => wit::Location::Directory(path.to_owned()),
    }
}
