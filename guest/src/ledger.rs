//! The interface `ledger`.

use alloc::vec::Vec;

use tempfile_core::{self as core, Platform};

use crate::bindings::exports::scratch::tempfile::ledger::{
    CleanupFailure, Counts, Guest, HandleKind, LiveHandle, Summary,
};
use crate::convert;
use crate::provider::{Provider, platform};

impl Guest for Provider {
    fn usage() -> Summary {
        let core::Usage { live, peak, kept } =
            platform().ledger(|ledger, _| ledger.usage()).unwrap_or_default();
        Summary { live: counts(live), peak: counts(peak), kept }
    }

    fn live() -> Vec<LiveHandle> {
        let live = platform().ledger(|ledger, now| ledger.live(now)).unwrap_or_default();
        live.into_iter().map(handle).collect()
    }

    fn leftovers() -> Vec<CleanupFailure> {
        let leftovers = platform().ledger(|ledger, _| ledger.leftovers().to_vec()).unwrap_or_default();
        convert::failures(leftovers)
    }
}

fn counts(counts: core::Counts) -> Counts {
    let core::Counts { files, paths, directories, memory } = counts;
    Counts { files, paths, directories, memory }
}

fn handle(handle: core::LiveHandle) -> LiveHandle {
    let core::LiveHandle { kind, path, label, age } = handle;
    let kind = match kind {
        core::HandleKind::File => HandleKind::File,
        core::HandleKind::Path => HandleKind::Path,
        core::HandleKind::Directory => HandleKind::Directory,
    };
    LiveHandle { kind, path, label, age }
}
