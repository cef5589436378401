//! Takes an upload in, and says what it is.
//!
//! The whole of it goes into a temporary file first: what is uploaded is larger than a plugin's
//! memory, and whoever looks at it wants to do so more than once. Here that is a count and a
//! digest; it might be the pictures of a film.

use std::fmt;
use std::io::{self, Read, Seek, Write};

use sha2::{Digest, Sha256};

/// What is moved at once, in bytes: hosts cap a read of WASI at 64 KiB.
const CHUNK: usize = 64 << 10;

/// What an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its length in bytes.
    pub length: u64,
    /// How many newlines are in it.
    pub lines: u64,
    /// Its SHA-256.
    pub digest: [u8; 32],
}

/// Moves `input` into a temporary file, and looks at it there.
///
/// # Errors
///
/// If the input cannot be read to its end, or there is no room for it.
pub fn take_in(mut input: impl Read) -> io::Result<Summary> {
    let mut file = wasi_tempfile::tempfile()?;
    let mut chunk = vec![0; CHUNK];
    each_chunk(&mut input, &mut chunk, |bytes| file.write_all(bytes))?;

    file.rewind()?;
    let (mut length, mut lines, mut digest) = (0, 0, Sha256::new());
    each_chunk(&mut file, &mut chunk, |bytes| {
        length += bytes.len() as u64;
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        digest.update(bytes);
        Ok(())
    })?;
    Ok(Summary { length, lines, digest: digest.finalize().into() })
}

fn each_chunk(
    from: &mut impl Read,
    chunk: &mut [u8],
    mut act: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        match from.read(chunk)? {
            0 => return Ok(()),
            count => act(&chunk[..count])?,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, {} lines, sha256 ", self.length, self.lines)?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_and_digested() {
        let summary = take_in(&b"abc"[..]).expect("there is room");
        assert_eq!(
            summary.to_string(),
            "3 bytes, 0 lines, sha256 \
            ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn more_than_one_chunk_is_taken_in_whole() {
        let text = "a line\n".repeat(CHUNK);
        let summary = take_in(text.as_bytes()).expect("there is room");
        assert_eq!((summary.length, summary.lines), (text.len() as u64, CHUNK as u64));
        assert_eq!(summary.digest, <[u8; 32]>::from(Sha256::digest(&text)));
    }

    #[test]
    fn an_input_that_fails_is_an_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let error = take_in((&b"begun"[..]).chain(Broken)).expect_err("it broke off");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
