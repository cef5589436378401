//! The mark and the lock of a run's directory are a file beside it, which nobody else can open
//! while its process lives.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile_core::{EntryKind, ErrorCode, Identity, Native, Platform, error_code_of};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_ATTRIBUTES, FILE_TRAVERSE,
};

use super::{Candidate, Claim, Dir, Found, Open};
use crate::error::RootCause;

/// The pauses before a directory that could not be removed or renamed is tried again: scanners for
/// viruses and indexers open what is new for a moment.
pub(crate) const PAUSES: [Duration; 6] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
    Duration::from_millis(320),
];

/// Whether a directory in which a file is open cannot be renamed. Without a lock it is foreign
/// under any name, and no sweep removes it.
pub(crate) const OPEN_FILES_PREVENT_RENAMES: bool = true;

/// What the name of a lock has after the name of its directory.
const LOCK_SUFFIX: &str = ".lock";

/// What the system knows of a file or directory.
pub(crate) struct Info {
    metadata: Metadata,
    identity: Identity,
}

/// The lock on the directory of a run: a file that is open, until it is removed.
pub(crate) struct Lock(Option<File>);

impl Lock {
    /// The placeholder for something without a lock.
    pub(crate) const NONE: Self = Lock(None);

    /// Lets others lock the directory.
    pub(crate) fn release(&mut self) {
        self.0 = None;
    }
}

/// The name of the root in the user's own directory for temporary files.
pub(crate) fn root_name() -> String {
    "wasi-tempfile".to_owned()
}

