//! An external merge sort of lines that stays within a memory budget.
//!
//! Lines are compared as bytes; the output equals that of `LC_ALL=C sort`. The input is read into a
//! buffer of fixed size. Whenever the buffer is full, its lines are sorted and written to a
//! temporary file, a *run*. At the end the runs are merged, in several passes if they do not all
//! fit into the budget. Input that fits into the buffer never touches a file.
//!
//! [`wasi_tempfile`] decides where the temporary files are, natively and in a sandbox.

mod error;
mod lines;
mod runs;

use std::io::{BufReader, BufWriter, Read, Write};

use lines::{Lines, Progress};
use runs::Runs;

pub use error::Error;

/// The settings of a sort.
#[derive(Clone, Debug)]
pub struct Options {
    /// The memory for lines, their index and all buffers, in bytes: [`Options::MIN_MEMORY`] to
    /// [`Options::MAX_MEMORY`]. A single line may use a quarter of it.
    pub memory: usize,
    /// Panics after this many runs were written. In WebAssembly a panic is a trap: this shows an
    /// embedder what remains of a plugin that fails half-way.
    pub fail_after_runs: Option<u64>,
}

impl Options {
    /// The smallest budget: 4 KiB.
    pub const MIN_MEMORY: usize = 4 << 10;
    /// The largest budget: the index has offsets of 32 bits.
    pub const MAX_MEMORY: usize = u32::MAX as usize;

    /// The size of one buffer for reading or writing. More than 64 KiB gains nothing: hosts limit a
    /// read through WASI to that.
    fn buffer(&self) -> usize {
        (self.memory / 8).min(64 << 10)
    }

    /// The longest line that is accepted, with its newline: a merge has to fit two of them.
    fn longest_line(&self) -> usize {
        self.memory / 4
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { memory: 8 << 20, fail_after_runs: None }
    }
}

/// Counters of a finished sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines in the output.
    pub lines: u64,
    /// Bytes in the output: those of the input, and a newline if its last line had none.
    pub bytes: u64,
    /// Temporary files created, including those of intermediate merges.
    pub files: u64,
    /// Bytes written to temporary files.
    pub spilled: u64,
    /// Merges, including the last one.
    pub merges: u64,
}

/// Sorts the lines of `input`.
///
/// Calls `output` after the whole input was read, so a file can be sorted onto itself.
pub fn sort<W: Write>(
    input: impl Read,
    output: impl FnOnce() -> std::io::Result<W>,
    options: &Options,
) -> Result<Stats, Error> {
    let mut lines = Lines::new(options)?;
    let mut input = BufReader::with_capacity(options.buffer(), input);
    let output = || Ok(BufWriter::with_capacity(options.buffer(), output().map_err(Error::Output)?));

    let mut progress = lines.read(&mut input)?;
    if progress == Progress::End {
        let mut output = output()?;
        lines.write(&mut output).and_then(|()| output.flush()).map_err(Error::Output)?;
        return Ok(lines.count(Stats::default()));
    }

    let mut runs = Runs::new(options)?;
    let mut stats = lines.count(Stats::default());
    runs.add(&lines)?;
    while progress != Progress::End {
        if options.fail_after_runs == Some(runs.files()) {
            panic!("told to fail after {} runs", runs.files());
        }
        progress = lines.read(&mut input)?;
        stats = lines.count(stats);
        if !lines.is_empty() {
            runs.add(&lines)?;
        }
    }
    // The merge uses their memory.
    drop((lines, input));
    runs.merge(output, stats)
}
