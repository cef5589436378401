//! The operating system: by directory descriptor, never by a joined path.

#![allow(clippy::unnecessary_cast, reason = "the fields of `stat` have other widths on other systems")]

use std::borrow::ToOwned;
use std::ffi::CStr;
use std::fs;
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use std::vec::Vec;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode};
use rustix::io::{Errno, retry_on_intr};

use crate::error::ErrorCode;
use crate::ledger::Ledger;
use crate::platform::{Anchor, EntryKind, Identity, Now, Platform, RawEntry};

/// The operating system's files, with the rights of the process.
///
/// A path belongs to the program, as it does for the rest of its calls: its directories are resolved by the system, relative ones from the
/// current directory. From there on it is one handle and one name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

/// The process's own: what its programs created through this platform, in all threads.
static LEDGER: Mutex<Ledger> = Mutex::new(Ledger::new());

/// When the process first looked at the clock.
static START: OnceLock<Instant> = OnceLock::new();

/// `O_CLOEXEC` always: a child process has no business with a temporary file.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Owner only, before the umask takes more away.
const FILE_MODE: RawMode = 0o600;
const DIRECTORY_MODE: RawMode = 0o700;

/// What lies around a program's use of the operating system's files: where its paths begin, its environment, its ledger. Whoever says
/// so much has a [`Platform`] of the system's files; [`Native`] says it for the process, a sandbox for the program inside.
///
/// The functions promise what those of `Platform` do.
pub trait Surroundings: Clone {
    /// As [`Platform::anchor`].
    fn anchor(&self, path: &str) -> Result<Anchor<Arc<OwnedFd>>, ErrorCode>;
    /// As [`Platform::variable`].
    fn variable(&self, name: &str) -> Option<String>;
    /// As [`Platform::ledger`].
    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T>;
    /// As [`Platform::last_resorts`].
    fn last_resorts(&self) -> Vec<String>;
}

impl Surroundings for Native {
    fn anchor(&self, path: &str) -> Result<Anchor<Arc<OwnedFd>>, ErrorCode> {
        let dir = retry_on_intr(|| rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty())).map_err(code)?;
        let absolute = std::path::absolute(path).map_err(|error| error_code_of(&error))?;
        let path = absolute.to_str().ok_or(ErrorCode::InvalidName)?;
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        Ok(Anchor { dir: Arc::new(dir), path: path.to_owned(), rest: String::new() })
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        let now = || u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
        Some(act(&mut ledger, &now))
    }

    fn last_resorts(&self) -> Vec<String> {
        Vec::from([".".to_string()])
    }
}

impl<S: Surroundings> Platform for S {
    type Dir = Arc<OwnedFd>;
    type File = fs::File;

    fn anchor(&self, path: &str) -> Result<Anchor<Self::Dir>, ErrorCode> {
        Surroundings::anchor(self, path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        Surroundings::variable(self, name)
    }

    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        Surroundings::ledger(self, act)
    }

