//! WASI's error codes in the interface's.

use tempfile_core::ErrorCode;
use wasip2::filesystem::types::ErrorCode as Wasi;

/// Every code by name, so that a new one does not slip through.
#[inline(never)]
pub(crate) fn code(code: Wasi) -> ErrorCode {
    match code {
        // Hosts say `not-permitted` where a preopen is read-only.
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
        // A symbolic link where a directory is wanted: it is not followed, so it is not one.
        Wasi::NotDirectory | Wasi::Loop => ErrorCode::NotDirectory,
        Wasi::NotEmpty => ErrorCode::NotEmpty,
        Wasi::Quota => ErrorCode::Quota,
        Wasi::ReadOnly => ErrorCode::ReadOnly,
        Wasi::Unsupported => ErrorCode::Unsupported,
        Wasi::BadDescriptor
        | Wasi::Interrupted
        | Wasi::Io
        | Wasi::MessageSize
        | Wasi::NoDevice
        | Wasi::NoLock
        | Wasi::NoSuchDevice
        | Wasi::NoTty
        | Wasi::NotRecoverable
        | Wasi::Pipe
        | Wasi::TooManyLinks => ErrorCode::Io,
    }
}
