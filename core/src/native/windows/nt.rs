//! The kernel's calls that take a directory handle and one name. All unsafe code is here.
//!
//! Win32 has no functions below a directory handle; these are what it is made of:
//! <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/>.
#![allow(unsafe_code, reason = "the system's functions take pointers")]

use std::io;
use std::mem::offset_of;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::vec::Vec;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_INFORMATION, FILE_DISPOSITION_INFORMATION_EX,
    FILE_DISPOSITION_POSIX_SEMANTICS, FILE_FULL_DIR_INFORMATION, FILE_INFORMATION_CLASS, FILE_OPEN,
    FILE_OPEN_REPARSE_POINT, FILE_RENAME_INFORMATION, FILE_RENAME_INFORMATION_0,
    FILE_STANDARD_INFORMATION, FILE_SYNCHRONOUS_IO_NONALERT, FileDispositionInformation,
    FileDispositionInformationEx, FileFullDirectoryInformation, FileStandardInformation,
    NTCREATEFILE_CREATE_DISPOSITION, NTCREATEFILE_CREATE_OPTIONS, NtCreateFile,
    NtQueryDirectoryFile, NtQueryInformationFile, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_INFO_CLASS, STATUS_INVALID_PARAMETER, STATUS_NAME_TOO_LONG,
    STATUS_NO_MORE_FILES, STATUS_NO_SUCH_FILE, STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED,
    UNICODE_STRING, WIN32_ERROR,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_NORMAL, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE,
    FILE_SHARE_MODE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetFileInformationByHandle,
    GetFinalPathNameByHandleW, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

/// Everybody else may read, write, rename and remove what is open, as on Unix.
const SHARED: FILE_SHARE_MODE = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// The longest name of the system's file systems, in units of UTF-16.
pub(super) const MAX_NAME: usize = 255;

/// The number that Win32 has for a status.
pub(super) fn win32_error(status: NTSTATUS) -> WIN32_ERROR {
    // SAFETY: it takes a number and returns one.
    unsafe { RtlNtStatusToDosError(status) }
}

/// Whether a status says that the system or the file system does not know the request.
pub(super) fn is_unknown(status: NTSTATUS) -> bool {
    matches!(
        status,
        STATUS_INVALID_DEVICE_REQUEST
            | STATUS_INVALID_INFO_CLASS
            | STATUS_INVALID_PARAMETER
            | STATUS_NOT_IMPLEMENTED
            | STATUS_NOT_SUPPORTED
    )
}

