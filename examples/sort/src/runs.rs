use wasi_tempfile::{File, TempDir};

use crate::Error;
use crate::sink::Sink;

/// The files of the runs, in a temporary directory of their own: whatever happens to the sort, one drop removes them all.
///
/// A run that waits for its merge is closed. However many runs there are, few are open at a time.
pub(crate) struct Runs {
    directory: TempDir,
    created: u64,
}

/// Sorted lines in a file.
pub(crate) struct Run {
    number: u64,
    pub(crate) bytes: u64,
    /// The longest line, its newline included.
    pub(crate) longest: usize,
}

impl Runs {
    pub(crate) fn new() -> Result<Self, Error> {
        let directory = TempDir::with_prefix("sort-");
        Ok(Self {
            directory: directory.map_err(|error| Error::Scratch("make a directory", error))?,
            created: 0,
        })
    }

    /// How many there have been.
    pub(crate) fn created(&self) -> u64 {
        self.created
    }

    /// Creates the file of the next run.
    pub(crate) fn create(&mut self, buffer: usize) -> Result<Sink<File>, Error> {
        let file = self.directory.create_file(name(self.created + 1));
        let file = file.map_err(|error| Error::Scratch("create a file", error))?;
        self.created += 1;
        Ok(Sink::new(file, buffer, |error| Error::Scratch("write to a file", error)))
    }

    /// Closes the file that was created last: the run is complete.
    pub(crate) fn complete(&self, sink: Sink<File>) -> Result<Run, Error> {
        let written = sink.finish()?;
        Ok(Run { number: self.created, bytes: written.bytes, longest: written.longest })
    }

    /// Opens a run's file, from its beginning.
    pub(crate) fn open(&self, run: &Run) -> Result<File, Error> {
        self.directory
            .open_file(name(run.number))
            .map_err(|error| Error::Scratch("open a file", error))
    }

    /// Removes a run's file.
    pub(crate) fn remove(&self, run: Run) -> Result<(), Error> {
        self.directory
            .remove(name(run.number))
            .map_err(|error| Error::Scratch("remove a file", error))
    }

    /// Removes the directory, and says if that failed; a drop would not.
    pub(crate) fn close(self) -> Result<(), Error> {
        self.directory.close().map_err(|error| Error::Scratch("remove the directory", error))
    }
}

fn name(number: u64) -> String {
    format!("run-{number}")
}
