//! Linux: mounts of this process alone, and a user for its only thread.

use rustix::fs::{CWD, Gid, Mode, Uid};
use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::thread::UnshareFlags;
use std::ffi::CString;
use std::path::Path;
use std::{fs, io};

/// Gives this process its own mount namespace, in a user namespace if it is unprivileged.
pub(super) fn mount_namespace() -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    // SAFETY: the danger is in sharing file descriptors with other threads, and they stay shared.
    if unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }.is_err() {
        // SAFETY: as above.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS) }?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1", user = user.as_raw()))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1", group = group.as_raw()))?;
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    Ok(rustix::mount::mount_change("/", private)?)
}

/// Mounts a file system of `size` bytes in memory.
pub(super) fn tmpfs(at: &Path, size: u64, read_only: bool) -> io::Result<()> {
    let options = CString::new(format!("mode=0700,size={size}"))?;
    let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
    Ok(rustix::mount::mount("tmpfs", at, "tmpfs", flags, options.as_c_str())?)
}

/// Makes a file a mount point.
pub(super) fn mount_over_itself(at: &Path) -> io::Result<()> {
    Ok(rustix::mount::mount_bind(at, at)?)
}

/// Makes a fifo.
pub(super) fn fifo(at: &Path) -> io::Result<()> {
    Ok(rustix::fs::mkfifoat(CWD, at, Mode::RUSR | Mode::WUSR)?)
}

/// Changes the user and the group of this process's only thread.
pub(super) fn become_user(user: Uid, group: Gid) -> io::Result<()> {
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    Ok(rustix::thread::set_thread_res_uid(user, user, user)?)
}
