//! Directories that are opened in order to remove what is in them.

#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, OwnedFd};

#[cfg(not(target_os = "linux"))]
use rustix::fs::FileType;
use rustix::fs::{AtFlags, Mode, OFlags, RawMode};
#[cfg(target_os = "linux")]
use rustix::io::{Errno, retry_on_intr};

#[cfg(not(target_os = "linux"))]
use super::stat_at;
use super::{DIRECTORY, DIRECTORY_MODE};
use crate::error::ErrorCode;
use crate::native::errno::code;

/// Opens a directory with every right that its owner can have.
pub(super) fn open(dir: &impl AsFd, name: &[u8]) -> Result<OwnedFd, ErrorCode> {
    let opened = match open_same_mount(dir, name) {
        Err(ErrorCode::Access) => {
            grant_owner(dir, name)?;
            open_same_mount(dir, name)?
        }
        opened => opened?,
    };
    // Reading is not enough to remove entries. If this fails, so does the removal.
    let mode = rustix::fs::fstat(&opened).map_err(code)?.st_mode;
    if let Some(mode) = granting_owner(mode) {
        let _ = rustix::fs::fchmod(&opened, mode);
    }
    Ok(opened)
}

/// Opens a directory, or fails with `busy` if it is a mount point.
#[cfg(target_os = "linux")]
pub(super) fn open_same_mount(dir: &impl AsFd, name: &[u8]) -> Result<OwnedFd, ErrorCode> {
    use rustix::fs::{ResolveFlags, openat2};
    let flags = DIRECTORY | OFlags::NOFOLLOW;
    match retry_on_intr(|| openat2(dir, name, flags, Mode::empty(), ResolveFlags::NO_XDEV)) {
        Err(Errno::XDEV) => Err(ErrorCode::Busy),
        // Old kernels and some sandboxes refuse openat2.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::INVAL) => {
            open_unless_mount_root(dir, name)
        }
        opened => opened.map_err(code),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_same_mount(dir: &impl AsFd, name: &[u8]) -> Result<OwnedFd, ErrorCode> {
    open_on_same_device(dir, name)
}

/// As [`open_same_mount`], without `openat2`.
#[cfg(target_os = "linux")]
pub(super) fn open_unless_mount_root(dir: &impl AsFd, name: &[u8]) -> Result<OwnedFd, ErrorCode> {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    let opened = open_on_same_device(dir, name)?;
    // What is mounted from the same file system has the same device.
    match statx(&opened, c"", AtFlags::EMPTY_PATH, StatxFlags::empty()) {
        Ok(stat) if stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) => {
            Err(ErrorCode::Busy)
        }
        Ok(_) | Err(_) => Ok(opened),
    }
}

/// As [`open_same_mount`], as far as POSIX shows mount points: a directory on another device than
/// its parent is one.
pub(super) fn open_on_same_device(dir: &impl AsFd, name: &[u8]) -> Result<OwnedFd, ErrorCode> {
    let opened = super::open(dir, name, DIRECTORY | OFlags::NOFOLLOW, 0)?;
    let device = |dir: &dyn AsFd| rustix::fs::fstat(dir.as_fd()).map(|stat| stat.st_dev);
    let same = device(dir).map_err(code)? == device(&opened).map_err(code)?;
    if same { Ok(opened) } else { Err(ErrorCode::Busy) }
}

/// The mode that gives its owner every right on a directory; none if that has them.
fn granting_owner(mode: RawMode) -> Option<Mode> {
    let granted = mode | DIRECTORY_MODE;
    (granted != mode).then(|| Mode::from_raw_mode(granted))
}

/// Gives the owner of a directory every right on it: by handle, so that no link is followed.
#[cfg(target_os = "linux")]
pub(super) fn grant_owner(dir: &impl AsFd, name: &[u8]) -> Result<(), ErrorCode> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = super::open(dir, name, flags, 0)?;
    let mode = granting_owner(rustix::fs::fstat(&found).map_err(code)?.st_mode);
    // Another user's directory, to which its owner has every right.
    let mode = mode.ok_or(ErrorCode::Access)?;
    // fchmod refuses an O_PATH handle; its entry in /proc is accepted.
    let found = std::format!("/proc/self/fd/{}", found.as_raw_fd());
    rustix::fs::chmod(found, mode).map_err(|_| ErrorCode::Access)
}

/// Gives the owner of a directory every right on it: by name, and a link's own mode if it is one.
#[cfg(not(target_os = "linux"))]
pub(super) fn grant_owner(dir: &impl AsFd, name: &[u8]) -> Result<(), ErrorCode> {
    let stat = stat_at(dir, name)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(ErrorCode::NotDirectory);
    }
    let mode = granting_owner(stat.st_mode).ok_or(ErrorCode::Access)?;
    rustix::fs::chmodat(dir, name, mode, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| ErrorCode::Access)
}