    fn last_resorts(&self) -> Vec<String> {
        Surroundings::last_resorts(self)
    }

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let flags = FILE | OFlags::CREATE | OFlags::EXCL;
        open(dir, name, flags, FILE_MODE).map(fs::File::from)
    }

    #[cfg(target_os = "linux")]
    fn create_unnamed(&self, dir: &Self::Dir, look: bool) -> Result<Self::File, ErrorCode> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        match retry_on_intr(|| rustix::fs::openat(dir, c".", flags, Mode::from_raw_mode(FILE_MODE))) {
            // tmpfs is one of those that do not mind.
            Ok(_) if look && rustix::fs::fstat(dir).map_err(code)?.st_nlink == 0 => Err(ErrorCode::NoEntry),
            Ok(file) => Ok(file.into()),
            // A file system or kernel that knows no O_TMPFILE sees a directory opened for writing, or nothing. EPERM comes from
            // a directory that has been removed; creating with a name says so in better words.
            Err(Errno::ISDIR | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => Err(ErrorCode::Unsupported),
            Err(errno) => Err(code(errno)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn create_unnamed(&self, _dir: &Self::Dir, _look: bool) -> Result<Self::File, ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        // NONBLOCK: a fifo or a device that somebody planted must not hold us up before we see what it is.
        let file = match retry_on_intr(|| {
            rustix::fs::openat(dir, name, FILE | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())
        }) {
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Err(ErrorCode::Invalid),
            opened => opened.map_err(code)?,
        };
        match FileType::from_raw_mode(rustix::fs::fstat(&file).map_err(code)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            _ => Err(ErrorCode::Invalid),
        }
    }

    fn duplicate(&self, file: &Self::File) -> Result<Self::File, ErrorCode> {
        file.try_clone().map_err(|error| error_code_of(&error))
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(DIRECTORY_MODE)).map_err(code)
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        open(dir, name, DIRECTORY | OFlags::NOFOLLOW, 0).map(Arc::new)
    }

    fn open_doomed(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        let opened = match self.open_directory(dir, name) {
            Err(ErrorCode::Access) => {
                allow_all(dir, name)?;
                self.open_directory(dir, name)?
            }
            opened => opened?,
        };
        // Readable is not enough to remove what is inside. Where this fails, so will the removal, and say so.
        let mode = rustix::fs::fstat(&opened).map_err(code)?.st_mode;
        if mode & DIRECTORY_MODE != DIRECTORY_MODE {
            let _ = rustix::fs::fchmod(&opened, Mode::from_raw_mode(DIRECTORY_MODE));
        }
        Ok(opened)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Vec<Result<RawEntry, ErrorCode>>, ErrorCode> {
        let mut entries = Vec::new();
        // Opens `.` anew: the handle's own position is shared by its clones.
        for entry in rustix::fs::Dir::read_from(dir).map_err(code)? {
            let entry = entry.map_err(code)?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            match kind(dir, name, entry.file_type()) {
                Ok(kind) => entries.push(Ok(RawEntry { name: name.to_bytes().to_vec(), kind })),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(code(errno)),
            }
        }
        Ok(entries)
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match rustix::fs::unlinkat(dir, name, AtFlags::empty()) {
            // POSIX lets a directory be answered with EPERM.
            Err(Errno::PERM) if is_directory(dir, name) => Err(ErrorCode::IsDirectory),
            removed => removed.map_err(code),
        }
    }

    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        match rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR) {
            // POSIX lets a directory that is not empty be answered with EEXIST.
            Err(Errno::EXIST) => Err(ErrorCode::NotEmpty),
            removed => removed.map_err(code),
        }
    }

    fn rename(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        match rustix::fs::renameat(dir, name, to, target) {
            Err(Errno::EXIST) => Err(ErrorCode::NotEmpty),
            renamed => renamed.map_err(code),
        }
    }

    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    fn rename_new(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        match rustix::fs::renameat_with(dir, name, to, target, rustix::fs::RenameFlags::NOREPLACE) {
            // What a file system answers that does not know the flag.
            Err(Errno::INVAL) => Err(ErrorCode::Unsupported),
            renamed => renamed.map_err(code),
        }
    }

    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    fn rename_new(&self, _: &Self::Dir, _: &[u8], _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn link(&self, dir: &Self::Dir, name: &[u8], to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        rustix::fs::linkat(dir, name, to, target, AtFlags::empty()).map_err(code)
    }

    #[cfg(target_os = "linux")]
    fn link_unnamed(&self, file: &Self::File, to: &Self::Dir, target: &[u8]) -> Result<(), ErrorCode> {
        // The way of open(2): a link to the descriptor itself needs a privilege, one by its entry in /proc does not.
        let source = std::format!("/proc/self/fd/{}", file.as_raw_fd());
        match rustix::fs::linkat(CWD, &source, to, target, AtFlags::SYMLINK_FOLLOW) {
            Err(Errno::NOENT) if rustix::fs::lstat(&source).is_err() => Err(ErrorCode::Unsupported),
            linked => linked.map_err(code),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn link_unnamed(&self, _: &Self::File, _: &Self::Dir, _: &[u8]) -> Result<(), ErrorCode> {
        Err(ErrorCode::Unsupported)
    }

    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode> {
        rustix::fs::fstat(file).map(identity).map_err(code)
    }

    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode> {
        rustix::fs::fstat(dir).map(identity).map_err(code)
    }

    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(identity).map_err(code)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| stat.st_nlink as u64)
            .map_err(code)
    }

    fn read_into(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> Result<usize, ErrorCode> {
        retry(|| file.read_at(buffer, offset))
    }

    fn read(&self, file: &Self::File, offset: u64, max: usize) -> Result<Vec<u8>, ErrorCode> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(max).map_err(|_| ErrorCode::OutOfMemory)?;
        // Into what is reserved: bytes that are read need not be zeroed first.
        retry_on_intr(|| rustix::io::pread(file, rustix::buffer::spare_capacity(&mut bytes), offset))
            .map_err(code)?;
        Ok(bytes)
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        match retry(|| file.write_at(data, offset))? {
            0 => Err(ErrorCode::Io),
            count => Ok(count),
        }
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        retry(|| Ok(file.metadata()?.len()))
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        // The system says EINVAL for what is past the largest file it knows; sizes past 2^63-1 don't come here.
        retry(|| file.set_len(size)).map_err(|code| match code {
            ErrorCode::Invalid => ErrorCode::FileTooLarge,
            code => code,
        })
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_data().map_err(|error| error_code_of(&error))
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        file.sync_all().map_err(|error| error_code_of(&error))
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        rustix::fs::fsync(dir).map_err(code)
    }
}