/// Opens or creates the entry `name` of a directory, following no link. An empty name opens the
/// root again, which may be a file then.
pub(super) fn open(
    root: &impl AsHandle,
    name: &[u16],
    access: u32,
    disposition: NTCREATEFILE_CREATE_DISPOSITION,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, NTSTATUS> {
    open_sharing(root, name, access, SHARED, disposition, options)
}

/// As [`open`], so that others may do with it what `sharing` says, as long as it is open.
pub(super) fn open_sharing(
    root: &impl AsHandle,
    name: &[u16],
    access: u32,
    sharing: FILE_SHARE_MODE,
    disposition: NTCREATEFILE_CREATE_DISPOSITION,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, NTSTATUS> {
    call_open(root, name, access, sharing, disposition, options | FILE_OPEN_REPARSE_POINT)
}

/// Opens an entry so that a filter serves what its reparse point stands for: a link is followed.
pub(super) fn open_served(
    root: &impl AsHandle,
    name: &[u16],
    access: u32,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, NTSTATUS> {
    call_open(root, name, access, SHARED, FILE_OPEN, options)
}

fn call_open(
    root: &impl AsHandle,
    name: &[u16],
    access: u32,
    sharing: FILE_SHARE_MODE,
    disposition: NTCREATEFILE_CREATE_DISPOSITION,
    options: NTCREATEFILE_CREATE_OPTIONS,
) -> Result<OwnedHandle, NTSTATUS> {
    let length = u16::try_from(size_of_val(name)).map_err(|_| STATUS_NAME_TOO_LONG)?;
    let name =
        UNICODE_STRING { Length: length, MaximumLength: length, Buffer: name.as_ptr().cast_mut() };
    let object = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: root.as_handle().as_raw_handle(),
        ObjectName: &name,
        // As every path of Win32.
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    let mut handle = null_mut();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: every pointer is null where that is allowed, or to a local that outlives the call.
    // The name is not written to.
    let status = unsafe {
        NtCreateFile(
            &mut handle,
            access | SYNCHRONIZE | FILE_READ_ATTRIBUTES,
            &object,
            &mut block,
            null(),
            FILE_ATTRIBUTE_NORMAL,
            sharing,
            disposition,
            options | FILE_SYNCHRONOUS_IO_NONALERT,
            null(),
            0,
        )
    };
    check(status)?;
    // SAFETY: the call succeeded, so this is a new handle that nobody else owns.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Removes the name of an open file or empty directory: at once where the file system can, else
/// when the last handle to it is closed.
pub(super) fn delete(handle: &impl AsHandle) -> Result<(), NTSTATUS> {
    let flags = FILE_DISPOSITION_DELETE
        | FILE_DISPOSITION_POSIX_SEMANTICS
        | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
    let info = FILE_DISPOSITION_INFORMATION_EX { Flags: flags };
    set(handle, FileDispositionInformationEx, &info, size_of_val(&info))
}

/// As [`delete`], of what is not read-only, for a file system that does not know that.
pub(super) fn delete_on_close(handle: &impl AsHandle) -> Result<(), NTSTATUS> {
    let info = FILE_DISPOSITION_INFORMATION { DeleteFile: true };
    set(handle, FileDispositionInformation, &info, size_of_val(&info))
}

/// Renames or links an open file: `class` is that of a rename or of a link, which have the same
/// layout, also those whose `flags` are only a bool.
pub(super) fn set_name(
    handle: &impl AsHandle,
    class: FILE_INFORMATION_CLASS,
    flags: u32,
    to: &impl AsHandle,
    target: &[u16],
) -> Result<(), NTSTATUS> {
    const LONGEST: usize = size_of::<FILE_RENAME_INFORMATION>() + MAX_NAME * size_of::<u16>();
    let length = size_of_val(target);
    // A short name fits into the padding, and the system takes no less than the structure.
    let size = offset_of!(FILE_RENAME_INFORMATION, FileName) + length;
    let size = size.max(size_of::<FILE_RENAME_INFORMATION>());
    if target.len() > MAX_NAME {
        return Err(STATUS_NAME_TOO_LONG);
    }
    let mut buffer = [0_u64; LONGEST.div_ceil(size_of::<u64>())];
    let info = buffer.as_mut_ptr().cast::<FILE_RENAME_INFORMATION>();
    // SAFETY: the buffer is as aligned as a `u64`, which is enough, and has room for the structure
    // and for the name at its end.
    unsafe {
        (&raw mut (*info).Anonymous).write(FILE_RENAME_INFORMATION_0 { Flags: flags });
        (&raw mut (*info).RootDirectory).write(to.as_handle().as_raw_handle());
        (&raw mut (*info).FileNameLength).write(length as u32);
        let name = (&raw mut (*info).FileName).cast::<u16>();
        name.copy_from_nonoverlapping(target.as_ptr(), target.len());
    }
    set(handle, class, info, size)
}

fn set<T>(
    handle: &impl AsHandle,
    class: FILE_INFORMATION_CLASS,
    info: *const T,
    size: usize,
) -> Result<(), NTSTATUS> {
    let handle = handle.as_handle().as_raw_handle();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the callers pass `size` bytes of what the class takes.
    check(unsafe { NtSetInformationFile(handle, &mut block, info.cast(), size as u32, class) })
}

/// Whether the last name of an open file or directory is to be removed, or is.
pub(super) fn is_deleted(handle: &impl AsHandle) -> bool {
    let mut info = FILE_STANDARD_INFORMATION::default();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the class writes this structure, of this size.
    let status = unsafe {
        NtQueryInformationFile(
            handle.as_handle().as_raw_handle(),
            &mut block,
            (&raw mut info).cast(),
            size_of_val(&info) as u32,
            FileStandardInformation,
        )
    };
    check(status).is_err() || info.DeletePending
}

/// The numbers of an open file or directory: of its volume, of itself there, and of its names.
pub(super) fn numbers(handle: &impl AsHandle) -> io::Result<([u64; 2], u64)> {
    let mut info = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the call writes this structure.
    let done = unsafe { GetFileInformationByHandle(handle.as_handle().as_raw_handle(), &mut info) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = u64::from(info.nFileIndexHigh) << 32 | u64::from(info.nFileIndexLow);
    Ok(([info.dwVolumeSerialNumber.into(), index], info.nNumberOfLinks.into()))
}

/// The path of an open file or directory, if it has one.
pub(super) fn path(handle: &impl AsHandle) -> Option<PathBuf> {
    use std::os::windows::ffi::OsStringExt;
    let handle = handle.as_handle().as_raw_handle();
    let mut buffer = std::vec![0; 1 << 15];
    // SAFETY: the buffer has this many units.
    let length =
        unsafe { GetFinalPathNameByHandleW(handle, buffer.as_mut_ptr(), buffer.len() as u32, 0) };
    let path = buffer.get(..length as usize).filter(|path| !path.is_empty())?;
    Some(std::ffi::OsString::from_wide(path).into())
}

/// An entry of a directory.
pub(super) struct Listed {
    pub(super) name: Vec<u16>,
    pub(super) attributes: u32,
    /// What kind of reparse point it is, if it is one.
    pub(super) tag: u32,
}

/// A listing of a directory, through a handle of its own.
pub(super) struct Listing {
    handle: OwnedHandle,
    /// What was read last, aligned as its structures need it.
    buffer: Vec<u64>,
    /// The entry in it that comes next, in bytes.
    next: Option<usize>,
}

impl Listing {
    /// A listing of a directory that was opened for it.
    pub(super) fn new(handle: OwnedHandle) -> Self {
        // Some dozens of entries: the longest takes less than 600 bytes.
        Listing { handle, buffer: std::vec![0; 1024], next: None }
    }

    pub(super) fn next(&mut self) -> Result<Option<Listed>, NTSTATUS> {
        let at = match self.next {
            Some(at) => at,
            None => match self.read_on() {
                Ok(()) => 0,
                // The latter if there is not even `.`, as in the root of a volume.
                Err(STATUS_NO_MORE_FILES | STATUS_NO_SUCH_FILE) => return Ok(None),
                Err(status) => return Err(status),
            },
        };
        // SAFETY: the system wrote an entry here, aligned as it has to be, and with its name.
        let (listed, following) = unsafe {
            let entry = self.buffer.as_ptr().byte_add(at).cast::<FILE_FULL_DIR_INFORMATION>();
            let length = (*entry).FileNameLength as usize / size_of::<u16>();
            let name = std::slice::from_raw_parts((&raw const (*entry).FileName).cast(), length);
            let (attributes, tag) = ((*entry).FileAttributes, (*entry).EaSize);
            let listed = Listed { name: Vec::from(name), attributes, tag };
            (listed, (*entry).NextEntryOffset as usize)
        };
        self.next = (following != 0).then_some(at + following);
        Ok(Some(listed))
    }

    fn read_on(&mut self) -> Result<(), NTSTATUS> {
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: the buffer has this many bytes; there is no event, no callback and no pattern.
        check(unsafe {
            NtQueryDirectoryFile(
                self.handle.as_raw_handle(),
                null_mut(),
                None,
                null(),
                &mut block,
                self.buffer.as_mut_ptr().cast(),
                size_of_val(&*self.buffer) as u32,
                FileFullDirectoryInformation,
                false,
                null(),
                false,
            )
        })
    }
}

fn check(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if status >= 0 { Ok(()) } else { Err(status) }
}
