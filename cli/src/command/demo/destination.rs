//! Where the sorted lines go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::command::Result;

/// The file OUT, or nothing.
///
/// Whether it can be written is tried at once, before the work. It is created or emptied when the first line comes, when
/// all input has been read: so a file can be sorted onto itself. If the sort fails, a file that was not there before is
/// removed again.
pub(super) struct Destination {
    out: Option<Out>,
}

struct Out {
    path: PathBuf,
    state: State,
}

enum State {
    /// Nothing has come; this is the file, if there was one.
    Waiting(Option<File>),
    Begun {
        file: BufWriter<File>,
        created: bool,
    },
}

impl Destination {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let out =
            path.map(|path| Out::open(path).map_err(|cause| describe(path, &cause))).transpose()?;
        Ok(Self { out })
    }

    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Some(out) => out.file()?.write_all(line),
            None => Ok(()),
        }
    }

    /// Writes out what is buffered, once all lines are there.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(out) = &mut self.out {
            out.file().and_then(Write::flush).map_err(|cause| describe(&out.path, &cause))?;
        }
        // Dropped with it, the file would be taken for half of one.
        self.out = None;
        Ok(())
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
        if let Some(Out { path, state: State::Begun { created: true, .. } }) = &self.out {
            // What brought us here has been said, and is worse than a file that stays.
            let _ = fs::remove_file(path);
        }
    }
}

impl Out {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true);
        let existing = match options.clone().create_new(true).open(path) {
            Ok(probe) => {
                drop(probe);
                fs::remove_file(path)?;
                None
            }
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
                Some(options.create(true).open(path)?)
            }
            Err(cause) => return Err(cause),
        };
        Ok(Self { path: path.to_owned(), state: State::Waiting(existing) })
    }

    /// The file, open and at first empty.
    fn file(&mut self) -> io::Result<&mut BufWriter<File>> {
        if let State::Waiting(existing) = &mut self.state {
            let (file, created) = match existing.take() {
                Some(file) => {
                    // A device or a pipe can't be emptied.
                    if file.metadata()?.is_file() {
                        file.set_len(0)?;
                    }
                    (file, false)
                }
                None => (File::create_new(&self.path)?, true),
            };
            self.state = State::Begun { file: BufWriter::with_capacity(64 << 10, file), created };
        }
        match &mut self.state {
            State::Begun { file, .. } => Ok(file),
            State::Waiting(_) => unreachable!("it has just begun"),
        }
    }
}

fn describe(path: &Path, cause: &io::Error) -> String {
    format!("write {}: {cause}", path.display())
}
