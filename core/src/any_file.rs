//! The interface's `file`: an open file, or one that is spooled.

use alloc::vec::Vec;
use core::mem;

use rand_core::TryRng;

use crate::create;
use crate::error::{Context, Error, ErrorCode};
use crate::file::{Durability, File};
use crate::ledger::{self, HandleKind, Line};
use crate::path::Place;
use crate::platform::Platform;
use crate::spool::{Spool, Storage};

/// `file` of the interface. Dropping it closes it.
///
/// Every method but [`close`](Self::close) answers `closed` once the file is closed or handed over.
pub enum AnyFile<P: Platform, R> {
    /// On disk from the start.
    Plain(File<P>),
    /// In memory while it is small.
    Spooled(Spooled<P, R>),
}

/// A file that stays in memory while it is small, and where it goes when it no longer is.
pub struct Spooled<P: Platform, R> {
    platform: P,
    source: R,
    place: Place<P>,
    /// None: closed.
    spool: Option<Spool<File<P>>>,
    line: Line,
}

/// Creates a file that stays in memory up to and including `max_memory` bytes: `spooled` of the interface. 0: straight to disk;
/// none: never by itself.
///
/// # Errors
/// With 0, those of [`unnamed`](create::unnamed).
pub fn spooled<P: Platform, R: TryRng>(
    platform: &P,
    source: R,
    max_memory: Option<u64>,
    place: &Place<P>,
) -> Result<AnyFile<P, R>, Error> {
    platform.admit_handles(1).during("create", SUBJECT)?;
    let mut file = Spooled {
        platform: platform.clone(),
        source,
        place: place.clone(),
        spool: Some(Spool::new(max_memory)),
        line: Line::open(platform, HandleKind::File, None, None),
    };
    if max_memory == Some(0) {
        file.change(|spool, make| spool.roll_over(make))?;
    }
    Ok(AnyFile::Spooled(file))
}

/// Makes the unnamed file that a spooled one moves to.
type Make<'a, P> = &'a mut dyn FnMut() -> Result<File<P>, Error>;

impl<P: Platform, R: TryRng> Spooled<P, R> {
    fn spool(&self) -> Result<&Spool<File<P>>, Error> {
        self.spool.as_ref().ok_or_else(closed)
    }

    /// Does what may move the bytes to disk, and brings the ledger up to date.
    fn change<T>(
        &mut self,
        act: impl FnOnce(&mut Spool<File<P>>, Make<'_, P>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Spooled { platform, source, place, spool, .. } = self;
        let spool = spool.as_mut().ok_or_else(closed)?;
        let before = spool.in_memory();
        let done = act(spool, &mut || create::unlisted(platform, source, place));
        ledger::resize(platform, before, spool.in_memory());
        done
    }

    /// Asks for the memory that reaching `end` takes. A file that may not have it moves to disk, as if it had grown past its own
    /// limit; one that never moves is refused.
    fn admit(&mut self, end: u64, operation: &str) -> Result<(), Error> {
        let Some(spool) = &self.spool else { return Ok(()) };
        match self.platform.admit_memory(spool.growth(end)) {
            Ok(()) => Ok(()),
            Err(_) if spool.moves() => self.change(|spool, make| spool.roll_over(make)),
            Err(code) => Err(code).during(operation, SUBJECT),
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        if let Some(spool) = &mut self.spool {
            if let Some(file) = spool.file_mut() {
                file.close()?;
            }
            ledger::resize(&self.platform, spool.in_memory(), 0);
            self.spool = None;
            self.line.close(&self.platform);
        }
        Ok(())
    }
}

impl<P: Platform, R> Drop for Spooled<P, R> {
    fn drop(&mut self) {
        if let Some(spool) = &self.spool {
            ledger::resize(&self.platform, spool.in_memory(), 0);
        }
        self.line.close(&self.platform);
    }
}

impl<P: Platform, R: TryRng + Clone> AnyFile<P, R> {
    /// Takes the file out, and leaves one that is closed: for whoever keeps files in a table that must not be borrowed while they are used.
    #[must_use]
    pub fn take(&mut self) -> Self {
        match self {
            AnyFile::Plain(file) => AnyFile::Plain(file.take()),
            AnyFile::Spooled(file) => AnyFile::Spooled(Spooled {
                platform: file.platform.clone(),
                source: file.source.clone(),
                place: file.place.clone(),
                spool: file.spool.take(),
                line: mem::replace(&mut file.line, Line::none()),
            }),
        }
    }
}

impl<P: Platform, R: TryRng> AnyFile<P, R> {
    /// As [`File::read`].
    ///
    /// # Errors
    /// As [`File::read`].
    pub fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        match self {
            AnyFile::Plain(file) => file.read(offset, max),
            AnyFile::Spooled(file) => file.spool()?.read(offset, max),
        }
    }

    /// As [`File::write`].
    ///
    /// # Errors
    /// As [`File::write`]; `out-of-memory`; those of moving to disk, which change nothing.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Result<u64, Error> {
        match self {
            AnyFile::Plain(file) => file.write(offset, data),
            AnyFile::Spooled(file) => {
                file.admit(offset.saturating_add(data.len() as u64), "write")?;
                file.change(|spool, make| spool.write(offset, data, make))
            }
        }
    }

