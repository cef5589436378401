//! Conversions between core's types and those that bindings generate from the interface.

/// `conversions!(tempfile, ledger)`: functions that convert between core's types and those in
/// two modules of bindings, one for each interface. Every match is exhaustive, so that a change of
/// the interface does not compile until it is made here too.
#[macro_export]
#[doc(hidden)]
macro_rules! conversions {
    ($tempfile:path, $ledger:path) => {
        use $crate as core;
        use $ledger as ledger;
        use $tempfile as tempfile;

        #[cold]
        pub(crate) fn error(error: core::Error) -> tempfile::Error {
            let code = $crate::convert_code!(error.code, core::ErrorCode => tempfile::ErrorCode);
            tempfile::Error { code, message: error.message, path: error.path }
        }

        pub(crate) fn durability(durability: tempfile::Durability) -> core::Durability {
            match durability {
                tempfile::Durability::None => core::Durability::None,
                tempfile::Durability::Data => core::Durability::Data,
                tempfile::Durability::Full => core::Durability::Full,
            }
        }

        pub(crate) fn replace_mode(mode: tempfile::ReplaceMode) -> core::ReplaceMode {
            match mode {
                tempfile::ReplaceMode::Overwrite => core::ReplaceMode::Overwrite,
                tempfile::ReplaceMode::NoClobber => core::ReplaceMode::NoClobber,
            }
        }

        pub(crate) fn options(options: tempfile::Options) -> core::Options {
            let tempfile::Options { prefix, suffix, random_chars, label } = options;
            core::Options { prefix, suffix, random_chars, label }
        }

        pub(crate) fn storage(storage: core::Storage) -> tempfile::Storage {
            match storage {
                core::Storage::Memory => tempfile::Storage::Memory,
                core::Storage::Disk => tempfile::Storage::Disk,
            }
        }

        pub(crate) fn entry(entry: core::Entry) -> tempfile::Entry {
            tempfile::Entry { name: entry.name, kind: entry_kind(entry.kind) }
        }

        pub(crate) fn metadata(metadata: core::Metadata) -> tempfile::Metadata {
            tempfile::Metadata { kind: entry_kind(metadata.kind), size: metadata.size }
        }

        fn entry_kind(kind: core::EntryKind) -> tempfile::EntryKind {
            match kind {
                core::EntryKind::File => tempfile::EntryKind::File,
                core::EntryKind::Directory => tempfile::EntryKind::Directory,
                core::EntryKind::Other => tempfile::EntryKind::Other,
            }
        }

        pub(crate) fn failures(
            failures: core::__private::Vec<core::CleanupFailure>,
        ) -> core::__private::Vec<tempfile::CleanupFailure> {
            let failure = |failure: core::CleanupFailure| tempfile::CleanupFailure {
                path: failure.path,
                error: error(failure.error),
            };
            failures.into_iter().map(failure).collect()
        }

        pub(crate) fn usage(usage: core::Usage) -> ledger::Usage {
            let core::Usage { live, peak, kept } = usage;
            ledger::Usage { live: counts(live), peak: counts(peak), kept }
        }

        fn counts(counts: core::Counts) -> ledger::Counts {
            let core::Counts { files, paths, directories, memory, bytes, entries } = counts;
            ledger::Counts { files, paths, directories, memory, bytes, entries }
        }

        pub(crate) fn limits(limits: core::Limits) -> ledger::Limits {
            let core::Limits { bytes, entries, handles, memory, file_size } = limits;
            ledger::Limits { bytes, entries, handles, memory, file_size }
        }

        pub(crate) fn live_handle(handle: core::LiveHandle) -> ledger::LiveHandle {
            let core::LiveHandle { kind, path, label, age } = handle;
            let kind = match kind {
                core::HandleKind::File => ledger::HandleKind::File,
                core::HandleKind::Path => ledger::HandleKind::Path,
                core::HandleKind::Directory => ledger::HandleKind::Directory,
            };
            ledger::LiveHandle { kind, path, label, age }
        }
    };
}
