//! Events of the host's library on standard error: `--log` and `RUST_LOG`.

use std::io::{self, Write};

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::complain;
use super::terminal::printable;

/// The variable that sets what is logged where there is no `--log`.
const VARIABLE: &str = "RUST_LOG";

/// Parses `warn`, or `warn,wasi_tempfile_host=debug`.
pub(super) fn filter(text: &str) -> Result<Targets, String> {
    // A target without a level is one of every level, so a misspelt level would log everything.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let known = |part: &str| part.contains('=') || levels.contains(&&*part.to_ascii_lowercase());
    match text.parse() {
        Ok(filter) if text.split(',').all(|part| part.is_empty() || known(part)) => Ok(filter),
        Ok(_) | Err(_) => {
            Err("expected a level (error, warn, info, debug, trace) or `LEVEL,CRATE=LEVEL`"
                .to_owned())
        }
    }
}

/// Starts to log. Without a filter nothing is.
pub(super) fn start(filter: Option<Targets>) {
    let of_variable = || {
        let text = std::env::var(VARIABLE).ok()?;
        let filter = self::filter(&text);
        filter.map_err(|why| complain(format_args!("{VARIABLE} is ignored: {why}"))).ok()
    };
    if let Some(filter) = filter.or_else(of_variable) {
        let lines = layer().with_ansi(false).with_writer(|| Lines(io::stderr()));
        tracing_subscriber::registry().with(filter).with(lines).init();
    }
}

/// Writes each event as one printable line. An event arrives in one call.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        writeln!(self.0, "{}", printable(text.strip_suffix('\n').unwrap_or(&text)))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_no_filter() {
        for right in ["warn", "INFO", "off", "warn,wasi_tempfile_host=debug", "a::b=trace"] {
            assert!(filter(right).is_ok(), "{right}");
        }
        for wrong in ["loud", "warning", "a=loud", "warn,loud"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let mut out = Vec::new();
        Lines(&mut out).write_all(b"path=/\x1b[2J\nforged\n").expect("write to memory");
        assert_eq!(out, b"path=/\\u{1b}[2J\\nforged\n");
    }
}
