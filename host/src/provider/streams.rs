//! The interface `streams`.

use bytes::{Buf, Bytes};
use tempfile_core::Error;
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::interface::streams::Host;
use super::{Failure, File, Platform, TempfileCtxView, Waiting};

/// The most that one call of a stream moves, in bytes: what the host allocates for a plugin that asks for more.
const CHUNK: usize = 64 << 10;

impl TempfileCtxView<'_> {
    fn stream(&mut self, file: &Resource<File>, offset: u64) -> Result<FileStream, Failure> {
        let file = self.table.get_mut(file)?.on_disk()?.duplicate(offset)?;
        Ok(FileStream { file, position: offset, failed: false, waiting: self.waiting })
    }
}

impl Host for TempfileCtxView<'_> {
    fn reader(&mut self, file: Resource<File>, offset: u64) -> Result<Resource<DynInputStream>, Failure> {
        self.call_on(&file, |view| {
            let stream: DynInputStream = Box::new(view.stream(&file, offset)?);
            view.put(stream)
        })
    }

    fn writer(&mut self, file: Resource<File>, offset: u64) -> Result<Resource<DynOutputStream>, Failure> {
        self.call_on(&file, |view| {
            let stream: DynOutputStream = Box::new(view.stream(&file, offset)?);
            view.put(stream)
        })
    }
}

/// A file with a position. It is always ready: a file has no other way to wait than in the call itself.
struct FileStream {
    file: tempfile_core::File<Platform>,
    position: u64,
    failed: bool,
    waiting: Waiting,
}

impl FileStream {
    /// Fails once with the cause; from then on the stream is closed.
    fn fail(&mut self, error: Error) -> StreamError {
        self.failed = true;
        StreamError::LastOperationFailed(error.into())
    }

    fn check(&self) -> StreamResult<()> {
        if self.failed { Err(StreamError::Closed) } else { Ok(()) }
    }
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for FileStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.check()?;
        if size == 0 {
            return Ok(Bytes::new());
        }
        match self.waiting.wait(|| self.file.read(self.position, size.min(CHUNK) as u32)) {
            Ok(bytes) if bytes.is_empty() => Err(StreamError::Closed),
            Ok(bytes) => {
                self.position += bytes.len() as u64;
                Ok(bytes.into())
            }
            Err(error) => Err(self.fail(error)),
        }
    }
}

#[async_trait]
impl OutputStream for FileStream {
    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        while !bytes.is_empty() {
            match self.waiting.wait(|| self.file.write(self.position, &bytes)) {
                Ok(count) => {
                    self.position += count;
                    bytes.advance(usize::try_from(count).unwrap_or(bytes.len()));
                }
                Err(error) => return Err(self.fail(error)),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check().map(|()| CHUNK)
    }
}
