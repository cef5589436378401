//! The answer of an operation as text, without what may differ between placements:
//!
//! * the random part of names, and the path of the directory that everything is in;
//! * how many bytes one read gives at most: what is over 64 KiB is left out;
//! * whether an unnamed file can be linked: see `LINK_UNNAMED` among the declared differences;
//! * messages: the code alone is compared.

use crate::differences::LINK_UNNAMED;
use wasi_tempfile::interface::{CleanupFailure, Entry, EntryKind, Error, ErrorCode};

/// The prefix of names with a random part.
pub(super) const RANDOM: &str = "random-";

/// The bytes that one read returns in every placement, if there are as many.
const READ: usize = 64 << 10;

pub(super) fn of<T>(result: Result<T, Error>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => show(value),
        // The host refuses memory by the limit of the run: see `MORE_THAN_ALL_MEMORY`.
        Err(Error { code: ErrorCode::Quota, .. }) => ErrorCode::OutOfMemory.as_str().to_owned(),
        Err(error) => error.code.as_str().to_owned(),
    }
}

pub(super) fn ok(_: ()) -> String {
    "ok".to_owned()
}

pub(super) fn number(value: u64) -> String {
    value.to_string()
}

/// Bytes, as their length and their runs.
pub(super) fn bytes(bytes: Vec<u8>) -> String {
    let seen = &bytes[..bytes.len().min(READ)];
    let runs =
        seen.chunk_by(|one, other| one == other).map(|run| format!("{}x{:02x}", run.len(), run[0]));
    format!("[{}]", runs.collect::<Vec<_>>().join(" "))
}

/// A path below the sequence's directory.
pub(super) fn path(root: &str, path: &str) -> String {
    let below = path.strip_prefix(root).unwrap_or("somewhere else");
    let parts =
        below.split('/').map(|part| if part.starts_with(RANDOM) { "random-*" } else { part });
    short(&parts.collect::<Vec<_>>().join("/"))
}

/// A name, shortened to one line.
pub(super) fn short(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    if shown.len() == name.len() {
        format!("{name:?}")
    } else {
        format!("{shown:?}… of {} bytes", name.len())
    }
}

pub(super) fn entries(entries: Vec<Entry>) -> String {
    let shown = |entry: Entry| {
        let mark = match entry.kind {
            EntryKind::File => "",
            EntryKind::Directory => "/",
            EntryKind::Other => "?",
        };
        path("", &entry.name) + mark
    };
    let mut names: Vec<String> = entries.into_iter().map(shown).collect();
    names.sort();
    names.join(" ")
}

/// The answer of a link; empty where placements may differ.
pub(super) fn link(result: &Result<(), Error>) -> String {
    let answered = result.as_ref().err().map(|error| error.code);
    match answered {
        Some(ErrorCode::Closed) => ErrorCode::Closed.as_str().to_owned(),
        _ => LINK_UNNAMED.cause.to_owned(),
    }
}

pub(super) fn failures(root: &str, result: Result<(), Vec<CleanupFailure>>) -> String {
    let Err(failures) = result else { return "ok".to_owned() };
    let shown =
        |failure: &CleanupFailure| format!("{} {}", path(root, &failure.path), failure.error.code);
    let mut lines: Vec<String> = failures.iter().map(shown).collect();
    lines.sort();
    lines.join(", ")
}
