//! Checks of a sorted text: its lines are in order, and the same as in the input.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufRead, Write};

/// The number of lines of a text, and the sum of their hashes: independent of their order. Texts
/// with different lines have the same fingerprint with a chance of 2^-64.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingerprint {
    lines: u64,
    sum: u64,
    /// The hash of the last line until its newline comes.
    unfinished: Option<DefaultHasher>,
}

impl Fingerprint {
    fn add(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let hasher = self.unfinished.get_or_insert_default();
            match piece.strip_suffix(b"\n") {
                Some(text) => {
                    hasher.write(text);
                    self.finish();
                }
                None => hasher.write(piece),
            }
        }
    }

    /// Completes a last line without a newline.
    fn finish(&mut self) {
        if let Some(hasher) = self.unfinished.take() {
            self.lines += 1;
            self.sum = self.sum.wrapping_add(hasher.finish());
        }
    }
}

/// A writer that passes bytes on and takes their fingerprint.
pub(super) struct Fingerprinting<W> {
    to: W,
    fingerprint: Fingerprint,
}

impl<W: Write> Fingerprinting<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, fingerprint: Fingerprint::default() }
    }

    pub(super) fn finish(mut self) -> Fingerprint {
        self.fingerprint.finish();
        self.fingerprint
    }
}

impl<W: Write> Write for Fingerprinting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.fingerprint.add(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A text that passed [`check`].
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) lines: u64,
    /// The first lines, as an excerpt.
    pub(super) first: Vec<Vec<u8>>,
}

/// How many lines the excerpt has.
const EXCERPT: usize = 3;

/// Checks that the lines of `from` are in order and have this fingerprint, and copies them to `to`.
///
/// The error is `InvalidData` if they are not.
pub(super) fn check(
    mut from: impl BufRead,
    to: &mut impl Write,
    expected: &Fingerprint,
) -> io::Result<Checked> {
    let mut fingerprint = Fingerprint::default();
    let (mut line, mut previous) = (Vec::new(), Vec::new());
    let mut first = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        fingerprint.add(&line);
        line.pop_if(|byte| *byte == b'\n');
        if line < previous {
            return Err(wrong(format!("line {} is less than the one before it", fingerprint.lines)));
        }
        if first.len() < EXCERPT {
            first.push(line.clone());
        }
        std::mem::swap(&mut line, &mut previous);
        line.clear();
    }
    fingerprint.finish();
    if (fingerprint.lines, fingerprint.sum) != (expected.lines, expected.sum) {
        return Err(wrong("the lines are not those of the input".to_owned()));
    }
    Ok(Checked { lines: fingerprint.lines, first })
}

fn wrong(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(pieces: &[&str]) -> Fingerprint {
        let mut to = Fingerprinting::new(io::sink());
        pieces.iter().for_each(|piece| to.write_all(piece.as_bytes()).expect("a sink takes all"));
        to.finish()
    }

    fn checked(input: &[&str], output: &str) -> Result<u64, String> {
        let checked = check(output.as_bytes(), &mut io::sink(), &fingerprint(input));
        checked.map(|checked| checked.lines).map_err(|error| error.to_string())
    }

    #[test]
    fn the_same_lines_in_order_pass() {
        assert_eq!(checked(&[], ""), Ok(0));
        assert_eq!(checked(&["b\n\na\nlo", "ng ", "line"], "\na\nb\nlong line\n"), Ok(4));
        assert_eq!(checked(&["a\0\na\n"], "a\na\0\n"), Ok(2), "the newline is not compared");
    }

    #[test]
    fn lines_out_of_order_are_found() {
        let error = checked(&["c\na\nb\n"], "a\nc\nb\n").expect_err("they are not in order");
        assert_eq!(error, "line 3 is less than the one before it");
    }

    #[test]
    fn other_lines_than_those_of_the_input_are_found() {
        for output in ["", "\na\nb\n", "\na\nb\nlong line\nlong line\n", "\na\nb\nlong\nline\n"] {
            assert!(checked(&["b\n\na\nlong line"], output).is_err(), "{output:?}");
        }
    }
}
