//! An external merge sort of lines, in as much memory as it is told to use and no more.
//!
//! Lines are compared as bytes, and the output is that of `LC_ALL=C sort`. Input is gathered in one block of memory.
//! Whenever the block is full its lines are sorted and spilled to a temporary file, a *run*; at the end the runs are merged,
//! through the same block, in as many passes as it takes. Input that fits into the block never touches a file.
//!
//! Where the temporary files lie is not this crate's business: that is [`wasi_tempfile`]'s, natively and in a sandbox.

mod arena;
mod error;
mod merge;
mod runs;
mod sink;
mod terminated;

use std::collections::VecDeque;
use std::io::{Read, Write};

use arena::{Arena, Fill};
use runs::Runs;
use sink::{Sink, Written};
use terminated::Terminated;

pub use error::Error;

/// What a sort may use, and how it ends.
#[derive(Clone, Debug)]
pub struct Options {
    /// The budget for lines, their index and every buffer, in bytes: [`Options::LEAST_MEMORY`] to
    /// [`Options::MOST_MEMORY`]. It is taken at once. A single line may take up almost half of it.
    pub memory: usize,
    /// Panics once this many runs were spilled. In WebAssembly a panic is a trap, and this is how an embedder sees what is
    /// left of a plugin that dies half-way.
    pub fail_after_runs: Option<u64>,
}

impl Options {
    /// The least memory a sort can work in: 4 KiB.
    pub const LEAST_MEMORY: usize = 4 << 10;
    /// The most: the index holds offsets of 32 bits.
    pub const MOST_MEMORY: usize = u32::MAX as usize;
}

impl Default for Options {
    fn default() -> Self {
        Self { memory: 8 << 20, fail_after_runs: None }
    }
}

/// What a sort did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines in the output.
    pub lines: u64,
    /// Bytes in the output: those of the input, and the newline that its last line may have lacked.
    pub bytes: u64,
    /// Temporary files created, those of intermediate merges included.
    pub files: u64,
    /// Bytes written to them.
    pub spilled: u64,
    /// Merges, the last one included.
    pub merges: u64,
}

/// Sorts the lines of `input`.
///
/// `output` is asked for a writer once the input has been read to its end, so that a file can be sorted onto itself. It is
/// given whole lines, many at a time.
pub fn sort<W: Write>(
    input: impl Read,
    output: impl FnOnce() -> std::io::Result<W>,
    options: &Options,
) -> Result<Stats, Error> {
    let buffer = sink::buffer_size(options.memory);
    let mut arena = Arena::new(options.memory, buffer)?;
    let mut input = Terminated::new(input);

    let mut fill = arena.fill(&mut input)?;
    arena.sort();
    if fill == Fill::End {
        let mut sink = Sink::new(output().map_err(Error::Output)?, buffer, Error::Output);
        arena.write(&mut sink)?;
        return Ok(Stats::default().with(sink.finish()?));
    }

    let mut runs = Runs::new()?;
    let mut queue = VecDeque::new();
    loop {
        if !arena.is_empty() {
            let mut sink = runs.create(buffer)?;
            arena.write(&mut sink)?;
            queue.push_back(runs.complete(sink)?);
        }
        if options.fail_after_runs == Some(runs.created()) {
            panic!("told to fail after {} runs", runs.created());
        }
        if fill == Fill::End {
            break;
        }
        arena.clear();
        fill = arena.fill(&mut input)?;
        arena.sort();
    }

    let spilled: u64 = queue.iter().map(|run| run.bytes).sum();
    let mut stats = Stats { spilled, merges: 1, ..Stats::default() };
    let mut block = arena.into_block();
    while let Some(count) = merge::next_pass(&queue, block.len()) {
        let mut sink = runs.create(buffer)?;
        merge::merge(&runs, queue.drain(..count), &mut block, &mut sink)?;
        let run = runs.complete(sink)?;
        stats.spilled += run.bytes;
        stats.merges += 1;
        queue.push_back(run);
    }
    let mut sink = Sink::new(output().map_err(Error::Output)?, buffer, Error::Output);
    merge::merge(&runs, queue.drain(..), &mut block, &mut sink)?;
    stats.files = runs.created();
    let stats = stats.with(sink.finish()?);
    runs.close()?;
    Ok(stats)
}

impl Stats {
    fn with(self, output: Written) -> Self {
        Self { lines: output.lines, bytes: output.bytes, ..self }
    }
}