fn open(dir: &impl AsFd, name: &[u8], flags: OFlags, mode: RawMode) -> Result<OwnedFd, ErrorCode> {
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(mode))).map_err(code)
}

/// Gives the owner of a directory every right on it: by handle, so that a link which takes its place is not followed.
#[cfg(target_os = "linux")]
fn allow_all(dir: &impl AsFd, name: &[u8]) -> Result<(), ErrorCode> {
    let found = open(dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, 0)?;
    // The handle is too weak for fchmod, its entry in /proc is not.
    let found = std::format!("/proc/self/fd/{}", found.as_raw_fd());
    rustix::fs::chmod(found, Mode::from_raw_mode(DIRECTORY_MODE)).map_err(|_| ErrorCode::Access)
}

#[cfg(not(target_os = "linux"))]
fn allow_all(_: &impl AsFd, _: &[u8]) -> Result<(), ErrorCode> {
    Err(ErrorCode::Access)
}

fn identity(stat: rustix::fs::Stat) -> Identity {
    [stat.st_dev as u64, stat.st_ino as u64]
}

/// What the listing says, or, where the file system does not say, what a look at the entry says.
fn kind(dir: &impl AsFd, name: &CStr, listed: FileType) -> Result<EntryKind, Errno> {
    let known = match listed {
        FileType::Unknown => {
            let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            FileType::from_raw_mode(stat.st_mode)
        }
        known => known,
    };
    Ok(match known {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        _ => EntryKind::Other,
    })
}

fn is_directory(dir: &impl AsFd, name: &[u8]) -> bool {
    rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> Result<T, ErrorCode> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map_err(|error| error_code_of(&error)),
        }
    }
}

/// The code of an error of the system's: `io` where the system gave no number.
pub fn error_code_of(error: &io::Error) -> ErrorCode {
    error.raw_os_error().map_or(ErrorCode::Io, |raw| code(Errno::from_raw_os_error(raw)))
}

/// The system's codes are open-ended, ours are not: what none of the others says is `io`.
fn code(errno: Errno) -> ErrorCode {
    match errno {
        Errno::ACCESS | Errno::PERM => ErrorCode::Access,
        Errno::BUSY | Errno::TXTBSY => ErrorCode::Busy,
        Errno::XDEV => ErrorCode::CrossDevice,
        Errno::EXIST => ErrorCode::Exist,
        Errno::FBIG => ErrorCode::FileTooLarge,
        Errno::INVAL => ErrorCode::Invalid,
        Errno::ISDIR => ErrorCode::IsDirectory,
        Errno::NAMETOOLONG => ErrorCode::NameTooLong,
        Errno::NOENT => ErrorCode::NoEntry,
        Errno::NOSPC => ErrorCode::NoSpace,
        // A symbolic link where a directory is wanted: it is not followed, so it is not one.
        Errno::NOTDIR | Errno::LOOP => ErrorCode::NotDirectory,
        Errno::NOTEMPTY => ErrorCode::NotEmpty,
        Errno::MFILE | Errno::NFILE => ErrorCode::OutOfHandles,
        Errno::NOMEM => ErrorCode::OutOfMemory,
        Errno::DQUOT => ErrorCode::Quota,
        Errno::ROFS => ErrorCode::ReadOnly,
        Errno::NOSYS | Errno::OPNOTSUPP => ErrorCode::Unsupported,
        _ => ErrorCode::Io,
    }
}
