//! Streams: a file's bytes one after the other, from an offset on.
//!
//! In wasm these are WASI's streams, which the host can splice; natively they are an ordinary reader and writer. Either goes on after the
//! file it came from is closed.

#[cfg(not(target_family = "wasm"))]
mod sys {
    use std::io::{self, Read, Write};

    use tempfile_core::{File, Process};

    use crate::error::io_error;

    /// Reads a file from an offset to its end.
    pub struct Reader(Stream);

    /// Writes to a file from an offset on.
    pub struct Writer(Stream);

    struct Stream {
        file: File<Process>,
        offset: u64,
    }

    impl crate::File {
        /// A reader of the file from `offset` on.
        ///
        /// # Errors
        /// `invalid` if the offset is over 2^63-1; `out-of-handles`.
        pub fn reader(&self, offset: u64) -> io::Result<Reader> {
            self.stream(offset).map(Reader)
        }

        /// A writer to the file from `offset` on. What was written is in the file once it has been flushed.
        ///
        /// # Errors
        /// As [`reader`](Self::reader).
        pub fn writer(&self, offset: u64) -> io::Result<Writer> {
            self.stream(offset).map(Writer)
        }

        fn stream(&self, offset: u64) -> io::Result<Stream> {
            let file = self.handle().at(offset).map_err(io_error)?.try_clone()?;
            Ok(Stream { file: File::from_descriptor(Process, file), offset })
        }
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.file.read_into(buffer, self.0.offset).map_err(io_error)?;
            self.0.offset += count as u64;
            Ok(count)
        }
    }

    impl Write for Writer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let count = self.0.file.write(data, self.0.offset).map_err(io_error)?;
            self.0.offset += count;
            Ok(count as usize)
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

    /// Reads a file from an offset to its end: WASI's stream, as a reader. A type of its own, since the stream has methods of the same names
    /// that mean less: its `flush` does not wait.
    pub struct Reader(InputStream);

    /// Writes to a file from an offset on: WASI's stream, as a writer. Written bytes may be on their way until `flush`.
    pub struct Writer(OutputStream);

    impl crate::File {
        /// A reader of the file from `offset` on.
        ///
        /// # Errors
        /// `invalid` if the offset is over 2^63-1; `unsupported` where the provider must see every byte.
        pub fn reader(&self, offset: u64) -> io::Result<Reader> {
            self.handle().reader(offset).map(Reader).map_err(io_error)
        }

        /// A writer to the file from `offset` on.
        ///
        /// # Errors
        /// As [`reader`](Self::reader).
        pub fn writer(&self, offset: u64) -> io::Result<Writer> {
            self.handle().writer(offset).map(Writer).map_err(io_error)
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
        /// WASI's stream itself. Its `splice` moves bytes from another stream without showing them to the plugin.
        pub fn as_stream(&self) -> &OutputStream {
            &self.0
        }

        /// WASI's stream itself.
        pub fn into_stream(self) -> OutputStream {
            self.0
        }
    }

    impl Read for Reader {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Read::read(&mut self.0, buffer)
        }
    }

    impl Write for Writer {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            Write::write(&mut self.0, data)
        }

        fn flush(&mut self) -> io::Result<()> {
            Write::flush(&mut self.0)
        }
    }
}

pub use sys::{Reader, Writer};
