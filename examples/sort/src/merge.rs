use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use memchr::memchr;

use crate::Error;
use crate::arena::{READ, key};
use crate::runs::{Run, Runs};
use crate::sink::Sink;

/// The most runs that are open at once, whatever the memory would allow: an embedder may count handles.
const MOST_OPEN: usize = 64;

/// The least buffer for `run`, of a block of this size: room for its longest line, and enough for reads that are worth
/// their call.
fn least_buffer(run: &Run, block: usize) -> usize {
    run.longest.max((block / 16).min(READ))
}

/// How many of the first runs are to be merged into one before the rest can be merged in a single go; none if they can.
///
/// At least two of any fit, since no line is longer than half of the block. Merging no more than it takes to make the rest
/// fit is what moves the fewest bytes.
pub(crate) fn next_pass(runs: &VecDeque<Run>, block: usize) -> Option<usize> {
    let mut left = block;
    let fit = runs
        .iter()
        .take(MOST_OPEN)
        .take_while(|run| {
            let buffer = least_buffer(run, block);
            let fits = buffer <= left;
            left = left.saturating_sub(buffer);
            fits
        })
        .count();
    let over = runs.len() - fit;
    (over > 0).then(|| fit.min(over + 1))
}

/// Merges runs that fit into `block`, writes the lines to `to` and removes the runs' files.
pub(crate) fn merge(
    files: &Runs,
    runs: impl Iterator<Item = Run>,
    block: &mut [u8],
    to: &mut Sink<impl Write>,
) -> Result<(), Error> {
    let runs: Vec<Run> = runs.collect();
    let mut cursors = Vec::with_capacity(runs.len());
    let size = block.len();
    let needed: usize = runs.iter().map(|run| least_buffer(run, size)).sum();
    let spare = (size - needed) / runs.len().max(1);
    let mut rest = block;
    for run in &runs {
        let buffer;
        (buffer, rest) = rest.split_at_mut(least_buffer(run, size) + spare);
        cursors.push(Cursor::new(files.open(run)?, buffer)?);
    }

    let mut tree = Tree::new(&cursors);
    while let Some(winner) = tree.winner(&cursors) {
        let cursor = &mut cursors[winner];
        to.line(cursor.line_with_newline())?;
        cursor.advance()?;
        tree.replay(winner, &cursors);
    }

    drop(cursors);
    runs.into_iter().try_for_each(|run| files.remove(run))
}

/// One run being read, and the line it is at.
struct Cursor<'a, R> {
    file: R,
    buffer: &'a mut [u8],
    filled: usize,
    /// The line is `start..end`, with its newline at `end`.
    start: usize,
    end: usize,
    key: u64,
    done: bool,
}

impl<'a, R: Read> Cursor<'a, R> {
    fn new(file: R, buffer: &'a mut [u8]) -> Result<Self, Error> {
        let mut cursor = Self { file, buffer, filled: 0, start: 0, end: 0, key: 0, done: false };
        cursor.find(0)?;
        Ok(cursor)
    }

    fn line(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn line_with_newline(&self) -> &[u8] {
        &self.buffer[self.start..=self.end]
    }

    fn advance(&mut self) -> Result<(), Error> {
        self.find(self.end + 1)
    }

    /// Goes to the line that starts at `start`, reading on if its end is not in the buffer.
    fn find(&mut self, start: usize) -> Result<(), Error> {
        self.start = start;
        let mut scanned = start;
        loop {
            if let Some(length) = memchr(b'\n', &self.buffer[scanned..self.filled]) {
                self.end = scanned + length;
                self.key = key(self.line());
                return Ok(());
            }
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
            scanned = self.filled;
            let to = self.buffer.len().min(self.filled + READ);
            match self.file.read(&mut self.buffer[self.filled..to]) {
                Ok(0) if self.filled == 0 => {
                    self.done = true;
                    return Ok(());
                }
                // The file is cut short, or no longer has the lines that were written: the buffer was made for them.
                Ok(0) => {
                    return Err(Error::Scratch(
                        "read a file",
                        io::Error::from(ErrorKind::InvalidData),
                    ));
                }
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Scratch("read a file", error)),
            }
        }
    }

    /// Whether this one's line comes out before the other's.
    fn beats(&self, other: &Self) -> bool {
        if self.done || other.done {
            return !self.done;
        }
        self.key.cmp(&other.key).then_with(|| self.line().cmp(other.line())).is_lt()
    }
}

/// A tournament of cursors that remembers each match's loser: after the winner has moved on, only the matches on its way up
/// are played again, log2(n) of them for each line.
struct Tree {
    /// Node `n` has the children `2n` and `2n + 1`; cursor `i` is the leaf `len + i`. The winner stands at 0.
    nodes: Vec<usize>,
}

impl Tree {
    const NOBODY: usize = usize::MAX;

    fn new<R: Read>(cursors: &[Cursor<'_, R>]) -> Self {
        let mut tree = Self { nodes: vec![Self::NOBODY; cursors.len().max(1)] };
        for cursor in 0..cursors.len() {
            tree.replay(cursor, cursors);
        }
        tree
    }

    /// The cursor with the least line, if any has one.
    fn winner<R: Read>(&self, cursors: &[Cursor<'_, R>]) -> Option<usize> {
        let winner = self.nodes[0];
        cursors.get(winner).is_some_and(|cursor| !cursor.done).then_some(winner)
    }

    /// Takes `player` from its leaf as far up as it wins. At first there is nobody to play against: who comes first waits
    /// for the other side.
    fn replay<R: Read>(&mut self, mut player: usize, cursors: &[Cursor<'_, R>]) {
        let mut node = (player + cursors.len()) / 2;
        while node > 0 {
            let rival = self.nodes[node];
            if rival == Self::NOBODY {
                self.nodes[node] = player;
                return;
            }
            if cursors[rival].beats(&cursors[player]) {
                self.nodes[node] = player;
                player = rival;
            }
            node /= 2;
        }
        self.nodes[0] = player;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(texts: &[&str]) -> String {
        let mut buffers = vec![[0; 8]; texts.len()];
        let mut cursors: Vec<_> = texts
            .iter()
            .zip(&mut buffers)
            .map(|(text, buffer)| {
                Cursor::new(text.as_bytes(), buffer).expect("lines fit the buffer")
            })
            .collect();
        let mut tree = Tree::new(&cursors);
        let mut out = Vec::new();
        while let Some(winner) = tree.winner(&cursors) {
            out.extend_from_slice(cursors[winner].line_with_newline());
            cursors[winner].advance().expect("lines fit the buffer");
            tree.replay(winner, &cursors);
        }
        String::from_utf8(out).expect("the lines are ASCII")
    }

    #[test]
    fn merges_any_number_of_runs() {
        assert_eq!(merged(&[]), "");
        assert_eq!(merged(&["a\nb\n"]), "a\nb\n");
        assert_eq!(merged(&["b\nd\n", "a\nc\n"]), "a\nb\nc\nd\n");
        assert_eq!(merged(&["c\n", "", "a\na\nz\n", "b\n", "\n"]), "\na\na\nb\nc\nz\n");
        let runs: Vec<String> = (0..33).rev().map(|n| format!("{n:02}\n{:02}\n", n + 33)).collect();
        let expected: String = (0..66).map(|n| format!("{n:02}\n")).collect();
        assert_eq!(merged(&runs.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_run_cut_short_is_an_error() {
        let mut buffer = [0; 8];
        let mut cursor =
            Cursor::new(&b"one\ntw"[..], &mut buffer).expect("the first line is there");
        assert!(cursor.advance().is_err());
    }
}
