//! Unix: users, umasks, limits; mounts where this is Linux.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod posix;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use posix as system;

use super::place;
use crate::{Mount, Placement, Planted, Setup};
use rustix::fs::{CWD, Mode, RawMode};
use rustix::process::{Resource, Rlimit};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{env, fs, io};

/// The uid and gid of an unprivileged case: `nobody`.
const NOBODY: u32 = 65534;

/// The fallback directories for temporary files, whatever the environment contains.
const CANDIDATES: [&str; 3] = ["/tmp", "/var/tmp", "/usr/tmp"];

/// Mounts the file systems among the granted directories, for this process.
fn mount_granted(setup: &Setup, placement: Placement, granted: &Path) -> Result<(), String> {
    let mut file_systems = setup.grants.iter().filter(|grant| grant.file_system);
    file_systems.try_for_each(|grant| {
        told(
            "mount a file system",
            system::tmpfs(&place(placement, granted, grant), 1 << 20, false),
        )
    })
}

/// Prepares this process, or returns the reason why that is impossible here. The process must have
/// only one thread. `directory` is where the case will have its scratch directory, `granted` where
/// its granted directories are.
pub fn prepare(
    setup: &Setup,
    placement: Placement,
    directory: &Path,
    granted: Option<&Path>,
) -> Result<(), String> {
    if !setup.mounts.is_empty() || setup.grants.iter().any(|grant| grant.file_system) {
        told("give this process mounts of its own", system::mount_namespace())?;
        mount_granted(setup, placement, granted.unwrap_or(directory))?;
    }
    if let Some(umask) = setup.umask {
        // Nine bits.
        rustix::process::umask(Mode::from_raw_mode(umask as RawMode));
    }
    if setup.unprivileged && rustix::process::geteuid().is_root() {
        if let Some(granted) = granted {
            told(
                "grant directories to an ordinary user",
                open_to_nobody(setup, placement, granted),
            )?;
        }
        told("become an ordinary user", become_nobody(directory))?;
    }
    Ok(())
}

/// Makes every fallback directory read-only, for this process.
pub fn nowhere() -> Result<(), String> {
    told("hide the candidates", system::mount_namespace().and_then(|()| hide_candidates()))
}

/// Puts the setup's entries into the scratch directory, mounts its file systems there, and then
/// sets the limits: by now the runner has opened all it needs.
pub fn furnish(setup: &Setup, scratch: &Path) -> Result<(), String> {
    for planted in setup.planted {
        told("make a special file", plant(*planted, scratch))?;
    }
    for mount in setup.mounts {
        told("mount a file system", attach(mount, scratch))?;
    }
    if let Some(open_files) = setup.open_files {
        let limit = Rlimit { current: Some(open_files), maximum: Some(open_files) };
        told(
            "limit the open files",
            rustix::process::setrlimit(Resource::Nofile, limit).map_err(io::Error::from),
        )?;
    }
    Ok(())
}

fn told<T>(verb: &str, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("this process can't {verb}: {error}"))
}

fn plant(planted: Planted, scratch: &Path) -> io::Result<()> {
    let at = scratch.join(planted.name());
    match planted {
        Planted::Fifo => system::fifo(&at),
        Planted::ForeignName => {
            fs::create_dir(&at)?;
            fs::write(at.join(OsStr::from_bytes(b"foreign-\xff")), b"")
        }
    }
}

fn attach(mount: &Mount, scratch: &Path) -> io::Result<()> {
    let at = scratch.join(mount.name());
    match mount {
        Mount::FileSystem { size, read_only, .. } => {
            fs::create_dir(&at)?;
            system::tmpfs(&at, *size, *read_only)
        }
        Mount::BusyFile { .. } => {
            fs::create_dir_all(at.parent().unwrap_or(scratch))?;
            fs::write(&at, "")?;
            system::mount_over_itself(&at)
        }
    }
}

/// Mounts read-only file systems over the fallback directories.
fn hide_candidates() -> io::Result<()> {
    for candidate in CANDIDATES.map(Path::new) {
        if candidate.is_dir() {
            system::tmpfs(candidate, 4096, true)?;
        }
    }
    env::set_current_dir(CANDIDATES[0])
}

/// Lets an ordinary user create in the granted directories, and not list them.
fn open_to_nobody(setup: &Setup, placement: Placement, granted: &Path) -> io::Result<()> {
    fs::set_permissions(granted, fs::Permissions::from_mode(0o711))?;
    let mut grants = setup.grants.iter();
    grants.try_for_each(|grant| {
        let mode = fs::Permissions::from_mode(0o1733);
        fs::set_permissions(place(placement, granted, grant), mode)
    })
}

fn become_nobody(scratch: &Path) -> io::Result<()> {
    let (user, group) = (rustix::fs::Uid::from_raw(NOBODY), rustix::fs::Gid::from_raw(NOBODY));
    rustix::fs::chownat(CWD, scratch, Some(user), Some(group), rustix::fs::AtFlags::empty())?;
    system::become_user(user, group)
}
