//! The system's status and error codes as codes of the interface.

use std::io;

use windows_sys::Win32::Foundation::*;

use super::nt;
use crate::error::ErrorCode;

/// The code of an error of the operating system; `other` for one that has no number.
pub fn code_of(error: &io::Error) -> ErrorCode {
    error.raw_os_error().map_or(ErrorCode::Other, |raw| win32_code(raw.cast_unsigned()))
}

/// The code of a status of the kernel.
pub(super) fn code(status: NTSTATUS) -> ErrorCode {
    match status {
        // What the numbers of Win32 do not tell from a denied access.
        STATUS_FILE_IS_A_DIRECTORY => ErrorCode::IsDirectory,
        STATUS_DELETE_PENDING | STATUS_FILE_DELETED => ErrorCode::NoEntry,
        status => win32_code(nt::win32_error(status)),
    }
}

/// The system's error numbers are an open set: one without a code of its own is `other`.
fn win32_code(error: WIN32_ERROR) -> ErrorCode {
    match error {
        ERROR_ACCESS_DENIED | ERROR_NETWORK_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD => {
            ErrorCode::Access
        }
        ERROR_BUSY
        | ERROR_CURRENT_DIRECTORY
        | ERROR_LOCK_VIOLATION
        | ERROR_SHARING_VIOLATION
        | ERROR_USER_MAPPED_FILE => ErrorCode::Busy,
        ERROR_NOT_SAME_DEVICE => ErrorCode::CrossDevice,
        ERROR_ALREADY_EXISTS | ERROR_FILE_EXISTS => ErrorCode::Exist,
        ERROR_FILE_TOO_LARGE => ErrorCode::FileTooLarge,
        ERROR_INVALID_PARAMETER | ERROR_NEGATIVE_SEEK => ErrorCode::Invalid,
        ERROR_BAD_PATHNAME | ERROR_INVALID_NAME => ErrorCode::InvalidName,
        ERROR_CRC
        | ERROR_DISK_CORRUPT
        | ERROR_FILE_CORRUPT
        | ERROR_GEN_FAILURE
        | ERROR_IO_DEVICE
        | ERROR_NOT_READY
        | ERROR_READ_FAULT
        | ERROR_SECTOR_NOT_FOUND
        | ERROR_WRITE_FAULT => ErrorCode::Io,
        ERROR_BUFFER_OVERFLOW | ERROR_FILENAME_EXCED_RANGE => ErrorCode::NameTooLong,
        ERROR_BAD_NETPATH | ERROR_BAD_NET_NAME | ERROR_DELETE_PENDING | ERROR_FILE_NOT_FOUND
        | ERROR_INVALID_DRIVE | ERROR_PATH_NOT_FOUND => ErrorCode::NoEntry,
        ERROR_DISK_FULL | ERROR_HANDLE_DISK_FULL => ErrorCode::NoSpace,
        ERROR_CANT_RESOLVE_FILENAME | ERROR_DIRECTORY => ErrorCode::NotDirectory,
        ERROR_DIR_NOT_EMPTY => ErrorCode::NotEmpty,
        ERROR_TOO_MANY_OPEN_FILES => ErrorCode::OutOfHandles,
        ERROR_COMMITMENT_LIMIT
        | ERROR_NOT_ENOUGH_MEMORY
        | ERROR_NO_SYSTEM_RESOURCES
        | ERROR_OUTOFMEMORY => ErrorCode::OutOfMemory,
        ERROR_DISK_QUOTA_EXCEEDED | ERROR_NOT_ENOUGH_QUOTA => ErrorCode::Quota,
        ERROR_WRITE_PROTECT => ErrorCode::ReadOnly,
        ERROR_CALL_NOT_IMPLEMENTED | ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED => {
            ErrorCode::Unsupported
        }
        _ => ErrorCode::Other,
    }
}
