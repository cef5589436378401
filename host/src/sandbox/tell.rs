//! What an operator sees: a span around each run, and an event for what should not be.
//!
//! Paths of the host are for operators; no plugin reads these.

use std::path::Path;

use tempfile_core::Usage;
use tracing::field::{Empty, display};
use tracing::{Span, info, info_span, warn};

use super::plugin::Provider;
use super::{Ending, Outcome};

/// The span of a run; its fields are filled in as they become known.
pub(super) fn span(provider: Provider) -> Span {
    info_span!(
        "run",
        provider = provider.as_str(),
        scratch = Empty,
        ending = Empty,
        milliseconds = Empty,
        memory = Empty,
        peak_bytes = Empty,
        peak_entries = Empty,
        refused = Empty,
        left_behind = Empty,
        not_removed = Empty,
    )
}

pub(super) fn begun(span: &Span, scratch: &Path) {
    span.record("scratch", display(scratch.display()));
}

pub(super) fn dropped(span: &Span) {
    span.record("ending", "none: its future was dropped, or the host could not go on");
}

pub(super) fn ended(span: &Span, outcome: &Outcome) {
    record(span, outcome);
    limits(outcome);
    leaks(outcome);
}

fn record(span: &Span, outcome: &Outcome) {
    let used = &outcome.used;
    span.record("ending", display(&outcome.ending));
    span.record("milliseconds", used.time.as_secs_f64() * 1000.0);
    span.record("memory", used.memory);
    // Bytes and entries are counted where the run is limited.
    if let Some(usage) = &used.tempfile {
        span.record("peak_bytes", usage.peak.bytes);
        span.record("peak_entries", usage.peak.entries);
        span.record("refused", used.refused);
    }
    span.record("left_behind", outcome.left_behind.len());
    span.record("not_removed", outcome.not_removed.len());
}

fn limits(outcome: &Outcome) {
    let ending = &outcome.ending;
    match ending {
        Ending::TimedOut | Ending::OutOfMemory { .. } | Ending::OutOfFuel { .. } => {
            warn!(%ending, "a limit ended a plugin");
        }
        Ending::Trapped { .. } => warn!(%ending, "a plugin trapped"),
        Ending::Returned | Ending::Failed { .. } | Ending::Interrupted => {}
    }
    if outcome.used.refused > 0 {
        warn!(refused = outcome.used.refused, "a plugin was refused more than its limits");
    }
}

/// A plugin that ended by itself had the chance to close what it opened. Of one that did not, the leftovers say nothing.
fn leaks(outcome: &Outcome) {
    match &outcome.ending {
        Ending::Returned | Ending::Failed { .. } => {}
        Ending::Trapped { .. }
        | Ending::TimedOut
        | Ending::OutOfMemory { .. }
        | Ending::OutOfFuel { .. }
        | Ending::Interrupted => return,
    }
    match &outcome.used.tempfile {
        Some(Usage { live, .. }) if live.files > 0 || live.paths > 0 || live.directories > 0 => {
            let (files, paths, directories) = (live.files, live.paths, live.directories);
            warn!(files, paths, directories, "a plugin ended without closing what it had opened");
        }
        Some(_) => {}
        // A provider component keeps no ledger, so this may be what the plugin kept on purpose.
        None if !outcome.left_behind.is_empty() => {
            info!(entries = outcome.left_behind.len(), "a plugin left something in its scratch directory");
        }
        None => {}
    }
}
