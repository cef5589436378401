//! A plugin's standard streams.

use std::fmt;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, empty, stdin};
use wasmtime_wasi::cli::{
    AsyncStdinStream, AsyncStdoutStream, InputFile, OutputFile, StdinStream, StdoutStream,
};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

use super::state::Threads;

/// What a plugin may write ahead of whoever takes it, in bytes.
const AHEAD: usize = 64 << 10;

/// Where a plugin's standard input comes from.
pub enum Input {
    /// It is at its end from the start.
    Empty,
    /// The embedder's own. Only one run at a time should have it.
    Inherit,
    /// An open file.
    File(File),
    /// These bytes.
    Bytes(Vec<u8>),
    /// What this gives, as it comes; at most 128 KiB are read ahead. An error of its own is one to the plugin, in its own words. See
    /// [`stream`](Self::stream).
    Stream(Pin<Box<dyn AsyncRead + Send>>),
}

impl Input {
    /// What `reader` gives, as it comes: the body of a request, say, which nobody has to hold in memory. It is read by a task of the
    /// tokio runtime that the run is on; of [`Plugin::run`](crate::Plugin::run), by one of a runtime that this crate has for it.
    pub fn stream(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::Stream(Box::pin(reader))
    }

    pub(super) fn stream_on(self, threads: Threads) -> Box<dyn StdinStream + Sync> {
        match (self, threads) {
            (Self::Empty, _) => Box::new(empty()),
            // Read by a thread of its own.
            (Self::Inherit, _) => Box::new(stdin()),
            (Self::File(file), Threads::Own) => Box::new(InputFile::new(file)),
            (Self::File(file), Threads::Shared) => {
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

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Bytes(text.into())
    }
}

/// Where a plugin's output goes.
pub enum Output {
    /// Nowhere.
    Discard,
    /// The embedder's own.
    Inherit,
    /// An open file.
    File(File),
    /// Memory.
    Capture(Capture),
    /// To this, as it takes it; the plugin waits when it is 64 KiB ahead. See [`stream`](Self::stream).
    Stream(Pin<Box<dyn AsyncWrite + Send>>),
}

impl Output {
    /// To `writer`, as it takes it. What the plugin has not flushed by its end may not arrive. It is written to by a task, as
    /// [`Input::stream`] is read.
    pub fn stream(writer: impl AsyncWrite + Send + 'static) -> Self {
        Self::Stream(Box::pin(writer))
    }

    /// `inherited` is which of the embedder's own is meant.
    pub(super) fn stream_on<W>(self, threads: Threads, inherited: fn() -> W) -> Box<dyn StdoutStream + Sync>
    where
        W: StdoutStream + AsyncWrite + Send + Sync + 'static,
    {
        match (self, threads) {
            (Self::Discard, _) => Box::new(empty()),
            (Self::Inherit, Threads::Own) => Box::new(inherited()),
            (Self::Inherit, Threads::Shared) => Box::new(AsyncStdoutStream::new(AHEAD, inherited())),
            (Self::File(file), Threads::Own) => Box::new(OutputFile::new(file)),
            (Self::File(file), Threads::Shared) => {
                Box::new(AsyncStdoutStream::new(AHEAD, tokio::fs::File::from_std(file)))
            }
            (Self::Capture(capture), _) => Box::new(capture.pipe),
            (Self::Stream(writer), _) => Box::new(AsyncStdoutStream::new(AHEAD, Exclusive::new(writer))),
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

/// Output kept in memory. Clones share it, so one can be read after the run, or while it goes on.
#[derive(Clone, Debug)]
pub struct Capture {
    pipe: MemoryOutputPipe,
}

impl Capture {
    /// Keeps up to `limit` bytes. A plugin that writes more finds its output closed.
    pub fn new(limit: usize) -> Self {
        Self { pipe: MemoryOutputPipe::new(limit) }
    }

    /// What has been written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.pipe.contents().to_vec()
    }

    /// What has been written so far, as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// A stream that may be known to several threads, since only who has it for itself gets at it. WASI's streams want that of what they stand on,
/// and bodies of requests seldom offer it.
struct Exclusive<S: ?Sized>(Mutex<Pin<Box<S>>>);

impl<S: ?Sized> Exclusive<S> {
    fn new(stream: Pin<Box<S>>) -> Self {
        Self(Mutex::new(stream))
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut S> {
        // No lock is taken: nobody else can have one.
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
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
