use std::io::{self, BufRead, Read, Write};

use crate::{Error, Options, Stats};

/// A buffer of lines and their index, both of fixed capacity. Every line ends in a newline.
pub(crate) struct Lines {
    text: Vec<u8>,
    index: Vec<Line>,
    /// The end of the last indexed line. The beginning of the next one may follow it.
    end: usize,
    longest_allowed: usize,
    /// Lines that were read before those in the buffer.
    earlier: u64,
}

/// An index entry.
#[derive(Clone, Copy)]
struct Line {
    prefix: u64,
    start: u32,
    /// Where its newline is.
    end: u32,
}

/// Why [`Lines::read`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The buffer is full.
    Full,
    /// The input has ended.
    End,
}

impl Lines {
    /// Allocates three quarters for text and one for the index, which fits lines of 50 bytes.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        if !(Options::MIN_MEMORY..=Options::MAX_MEMORY).contains(&options.memory) {
            return Err(Error::Memory(options.memory));
        }
        // The input and the output are buffered too.
        let memory = options.memory - 2 * options.buffer();
        let (mut text, mut index) = (Vec::new(), Vec::new());
        text.try_reserve_exact(memory / 4 * 3)
            .and_then(|()| index.try_reserve_exact(memory / 4 / size_of::<Line>()))
            .map_err(|_| Error::Memory(options.memory))?;
        Ok(Self { text, index, end: 0, longest_allowed: options.longest_line(), earlier: 0 })
    }

    /// Replaces the lines by the next ones of the input, sorted. There is at least one, unless the
    /// input has ended.
    pub(crate) fn read(&mut self, input: &mut impl BufRead) -> Result<Progress, Error> {
        self.text.drain(..self.end);
        self.earlier += self.index.len() as u64;
        self.index.clear();
        self.end = 0;
        let progress = loop {
            let room = self.text.capacity() - self.text.len();
            if room == 0 || self.index.len() == self.index.capacity() {
                break Progress::Full;
            }
            let read = input.by_ref().take(room as u64).read_until(b'\n', &mut self.text);
            if read.map_err(Error::Input)? == 0 {
                if self.text.len() == self.end {
                    break Progress::End;
                }
                // The last line of the input has no newline.
                self.text.push(b'\n');
            }
            let length = self.text.len() - self.end;
            let is_complete = self.text.ends_with(b"\n");
            if length > self.longest_allowed - usize::from(!is_complete) {
                let line = self.earlier + self.index.len() as u64 + 1;
                return Err(Error::LineTooLong { line, limit: self.longest_allowed - 1 });
            }
            if is_complete {
                let (start, end) = (self.end, self.end + length - 1);
                let prefix = prefix(&self.text[start..end]);
                self.index.push(Line { prefix, start: start as u32, end: end as u32 });
                self.end = end + 1;
            }
        };
        let text = |line: &Line| &self.text[line.start as usize..line.end as usize];
        self.index.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| text(a).cmp(text(b))));
        Ok(progress)
    }

    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let line = |line: &Line| &self.text[line.start as usize..=line.end as usize];
        self.index.iter().try_for_each(|entry| to.write_all(line(entry)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The size of all lines, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.end as u64
    }

    /// The length of the longest line, with its newline.
    pub(crate) fn longest(&self) -> usize {
        self.index.iter().map(|line| (line.end - line.start) as usize + 1).max().unwrap_or(0)
    }

    /// Adds the lines to the counters.
    pub(crate) fn count(&self, stats: Stats) -> Stats {
        let lines = stats.lines + self.index.len() as u64;
        Stats { lines, bytes: stats.bytes + self.bytes(), ..stats }
    }
}

/// The first eight bytes of a line as a number in the same order: it decides most comparisons
/// without a look at the text. A shorter line is padded with NULs, so equal prefixes decide
/// nothing. The newline is never compared: it would make a line greater than one that continues
/// with a tab.
pub(crate) fn prefix(line: &[u8]) -> u64 {
    let mut prefix = [0; 8];
    let length = line.len().min(prefix.len());
    prefix[..length].copy_from_slice(&line[..length]);
    u64::from_be_bytes(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_the_order_of_their_lines() {
        let lines: [&[u8]; 9] = [b"", b"\0", b"\x01", b"A", b"a", b"aaaaaaa", b"aaaaaaaa", b"ab", b"\xff"];
        for pair in lines.windows(2) {
            assert!(prefix(pair[0]) <= prefix(pair[1]), "{pair:?}");
        }
        assert_eq!(prefix(b"12345678"), prefix(b"12345678 and more"));
    }
}
