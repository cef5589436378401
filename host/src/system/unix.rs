//! The mark of a run's directory is its mode, and the lock is on the directory itself.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{self as sys, AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use tempfile_core::{ErrorCode, Identity, Native, error_code_of};

use super::{Candidate, Claim, Dir, Found, Open};
use crate::error::RootCause;

/// The mode of a run's directory, and the mark by which a sweep recognises one: `mkdir` sets it, so
/// no directory exists without it, whenever its maker is killed.
///
/// Nobody sets it by accident, because it has no use otherwise: the sticky bit restricts other
/// users, and none has access.
const MARKED: Mode = Mode::RWXU.union(Mode::SVTX);

/// The pauses before a directory that could not be removed or renamed is tried again. Nothing here
/// is in the way for a moment only.
pub(crate) const PAUSES: [Duration; 0] = [];

/// Whether a directory in which a file is open cannot be renamed.
pub(crate) const OPEN_FILES_PREVENT_RENAMES: bool = false;

/// What the system knows of a file or directory.
pub(crate) type Info = Stat;

/// The lock on the directory of a run: that of its open handle.
pub(crate) struct Lock;

impl Lock {
    /// The placeholder for something without a lock.
    pub(crate) const NONE: Self = Lock;

    pub(crate) fn release(&mut self) {}
}

/// The name of a user's root in the directory for temporary files, which all users share.
pub(crate) fn root_name() -> String {
    format!("wasi-tempfile-{}", rustix::process::geteuid().as_raw())
}

/// Makes a directory to which only this user has access.
pub(crate) fn create_root(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Returns what is at a path, links not followed.
pub(crate) fn info_at(path: &Path) -> io::Result<Info> {
    Ok(sys::lstat(path)?)
}

pub(crate) fn info(dir: &Dir) -> io::Result<Info> {
    Ok(sys::fstat(dir)?)
}

#[allow(clippy::unnecessary_cast, reason = "the fields of `stat` have other widths elsewhere")]
pub(crate) fn identity(info: &Info) -> Identity {
    [info.st_dev as u64, info.st_ino as u64]
}

/// Opens a directory to which no link leads.
pub(crate) fn open_root(path: &Path) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(Arc::new(sys::open(path, flags, Mode::empty())?))
}

/// Opens a directory of the embedder's. A link in its path was the embedder's choice, and is
/// followed.
pub(crate) fn open_mount(path: &Path) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = |flags| sys::open(path, flags, Mode::empty());
    let opened = match open(flags) {
        // One that may be searched and written but not read, such as one of mode 1733.
        #[cfg(target_os = "linux")]
        Err(Errno::ACCESS) => open(flags | OFlags::PATH),
        opened => opened,
    };
    Ok(Arc::new(opened?))
}

/// Refuses a root that another user owns or can change.
#[allow(clippy::unnecessary_cast, reason = "modes have another width elsewhere")]
pub(crate) fn check(info: &Info) -> Result<(), RootCause> {
    check_kind(info)?;
    if info.st_uid != rustix::process::geteuid().as_raw() {
        return Err(RootCause::Foreign { owner: info.st_uid });
    }
    let mode = Mode::from_raw_mode(info.st_mode);
    if mode.intersects(Mode::WGRP | Mode::WOTH) {
        return Err(RootCause::Shared { mode: mode.as_raw_mode() as u32 });
    }
    Ok(())
}

/// Refuses what is no directory, or only leads to one: others may be able to change the link.
pub(crate) fn check_kind(info: &Info) -> Result<(), RootCause> {
    match FileType::from_raw_mode(info.st_mode) {
        FileType::Directory => Ok(()),
        FileType::Symlink => Err(RootCause::Link),
        FileType::RegularFile
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Err(RootCause::NotDirectory),
    }
}

/// Looks at an entry that may have been left. `None` if it is neither file nor directory, of
/// another user, or has the mark of a run's directory, whose lock says whether it is in use.
pub(crate) fn candidate(dir: &Dir, _: &Path, name: &str) -> Result<Option<Candidate>, ErrorCode> {
    let info = sys::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| error_code_of(&errno.into()))?;
    if info.st_uid != rustix::process::geteuid().as_raw() || is_marked(&info) {
        return Ok(None);
    }
    let directory = match FileType::from_raw_mode(info.st_mode) {
        FileType::RegularFile => false,
        FileType::Directory => true,
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => return Ok(None),
    };
    // The time of the last change, which no call sets; that of the last write can be set.
    let seconds = u64::try_from(info.st_ctime).ok();
    let nanoseconds = u32::try_from(info.st_ctime_nsec).ok();
    let changed = seconds.zip(nanoseconds).and_then(|(seconds, nanoseconds)| {
        UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
    });
    Ok(Some(Candidate { identity: identity(&info), directory, changed }))
}

