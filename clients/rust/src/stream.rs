//! Streams: the bytes of a file in order, from an offset on.
//!
//! In wasm these are WASI's streams, which the host can splice; natively they are an ordinary
//! reader and writer. Either goes on after the file that it came from is closed.

#[cfg(not(target_family = "wasm"))]
mod sys {
    use std::io::{self, Read, Write};

    use crate::error::io_error;
    use crate::handle::Handle;

    /// Reads a file from an offset to its end.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// let file = wasi_tempfile::tempfile()?;
    /// file.write_at(b"0123456789", 0)?;
    /// let mut text = String::new();
    /// file.reader(8)?.read_to_string(&mut text)?;
    /// assert_eq!(text, "89");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub struct Reader {
        stream: Stream,
        /// As a WASI stream, it does not go on with what is written after it has ended.
        ended: bool,
    }

    /// Writes to a file from an offset on.
    ///
    /// ```
    /// use std::io::Write;
    ///
    /// let file = wasi_tempfile::tempfile()?;
    /// file.writer(8)?.write_all(b"89")?;
    /// assert_eq!(file.metadata()?.len(), 10);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub struct Writer(Stream);

    struct Stream {
        handle: Handle,
        offset: u64,
    }

    impl crate::File {
        /// A reader of the file from `offset` on. Once it has reached the end of the file, it stays
        /// ended, whatever is written later.
        ///
        /// ```
        /// let end = wasi_tempfile::tempfile()?.reader(0)?;
        /// assert_eq!(std::io::read_to_string(end)?, "");
        /// # Ok::<(), std::io::Error>(())
        /// ```
        ///
        /// # Errors
        /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the offset is over 2^63-1;
        /// those of [`try_clone`](Self::try_clone).
        pub fn reader(&self, offset: u64) -> io::Result<Reader> {
            self.stream(offset).map(|stream| Reader { stream, ended: false })
        }

        /// A writer to the file from `offset` on; if the file is in
        /// [append mode](crate::Builder::append), from its end on. The bytes are in the file once
        /// the writer is flushed or dropped.
        ///
        /// ```
        /// use std::io::Write;
        ///
        /// let file = wasi_tempfile::tempfile()?;
        /// let mut writer = file.writer(0)?;
        /// writer.write_all(b"bytes")?;
        /// writer.flush()?;
        /// # Ok::<(), std::io::Error>(())
        /// ```
        ///
        /// # Errors
        /// As [`reader`](Self::reader).
        pub fn writer(&self, offset: u64) -> io::Result<Writer> {
            self.stream(offset).map(Writer)
        }

        fn stream(&self, offset: u64) -> io::Result<Stream> {
            self.handle.read_at(&mut [], offset).map_err(io_error)?;
            Ok(Stream { handle: self.handle.try_clone()?, offset })
        }
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.ended || buffer.is_empty() {
                return Ok(0);
            }
            let Stream { handle, offset } = &mut self.stream;
            let count = handle.read_at(buffer, *offset).map_err(io_error)?;
            *offset += count as u64;
            self.ended = count == 0;
            Ok(count)
        }
    }

    impl Write for Writer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let count = self.0.handle.write_at(data, self.0.offset).map_err(io_error)?;
            self.0.offset += count as u64;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(target_family = "wasm")]
mod sys {
    use std::io::{self, Read, Write};

    use tempfile_wasi::{InputStream, OutputStream, stream_error_code};
    use wasip2::io::streams::StreamError;

    use crate::error::io_error;
    use crate::interface::{Error, ErrorCode};

    /// Reads a file from an offset to its end, by a WASI stream.
    ///
    /// This wraps [`InputStream`], whose methods of the same names promise less.
    pub struct Reader(InputStream);

    /// Writes to a file from an offset on, by a WASI stream. Dropping it waits until the bytes are
    /// in the file; [`flush`](Write::flush) does too, and reports a failure.
    pub struct Writer {
        /// Taken by `into_stream` alone.
        stream: Option<OutputStream>,
    }

