//! Looks at lines as they pass: are they in order, and are they those that went in?

use std::io::{self, BufRead, BufReader, Read};

/// What lines there are, whatever their order. Two texts with the same fingerprint have the same lines, but for an accident
/// of one in 2^64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) lines: u64,
    /// The sum of the lines' hashes.
    sum: u64,
    /// The hash of a line that has begun and not ended.
    open: Option<u64>,
}

impl Fingerprint {
    /// FNV-1a: a few instructions a byte even where nothing is optimised, and lines may come in pieces.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;

    pub(super) fn add(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let mut hash = self.open.unwrap_or(Self::BASIS);
            for byte in text {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(Self::PRIME);
            }
            self.open = Some(hash);
            if ends {
                self.end();
            }
        }
    }

    /// Ends the last line, if it had no newline.
    pub(super) fn end(&mut self) {
        if let Some(hash) = self.open.take() {
            self.lines += 1;
            self.sum = self.sum.wrapping_add(hash);
        }
    }
}

/// What came out of the sort.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) fingerprint: Fingerprint,
    pub(super) bytes: u64,
    /// The number, from 1, of the first line that is less than the one before it.
    pub(super) disorder: Option<u64>,
    /// The first lines, and the last ones after them, for people to look at.
    pub(super) first: Vec<Vec<u8>>,
    pub(super) last: Vec<Vec<u8>>,
}

impl Checked {
    /// How many lines of either end are kept.
    const EXCERPT: usize = 3;

    fn line(&mut self, line: &[u8]) {
        self.fingerprint.add(line);
        self.bytes += line.len() as u64;
        if self.first.len() < Self::EXCERPT {
            self.first.push(line.to_vec());
        } else {
            // Kept in a ring of buffers: this is done for every line.
            let mut kept =
                if self.last.len() < Self::EXCERPT { Vec::new() } else { self.last.remove(0) };
            kept.clear();
            kept.extend_from_slice(line);
            self.last.push(kept);
        }
    }
}

/// Why lines could not be passed on.
#[derive(Debug)]
pub(super) enum Broken {
    /// They could not be read.
    Read(io::Error),
    /// They could not be written.
    Write(io::Error),
}

/// Hands each line of `from` to `to`, and says what they were like.
pub(super) fn lines(
    from: impl Read,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Checked, Broken> {
    let mut from = BufReader::with_capacity(64 << 10, from);
    let mut checked = Checked::default();
    let (mut line, mut before) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line).map_err(Broken::Read)? == 0 {
            checked.fingerprint.end();
            return Ok(checked);
        }
        to(&line).map_err(Broken::Write)?;
        checked.line(&line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if text < before.as_slice() && checked.disorder.is_none() {
            checked.disorder = Some(checked.fingerprint.lines);
        }
        before.clear();
        before.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(text: &str, piece: usize) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        text.as_bytes().chunks(piece).for_each(|bytes| fingerprint.add(bytes));
        fingerprint.end();
        fingerprint
    }

    #[test]
    fn a_fingerprint_is_of_lines_not_of_their_order() {
        let one = fingerprint("b\n\na\nlong line", 1);
        for piece in 2..14 {
            assert_eq!(fingerprint("long line\na\nb\n\n", piece), one);
        }
        assert_eq!(one.lines, 4);
        for other in [
            "b\n\na\nlong\nline",
            "b\na\nlong line",
            "b\n\na\nlong line\n\n",
            "b\n\nb\nlong line",
            "",
        ] {
            assert_ne!(fingerprint(other, 5), one, "{other:?}");
        }
    }

    #[test]
    fn disorder_is_found() {
        let check = |text: &[u8]| lines(text, |_| Ok(())).expect("it can be read").disorder;
        assert_eq!(check(b""), None);
        assert_eq!(check(b"\na\na\nb\n"), None);
        assert_eq!(check(b"a\na\0\nb\n"), None, "the newline is no part of the line");
        assert_eq!(check(b"a\nc\nb\na\n"), Some(3));
    }
}
