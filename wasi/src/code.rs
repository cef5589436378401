//! WASI's error codes as codes of the interface.

use tempfile_core::ErrorCode;
use wasip2::filesystem::types::ErrorCode as Wasi;

/// Converts a code. The match is exhaustive, so that a new code is not overlooked.
pub(crate) fn code(code: Wasi) -> ErrorCode {
    match code {
        // Hosts answer `not-permitted` where a preopen is read-only.
        Wasi::Access | Wasi::NotPermitted => ErrorCode::Access,
        Wasi::Busy
        | Wasi::TextFileBusy
        | Wasi::WouldBlock
        | Wasi::Already
        | Wasi::InProgress
        | Wasi::Deadlock => ErrorCode::Busy,
        Wasi::CrossDevice => ErrorCode::CrossDevice,
        Wasi::Exist => ErrorCode::Exist,
        Wasi::FileTooLarge => ErrorCode::FileTooLarge,
        Wasi::IllegalByteSequence => ErrorCode::InvalidName,
        Wasi::InsufficientMemory => ErrorCode::OutOfMemory,
        Wasi::InsufficientSpace => ErrorCode::NoSpace,
        Wasi::Invalid | Wasi::Overflow | Wasi::InvalidSeek => ErrorCode::Invalid,
        Wasi::IsDirectory => ErrorCode::IsDirectory,
        Wasi::NameTooLong => ErrorCode::NameTooLong,
        Wasi::NoEntry => ErrorCode::NoEntry,
        // A symbolic link where a directory is needed: it is not followed, so it is not one.
        Wasi::NotDirectory | Wasi::Loop => ErrorCode::NotDirectory,
        Wasi::NotEmpty => ErrorCode::NotEmpty,
        Wasi::Quota => ErrorCode::Quota,
        Wasi::ReadOnly => ErrorCode::ReadOnly,
        Wasi::Unsupported => ErrorCode::Unsupported,
        Wasi::Io => ErrorCode::Io,
        Wasi::BadDescriptor
        | Wasi::Interrupted
        | Wasi::MessageSize
        | Wasi::NoDevice
        | Wasi::NoLock
        | Wasi::NoSuchDevice
        | Wasi::NoTty
        | Wasi::NotRecoverable
        | Wasi::Pipe
        | Wasi::TooManyLinks => ErrorCode::Other,
    }
}
