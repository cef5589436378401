//! The sandboxed placements: the imports of the plugin.

use std::sync::Arc;

use super::{
    CleanupFailure, Counts, Durability, Entry, EntryKind, Error, HandleKind, Limits, LiveHandle,
    Location, Metadata, Options, ReplaceMode, Storage, Usage,
};
use bindings::scratch::tempfile::{ledger, tempfile as wit};
#[cfg(feature = "direct")]
use bindings::scratch::tempfile_wasi::descriptors as wasi;

/// Generated from the world `imports` of `scratch:tempfile-wasi` or of `scratch:tempfile`.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    #[cfg(feature = "direct")]
    wit_bindgen::generate!({
        path: [
            "wit/wasi/io.wit",
            "wit/wasi/clocks.wit",
            "wit/wasi/filesystem.wit",
            "wit/tempfile",
            "wit/tempfile-wasi",
        ],
        world: "scratch:tempfile-wasi/imports",
        with: {
            "wasi:clocks/wall-clock@0.2.0": wasip2::clocks::wall_clock,
            "wasi:filesystem/types@0.2.0": wasip2::filesystem::types,
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
        generate_all,
    });
    #[cfg(not(feature = "direct"))]
    wit_bindgen::generate!({
        path: "wit/tempfile",
        world: "scratch:tempfile/imports",
        generate_all,
    });
}

/// Creates a file that has no name.
///
/// # Errors
/// Those of the interface's `unnamed`.
pub fn unnamed(location: Location<'_>) -> Result<File, Error> {
    wit::unnamed(&to_wit(location)).map(File).map_err(error)
}

/// Creates a file under a new name.
///
/// # Errors
/// Those of the interface's `named`.
pub fn named(options: &Options, location: Location<'_>) -> Result<(File, TempPath), Error> {
    let (file, path) = wit::named(&options_to_wit(options), &to_wit(location)).map_err(error)?;
    Ok((File(file), TempPath(path)))
}

/// Creates a file that stays in memory up to and including `max_memory` bytes.
///
/// # Errors
/// Those of the interface's `spooled`.
pub fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<File, Error> {
    wit::spooled(max_memory, &to_wit(location)).map(File).map_err(error)
}

/// Creates a directory under a new name.
///
/// # Errors
/// Those of the interface's `directory`.
pub fn directory(options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
    wit::directory(&options_to_wit(options), &to_wit(location)).map(TempDir).map_err(error)
}

/// Gives an unnamed file a permanent name.
///
/// # Errors
/// Those of the interface's `link`.
pub fn link(file: &File, target: &str, durability: Durability) -> Result<(), Error> {
    wit::link(&file.0, target, durability_to_wit(durability)).map_err(error)
}

/// Returns the path of the default directory.
///
/// # Errors
/// Those of the interface's `default-directory`.
pub fn default_directory() -> Result<String, Error> {
    wit::default_directory().map_err(error)
}

/// Returns what this instance has in use.
pub fn usage() -> Usage {
    let counts = |counts: ledger::Counts| {
        let ledger::Counts { files, paths, directories, memory, bytes, entries } = counts;
        Counts { files, paths, directories, memory, bytes, entries }
    };
    let ledger::Usage { live, peak, kept } = ledger::get_usage();
    Usage { live: counts(live), peak: counts(peak), kept }
}

/// Returns the limits on what this instance may have in use.
pub fn limits() -> Limits {
    let ledger::Limits { bytes, entries, handles, memory, file_size } = ledger::get_limits();
    Limits { bytes, entries, handles, memory, file_size }
}

/// Lists the handles that this instance has open. Empty if nothing is leaked.
///
/// # Errors
/// Those of the interface's `live-handles`.
pub fn live_handles() -> Result<Vec<LiveHandle>, Error> {
    let live = |handle: ledger::LiveHandle| {
        let ledger::LiveHandle { kind, path, label, age } = handle;
        let kind = match kind {
            ledger::HandleKind::File => HandleKind::File,
            ledger::HandleKind::Path => HandleKind::Path,
            ledger::HandleKind::Directory => HandleKind::Directory,
        };
        LiveHandle { kind, path, label, age }
    };
    Ok(ledger::live_handles().map_err(error)?.into_iter().map(live).collect())
}

/// Lists what could not be removed when its handle was dropped.
pub fn leftovers() -> Vec<CleanupFailure> {
    ledger::leftovers().into_iter().map(failure).collect()
}

/// Exchanges an open file for its descriptor.
///
/// # Errors
/// Those of the interface's `file-descriptor`.
#[cfg(feature = "direct")]
pub fn file_descriptor(file: &File) -> Result<tempfile_wasi::Descriptor, Error> {
    wasi::file_descriptor(&file.0).map_err(error)
}

