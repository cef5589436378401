//! The interface `streams`.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use tempfile_core::{Error, ErrorCode};
use wasmtime::component::Resource;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::interface::streams::Host;
use super::{Failure, File, TempfileCtxView, Waiting};

/// The most that one call of a stream moves, in bytes: what the host allocates for a plugin that asks for more.
const CHUNK: usize = 64 << 10;

impl TempfileCtxView<'_> {
    fn stream(&mut self, file: &Resource<File>, offset: u64) -> Result<FileStream, Failure> {
        let file = self.table.get_mut(file)?;
        if self.ctx.platform.counts() {
            file.storage()?;
            return Err(Error::new(ErrorCode::Unsupported, "make a stream of", "a temporary file").into());
        }
        let on_disk = file.on_disk()?.at(offset)?.get_ref();
        // The stream goes on when the handle is closed.
        let file = on_disk
            .try_clone()
            .map_err(|_| Error::new(ErrorCode::OutOfHandles, "make a stream of", "a temporary file"))?;
        Ok(FileStream { file, position: offset, failed: false, waiting: self.waiting })
    }
}

impl Host for TempfileCtxView<'_> {
    fn reader(&mut self, file: Resource<File>, offset: u64) -> Result<Resource<DynInputStream>, Failure> {
        self.wait(|view| {
            let stream: DynInputStream = Box::new(view.stream(&file, offset)?);
            view.push_for_wasi(stream)
        })
    }

    fn writer(&mut self, file: Resource<File>, offset: u64) -> Result<Resource<DynOutputStream>, Failure> {
        self.wait(|view| {
            let stream: DynOutputStream = Box::new(view.stream(&file, offset)?);
            view.push_for_wasi(stream)
        })
    }
}

/// A file with a position. It is always ready: a file has no other way to wait than in the call itself.
struct FileStream {
    file: fs::File,
    position: u64,
    failed: bool,
    waiting: Waiting,
}

impl FileStream {
    /// Fails once with the cause; from then on the stream is closed.
    fn fail(&mut self, error: io::Error) -> StreamError {
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
        let mut bytes = vec![0; size.min(CHUNK)];
        let read = self.waiting.wait(|| retry(|| self.file.read_at(&mut bytes, self.position)));
        match read {
            Ok(0) => Err(StreamError::Closed),
            Ok(count) => {
                self.position += count as u64;
                bytes.truncate(count);
                Ok(bytes.into())
            }
            Err(error) => Err(self.fail(error)),
        }
    }
}

#[async_trait]
impl OutputStream for FileStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        match self.waiting.wait(|| self.file.write_all_at(&bytes, self.position)) {
            Ok(()) => {
                self.position += bytes.len() as u64;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check().map(|()| CHUNK)
    }
}

fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
