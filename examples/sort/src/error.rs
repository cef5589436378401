use std::fmt;
use std::io;

/// Why a sort failed. Each is displayed in one line.
#[derive(Debug)]
pub enum Error {
    /// The input could not be read.
    Input(io::Error),
    /// The output could not be opened or written.
    Output(io::Error),
    /// The temporary files could not be used; the text says what was tried.
    Scratch(&'static str, io::Error),
    /// A line is longer than the memory has room for.
    LineTooLong {
        /// Its number, from 1.
        line: u64,
        /// The longest that would do, in bytes.
        limit: usize,
    },
    /// This much memory cannot be allocated, or is outside the range of
    /// [`Options::memory`](crate::Options::memory).
    Memory(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(f, "cannot read the input: {error}"),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
            Self::Scratch(what, error) => write!(f, "scratch space: {what}: {error}"),
            Self::LineTooLong { line, limit } => {
                write!(
                    f,
                    "line {line} is longer than {limit} bytes, the most that fits into this memory"
                )
            }
            Self::Memory(bytes) => write!(f, "cannot have {bytes} bytes of memory to work in"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Input(error) | Self::Output(error) | Self::Scratch(_, error) => Some(error),
            Self::LineTooLong { .. } | Self::Memory(_) => None,
        }
    }
}