/// Gets the shared lock of a root, by which some cleaners, such as systemd-tmpfiles, leave it
/// alone. Returns false while something else locks the whole directory.
pub(crate) fn lock_root(dir: &Dir) -> io::Result<bool> {
    Ok(flock(dir, FlockOperation::NonBlockingLockShared)?)
}

/// Makes the directory of a run, with its mark and without its lock.
pub(crate) fn make(root: &Dir, name: &str) -> Result<Lock, ErrorCode> {
    sys::mkdirat(root, name, MARKED).map(|()| Lock).map_err(|errno| error_code_of(&errno.into()))
}

/// Removes an empty directory of a run. If this fails, a sweep removes it.
pub(crate) fn unmake(root: &Dir, name: &str, _: &mut Lock) {
    let _ = sys::unlinkat(root, name, AtFlags::REMOVEDIR);
}

/// Locks a new directory.
pub(crate) fn claim(root: &Dir, name: &str, dir: &Dir, _: &Lock) -> io::Result<Claim> {
    if !try_lock(dir)? || !is_still(root, name, dir)? {
        return Ok(Claim::Lost);
    }
    // Not every system sets the sticky bit in `mkdir`.
    if !is_marked(&sys::fstat(dir)?) {
        sys::fchmod(dir, MARKED)?;
    }
    Ok(if is_marked(&sys::fstat(dir)?) { Claim::Ours } else { Claim::Unmarked })
}

/// Removes the mark of a directory that has its name as a kept one. That is enough for sweeps, so
/// this may fail.
pub(crate) fn unmark(dir: &Dir) {
    let _ = sys::fchmod(dir, Mode::RWXU);
}

/// The name of the run whose lock has this name: none, since no lock is a file of its own here.
pub(crate) fn run_of_lock(_: &str) -> Option<&str> {
    None
}

/// Removes the lock of a run whose directory is gone or kept.
pub(crate) fn remove_lock(_: &Dir, _: &str, _: &mut Lock) {}

/// Removes the lock of a run that has neither a directory nor a process.
pub(crate) fn remove_stray_lock(_: &Dir, _: &str) {}

/// Opens a directory with the name of a run if it has the mark, and locks it if nobody else has.
/// Before the look at the mark, nothing is changed.
pub(crate) fn look(root: &Dir, name: &str, open: Open) -> Result<Found, ErrorCode> {
    let code = |errno: Errno| error_code_of(&errno.into());
    let marked = match sys::statat(root, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(info) if is_marked(&info) => info,
        Ok(_) => return Ok(Found::Foreign),
        Err(Errno::NOENT) => return Ok(Found::Gone),
        Err(errno) => return Err(code(errno)),
    };
    let dir = match open(&Native, root, name.as_bytes()) {
        Ok(dir) => dir,
        Err(ErrorCode::NoEntry) => return Ok(Found::Gone),
        Err(code) => return Err(code),
    };
    if !is_same(&sys::fstat(&dir).map_err(code)?, &marked) {
        return Ok(Found::Gone);
    }
    match try_lock(&dir) {
        // One that its owner has closed was opened only to look, and has no lock.
        Ok(true) | Err(Errno::BADF) => {}
        Ok(false) => return Ok(Found::Live),
        Err(errno) => return Err(code(errno)),
    }
    // Its owner, or another sweep, may have removed it before we had the lock.
    let is_still = is_still(root, name, &dir).map_err(code)?;
    Ok(if is_still { Found::Orphan(dir, Lock) } else { Found::Gone })
}

/// Whether a directory has the mark: it is this user's, sticky, and closed to others. What its
/// owner may do is not part of it, so a directory that its owner has closed keeps the mark.
pub(crate) fn is_marked(info: &Info) -> bool {
    let mode = Mode::from_raw_mode(info.st_mode);
    FileType::from_raw_mode(info.st_mode) == FileType::Directory
        && info.st_uid == rustix::process::geteuid().as_raw()
        && mode.contains(Mode::SVTX)
        && !mode.intersects(Mode::RWXG | Mode::RWXO)
}

/// The name of an entry, as a path has it.
pub(crate) fn file_name(name: Vec<u8>) -> OsString {
    OsString::from_vec(name)
}

/// Whether an error of the system ended something.
pub(crate) fn is_of_system(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<io::Error>() || error.is::<Errno>()
}

/// Whether a name in the root still belongs to an open directory.
fn is_still(root: &Dir, name: &str, dir: &Dir) -> Result<bool, Errno> {
    let open = sys::fstat(dir)?;
    match sys::statat(root, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) => Ok(is_same(&named, &open)),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Locks the directory of a run, without waiting. Returns false if another handle has the lock.
pub(crate) fn try_lock(dir: impl AsFd) -> Result<bool, Errno> {
    flock(dir, FlockOperation::NonBlockingLockExclusive)
}

fn flock(dir: impl AsFd, operation: FlockOperation) -> Result<bool, Errno> {
    match sys::flock(dir, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno),
    }
}
