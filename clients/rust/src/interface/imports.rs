//! In wasm: the imports.

use std::fmt;
use std::sync::Arc;

use tempfile_core as core;

use super::ledger::{Line, Memory, now};
use super::{
    CleanupFailure, Durability, Entry, EntryKind, Error, HandleKind, Location, Options, ReplaceMode, Storage,
};
use bindings::scratch::tempfile::{tempfile as wit, types};

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
    wit::unnamed(&place(location)).map(File::new).map_err(error)
}

/// Creates a file under a new name.
///
/// # Errors
/// Those of the interface's `named`.
pub fn named(options: &Options, location: Location<'_>) -> Result<(File, TempPath), Error> {
    let (file, path) = wit::named(&naming(options), &place(location)).map_err(error)?;
    let (path, now) = (Arc::new(path), now());
    let line = Line::open(HandleKind::Path, Some(Name::Path(path.clone())), options.label.clone(), now);
    Ok((File::opened(file, now), TempPath { inner: path, line }))
}

/// Creates a file that stays in memory up to and including `max_memory` bytes.
///
/// # Errors
/// Those of the interface's `spooled`.
pub fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<File, Error> {
    let file = wit::spooled(max_memory, &place(location)).map_err(error)?;
    Ok(File { memory: Some(Memory::default()), ..File::new(file) })
}

/// Creates a directory under a new name.
///
/// # Errors
/// Those of the interface's `directory`.
pub fn directory(options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
    let dir = wit::directory(&naming(options), &place(location)).map_err(error)?;
    let path: Arc<str> = dir.path().into();
    let line =
        Line::open(HandleKind::Directory, Some(Name::Text(path.clone())), options.label.clone(), now());
    Ok(TempDir { inner: dir, path, line })
}

/// Gives an unnamed file a name, for good.
///
/// # Errors
/// Those of the interface's `link`.
pub fn link(file: &File, target: &str, durability: Durability) -> Result<(), Error> {
    file.after(wit::link(&file.inner, target, level(durability)))?;
    super::ledger::kept();
    Ok(())
}

/// The path of the default directory.
///
/// # Errors
/// `quota` if a limit lets no probe through; `no-scratch`.
pub fn default_directory() -> Result<String, Error> {
    wit::default_directory().map_err(error)
}

/// Asks for the open directory itself.
///
/// # Errors
/// Those of the interface's `open-directory`.
#[cfg(feature = "direct")]
pub fn open_directory(dir: &TempDir) -> Result<tempfile_wasi::Descriptor, Error> {
    bindings::scratch::tempfile::direct::open_directory(&dir.inner).map_err(error)
}

/// A stream that reads the file from `offset` on.
///
/// # Errors
/// Those of the interface's `reader`.
#[cfg(feature = "direct")]
pub fn reader(file: &File, offset: u64) -> Result<tempfile_wasi::InputStream, Error> {
    file.after(bindings::scratch::tempfile::streams::reader(&file.inner, offset))
}

/// A stream that writes to the file from `offset` on.
///
/// # Errors
/// Those of the interface's `writer`.
#[cfg(feature = "direct")]
pub fn writer(file: &File, offset: u64) -> Result<tempfile_wasi::OutputStream, Error> {
    file.after(bindings::scratch::tempfile::streams::writer(&file.inner, offset))
}

/// Asks for the open file itself.
#[cfg(feature = "direct")]
pub(crate) fn hand_over(file: &File) -> Result<tempfile_wasi::Descriptor, Error> {
    bindings::scratch::tempfile::direct::hand_over(&file.inner).map_err(error)
}

/// An open file, with no cursor and no name.
pub struct File {
    inner: wit::File,
    line: Line,
    /// Of a spooled one.
    memory: Option<Memory>,
}

/// A name, and the promise to remove it.
pub struct TempPath {
    inner: Arc<wit::TempPath>,
    line: Line,
}

/// A directory, and the promise to remove it with everything in it.
pub struct TempDir {
    inner: wit::TempDir,
    path: Arc<str>,
    line: Line,
}

/// What the ledger knows a path by. The provider is asked for the text by who wants to read it.
pub(super) enum Name {
    Path(Arc<wit::TempPath>),
    Text(Arc<str>),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Path(path) => f.write_str(&path.path()),
            Name::Text(path) => f.write_str(path),
        }
    }
}

impl File {
    fn new(inner: wit::File) -> Self {
        Self::opened(inner, now())
    }

    fn opened(inner: wit::File, now: u64) -> Self {
        File { inner, line: Line::open(HandleKind::File, None, None, now), memory: None }
    }

    /// The answer of what may have moved a spooled file to disk, also if it failed after that.
    fn after<T>(&self, answer: Result<T, types::Error>) -> Result<T, Error> {
        self.look_at_memory();
        answer.map_err(error)
    }

