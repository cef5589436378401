use std::io::{Read, Write};

use memchr::memchr;

use crate::sink::Sink;
use crate::{Error, Options};

/// The most that is read at once: hosts cap a read of WASI at 64 KiB.
pub(crate) const READ: usize = 64 << 10;

/// One entry of the index: the line's first eight bytes as a number (which decides most comparisons without a look at the
/// text), its offset, and its length without the newline. Bytes rather than fields, so that index and text share a block
/// without `unsafe`; little-endian, because that is a plain load in WebAssembly.
type Slot = [u8; SLOT];
const SLOT: usize = 16;

/// Lines and their index in one block of memory, which is all that the sort allocates but for the buffer of its output.
///
/// The text grows from the front, the index from the back. When they meet, the arena is full.
///
/// ```text
///  ┌─────────────────────┬────────────────┬────────┬───────────────────────┐
///  │ indexed lines       │ read, no index │  room  │ slot … slot slot slot │
///  └─────────────────────┴────────────────┴────────┴───────────────────────┘
///  0                     start            filled
/// ```
pub(crate) struct Arena {
    block: Vec<u8>,
    start: usize,
    filled: usize,
    lines: usize,
    /// Lines of earlier fillings: for the number in a message.
    earlier: u64,
}

/// Why [`Arena::fill`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// There is no room for more.
    Full,
    /// The input is at its end.
    End,
}

impl Arena {
    /// Takes `memory` less `buffer` bytes, exactly.
    pub(crate) fn new(memory: usize, buffer: usize) -> Result<Self, Error> {
        if !(Options::LEAST_MEMORY..=Options::MOST_MEMORY).contains(&memory) {
            return Err(Error::Memory(memory));
        }
        let size = memory - buffer;
        let mut block = Vec::new();
        block.try_reserve_exact(size).map_err(|_| Error::Memory(memory))?;
        block.resize(size, 0);
        Ok(Self { block, start: 0, filled: 0, lines: 0, earlier: 0 })
    }

    /// The longest line that is accepted, newline included: two must fit when runs are merged.
    fn longest(&self) -> usize {
        self.block.len() / 2
    }

    /// Where the index begins.
    fn middle(&self) -> usize {
        self.block.len() - self.lines * SLOT
    }

    fn room(&self) -> usize {
        self.middle() - self.filled
    }

    /// Reads and indexes lines, all of which end in a newline, until the arena is full or the input at its end. If it is
    /// full, there is at least one line in it.
    pub(crate) fn fill(&mut self, input: &mut impl Read) -> Result<Fill, Error> {
        // With less room than this another read is not worth its call.
        let least = (self.block.len() / 16).min(4 << 10);
        let mut scanned = self.start;
        loop {
            while let Some(length) = memchr(b'\n', &self.block[scanned..self.filled]) {
                let end = scanned + length;
                if end - self.start >= self.longest() {
                    return Err(self.too_long());
                }
                if self.room() < SLOT {
                    return Ok(Fill::Full);
                }
                self.index(end);
                scanned = self.start;
            }
            scanned = self.filled;
            if self.filled - self.start >= self.longest() {
                return Err(self.too_long());
            }
            let room = self.room();
            if room < least {
                return Ok(Fill::Full);
            }
            // Half of the room stays for the index of what is read now, or the first line might not get its slot.
            let to = self.filled + (room / 2).min(READ);
            match input.read(&mut self.block[self.filled..to]).map_err(Error::Input)? {
                0 => return Ok(Fill::End),
                count => self.filled += count,
            }
        }
    }

    /// Adds the line from `start` to the newline at `end`.
    fn index(&mut self, end: usize) {
        let line = &self.block[self.start..end];
        let mut slot = [0; SLOT];
        slot[..8].copy_from_slice(&key(line).to_le_bytes());
        slot[8..12].copy_from_slice(&(self.start as u32).to_le_bytes());
        slot[12..].copy_from_slice(&(line.len() as u32).to_le_bytes());
        self.lines += 1;
        let at = self.middle();
        self.block[at..at + SLOT].copy_from_slice(&slot);
        self.start = end + 1;
    }

    fn too_long(&self) -> Error {
        Error::LineTooLong { line: self.earlier + self.lines as u64 + 1, limit: self.longest() - 1 }
    }

    /// Sorts the index. Lines that are equal can't be told apart, so it need not be stable.
    pub(crate) fn sort(&mut self) {
        let middle = self.middle();
        let (text, index) = self.block.split_at_mut(middle);
        let (slots, _) = index.as_chunks_mut::<SLOT>();
        slots.sort_unstable_by(|a, b| {
            slot_key(a).cmp(&slot_key(b)).then_with(|| line(text, a).cmp(line(text, b)))
        });
    }

    /// Writes the lines in the order of the index.
    pub(crate) fn write(&self, to: &mut Sink<impl Write>) -> Result<(), Error> {
        let (text, index) = self.block.split_at(self.middle());
        let (slots, _) = index.as_chunks::<SLOT>();
        slots.iter().try_for_each(|slot| {
            let (offset, length) = place(slot);
            to.line(&text[offset..=offset + length])
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// Forgets the lines. What was read and not yet indexed stays.
    pub(crate) fn clear(&mut self) {
        self.block.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        self.earlier += self.lines as u64;
        self.lines = 0;
    }

    /// The memory itself, for other use.
    pub(crate) fn into_block(self) -> Vec<u8> {
        self.block
    }
}

/// The first eight bytes of a line, as a number that compares as they do. A shorter line counts as followed by NULs, so equal
/// keys decide nothing.
pub(crate) fn key(line: &[u8]) -> u64 {
    match line.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..line.len()].copy_from_slice(line);
            u64::from_be_bytes(first)
        }
    }
}

fn slot_key(slot: &Slot) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *slot;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn place(slot: &Slot) -> (usize, usize) {
    let [.., a, b, c, d, e, f, g, h] = *slot;
    (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes([e, f, g, h]) as usize)
}

fn line<'a>(text: &'a [u8], slot: &Slot) -> &'a [u8] {
    let (offset, length) = place(slot);
    &text[offset..offset + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_as_lines_do() {
        let lines: [&[u8]; 9] =
            [b"", b"\0", b"\x01", b"A", b"a", b"aaaaaaa", b"aaaaaaaa", b"ab", b"\xff"];
        for pair in lines.windows(2) {
            assert!(key(pair[0]) <= key(pair[1]), "{pair:?}");
        }
        assert_eq!(key(b"12345678"), key(b"12345678 and more"));
    }

    #[test]
    fn holds_at_least_a_line_when_full() {
        // Nothing but newlines is the worst for the index.
        let mut input: &[u8] = &[b'\n'; 100_000];
        let mut arena = Arena::new(4096, 512).expect("4 KiB can be had");
        let mut lines = 0;
        loop {
            let fill = arena.fill(&mut input).expect("the lines are short");
            assert!(fill == Fill::End || !arena.is_empty());
            lines += arena.lines;
            arena.clear();
            if fill == Fill::End {
                break;
            }
        }
        assert_eq!(lines, 100_000);
    }

    #[test]
    fn names_the_line_that_is_too_long() {
        let text = [b"one\ntwo\n".to_vec(), vec![b'x'; 5000]].concat();
        let mut arena = Arena::new(4096, 512).expect("4 KiB can be had");
        let error = arena.fill(&mut &text[..]).expect_err("it has no room");
        assert!(matches!(error, Error::LineTooLong { line: 3, limit: 1791 }), "{error}");
    }
}
