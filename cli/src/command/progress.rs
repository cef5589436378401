//! A line on standard error that shows how far a long command is.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;

/// The pause between two drawings of the line.
const PAUSE: Duration = Duration::from_millis(100);

/// The line. It is shown on a terminal only, and erased when this is dropped.
///
/// Its texts have to be shorter than a terminal is wide: a line that has been wrapped cannot be
/// erased. Nothing else may be printed while it is shown.
pub(super) struct Progress {
    shown: bool,
    /// When it was drawn last.
    drawn: Option<Instant>,
}

impl Progress {
    /// A line that is shown if standard error is a terminal that can erase it, and if no events are
    /// logged there.
    pub(super) fn start() -> Self {
        let can_erase = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let is_alone = LevelFilter::current() == LevelFilter::OFF;
        Self { shown: io::stderr().is_terminal() && can_erase && is_alone, drawn: None }
    }

    /// A line that nobody sees.
    pub(super) fn hidden() -> Self {
        Self { shown: false, drawn: None }
    }

    /// Shows this text, unless another one has just been shown.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= PAUSE) {
            self.drawn = Some(Instant::now());
            print(&text());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            print("");
        }
    }
}

/// Erases the line, and prints this on it. Best effort: standard error may be closed.
fn print(text: &str) {
    let mut error = io::stderr().lock();
    let _ = write!(error, "\r\x1b[K{text}").and_then(|()| error.flush());
}