    /// Brings the ledger up to date after what may have changed how much memory the provider holds for this file.
    fn look_at_memory(&self) {
        if let Some(memory) = &self.memory {
            let in_memory = matches!(self.inner.storage(), Ok(types::Storage::Memory));
            memory.set(if in_memory { self.inner.size().unwrap_or(0) } else { 0 });
        }
    }
}

// Drop forgives, and the ledger remembers what it forgave: so it closes first.
impl Drop for TempPath {
    fn drop(&mut self) {
        if let (true, Err(cause)) = (self.line.is_open(), self.inner.close()) {
            super::ledger::left_over([CleanupFailure { path: self.path(), error: error(cause) }]);
        }
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if let (true, Err(failures)) = (self.line.is_open(), self.inner.close()) {
            super::ledger::left_over(failures.into_iter().map(failure));
        }
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl File {
    pub fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        self.inner.read(offset, max).map_err(error)
    }

    pub fn write(&self, offset: u64, data: &[u8]) -> Result<u64, Error> {
        self.after(self.inner.write(offset, data))
    }

    pub fn size(&self) -> Result<u64, Error> {
        self.inner.size().map_err(error)
    }

    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        self.after(self.inner.set_size(size))
    }

    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.inner.sync(level(durability)).map_err(error)
    }

    pub fn storage(&self) -> Result<Storage, Error> {
        let storage = |storage| match storage {
            types::Storage::Memory => Storage::Memory,
            types::Storage::Disk => Storage::Disk,
        };
        self.inner.storage().map(storage).map_err(error)
    }

    pub fn roll_over(&self) -> Result<(), Error> {
        self.after(self.inner.roll_over())
    }

    pub fn close(&self) -> Result<(), Error> {
        self.inner.close().map_err(error)?;
        self.line.close();
        self.look_at_memory();
        Ok(())
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempPath {
    /// Whether the handle answers `closed`, which a reopening tells without changing anything.
    fn is_closed(&self) -> bool {
        self.inner.reopen().is_err_and(|cause| matches!(cause.code, types::ErrorCode::Closed))
    }

    pub fn path(&self) -> String {
        self.inner.path()
    }

    /// The path, for who holds on to it.
    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.path().into()
    }

    pub fn reopen(&self) -> Result<File, Error> {
        self.inner.reopen().map(File::new).map_err(error)
    }

    pub fn persist(&self, target: &str, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        let mode = match mode {
            ReplaceMode::Overwrite => wit::ReplaceMode::Overwrite,
            ReplaceMode::NoClobber => wit::ReplaceMode::NoClobber,
        };
        let persisted = self.inner.persist(target, mode, level(durability)).map_err(error);
        match &persisted {
            Ok(()) => self.line.keep(),
            // Only the last step failed: the file is at its target all the same.
            Err(_) if self.line.is_open() && self.is_closed() => self.line.keep(),
            Err(_) => {}
        }
        persisted
    }

    pub fn keep(&self) -> Result<String, Error> {
        let path = self.inner.keep().map_err(error)?;
        self.line.keep();
        Ok(path)
    }

    pub fn close(&self) -> Result<(), Error> {
        self.inner.close().map_err(error)?;
        self.line.close();
        Ok(())
    }
}

#[allow(missing_docs, reason = "the interface's own text is the documentation")]
impl TempDir {
    pub fn path(&self) -> String {
        self.path.to_string()
    }

    /// The path, without a copy of it.
    pub(crate) fn shared_path(&self) -> Arc<str> {
        self.path.clone()
    }

    pub fn create_file(&self, path: &str) -> Result<File, Error> {
        self.inner.create_file(path).map(File::new).map_err(error)
    }

    pub fn open_file(&self, path: &str) -> Result<File, Error> {
        self.inner.open_file(path).map(File::new).map_err(error)
    }

    pub fn create_directory(&self, path: &str) -> Result<(), Error> {
        self.inner.create_directory(path).map_err(error)
    }

    pub fn rename(&self, old: &str, new: &str) -> Result<(), Error> {
        self.inner.rename(old, new).map_err(error)
    }

    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.inner.remove(path).map_err(error)
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
        Ok(self.inner.entries(path).map_err(error)?.into_iter().map(entry).collect())
    }

    pub fn keep(&self) -> Result<String, Error> {
        let path = self.inner.keep().map_err(error)?;
        self.line.keep();
        Ok(path)
    }

    pub fn close(&self) -> Result<(), Vec<CleanupFailure>> {
        let failures = |failures: Vec<_>| failures.into_iter().map(failure).collect::<Vec<_>>();
        self.inner.close().map_err(failures)?;
        self.line.close();
        Ok(())
    }
}

fn error(error: types::Error) -> Error {
    let code = core::convert_code!(error.code, types::ErrorCode => core::ErrorCode);
    Error { code, message: error.message }
}

fn failure(failure: types::CleanupFailure) -> CleanupFailure {
    CleanupFailure { path: failure.path, error: error(failure.error) }
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
        Location::Within(dir) => wit::Location::Within(&dir.inner),
        Location::Directory(path) => wit::Location::Directory(path.to_owned()),
    }
}