/// Makes a directory. Who has access is passed on by the one that it is in.
pub(crate) fn create_root(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Returns what is at a path, links not followed.
pub(crate) fn info_at(path: &Path) -> io::Result<Info> {
    info(&open_root(path)?)
}

pub(crate) fn info(dir: &Dir) -> io::Result<Info> {
    let metadata = File::from(dir.try_clone()?).metadata()?;
    let unknown = |code: ErrorCode| io::Error::other(code.to_string());
    Ok(Info { metadata, identity: Native.directory_identity(dir).map_err(unknown)? })
}

pub(crate) fn identity(info: &Info) -> Identity {
    info.identity
}

/// Opens what is at a path, links not followed.
pub(crate) fn open_root(path: &Path) -> io::Result<Dir> {
    open(path, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
}

/// Opens a directory of the embedder's. A link in its path was the embedder's choice, and is
/// followed.
pub(crate) fn open_mount(path: &Path) -> io::Result<Dir> {
    let opened = open(path, FILE_FLAG_BACKUP_SEMANTICS)?;
    if info(&opened)?.metadata.is_dir() {
        Ok(opened)
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

fn open(path: &Path, flags: u32) -> io::Result<Dir> {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_READ_ATTRIBUTES | FILE_TRAVERSE).custom_flags(flags);
    Ok(Arc::new(options.open(path)?.into()))
}

/// Refuses a root that is not a directory itself. Who may change it is up to the access list of the
/// directory that it is in.
pub(crate) fn check(info: &Info) -> Result<(), RootCause> {
    check_kind(info)
}

/// Refuses what is no directory, or only leads to one: others may be able to change the link.
pub(crate) fn check_kind(info: &Info) -> Result<(), RootCause> {
    if info.metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
        return Err(RootCause::Link);
    }
    if info.metadata.is_dir() { Ok(()) } else { Err(RootCause::NotDirectory) }
}

/// Looks at an entry that may have been left. `None` if it is neither file nor directory, or the
/// directory of a run.
pub(crate) fn candidate(
    dir: &Dir,
    path: &Path,
    name: &str,
) -> Result<Option<Candidate>, ErrorCode> {
    let identity = Native.identity_at(dir, name.as_bytes())?;
    let directory = match Native.metadata_at(dir, name.as_bytes())?.kind {
        EntryKind::File => false,
        EntryKind::Directory => true,
        EntryKind::Other => return Ok(None),
    };
    if Native.metadata_at(dir, lock_name(name).as_bytes()).is_ok() {
        return Ok(None);
    }
    let metadata = fs::symlink_metadata(path).map_err(|cause| error_code_of(&cause))?;
    Ok(Some(Candidate { identity, directory, changed: metadata.modified().ok() }))
}

/// No cleaner of the system's asks for a lock on a directory.
pub(crate) fn lock_root(_: &Dir) -> io::Result<bool> {
    Ok(true)
}

/// Makes the directory of a run. Its lock comes first, so a directory without one is not ours.
pub(crate) fn make(root: &Dir, name: &str) -> Result<Lock, ErrorCode> {
    let mut lock = Lock(Some(Native::create_exclusive(root, lock_name(name).as_bytes())?));
    match Native.create_directory(root, name.as_bytes()) {
        Ok(()) => Ok(lock),
        Err(code) => {
            remove_lock(root, name, &mut lock);
            Err(code)
        }
    }
}

/// Removes an empty directory of a run. If this fails, a sweep removes it.
pub(crate) fn unmake(root: &Dir, name: &str, lock: &mut Lock) {
    if let Ok(()) | Err(ErrorCode::NoEntry) = Native.remove_directory(root, name.as_bytes()) {
        remove_lock(root, name, lock);
    }
}

/// A new directory is locked from the start.
pub(crate) fn claim(_: &Dir, _: &str, _: &Dir, _: &Lock) -> io::Result<Claim> {
    Ok(Claim::Ours)
}

/// The mark goes with the lock.
pub(crate) fn unmark(_: &Dir) {}

/// The name of the run whose lock has this name.
pub(crate) fn run_of_lock(name: &str) -> Option<&str> {
    name.strip_suffix(LOCK_SUFFIX)
}

/// Removes the lock of a run whose directory is gone or kept. If this fails, a sweep does it.
pub(crate) fn remove_lock(root: &Dir, name: &str, lock: &mut Lock) {
    if let Some(_held) = lock.0.take() {
        let _ = Native.remove_file(root, lock_name(name).as_bytes());
    }
}

/// Removes the lock of a run that has neither a directory nor a process.
pub(crate) fn remove_stray_lock(root: &Dir, name: &str) {
    if Native.metadata_at(root, name.as_bytes()) == Err(ErrorCode::NoEntry)
        && let Ok(lock) = Native::open_exclusive(root, lock_name(name).as_bytes())
    {
        remove_lock(root, name, &mut Lock(Some(lock)));
    }
}

/// Opens a directory with the name of a run if it has a lock, and locks it if nobody else has.
pub(crate) fn look(root: &Dir, name: &str, open: Open) -> Result<Found, ErrorCode> {
    let lock = match Native::open_exclusive(root, lock_name(name).as_bytes()) {
        Ok(lock) => Lock(Some(lock)),
        Err(ErrorCode::Busy) => return Ok(Found::Live),
        Err(ErrorCode::NoEntry) => {
            // The lock is removed last.
            let is_gone = Native.metadata_at(root, name.as_bytes()) == Err(ErrorCode::NoEntry);
            return Ok(if is_gone { Found::Gone } else { Found::Foreign });
        }
        Err(code) => return Err(code),
    };
    match open(&Native, root, name.as_bytes()) {
        Ok(dir) => Ok(Found::Orphan(dir, lock)),
        Err(ErrorCode::NoEntry) => Ok(Found::Gone),
        Err(code) => Err(code),
    }
}

/// The name of an entry, as a path has it; with U+FFFD where it is not Unicode.
pub(crate) fn file_name(name: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&name).into_owned().into()
}

/// Whether an error of the system ended something.
pub(crate) fn is_of_system(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<io::Error>()
}

fn lock_name(name: &str) -> String {
    format!("{name}{LOCK_SUFFIX}")
}
