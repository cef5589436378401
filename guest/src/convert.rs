//! The border: core's types in the bindings', and back. Every match is exhaustive.

use alloc::vec::Vec;

use tempfile_core as core;

use crate::bindings::exports::scratch::tempfile::{tempfile, types};

pub(crate) fn error(error: core::Error) -> types::Error {
    let code = core::convert_code!(error.code, core::ErrorCode => types::ErrorCode);
    types::Error { code, message: error.message }
}

pub(crate) fn durability(durability: types::Durability) -> core::Durability {
    match durability {
        types::Durability::None => core::Durability::None,
        types::Durability::Data => core::Durability::Data,
        types::Durability::Full => core::Durability::Full,
    }
}

pub(crate) fn replace_mode(mode: types::ReplaceMode) -> core::ReplaceMode {
    match mode {
        types::ReplaceMode::Overwrite => core::ReplaceMode::Overwrite,
        types::ReplaceMode::NoClobber => core::ReplaceMode::NoClobber,
    }
}

pub(crate) fn options(options: tempfile::Options) -> core::Options {
    let tempfile::Options { prefix, suffix, random_chars, label } = options;
    core::Options { prefix, suffix, random_chars, label }
}

pub(crate) fn storage(storage: core::Storage) -> types::Storage {
    match storage {
        core::Storage::Memory => types::Storage::Memory,
        core::Storage::Disk => types::Storage::Disk,
    }
}

pub(crate) fn entry(entry: core::Entry) -> types::Entry {
    let kind = match entry.kind {
        core::EntryKind::File => types::EntryKind::File,
        core::EntryKind::Directory => types::EntryKind::Directory,
        core::EntryKind::Other => types::EntryKind::Other,
    };
    types::Entry { name: entry.name, kind }
}

pub(crate) fn failures(failures: Vec<core::CleanupFailure>) -> Vec<types::CleanupFailure> {
    let failure = |failure: core::CleanupFailure| types::CleanupFailure {
        path: failure.path,
        error: error(failure.error),
    };
    failures.into_iter().map(failure).collect()
}
