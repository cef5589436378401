//! The system's error numbers as codes of the interface.

use std::io;

use rustix::io::Errno;

use crate::error::ErrorCode;

/// The code of an error of the operating system; `other` for one that has no number.
pub fn code_of(error: &io::Error) -> ErrorCode {
    error.raw_os_error().map_or(ErrorCode::Other, |raw| code(Errno::from_raw_os_error(raw)))
}

/// The system's error numbers are an open set: one without a code of its own is `other`.
pub(super) fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::ACCESS | Errno::PERM => ErrorCode::Access,
        Errno::BUSY | Errno::TXTBSY => ErrorCode::Busy,
        Errno::XDEV => ErrorCode::CrossDevice,
        Errno::EXIST => ErrorCode::Exist,
        Errno::FBIG => ErrorCode::FileTooLarge,
        Errno::INVAL => ErrorCode::Invalid,
        Errno::IO => ErrorCode::Io,
        Errno::ISDIR => ErrorCode::IsDirectory,
        Errno::NAMETOOLONG => ErrorCode::NameTooLong,
        Errno::NOENT => ErrorCode::NoEntry,
        Errno::NOSPC => ErrorCode::NoSpace,
        // A symbolic link where a directory is needed: it is not followed, so it is not one.
        Errno::NOTDIR | Errno::LOOP => ErrorCode::NotDirectory,
        Errno::NOTEMPTY => ErrorCode::NotEmpty,
        Errno::MFILE | Errno::NFILE => ErrorCode::OutOfHandles,
        Errno::NOMEM => ErrorCode::OutOfMemory,
        Errno::DQUOT => ErrorCode::Quota,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::NOSYS | Errno::OPNOTSUPP => ErrorCode::Unsupported,
        // Another number than EOPNOTSUPP on Apple's systems, and the answer of a file system there
        // that cannot rename without replacing.
        other if other == Errno::NOTSUP => ErrorCode::Unsupported,
        _ => ErrorCode::Other,
    }
}
