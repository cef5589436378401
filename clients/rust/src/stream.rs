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
    pub struct Reader(Stream);

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
        /// A reader of the file from `offset` on.
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
            self.stream(offset).map(Reader)
        }

        /// A writer to the file from `offset` on. The bytes are in the file once the writer is
        /// flushed or dropped.
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
            let count = self.0.handle.read_at(buffer, self.0.offset).map_err(io_error)?;
            self.0.offset += count as u64;
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

    use tempfile_wasi::{InputStream, OutputStream};

    use crate::error::io_error;

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
        /// A reader of the file from `offset` on.
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

        /// A writer to the file from `offset` on. The bytes are in the file once the writer is
        /// flushed or dropped.
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

        fn as_stream_mut(&mut self) -> &mut OutputStream {
            self.stream.as_mut().expect("only into_stream takes it")
        }

        /// WASI's stream itself. It may be dropped with bytes on their way.
        pub fn into_stream(mut self) -> OutputStream {
            self.stream.take().expect("only into_stream takes it")
        }
    }

    impl Drop for Writer {
        fn drop(&mut self) {
            if let Some(mut stream) = self.stream.take() {
                // A drop cannot report a failure; `flush` does.
                let _ = Write::flush(&mut stream);
            }
        }
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Read::read(&mut self.0, buffer)
        }
    }

    impl Write for Writer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            self.as_stream_mut().write(data)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.as_stream_mut().flush()
        }
    }
}

pub use sys::{Reader, Writer};
