//! `run --stats`: what a run used.

use std::io::Write;

use clap::ValueEnum;
use serde_json::{Value, json};
use wasi_tempfile_host::Outcome;

use super::terminal::printable_json;

/// The format of the figures.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// A line for each figure.
    Text,
    /// One object on one line.
    Json,
}

/// Prints what the run used on standard error, apart from the plugin's output. `counted`: whether
/// bytes and names on disk were counted, which they are only where they are limited.
pub(super) fn print(format: Format, outcome: &Outcome, counted: bool) {
    let figures = figures(outcome, counted);
    let mut error = std::io::stderr().lock();
    // Best effort: standard error may be closed.
    let _ = match format {
        Format::Json => {
            writeln!(error, "{}", printable_json(&Value::Object(figures).to_string()))
        }
        Format::Text => figures.iter().try_for_each(|(name, value)| {
            writeln!(error, "{name:>16}  {}", printable_json(&value.to_string()))
        }),
    };
}

fn figures(outcome: &Outcome, counted: bool) -> serde_json::Map<String, Value> {
    let used = &outcome.used;
    let mut figures = serde_json::Map::new();
    let mut add = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    add("ending", json!(outcome.ending.to_string()));
    add("milliseconds", json!(used.time.as_micros() as f64 / 1000.0));
    add("memory", json!(used.memory));
    add("left-behind", json!(outcome.left_behind.len()));
    add("not-removed", json!(outcome.not_removed.len()));
    if let Some(usage) = &used.tempfile {
        add("peak-files", json!(usage.peak.files));
        add("peak-paths", json!(usage.peak.paths));
        add("peak-directories", json!(usage.peak.directories));
        add("peak-spooled", json!(usage.peak.memory));
        if counted {
            add("peak-bytes", json!(usage.peak.bytes));
            add("peak-entries", json!(usage.peak.entries));
        }
        add("kept", json!(usage.kept));
        add("refused", json!(used.refused));
    }
    figures
}
