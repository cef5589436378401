//! The border: core's types in the bindings', and back. Every match is exhaustive.

use tempfile_core as core;

use super::interface::{ledger, tempfile, types};

pub(super) fn error(error: core::Error) -> types::Error {
    let code = core::convert_code!(error.code, core::ErrorCode => types::ErrorCode);
    types::Error { code, message: error.message }
}

pub(super) fn durability(durability: types::Durability) -> core::Durability {
    match durability {
        types::Durability::None => core::Durability::None,
        types::Durability::Data => core::Durability::Data,
        types::Durability::Full => core::Durability::Full,
    }
}

pub(super) fn replace_mode(mode: types::ReplaceMode) -> core::ReplaceMode {
    match mode {
        types::ReplaceMode::Overwrite => core::ReplaceMode::Overwrite,
        types::ReplaceMode::NoClobber => core::ReplaceMode::NoClobber,
    }
}

pub(super) fn options(options: tempfile::Options) -> core::Options {
    let tempfile::Options { prefix, suffix, random_chars, label } = options;
    core::Options { prefix, suffix, random_chars, label }
}

pub(super) fn storage(storage: core::Storage) -> types::Storage {
    match storage {
        core::Storage::Memory => types::Storage::Memory,
        core::Storage::Disk => types::Storage::Disk,
    }
}

pub(super) fn entry(entry: core::Entry) -> types::Entry {
    let kind = match entry.kind {
        core::EntryKind::File => types::EntryKind::File,
        core::EntryKind::Directory => types::EntryKind::Directory,
        core::EntryKind::Other => types::EntryKind::Other,
    };
    types::Entry { name: entry.name, kind }
}

pub(super) fn failures(failures: Vec<core::CleanupFailure>) -> Vec<types::CleanupFailure> {
    let failure = |failure: core::CleanupFailure| types::CleanupFailure {
        path: failure.path,
        error: error(failure.error),
    };
    failures.into_iter().map(failure).collect()
}

pub(super) fn usage(usage: core::Usage) -> ledger::Summary {
    let core::Usage { live, peak, kept } = usage;
    ledger::Summary { live: counts(live), peak: counts(peak), kept }
}

fn counts(counts: core::Counts) -> ledger::Counts {
    let core::Counts { files, paths, directories, memory, bytes, entries } = counts;
    ledger::Counts { files, paths, directories, memory, bytes, entries }
}

pub(super) fn limits(limits: core::Limits) -> ledger::Allowance {
    let core::Limits { bytes, entries, handles, memory, file_size, time_to_live, idle } = limits;
    ledger::Allowance { bytes, entries, handles, memory, file_size, time_to_live, idle }
}

pub(super) fn live_handle(handle: core::LiveHandle) -> ledger::LiveHandle {
    let core::LiveHandle { kind, path, label, age } = handle;
    let kind = match kind {
        core::HandleKind::File => ledger::HandleKind::File,
        core::HandleKind::Path => ledger::HandleKind::Path,
        core::HandleKind::Directory => ledger::HandleKind::Directory,
    };
    ledger::LiveHandle { kind, path, label, age }
}
