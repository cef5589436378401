//! The interface's errors as `std::io::Error`s.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::interface::{CleanupFailure, Error, ErrorCode};

/// The interface's code of an error that came from this crate; none of one that came from elsewhere.
///
/// ```
/// use wasi_tempfile::interface::ErrorCode;
///
/// let error = wasi_tempfile::NamedTempFile::with_prefix("no/slash").unwrap_err();
/// assert_eq!(wasi_tempfile::error_code(&error), Some(ErrorCode::InvalidName));
/// ```
pub fn error_code(error: &io::Error) -> Option<ErrorCode> {
    error.get_ref()?.downcast_ref::<Error>().map(|error| error.code)
}

pub(crate) fn io_error(error: Error) -> io::Error {
    io::Error::new(kind(error.code), error)
}

/// The interface's error inside one that this crate made.
pub(crate) fn interface_error(error: io::Error) -> Error {
    let message = error.to_string();
    let inner = error.into_inner().and_then(|inner| inner.downcast::<Error>().ok());
    inner.map_or(Error { code: ErrorCode::Other, message, path: None }, |error| *error)
}

/// A removal's first failure, and how many there are.
pub(crate) fn cleanup_error(failures: Vec<CleanupFailure>) -> io::Error {
    let more = failures.len().saturating_sub(1);
    match failures.into_iter().next() {
        Some(CleanupFailure { error, .. }) if more == 0 => io_error(error),
        Some(CleanupFailure { error, .. }) => {
            let message = format!("{} and {more} more could not be removed", error.message);
            io_error(Error { message, ..error })
        }
        None => io::Error::from(ErrorKind::Other),
    }
}

/// The interface's paths are UTF-8.
pub(crate) fn path_str(path: &Path) -> io::Result<&str> {
    utf8(path.as_os_str())
}

pub(crate) fn utf8(name: &OsStr) -> io::Result<&str> {
    let refused = || {
        Error::new(ErrorCode::InvalidName, "use a name that is not UTF-8,", &name.to_string_lossy())
    };
    name.to_str().ok_or_else(|| io_error(refused()))
}

fn kind(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::Access => ErrorKind::PermissionDenied,
        ErrorCode::Busy => ErrorKind::ResourceBusy,
        ErrorCode::Closed | ErrorCode::Invalid => ErrorKind::InvalidInput,
        ErrorCode::CrossDevice => ErrorKind::CrossesDevices,
        ErrorCode::Exist | ErrorCode::Exhausted => ErrorKind::AlreadyExists,
        ErrorCode::FileTooLarge => ErrorKind::FileTooLarge,
        ErrorCode::InvalidName | ErrorCode::NameTooLong => ErrorKind::InvalidFilename,
        ErrorCode::IsDirectory => ErrorKind::IsADirectory,
        ErrorCode::NoEntry | ErrorCode::NoScratch => ErrorKind::NotFound,
        ErrorCode::NoSpace => ErrorKind::StorageFull,
        ErrorCode::NotDirectory => ErrorKind::NotADirectory,
        ErrorCode::NotEmpty => ErrorKind::DirectoryNotEmpty,
        ErrorCode::OutOfMemory => ErrorKind::OutOfMemory,
        ErrorCode::Quota => ErrorKind::QuotaExceeded,
        ErrorCode::ReadOnly => ErrorKind::ReadOnlyFilesystem,
        ErrorCode::Unsupported => ErrorKind::Unsupported,
        ErrorCode::Io
        | ErrorCode::NotDurable
        | ErrorCode::Other
        | ErrorCode::OutOfHandles
        | ErrorCode::Replaced => ErrorKind::Other,
    }
}
