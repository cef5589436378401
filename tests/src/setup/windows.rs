//! Windows: what it does not have is the reason to skip a case.

use std::fs;
use std::os::windows::ffi::OsStringExt;
use std::path::Path;

use crate::{Placement, Planted, Setup};

/// Returns the reason why this process can't be prepared, if there is one.
pub fn prepare(setup: &Setup, _: Placement, _: &Path, _: Option<&Path>) -> Result<(), String> {
    possible(setup)
}

/// Returns the reason why a setup is impossible here, if there is one.
fn possible(setup: &Setup) -> Result<(), String> {
    let mounts = !setup.mounts.is_empty() || setup.grants.iter().any(|grant| grant.file_system);
    let refused = [
        (setup.umask.is_some() || setup.unprivileged, "Windows has no modes"),
        (mounts, "Windows mounts no file system for one process"),
        (setup.open_files.is_some(), "Windows does not limit the open files of a process"),
        (setup.planted.contains(&Planted::Fifo), "Windows has no fifos in directories"),
    ];
    match refused.into_iter().find(|(refused, _)| *refused) {
        Some((_, reason)) => Err(reason.to_owned()),
        None => Ok(()),
    }
}

/// Returns the reason why the fallback directories can't be made read-only.
pub fn nowhere() -> Result<(), String> {
    Err("Windows makes no directory read-only for one process".to_owned())
}

/// Puts the setup's entries into the scratch directory, or returns the reason why that is
/// impossible here. In a sandbox not every case has a process to prepare.
pub fn furnish(setup: &Setup, scratch: &Path) -> Result<(), String> {
    possible(setup)?;
    if setup.planted.contains(&Planted::ForeignName) {
        let directory = scratch.join(Planted::ForeignName.name());
        // Half of a surrogate pair.
        let name = std::ffi::OsString::from_wide(&[u16::from(b'f'), 0xD800]);
        let planted =
            fs::create_dir(&directory).and_then(|()| fs::write(directory.join(name), b""));
        planted.map_err(|error| format!("this process can't make a foreign name: {error}"))?;
    }
    Ok(())
}
