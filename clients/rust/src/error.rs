//! The interface's errors as `std::io::Error`s, and paths as the interface takes them.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::interface::{CleanupFailure, Error, ErrorCode};

/// The interface's code of an `io::Error` that this crate returned.
///
/// Natively an error of the operating system has one too. Errors made elsewhere have none.
///
/// ```
/// use wasi_tempfile::interface::ErrorCode;
///
/// let error = wasi_tempfile::NamedTempFile::with_prefix("no/slash").unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::InvalidFilename);
/// assert_eq!(wasi_tempfile::error_code(&error), Some(ErrorCode::InvalidName));
/// assert_eq!(wasi_tempfile::error_code(&std::io::Error::other("another's")), None);
/// ```
pub fn error_code(error: &io::Error) -> Option<ErrorCode> {
    match error.get_ref() {
        Some(inner) => inner.downcast_ref::<Error>().map(|error| error.code),
        #[cfg(not(target_family = "wasm"))]
        None => error.raw_os_error().map(|_| tempfile_core::error_code_of(error)),
        #[cfg(target_family = "wasm")]
        None => None,
    }
}

pub(crate) fn io_error(error: Error) -> io::Error {
    io::Error::new(kind(error.code), error)
}

/// The first failure of a removal, with the number of the others.
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

/// The interface's paths are UTF-8 and, in wasm, absolute: a provider does not know the plugin's
/// current directory.
pub(crate) fn absolute(path: &Path) -> Result<Cow<'_, str>, Error> {
    if !cfg!(target_family = "wasm") || path.is_absolute() || path.as_os_str().is_empty() {
        return path_str(path).map(Cow::Borrowed);
    }
    // The only cause: there is no current directory.
    let missing = |_| Error::new(ErrorCode::NoEntry, "find", &path.to_string_lossy());
    // Not `std::path::absolute`, which drops a `.` at the end.
    let absolute = std::env::current_dir().map_err(missing)?.join(path);
    path_str(&absolute).map(|path| Cow::Owned(path.to_owned()))
}

pub(crate) fn path_str(path: &Path) -> Result<&str, Error> {
    utf8(path.as_os_str())
}

pub(crate) fn utf8(name: &OsStr) -> Result<&str, Error> {
    let refused = || {
        let operation = "use a name that is not UTF-8,";
        Error::new(ErrorCode::InvalidName, operation, &name.to_string_lossy())
    };
    name.to_str().ok_or_else(refused)
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
