//! Directories of the host's that are granted to a plugin.

use std::io;
use std::path::{Path, PathBuf};

use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, MountCause};
use crate::system::{self, Dir};

/// A directory of the host's, granted to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    host: PathBuf,
    guest: String,
    read_only: bool,
}

impl Mount {
    /// Shows the directory `host` to the plugin as `guest`, for reading and writing.
    ///
    /// # Errors
    ///
    /// If `guest` is not an absolute path in its plain form (`/data`, not `/data/` or
    /// `/a/../data`), or is the scratch directory's path or below it.
    pub fn new(host: impl Into<PathBuf>, guest: impl Into<String>) -> Result<Self, Error> {
        let guest = guest.into();
        match refusal(&guest) {
            Some(cause) => Err(Error::Mount { guest, cause }),
            None => Ok(Self { host: host.into(), guest, read_only: false }),
        }
    }

    /// Lets the plugin only read.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The path in the plugin.
    pub(crate) fn guest(&self) -> &str {
        &self.guest
    }

    /// Whether the plugin may only read.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    pub(super) fn host(&self) -> &Path {
        &self.host
    }

    pub(crate) fn open(&self) -> Result<Dir, Error> {
        system::open_mount(&self.host).map_err(|source| self.unopened(source))
    }

    pub(super) fn unopened(&self, source: io::Error) -> Error {
        let cause = MountCause::Open { host: self.host.clone(), source };
        Error::Mount { guest: self.guest.clone(), cause }
    }
}

/// Why a path in the plugin is refused.
fn refusal(guest: &str) -> Option<MountCause> {
    let Some(relative) = guest.strip_prefix('/') else { return Some(MountCause::Relative) };
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if !relative.is_empty() && !relative.split('/').all(plain) {
        return Some(MountCause::NotPlain);
    }
    let below = guest.strip_prefix(SCRATCH_GUEST_PATH)?;
    (below.is_empty() || below.starts_with('/')).then_some(MountCause::Scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_cannot_take_the_place_of_the_scratch_directory() {
        for guest in
            ["/tmp", "/tmp/", "/tmp/deep", "//tmp", "/./tmp", "/data/../tmp", "tmp", "", "/data/"]
        {
            assert!(Mount::new("here", guest).is_err(), "{guest:?}");
        }
        for guest in ["/", "/data", "/tmpfiles", "/data/tmp"] {
            assert!(Mount::new("here", guest).is_ok(), "{guest:?}");
        }
    }
}