/// Returns a descriptor of an open directory.
///
/// # Errors
/// Those of the interface's `directory-descriptor`.
#[cfg(feature = "direct")]
pub fn directory_descriptor(dir: &TempDir) -> Result<tempfile_wasi::Descriptor, Error> {
    wasi::directory_descriptor(&dir.0).map_err(error)
}

/// Returns a stream that reads the file from `offset`.
///
/// # Errors
/// Those of the interface's `read-via-stream`.
#[cfg(feature = "direct")]
pub fn read_via_stream(file: &File, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
    wasi::read_via_stream(&file.0, offset).map_err(error)
}

/// Returns a stream that writes to the file from `offset`.
///
/// # Errors
/// Those of the interface's `write-via-stream`.
#[cfg(feature = "direct")]
pub fn write_via_stream(file: &File, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
    wasi::write_via_stream(&file.0, offset).map_err(error)
}

/// An open file. It has no cursor and no name.
pub struct File(wit::File);

/// The guard of a file's name.
pub struct TempPath(wit::TempPath);

/// The guard of a directory and everything in it.
pub struct TempDir(wit::TempDir);

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl File {
    pub fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        self.0.read(length, offset).map_err(error)
    }

    pub fn write(&self, buffer: &[u8], offset: u64) -> Result<u64, Error> {
        self.0.write(buffer, offset).map_err(error)
    }

    pub fn size(&self) -> Result<u64, Error> {
        self.0.size().map_err(error)
    }

    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        self.0.set_size(size).map_err(error)
    }

    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.0.sync(durability_to_wit(durability)).map_err(error)
    }

    pub fn storage(&self) -> Result<Storage, Error> {
        let storage = |storage| match storage {
            wit::Storage::Memory => Storage::Memory,
            wit::Storage::Disk => Storage::Disk,
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

    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.path().into()
    }

    pub fn reopen(&self) -> Result<File, Error> {
        self.0.reopen().map(File).map_err(error)
    }

    pub fn persist(
        &self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        let (mode, durability) = (mode_to_wit(mode), durability_to_wit(durability));
        self.0.persist(target, mode, durability).map_err(error)
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

    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.path().into()
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

    pub fn metadata(&self, path: &str) -> Result<Metadata, Error> {
        let wit::Metadata { kind, size } = self.0.metadata(path).map_err(error)?;
        Ok(Metadata { kind: entry_kind(kind), size })
    }

    pub fn persist(
        &self,
        target: &str,
        mode: ReplaceMode,
        durability: Durability,
    ) -> Result<(), Error> {
        let (mode, durability) = (mode_to_wit(mode), durability_to_wit(durability));
        self.0.persist(target, mode, durability).map_err(error)
    }

    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        self.0.rename(old, new).map_err(error)
    }

    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.0.remove(path).map_err(error)
    }

    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, Error> {
        let entry = |wit::Entry { name, kind }| Entry { name, kind: entry_kind(kind) };
        Ok(self.0.entries(path).map_err(error)?.into_iter().map(entry).collect())
    }

    pub fn keep(&self) -> Result<String, Error> {
        self.0.keep().map_err(error)
    }

    pub fn close(&self) -> Result<(), Vec<CleanupFailure>> {
        self.0.close().map_err(|failures| failures.into_iter().map(failure).collect())
    }
}

fn error(error: wit::Error) -> Error {
    let code = tempfile_core::convert_code!(error.code, wit::ErrorCode => tempfile_core::ErrorCode);
    Error { code, message: error.message, path: error.path }
}

fn failure(failure: wit::CleanupFailure) -> CleanupFailure {
    CleanupFailure { path: failure.path, error: error(failure.error) }
}

fn entry_kind(kind: wit::EntryKind) -> EntryKind {
    match kind {
        wit::EntryKind::File => EntryKind::File,
        wit::EntryKind::Directory => EntryKind::Directory,
        wit::EntryKind::Other => EntryKind::Other,
    }
}

fn durability_to_wit(durability: Durability) -> wit::Durability {
    match durability {
        Durability::None => wit::Durability::None,
        Durability::Data => wit::Durability::Data,
        Durability::Full => wit::Durability::Full,
    }
}

fn mode_to_wit(mode: ReplaceMode) -> wit::ReplaceMode {
    match mode {
        ReplaceMode::Overwrite => wit::ReplaceMode::Overwrite,
        ReplaceMode::NoClobber => wit::ReplaceMode::NoClobber,
    }
}

fn options_to_wit(options: &Options) -> wit::Options {
    let Options { prefix, suffix, random_chars, label } = options.clone();
    wit::Options { prefix, suffix, random_chars, label }
}

fn to_wit(location: Location<'_>) -> wit::Location<'_> {
    match location {
        Location::Scratch => wit::Location::Scratch,
        Location::Within(dir) => wit::Location::Within(&dir.0),
        Location::Directory(path) => wit::Location::Directory(path.to_owned()),
    }
}
