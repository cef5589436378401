//! Fulfils the requirements that a case's [`Setup`] has on its process.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{Grant, Placement, Setup};

#[cfg(unix)]
#[path = "setup/unix.rs"]
mod sys;
#[cfg(windows)]
#[path = "setup/windows.rs"]
mod sys;

pub use sys::{furnish, nowhere, prepare};

/// The environment variables of a setup, for a scratch directory at this path.
pub fn environment(chosen: &[(&str, &str)], scratch: &str) -> Vec<(String, String)> {
    chosen
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("{scratch}", scratch)))
        .collect()
}

/// The place of a granted directory below `granted` in a sandbox. Nested directories lie side by
/// side there, so that only the right preopen leads to each.
pub fn preopen(granted: &Path, grant: &Grant) -> PathBuf {
    granted.join(grant.path.replace('/', "+"))
}

/// Creates the granted directories below `granted`.
pub fn grant(setup: &Setup, placement: Placement, granted: &Path) -> io::Result<()> {
    setup.grants.iter().try_for_each(|grant| fs::create_dir(place(placement, granted, grant)))
}

fn place(placement: Placement, granted: &Path, grant: &Grant) -> PathBuf {
    match placement {
        Placement::Native => granted.join(grant.path),
        Placement::Component | Placement::Host => preopen(granted, grant),
    }
}
