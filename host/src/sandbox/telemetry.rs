//! Telemetry of runs for operators: a span around each run, and an event for each irregularity.
//!
//! Paths of the host belong here, since no plugin reads these. A warning names the directory of its
//! run, since who asks for warnings alone does not see the span.

use std::path::Path;

use tempfile_core::Usage;
use tracing::field::{Empty, display};
use tracing::{Span, info, info_span, warn};

use super::plugin::Provision;
use super::{Ending, Outcome};
use crate::error::Error;

/// The span of a run; its fields are recorded as they become known.
pub(super) fn span(provision: Provision) -> Span {
    info_span!(
        "run",
        provider = provision.as_str(),
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

pub(super) fn directory_made(span: &Span, scratch: &Path) {
    span.record("scratch", display(scratch.display()));
}

pub(super) fn not_begun(span: &Span, error: &Error) {
    span.record("ending", "none: the run could not begin");
    span.in_scope(|| warn!(%error, "a run could not begin"));
}

pub(super) fn stopped_early(span: &Span) {
    span.record("ending", "none: the run was stopped before it began");
}

pub(super) fn not_continued(scratch: &Path, error: &Error) {
    let scratch = scratch.display();
    warn!(%scratch, %error, "the host could not go on with a run");
}

pub(super) fn kept(path: &Path) {
    info!(path = %path.display(), "kept a scratch directory");
}

pub(super) fn dropped(span: &Span) {
    span.record("ending", "none: its future was dropped, or the host could not go on");
}

pub(super) fn ended<R>(span: &Span, scratch: &Path, outcome: &Outcome<R>) {
    record(span, outcome);
    limits(scratch, outcome);
    leaks(scratch, outcome);
}

fn record<R>(span: &Span, outcome: &Outcome<R>) {
    let used = &outcome.used;
    span.record("ending", display(&outcome.ending));
    span.record("milliseconds", used.time.as_secs_f64() * 1000.0);
    span.record("memory", used.memory);
    // Bytes and entries are only counted for a run with limits.
    if let Some(usage) = &used.tempfile {
        span.record("peak_bytes", usage.peak.bytes);
        span.record("peak_entries", usage.peak.entries);
        span.record("refused", used.refused);
    }
    span.record("left_behind", outcome.left_behind.len());
    span.record("not_removed", outcome.not_removed.len());
}

fn limits<R>(scratch: &Path, outcome: &Outcome<R>) {
    let scratch = scratch.display();
    let ending = &outcome.ending;
    match ending {
        Ending::TimedOut | Ending::OutOfMemory { .. } | Ending::OutOfFuel { .. } => {
            warn!(%scratch, %ending, "a limit ended a plugin");
        }
        Ending::Trapped { .. } => warn!(%scratch, %ending, "a plugin trapped"),
        Ending::Errored { .. } => warn!(%scratch, %ending, "a call failed outside of the plugin"),
        Ending::Returned | Ending::Failed { .. } | Ending::Interrupted => {}
    }
    if outcome.used.refused > 0 {
        warn!(
            %scratch,
            refused = outcome.used.refused,
            "calls were refused by a limit, the file system or the process"
        );
    }
}

/// Reports open handles. A plugin that returned had the chance to close them; after any other
/// ending they say nothing.
fn leaks<R>(scratch: &Path, outcome: &Outcome<R>) {
    let scratch = scratch.display();
    match &outcome.ending {
        Ending::Returned | Ending::Failed { .. } => {}
        Ending::Trapped { .. }
        | Ending::Errored { .. }
        | Ending::TimedOut
        | Ending::OutOfMemory { .. }
        | Ending::OutOfFuel { .. }
        | Ending::Interrupted => return,
    }
    match &outcome.used.tempfile {
        Some(Usage { live, .. }) if live.files > 0 || live.paths > 0 || live.directories > 0 => {
            let (files, paths, directories) = (live.files, live.paths, live.directories);
            warn!(
                %scratch,
                files,
                paths,
                directories,
                "a plugin ended without closing what it had opened"
            );
        }
        Some(_) => {}
        // A provider component has no ledger here, so the plugin may have kept this on purpose.
        None if !outcome.left_behind.is_empty() => {
            info!(
                %scratch,
                entries = outcome.left_behind.len(),
                "a plugin left something in its scratch directory"
            );
        }
        None => {}
    }
}