    /// As [`File::size`].
    ///
    /// # Errors
    /// As [`File::size`].
    pub fn size(&self) -> Result<u64, Error> {
        match self {
            AnyFile::Plain(file) => file.size(),
            AnyFile::Spooled(file) => file.spool()?.size(),
        }
    }

    /// As [`File::set_size`].
    ///
    /// # Errors
    /// As [`File::set_size`]; `out-of-memory`; those of moving to disk, which change nothing.
    pub fn set_size(&mut self, size: u64) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.set_size(size),
            AnyFile::Spooled(file) => {
                file.admit(size, "resize")?;
                file.change(|spool, make| spool.set_size(size, make))
            }
        }
    }

    /// As [`File::sync`]. In memory there is nothing to wait for.
    ///
    /// # Errors
    /// As [`File::sync`].
    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.sync(durability),
            AnyFile::Spooled(file) => file.spool()?.sync(durability),
        }
    }

    /// Where the bytes are.
    ///
    /// # Errors
    /// `closed`.
    pub fn storage(&self) -> Result<Storage, Error> {
        match self {
            AnyFile::Plain(file) => file.get_ref().map(|_| Storage::Disk),
            AnyFile::Spooled(file) => file.spool().map(Spool::storage),
        }
    }

    /// Moves the bytes to disk, if they are not there.
    ///
    /// # Errors
    /// `closed`; those of creating and writing a file, which leave the bytes in memory.
    pub fn roll_over(&mut self) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.get_ref().map(|_| ()),
            AnyFile::Spooled(file) => file.change(|spool, make| spool.roll_over(make)),
        }
    }

    /// As [`File::link`]; a spooled file moves to disk first.
    ///
    /// # Errors
    /// As [`File::link`] and [`roll_over`](Self::roll_over).
    pub fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
        self.on_disk()?.link(target, durability)
    }

    /// How many bytes are in memory that could move to disk.
    fn movable(&self) -> u64 {
        match self {
            AnyFile::Spooled(Spooled { spool: Some(spool), .. }) if spool.moves() => spool.in_memory(),
            AnyFile::Plain(_) | AnyFile::Spooled(_) => 0,
        }
    }

    /// How much more memory it would take if it reached to `end`.
    fn growth(&self, end: u64) -> u64 {
        match self {
            AnyFile::Plain(_) => 0,
            AnyFile::Spooled(file) => file.spool.as_ref().map_or(0, |spool| spool.growth(end)),
        }
    }

    /// The file on disk, to make a stream of: a spooled one moves there first.
    ///
    /// # Errors
    /// As [`roll_over`](Self::roll_over).
    pub fn on_disk(&mut self) -> Result<&mut File<P>, Error> {
        self.roll_over()?;
        match self {
            AnyFile::Plain(file) => Ok(file),
            AnyFile::Spooled(file) => file.spool.as_mut().and_then(Spool::file_mut).ok_or_else(closed),
        }
    }

    /// As [`File::hand_over`].
    ///
    /// # Errors
    /// As [`File::hand_over`]; `unsupported` while the bytes are in memory.
    pub fn hand_over(&mut self) -> Result<P::File, Error> {
        match self {
            AnyFile::Plain(file) => file.hand_over(),
            AnyFile::Spooled(file) => {
                let spool = file.spool.as_mut().ok_or_else(closed)?;
                let on_disk = spool.file_mut().ok_or(ErrorCode::Unsupported).during("hand over", SUBJECT)?;
                let handed = on_disk.hand_over()?;
                file.spool = None;
                file.line.close(&file.platform);
                Ok(handed)
            }
        }
    }

    /// As [`File::close`].
    ///
    /// # Errors
    /// As [`File::close`].
    pub fn close(&mut self) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.close(),
            AnyFile::Spooled(file) => file.close(),
        }
    }
}

/// The files of one user, among which room in memory is made.
pub trait SpooledFiles<P: Platform, R> {
    /// What their keeper calls them.
    type Key: Copy + Eq;

    /// All that are spooled, and perhaps others.
    fn keys(&self) -> Vec<Self::Key>;
    /// Does something with one of them; nothing if it is not there.
    fn with<T>(&mut self, key: Self::Key, act: impl FnOnce(&mut AnyFile<P, R>) -> T) -> Option<T>;
}

/// Makes room in memory for a file that is to reach `end`: the largest move to disk first. If the largest is this one, or none can move,
/// nothing is left to do here; the file then moves itself, or is refused.
pub fn make_room<P: Platform, R: TryRng, S: SpooledFiles<P, R>>(
    platform: &P,
    files: &mut S,
    this: S::Key,
    end: u64,
) {
    while let Some((growth, movable)) = files.with(this, |file| (file.growth(end), file.movable())) {
        if growth == 0 || platform.admit_memory(growth).is_ok() {
            return;
        }
        let mut largest = (this, movable + growth);
        for key in files.keys() {
            let size = files.with(key, |file| file.movable()).unwrap_or(0);
            if key != this && size >= largest.1 {
                largest = (key, size);
            }
        }
        let (largest, _) = largest;
        if largest == this || !files.with(largest, |file| file.roll_over().is_ok()).unwrap_or(false) {
            return;
        }
    }
}

const SUBJECT: &str = "a spooled file";

fn closed() -> Error {
    Error::new(ErrorCode::Closed, "use", SUBJECT)
}