    impl crate::File {
        /// A reader of the file from `offset` on. Once it has reached the end of the file, it stays
        /// ended, whatever is written later.
        ///
        /// # Errors
        /// [`InvalidInput`](io::ErrorKind::InvalidInput) (`invalid`) if the offset is over 2^63-1;
        /// [`Unsupported`](io::ErrorKind::Unsupported) (`unsupported`) if bytes, entries or file
        /// sizes are limited and the provider is a component;
        /// [`QuotaExceeded`](io::ErrorKind::QuotaExceeded) (`quota`) if the host serves the stream,
        /// and no handle is left.
        pub fn reader(&self, offset: u64) -> io::Result<Reader> {
            self.handle.reader(offset).map(Reader).map_err(io_error)
        }

        /// A writer to the file from `offset` on; if the file is in
        /// [append mode](crate::Builder::append), from its end on. The bytes are in the file once
        /// the writer is flushed or dropped.
        ///
        /// # Errors
        /// As [`reader`](Self::reader).
        pub fn writer(&self, offset: u64) -> io::Result<Writer> {
            self.handle.writer(offset).map(Writer::new).map_err(io_error)
        }
    }

    impl Reader {
        /// WASI's stream itself.
        pub fn as_stream(&self) -> &InputStream {
            &self.0
        }

        /// WASI's stream itself.
        pub fn into_stream(self) -> InputStream {
            self.0
        }
    }

    impl Writer {
        fn new(stream: OutputStream) -> Self {
            Writer { stream: Some(stream) }
        }

        /// WASI's stream itself. Its `splice` moves bytes from another stream without showing them
        /// to the plugin.
        pub fn as_stream(&self) -> &OutputStream {
            self.stream.as_ref().expect("only into_stream takes it")
        }

        /// WASI's stream itself. It may be dropped with bytes on their way.
        pub fn into_stream(mut self) -> OutputStream {
            self.stream.take().expect("only into_stream takes it")
        }
    }

    impl Drop for Writer {
        fn drop(&mut self) {
            if let Some(stream) = self.stream.take() {
                // A drop cannot report a failure; `flush` does.
                let _ = stream.blocking_flush();
            }
        }
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.blocking_read(buffer.len() as u64) {
                Ok(bytes) => {
                    let count = bytes.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    Ok(count)
                }
                Err(StreamError::Closed) => Ok(0),
                Err(error) => Err(failed(error, "read a temporary file")),
            }
        }
    }

    impl Write for Writer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            if data.is_empty() {
                return Ok(0);
            }
            let stream = self.as_stream();
            let written = loop {
                match stream.check_write() {
                    Ok(0) => stream.subscribe().block(),
                    Ok(room) => {
                        let count = data.len().min(usize::try_from(room).unwrap_or(usize::MAX));
                        break stream.write(&data[..count]).map(|()| count);
                    }
                    Err(error) => break Err(error),
                }
            };
            written.map_err(|error| failed(error, WRITE))
        }

        fn flush(&mut self) -> io::Result<()> {
            self.as_stream().blocking_flush().map_err(|error| failed(error, WRITE))
        }
    }

    const WRITE: &str = "write to a temporary file";

    fn failed(error: StreamError, operation: &str) -> io::Error {
        let StreamError::LastOperationFailed(error) = error else {
            // It has failed before.
            return io_error(Error::without_path(ErrorCode::Closed, operation));
        };
        if let Some(code) = stream_error_code(&error) {
            return io_error(Error::without_path(code, operation));
        }
        // The host provider's own streams fail with a message of the interface, which ends with the
        // code.
        let text = error.to_debug_string();
        let message = text.lines().next().unwrap_or_default();
        let ends_with = |code: &&ErrorCode| message.ends_with(&format!("({code})"));
        match ErrorCode::ALL.iter().find(ends_with) {
            Some(&code) => io_error(Error { code, message: message.to_owned(), path: None }),
            None => io::Error::other(text),
        }
    }
}

pub use sys::{Reader, Writer};
