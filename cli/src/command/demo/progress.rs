//! Looks into the scratch directory while the plugin works, from outside.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use wasi_tempfile_host::Control;

use super::figures::{bytes, count};

/// How often somebody looks.
const LOOK: Duration = Duration::from_millis(20);

/// How many looks go by for each new progress line.
const LOOKS_PER_LINE: u32 = 5;

/// How far the sort has come, in bytes.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    read: AtomicU64,
    written: AtomicU64,
}

impl Progress {
    /// Nothing yet, of an input of this size; 0 if nobody knows.
    pub(super) fn of(total: u64) -> Self {
        Self { total, read: AtomicU64::new(0), written: AtomicU64::new(0) }
    }

    /// The plugin took so much.
    pub(super) fn read(&self, bytes: usize) {
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The plugin gave so much.
    pub(super) fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// What lies in a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Contents {
    /// What lies in it now, however deep. What goes while one looks is not there.
    fn of(directory: &Path) -> Self {
        let mut contents = Self::default();
        let mut directories = vec![directory.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => directories.push(entry.path()),
                    Ok(metadata) => {
                        contents.files += 1;
                        contents.bytes += metadata.len();
                    }
                    Err(_) => {}
                }
            }
        }
        contents
    }
}

/// Looks until the other end of `done` is dropped, with a progress line if standard error is a terminal; and says what
/// the most was that lay in the scratch directory of the run.
pub(super) fn watch(control: &Control, progress: &Progress, done: &Receiver<()>) -> Contents {
    let show = io::stderr().is_terminal();
    let mut most = Contents::default();
    let mut looks = 0;
    while let Err(RecvTimeoutError::Timeout) = done.recv_timeout(LOOK) {
        let now = control.scratch_path().map(|path| Contents::of(&path)).unwrap_or_default();
        if now.bytes > most.bytes {
            most = now;
        }
        looks += 1;
        if show && looks % LOOKS_PER_LINE == 0 {
            line(&format!(
                "{} read · {} in {} · {} written",
                part(progress.read.load(Ordering::Relaxed), progress.total),
                bytes(now.bytes),
                count(now.files, "scratch file"),
                part(progress.written.load(Ordering::Relaxed), progress.total),
            ));
        }
    }
    if show {
        line("");
    }
    most
}

/// Replaces the progress line. One that can't be shown is no reason to stop.
fn line(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}

fn part(done: u64, total: u64) -> String {
    match total {
        0 => bytes(done),
        _ => format!("{:3}%", u128::from(done) * 100 / u128::from(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        assert_eq!(part(0, 10), "  0%");
        assert_eq!(part(5, 10), " 50%");
        assert_eq!(part(u64::MAX, u64::MAX), "100%");
        assert_eq!(part(2048, 0), "2.0 KiB");
    }
}
