//! The standard streams of a plugin.

use std::fmt;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, empty, stdin};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{
    AsyncStdinStream, AsyncStdoutStream, InputFile, IsTerminal, OutputFile, StdinStream,
    StdoutStream,
};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::state::RunMode;

/// How far a plugin may write ahead of the reader of its output, in bytes.
const AHEAD: usize = 64 << 10;

/// The source of a plugin's standard input.
#[non_exhaustive]
pub enum Input {
    /// Nothing: end of file at once.
    Empty,
    /// The embedder's own standard input. Only one run at a time should have it.
    Inherit,
    /// An open file.
    File(File),
    /// These bytes.
    Bytes(Vec<u8>),
    /// An asynchronous reader, of which at most 128 KiB are read ahead. The plugin sees its errors.
    /// See [`stream`](Self::stream).
    Stream(Pin<Box<dyn AsyncRead + Send>>),
}

impl Input {
    /// An asynchronous reader: the body of a request, say, which is never in memory as a whole.
    ///
    /// A task on a tokio runtime of the sandbox's reads it; for
    /// [`Plugin::run`](crate::Plugin::run), a task on one of wasmtime-wasi's.
    pub fn stream(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::Stream(Box::pin(reader))
    }

    pub(super) fn into_stream(self, mode: RunMode) -> Box<dyn StdinStream + Sync> {
        match (self, mode) {
            (Self::Empty, _) => Box::new(empty()),
            // A thread of tokio's reads it.
            (Self::Inherit, _) => Box::new(stdin()),
            (Self::File(file), RunMode::Blocking) => Box::new(InputFile::new(file)),
            (Self::File(file), RunMode::CurrentThread | RunMode::MultiThread) => {
                Box::new(AsyncStdinStream::new(tokio::fs::File::from_std(file)))
            }
            (Self::Bytes(bytes), _) => Box::new(MemoryInputPipe::new(bytes)),
            (Self::Stream(reader), _) => Box::new(AsyncStdinStream::new(Exclusive::new(reader))),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Inherit => f.write_str("Inherit"),
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl From<File> for Input {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Input {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Bytes(text.into())
    }
}

/// The destination of a plugin's standard output or standard error.
#[non_exhaustive]
pub enum Output {
    /// Nowhere.
    Discard,
    /// The embedder's own standard output or standard error.
    Inherit,
    /// An open file.
    File(File),
    /// Memory.
    Capture(Capture),
    /// An asynchronous writer; the plugin waits when it is 64 KiB ahead. See
    /// [`stream`](Self::stream).
    Stream(Pin<Box<dyn AsyncWrite + Send>>),
}

impl Output {
    /// An asynchronous writer, written to by a task as [`Input::stream`] is read. Output that the
    /// plugin has not flushed when it ends may be lost.
    pub fn stream(writer: impl AsyncWrite + Send + 'static) -> Self {
        Self::Stream(Box::pin(writer))
    }

    /// `inherited` gives the embedder's own stream.
    pub(super) fn into_stream<W>(
        self,
        mode: RunMode,
        inherited: fn() -> W,
    ) -> Box<dyn StdoutStream + Sync>
    where
        W: StdoutStream + AsyncWrite + Send + Sync + 'static,
    {
        match (self, mode) {
            (Self::Discard, _) => Box::new(empty()),
            (Self::Inherit, RunMode::Blocking) => Box::new(inherited()),
            (Self::Inherit, RunMode::CurrentThread | RunMode::MultiThread) => {
                Box::new(AsyncStdoutStream::new(AHEAD, inherited()))
            }
            (Self::File(file), RunMode::Blocking) => Box::new(OutputFile::new(file)),
            (Self::File(file), RunMode::CurrentThread | RunMode::MultiThread) => {
                Box::new(AsyncStdoutStream::new(AHEAD, tokio::fs::File::from_std(file)))
            }
            (Self::Capture(capture), _) => Box::new(capture),
            (Self::Stream(writer), _) => {
                Box::new(AsyncStdoutStream::new(AHEAD, Exclusive::new(writer)))
            }
        }
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discard => f.write_str("Discard"),
            Self::Inherit => f.write_str("Inherit"),
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Capture(_) => f.write_str("Capture"),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl From<File> for Output {
    fn from(file: File) -> Self {
        Self::File(file)
    }
}

impl From<&Capture> for Output {
    fn from(capture: &Capture) -> Self {
        Self::Capture(capture.clone())
    }
}

/// Output captured in memory, up to a limit. Clones share it, so one can be read after the run or
/// during it.
#[derive(Clone, Debug)]
pub struct Capture {
    limit: usize,
    captured: Arc<Mutex<Captured>>,
}

#[derive(Debug, Default)]
struct Captured {
    bytes: Vec<u8>,
    truncated: bool,
}

impl Capture {
    /// Captures the first `limit` bytes. What the plugin writes after that is discarded, without an
    /// error for the plugin.
    pub fn new(limit: usize) -> Self {
        Self { limit, captured: Arc::default() }
    }

    /// The output so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.captured().bytes.clone()
    }

    /// The output so far, as text, with invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.captured().bytes).into_owned()
    }

    /// Whether the plugin has written more than the limit.
    pub fn is_truncated(&self) -> bool {
        self.captured().truncated
    }

    fn captured(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, bytes: &[u8]) {
        let mut captured = self.captured();
        let room = self.limit.saturating_sub(captured.bytes.len());
        captured.truncated |= bytes.len() > room;
        captured.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(AHEAD)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Capture {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Makes a `!Sync` stream `Sync`, as wasmtime-wasi requires: it is only reachable through `&mut`.
/// Bodies of requests are seldom `Sync`.
struct Exclusive<S: ?Sized>(Mutex<Pin<Box<S>>>);

impl<S: ?Sized> Exclusive<S> {
    fn new(stream: Pin<Box<S>>) -> Self {
        Self(Mutex::new(stream))
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut S> {
        // `&mut` needs no lock.
        self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }
}

impl<S: AsyncRead + ?Sized> AsyncRead for Exclusive<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + ?Sized> AsyncWrite for Exclusive<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

/// An output stream whose bytes are counted.
pub(super) struct Counted<S> {
    stream: S,
    count: Arc<AtomicU64>,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, count: &Arc<AtomicU64>) -> Self {
        Self { stream, count: count.clone() }
    }
}

impl<S: IsTerminal> IsTerminal for Counted<S> {
    fn is_terminal(&self) -> bool {
        self.stream.is_terminal()
    }
}

impl<S: StdoutStream> StdoutStream for Counted<S> {
    /// For WASI 0.3, which no run has: not counted.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.stream.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Counted::new(self.stream.p2_stream(), &self.count))
    }
}

#[async_trait]
impl OutputStream for Counted<Box<dyn OutputStream>> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let length = bytes.len() as u64;
        self.stream.write(bytes)?;
        self.count.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

#[async_trait]
impl Pollable for Counted<Box<dyn OutputStream>> {
    async fn ready(&mut self) {
        self.stream.ready().await;
    }
}
