//! Where the sorted lines go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::command::Result;

/// The file OUT, or nothing.
///
/// It is opened at once, so that one that can't be written is known before the work, and emptied when the first line comes,
/// when all input has been read: so a file can be sorted onto itself. If the sort fails, a file that was not there before
/// is removed again.
pub(super) struct Destination {
    out: Option<Out>,
}

struct Out {
    path: PathBuf,
    file: BufWriter<File>,
    created: bool,
    begun: bool,
}

impl Destination {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self { out: None });
        };
        let mut options = OpenOptions::new();
        options.write(true);
        let (file, created) = match options.clone().create_new(true).open(path) {
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => (options.create(true).open(path), false),
            new => (new, true),
        };
        let file = file.map_err(|cause| describe(path, &cause))?;
        let file = BufWriter::with_capacity(64 << 10, file);
        Ok(Self { out: Some(Out { path: path.to_owned(), file, created, begun: false }) })
    }

    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Some(out) => {
                out.begin()?;
                out.file.write_all(line)
            }
            None => Ok(()),
        }
    }

    /// Writes out what is buffered, once all lines are there.
    pub(super) fn finish(mut self) -> Result<()> {
        let Some(mut out) = self.out.take() else {
            return Ok(());
        };
        out.begin().and_then(|()| out.file.flush()).map_err(|cause| {
            out.discard();
            describe(&out.path, &cause)
        })
    }

    /// What to say if it can't be written.
    pub(super) fn describe(&self, cause: &io::Error) -> String {
        match &self.out {
            Some(out) => describe(&out.path, cause),
            None => cause.to_string(),
        }
    }
}

impl Drop for Destination {
    /// Not finished: the sort failed.
    fn drop(&mut self) {
        if let Some(out) = &self.out {
            out.discard();
        }
    }
}

impl Out {
    fn begin(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            let file = self.file.get_ref();
            // A device or a pipe can't be emptied.
            if file.metadata()?.is_file() {
                file.set_len(0)?;
            }
        }
        Ok(())
    }

    fn discard(&self) {
        if self.created {
            // What brought us here has been said, and is worse than a file that stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn describe(path: &Path, cause: &io::Error) -> String {
    format!("write {}: {cause}", path.display())
}
