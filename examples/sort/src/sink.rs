use std::io::{self, BufWriter, Write};

use crate::Error;

/// The share of the memory that a [`Sink`] buffers in. More than 64 KiB would not make it faster.
pub(crate) fn buffer_size(memory: usize) -> usize {
    (memory / 8).min(64 << 10)
}

/// Where sorted lines go: a run, or the output.
pub(crate) struct Sink<W: Write> {
    // It hands on whole lines, since it is given whole lines: standard output, which is flushed up to the last newline by
    // itself, then never keeps a rest to write on its own.
    to: BufWriter<W>,
    blame: fn(io::Error) -> Error,
    written: Written,
}

/// What went into a [`Sink`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// The longest line, its newline included.
    pub(crate) longest: usize,
}

impl<W: Write> Sink<W> {
    /// Failures to write to `to` become what `blame` makes of them.
    pub(crate) fn new(to: W, buffer: usize, blame: fn(io::Error) -> Error) -> Self {
        Self { to: BufWriter::with_capacity(buffer, to), blame, written: Written::default() }
    }

    /// Takes one line, its newline included.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        self.to.write_all(line).map_err(self.blame)?;
        self.written.lines += 1;
        self.written.bytes += line.len() as u64;
        self.written.longest = self.written.longest.max(line.len());
        Ok(())
    }

    /// Writes out what is buffered, and says what it was.
    pub(crate) fn finish(mut self) -> Result<Written, Error> {
        self.to.flush().map_err(self.blame)?;
        Ok(self.written)
    }
}
