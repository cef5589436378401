//! What the scratch directory needs from the operating system.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, Mode, OFlags};
use rustix::io::Errno;

use super::Stayed;
use crate::error::RootCause;

/// How often a taken name is tried again. With 80 random bits even the second try never happens by chance.
const TRIES: u32 = 16;

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Opens a root that only this user may write to, and creates it first if it is missing.
pub(super) fn open_root(path: &Path) -> Result<OwnedFd, RootCause> {
    let failed = |operation| move |errno: Errno| RootCause::Io { operation, cause: errno.into() };
    match sys::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed("create it")(errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = sys::open(path, flags, Mode::empty()).map_err(|errno| match kind_of(path) {
        Some(sys::FileType::Symlink) => RootCause::Link,
        Some(sys::FileType::Directory) | None => failed("open it")(errno),
        Some(_) => RootCause::NotDirectory,
    })?;
    let stat = sys::fstat(&directory).map_err(failed("look at it"))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(RootCause::Foreign { owner: stat.st_uid });
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::WGRP | Mode::WOTH) {
        return Err(RootCause::Shared { mode: mode.as_raw_mode() });
    }
    Ok(directory)
}

fn kind_of(path: &Path) -> Option<sys::FileType> {
    let stat = sys::lstat(path).ok()?;
    Some(sys::FileType::from_raw_mode(stat.st_mode))
}

/// Makes a directory of mode 0700 with an unguessable name, and gives the name.
pub(super) fn create_private_dir(root: impl AsFd) -> io::Result<String> {
    let mut tries = 0;
    loop {
        let name = private_name()?;
        match sys::mkdirat(&root, &name, Mode::RWXU) {
            Ok(()) => {
                // A stricter umask than ours would lock us out of our own directory.
                sys::chmodat(&root, &name, Mode::RWXU, sys::AtFlags::empty())?;
                return Ok(name);
            }
            Err(Errno::EXIST) if tries < TRIES => tries += 1,
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn private_name() -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let letters = random.map(|byte| char::from(BASE32[usize::from(byte % 32)]));
    Ok(format!("run-{}", letters.iter().collect::<String>()))
}

/// Removes a directory of the root with everything in it, and never follows a link.
pub(super) fn remove_tree(_root: impl AsFd, root_path: &Path, name: &str) -> Vec<Stayed> {
    match std::fs::remove_dir_all(root_path.join(name)) {
        Ok(()) => Vec::new(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => vec![Stayed { path: PathBuf::from(name), cause }],
    }
}
