//! What is sorted, and how it gets to the plugin.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::path::Path;

use super::check::Fingerprint;
use super::progress::Progress;
use super::text;
use crate::command::Result;

/// Lines to sort.
pub(super) struct Source {
    /// What it is called in the report.
    pub(super) name: String,
    /// In bytes; 0 if nobody knows before it has been read.
    pub(super) size: u64,
    /// What its longest line is likely to need of memory.
    pub(super) least_memory: u64,
    reader: Box<dyn Read + Send>,
}

impl Source {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            let log = text::harbour_log();
            return Ok(Self {
                name: "the log of a harbour (no FILE was given)".to_owned(),
                size: log.len() as u64,
                least_memory: 0,
                reader: Box::new(Cursor::new(log)),
            });
        };
        let open = || {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            // It could be opened, and then not be read.
            if metadata.is_dir() {
                Err(ErrorKind::IsADirectory.into())
            } else {
                Ok((file, metadata.len()))
            }
        };
        let (file, size) =
            open().map_err(|cause: io::Error| format!("read {}: {cause}", path.display()))?;
        Ok(Self {
            name: path.display().to_string(),
            size,
            // A line of 100 KiB is rare in a file that is worth sorting.
            least_memory: 256 << 10,
            reader: Box::new(file),
        })
    }

    /// Writes it to `to`, and says what lines it had.
    pub(super) fn feed(
        mut self,
        mut to: impl Write,
        progress: &Progress,
    ) -> io::Result<Fingerprint> {
        let mut fingerprint = Fingerprint::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = match self.reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => &buffer[..count],
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(cause) => return Err(cause),
            };
            fingerprint.add(read);
            if to.write_all(read).is_err() {
                // The plugin has ended; how it did tells more than this.
                break;
            }
            progress.read(read.len());
        }
        fingerprint.end();
        Ok(fingerprint)
    }
}
