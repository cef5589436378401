use std::io::{ErrorKind, Read, Result};

/// A reader whose last line ends in a newline, whether or not that of the inner one does. Nothing stays nothing.
///
/// What comes after it need not know that lines can lack an end.
pub(crate) struct Terminated<R> {
    inner: R,
    last: u8,
}

impl<R: Read> Terminated<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, last: b'\n' }
    }
}

impl<R: Read> Read for Terminated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut count = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                answer => break answer?,
            }
        };
        if count == 0 && self.last != b'\n' {
            buffer[0] = b'\n';
            count = 1;
        }
        if count > 0 {
            self.last = buffer[count - 1];
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        Terminated::new(text).read_to_end(&mut all).expect("a slice can be read");
        all
    }

    #[test]
    fn ends_the_last_line() {
        assert_eq!(read(b""), b"");
        assert_eq!(read(b"\n"), b"\n");
        assert_eq!(read(b"a"), b"a\n");
        assert_eq!(read(b"a\n"), b"a\n");
        assert_eq!(read(b"a\n\nb"), b"a\n\nb\n");
    }
}
