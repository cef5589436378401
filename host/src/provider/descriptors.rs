//! The interface `descriptors`: WASI objects for files and directories.

use std::fs;

use bytes::{Buf, Bytes};
use tempfile_core::{Error, ErrorCode};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};
use wasmtime_wasi::{FsPerms, OpenMode, async_trait};

use super::bindings::scratch::tempfile_wasi::descriptors::Host;
use super::context::InstanceContext;
use super::{Blocking, Failure, File, TempDir, TempfileCtxView};

/// The most bytes that one call of a stream moves: what the host allocates for a plugin that asks
/// for more.
const CHUNK: usize = 64 << 10;

impl TempfileCtxView<'_> {
    fn stream(&mut self, file: &Resource<File>, position: u64) -> Result<FileStream, Failure> {
        let blocking = self.blocking;
        let file = self.call_on(file, |file| file.duplicate(position))?;
        Ok(FileStream { file, position, closed: false, blocking })
    }
}

impl Host for TempfileCtxView<'_> {
    fn file_descriptor(&mut self, file: Resource<File>) -> Result<Resource<Descriptor>, Failure> {
        // The context permits none of files, so this fails with the right error.
        let _ = self.call_on(&file, File::into_descriptor)?;
        Err(Error::without_path(ErrorCode::Unsupported, "give out a file").into())
    }

    fn directory_descriptor(
        &mut self,
        dir: Resource<TempDir>,
    ) -> Result<Resource<Descriptor>, Failure> {
        let inline = matches!(self.blocking, Blocking::Inline);
        let descriptor = self.call(|view| {
            let dir = view.table.get(&dir)?;
            let handle = dir.descriptor_source()?.get_ref().try_clone().map_err(|_| {
                Error::new(ErrorCode::OutOfHandles, "get a descriptor of", dir.path())
            })?;
            let mode = OpenMode::READ | OpenMode::WRITE;
            let dir = Dir::new(fs::File::from(handle), FsPerms::ReadWrite, mode, inline);
            Ok::<_, Failure>(Descriptor::Dir(dir))
        })?;
        self.push_for_wasi(descriptor)
    }

    fn read_via_stream(
        &mut self,
        file: Resource<File>,
        offset: u64,
    ) -> Result<Resource<DynInputStream>, Failure> {
        let stream: DynInputStream = Box::new(self.stream(&file, offset)?);
        self.push_for_wasi(stream)
    }

    fn write_via_stream(
        &mut self,
        file: Resource<File>,
        offset: u64,
    ) -> Result<Resource<DynOutputStream>, Failure> {
        let stream: DynOutputStream = Box::new(self.stream(&file, offset)?);
        self.push_for_wasi(stream)
    }
}

/// A file with a position. It is always ready, because a file has no way to wait but in the call.
struct FileStream {
    file: tempfile_core::File<InstanceContext>,
    position: u64,
    /// Whether it has ended or failed. WASI's streams do not go on after that.
    closed: bool,
    blocking: Blocking,
}

impl FileStream {
    /// Fails once with the cause. After that the stream is closed.
    fn fail(&mut self, error: Error) -> StreamError {
        self.closed = true;
        StreamError::LastOperationFailed(error.into())
    }

    fn check(&self) -> StreamResult<()> {
        if self.closed { Err(StreamError::Closed) } else { Ok(()) }
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
        match self.blocking.run(|| self.file.read(size.min(CHUNK) as u32, self.position)) {
            Ok(bytes) if bytes.is_empty() => {
                self.closed = true;
                Err(StreamError::Closed)
            }
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
            match self.blocking.run(|| self.file.write(&bytes, self.position)) {
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
