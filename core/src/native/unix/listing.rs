//! Listings of directories.

#[cfg(target_os = "linux")]
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, FileType};
#[cfg(target_os = "linux")]
use rustix::fs::{RawDir, SeekFrom};
use rustix::io::Errno;

use super::entry_kind;
use crate::error::ErrorCode;
use crate::native::errno::code;
use crate::platform::{EntryKind, RawEntry};

/// A directory listing.
pub struct Entries {
    dir: Arc<OwnedFd>,
    listing: Listing,
}

enum Listing {
    /// Through a descriptor of its own.
    Own(rustix::fs::Dir),
    /// Through the directory's descriptor.
    #[cfg(target_os = "linux")]
    Shared(SharedListing),
}

impl Entries {
    pub(super) fn new(dir: &Arc<OwnedFd>) -> Result<Self, ErrorCode> {
        // Opens `.` anew, because clones of a handle share its position.
        let listing = match rustix::fs::Dir::read_from(dir) {
            Ok(listing) => Listing::Own(listing),
            #[cfg(target_os = "linux")]
            Err(Errno::MFILE | Errno::NFILE) => Listing::Shared(SharedListing::default()),
            Err(errno) => return Err(code(errno)),
        };
        Ok(Entries { dir: dir.clone(), listing })
    }
}

impl Listing {
    fn next(&mut self, _dir: &OwnedFd) -> Option<Result<(CString, FileType), Errno>> {
        match self {
            Self::Own(listing) => listing
                .next()
                .map(|entry| entry.map(|entry| (entry.file_name().into(), entry.file_type()))),
            #[cfg(target_os = "linux")]
            Self::Shared(listing) => listing.next(_dir),
        }
    }
}

/// A listing through a descriptor that others may list through too: for a process that has no
/// descriptor left. It keeps its own position, since that of the descriptor is shared.
#[cfg(target_os = "linux")]
#[derive(Default)]
struct SharedListing {
    read: VecDeque<(CString, FileType)>,
    position: u64,
}

#[cfg(target_os = "linux")]
impl SharedListing {
    fn next(&mut self, dir: &OwnedFd) -> Option<Result<(CString, FileType), Errno>> {
        if self.read.is_empty()
            && let Err(errno) = self.read_on(dir)
        {
            return Some(Err(errno));
        }
        self.read.pop_front().map(Ok)
    }

    fn read_on(&mut self, dir: &OwnedFd) -> Result<(), Errno> {
        static POSITION: Mutex<()> = Mutex::new(());
        let _alone = POSITION.lock().unwrap_or_else(PoisonError::into_inner);
        // Only if it differs: some file systems lose their place in a directory that changes.
        if rustix::fs::tell(dir)? != self.position {
            rustix::fs::seek(dir, SeekFrom::Start(self.position))?;
        }
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut listing = RawDir::new(dir, &mut buffer);
        while let Some(entry) = listing.next() {
            let entry = entry?;
            self.position = entry.next_entry_cookie();
            self.read.push_back((entry.file_name().into(), entry.file_type()));
            if listing.is_buffer_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl Iterator for Entries {
    type Item = Result<RawEntry, ErrorCode>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (name, listed) = match self.listing.next(&self.dir)? {
                Ok(entry) => entry,
                Err(errno) => return Some(Err(code(errno))),
            };
            if &*name == c"." || &*name == c".." {
                continue;
            }
            match kind(&self.dir, &name, listed) {
                Ok(kind) => return Some(Ok(RawEntry { name: name.into_bytes(), kind })),
                // It was removed meanwhile.
                Err(Errno::NOENT) => {}
                Err(errno) => return Some(Err(code(errno))),
            }
        }
    }
}

/// The kind in the listing or, where the file system does not list it, in the entry's metadata.
fn kind(dir: &impl AsFd, name: &CStr, listed: FileType) -> Result<EntryKind, Errno> {
    Ok(entry_kind(match listed {
        FileType::Unknown => {
            let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            FileType::from_raw_mode(stat.st_mode)
        }
        known => known,
    }))
}
