use std::cmp::Ordering;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write};

use wasi_tempfile::{File, TempDir};

use crate::lines::{Lines, prefix};
use crate::{Error, Options, Stats};

/// The most runs that are merged at once, since an embedder may limit open files.
const MAX_OPEN: usize = 64;

/// Sorted files in a temporary directory, which is removed with them.
pub(crate) struct Runs {
    directory: TempDir,
    queue: VecDeque<Run>,
    files: u64,
    spilled: u64,
    buffer: usize,
    /// The memory of a merge, without the buffer of its output.
    memory: usize,
}

/// A sorted file. It is closed until it is merged.
struct Run {
    number: u64,
    bytes: u64,
    /// The length of the longest line, with its newline.
    longest: usize,
}

impl Runs {
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let directory = TempDir::with_prefix("sort-").map_err(scratch("make a directory"))?;
        let (buffer, queue) = (options.buffer(), VecDeque::new());
        Ok(Self { directory, queue, files: 0, spilled: 0, buffer, memory: options.memory - buffer })
    }

    /// The number of files created so far.
    pub(crate) fn files(&self) -> u64 {
        self.files
    }

    /// Writes the lines to a new run.
    pub(crate) fn add(&mut self, lines: &Lines) -> Result<(), Error> {
        let mut file = self.create()?;
        lines.write(&mut file).and_then(|()| file.flush()).map_err(scratch("write to a file"))?;
        self.push(lines.bytes(), lines.longest());
        Ok(())
    }

    /// Merges all runs into the output, and removes them.
    pub(crate) fn merge<W: Write>(
        mut self,
        output: impl FnOnce() -> Result<BufWriter<W>, Error>,
        stats: Stats,
    ) -> Result<Stats, Error> {
        let mut merges = 1;
        loop {
            let fit = self.fit();
            let excess = self.queue.len() - fit;
            if excess == 0 {
                break;
            }
            // Merging only as many as makes the rest fit moves the fewest bytes.
            let runs: Vec<Run> = self.queue.drain(..fit.min(excess + 1)).collect();
            let (bytes, longest) = runs
                .iter()
                .fold((0, 0), |(bytes, longest), run| (bytes + run.bytes, longest.max(run.longest)));
            let mut file = self.create()?;
            self.write_merged(runs, &mut file, scratch("write to a file"))?;
            self.push(bytes, longest);
            merges += 1;
        }
        let runs = self.queue.drain(..).collect();
        self.write_merged(runs, &mut output()?, Error::Output)?;
        self.directory.close().map_err(scratch("remove the directory"))?;
        Ok(Stats { files: self.files, spilled: self.spilled, merges, ..stats })
    }

    /// How many of the first runs fit into memory at once: at least two, because of
    /// [`Options::longest_line`].
    fn fit(&self) -> usize {
        let least_buffer = self.buffer / 2;
        let mut left = self.memory;
        let fits = |run: &&Run| match left.checked_sub(run.longest + least_buffer) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        self.queue.iter().take(MAX_OPEN).take_while(fits).count()
    }

    fn write_merged(
        &self,
        runs: Vec<Run>,
        to: &mut impl Write,
        failed: impl Fn(io::Error) -> Error,
    ) -> Result<(), Error> {
        let lines: usize = runs.iter().map(|run| run.longest).sum();
        let buffer = ((self.memory - lines) / runs.len().max(1)).min(self.buffer);
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for run in &runs {
            let file = self.directory.open_file(name(run.number)).map_err(scratch("open a file"))?;
            let mut reader = Reader {
                file: BufReader::with_capacity(buffer, file),
                line: Vec::with_capacity(run.longest),
                prefix: 0,
            };
            if reader.advance().map_err(scratch("read a file"))? {
                heap.push(reader);
            }
        }
        while let Some(mut first) = heap.peek_mut() {
            to.write_all(&first.line).map_err(&failed)?;
            if !first.advance().map_err(scratch("read a file"))? {
                PeekMut::pop(first);
            }
        }
        to.flush().map_err(failed)?;
        runs.iter()
            .try_for_each(|run| self.directory.remove(name(run.number)))
            .map_err(scratch("remove a file"))
    }

    /// Creates the file that the next [`push`](Self::push) makes a run.
    fn create(&mut self) -> Result<BufWriter<File>, Error> {
        let file = self.directory.create_file(name(self.files)).map_err(scratch("create a file"))?;
        Ok(BufWriter::with_capacity(self.buffer, file))
    }

    fn push(&mut self, bytes: u64, longest: usize) {
        self.queue.push_back(Run { number: self.files, bytes, longest });
        self.files += 1;
        self.spilled += bytes;
    }
}

fn name(number: u64) -> String {
    format!("run-{number}")
}

fn scratch(operation: &'static str) -> impl Fn(io::Error) -> Error {
    move |cause| Error::Scratch(operation, cause)
}

/// A run that is being read, and its current line.
struct Reader<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    prefix: u64,
}

impl<R: io::Read> Reader<R> {
    /// Reads the next line, and returns whether there was one.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        if !self.line.ends_with(b"\n") {
            // Every line was written with its newline: something has truncated the file.
            return Err(ErrorKind::InvalidData.into());
        }
        self.prefix = prefix(self.text());
        Ok(true)
    }

    /// The current line without its newline.
    fn text(&self) -> &[u8] {
        &self.line[..self.line.len() - 1]
    }
}

/// The reverse order of the current lines: [`BinaryHeap`] has its greatest element first.
impl<R: io::Read> Ord for Reader<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.prefix.cmp(&self.prefix).then_with(|| other.text().cmp(self.text()))
    }
}

impl<R: io::Read> PartialOrd for Reader<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: io::Read> PartialEq for Reader<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<R: io::Read> Eq for Reader<R> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_run_is_an_error() {
        let file = BufReader::new(&b"one\ntw"[..]);
        let mut reader = Reader { file, line: Vec::new(), prefix: 0 };
        assert!(reader.advance().expect("the first line is complete"));
        assert_eq!(reader.advance().expect_err("the second is not").kind(), ErrorKind::InvalidData);
    }
}
