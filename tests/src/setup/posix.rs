//! Other systems than Linux: what a case asks for in vain is the reason to skip it.

use rustix::fs::{Gid, Uid};
use std::io;
use std::path::Path;
use std::process::Command;

fn unsupported<T>(reason: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, reason))
}

pub(super) fn mount_namespace() -> io::Result<()> {
    unsupported("only Linux mounts for one process")
}

pub(super) fn tmpfs(_: &Path, _: u64, _: bool) -> io::Result<()> {
    unsupported("only Linux mounts for one process")
}

pub(super) fn mount_over_itself(_: &Path) -> io::Result<()> {
    unsupported("only Linux mounts for one process")
}

/// Makes a fifo, with the program that POSIX has for it.
pub(super) fn fifo(at: &Path) -> io::Result<()> {
    let made = Command::new("mkfifo").arg(at).status()?;
    if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo failed")) }
}

pub(super) fn become_user(_: Uid, _: Gid) -> io::Result<()> {
    unsupported("run the suite as an ordinary user here")
}
