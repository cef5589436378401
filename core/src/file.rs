//! An open file: bytes, and no name.

use alloc::vec::Vec;
use core::mem;

use crate::birth::Held;
use crate::error::{Context, Error, ErrorCode};
use crate::ledger::{self, HandleKind, Line};
use crate::path::{NamePath, Place, open_parent};
use crate::platform::Platform;
use crate::remove::CleanupFailure;

/// The most that one read brings, in bytes: what may be allocated for a caller who asks for more.
pub const MAX_READ: usize = 1 << 20;

/// The most that one write takes, in bytes: hosts limit what one call may make them copy, and trap past it.
pub const MAX_WRITE: usize = 8 << 20;

/// Offsets and sizes end where the systems' signed ones do.
pub(crate) const MAX_OFFSET: u64 = i64::MAX as u64;

/// What must be on stable storage before an operation answers: `durability` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing.
    None,
    /// The file's bytes and size.
    Data,
    /// The file with all its metadata and, where it gets a name, the directory of the name.
    Full,
}

/// What a file owes to the name it was created under.
pub(crate) enum Origin<P: Platform> {
    /// It has a name, which is somebody else's to remove.
    Named,
    /// The system made it without one.
    Unnamed,
    /// It had a private name, which is gone.
    Unlinked,
    /// It still has its private name, since the host can't remove the name of an open file.
    Hidden { place: Place<P>, path: NamePath },
}

enum State<P: Platform> {
    Open {
        file: Held<P>,
        origin: Origin<P>,
    },
    /// Closed, but the private name could not be removed yet.
    Leftover {
        place: Place<P>,
        path: NamePath,
    },
    Closed,
}

/// An open file: `file` of the interface. Dropping it closes it.
///
/// Every method but [`close`](Self::close) answers `closed` once the file is closed or handed over.
pub struct File<P: Platform> {
    platform: P,
    state: State<P>,
    line: Line,
}

impl<P: Platform> File<P> {
    pub(crate) fn new(platform: P, file: P::File, origin: Origin<P>) -> Self {
        Self::held(platform, Held::Alone(file), origin)
    }

    pub(crate) fn held(platform: P, file: Held<P>, origin: Origin<P>) -> Self {
        let line = Line::open(&platform, HandleKind::File, None, None);
        File { platform, state: State::Open { file, origin }, line }
    }

    /// One that is part of something which has its own line in the ledger.
    pub(crate) fn unlisted(platform: P, file: P::File, origin: Origin<P>) -> Self {
        File { platform, state: State::Open { file: Held::Alone(file), origin }, line: Line::none() }
    }

    /// A file that another core handed over: bytes, and nothing owed to any name.
    pub fn handed_over(platform: P, file: P::File) -> Self {
        File::new(platform, file, Origin::Unlinked)
    }

    /// Takes the file out, and leaves one that is closed.
    pub(crate) fn take(&mut self) -> Self {
        File {
            platform: self.platform.clone(),
            state: mem::replace(&mut self.state, State::Closed),
            line: mem::replace(&mut self.line, Line::none()),
        }
    }

    /// Reads up to `max` bytes at `offset`, [`MAX_READ`] at most; empty at the end.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1.
    pub fn read(&self, offset: u64, max: u32) -> Result<Vec<u8>, Error> {
        let read = |file: &_| {
            let max = usize::try_from(max).unwrap_or(MAX_READ).min(MAX_READ);
            match room_to_read(offset, max)? {
                0 => Ok(Vec::new()),
                max => self.platform.read(file, offset, max),
            }
        };
        self.open().and_then(read).during("read", SUBJECT)
    }

    /// Reads into `buffer`; 0 at the end. May be short.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        self.open()
            .and_then(|file| match room_to_read(offset, buffer.len())? {
                0 => Ok(0),
                max => self.platform.read_into(file, offset, &mut buffer[..max]),
            })
            .during("read", SUBJECT)
    }

    /// Writes at `offset` and says how many bytes went in: at least one, unless none were given.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1; `file-too-large`, `no-space` and others of the system.
    pub fn write(&self, offset: u64, data: &[u8]) -> Result<u64, Error> {
        self.open()
            .and_then(|file| match checked(offset)? {
                _ if data.is_empty() => Ok(0),
                offset if data.len() as u64 > MAX_OFFSET - offset => Err(ErrorCode::FileTooLarge),
                offset => {
                    let data = &data[..data.len().min(MAX_WRITE)];
                    self.platform.write(file, offset, data).map(|count| count as u64)
                }
            })
            .during("write", SUBJECT)
    }

    /// The size in bytes.
    ///
    /// # Errors
    /// `closed`.
    pub fn size(&self) -> Result<u64, Error> {
        self.open().and_then(|file| self.platform.size(file)).during("look at", SUBJECT)
    }

    /// Cuts the file, or grows it with zeros.
    ///
    /// # Errors
    /// `closed`; `invalid` if the size is over 2^63-1; `file-too-large`.
    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        self.open().and_then(|file| self.platform.set_size(file, checked(size)?)).during("resize", SUBJECT)
    }

    /// Waits until what was written is on stable storage.
    ///
    /// # Errors
    /// `closed`; `io`; `no-space`. After one of the latter two the file's state on storage is unknown.
    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        self.open().and_then(|file| sync(&self.platform, file, durability)).during("sync", SUBJECT)
    }

    /// Gives an unnamed file a name that is free: `link` of the interface.
    ///
    /// # Errors
    /// `closed`; `invalid` if it has or had a name; `exist`; `unsupported`; `cross-device`; those of guest paths. If only the last
    /// step of [`Durability::Full`] failed, syncing the directory, the name is there.
    pub fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
        self.link_to(target, durability).during("link a file to", target)
    }

    fn link_to(&mut self, target: &str, durability: Durability) -> Result<(), ErrorCode> {
        let State::Open { file, origin } = &mut self.state else { return Err(ErrorCode::Closed) };
        match origin {
            Origin::Unnamed => {}
            Origin::Unlinked | Origin::Hidden { .. } => return Err(ErrorCode::Unsupported),
            Origin::Named => return Err(ErrorCode::Invalid),
        }
        let place = link(&self.platform, file.get_ref(), target, durability)?;
        *origin = Origin::Named;
        sync_parent(&self.platform, &place, durability)
    }

    /// Gives the platform's own file away: `direct.hand-over` of the interface.
    ///
    /// # Errors
    /// `closed`; `unsupported` while the file still has its private name, which only this handle can remove.
    pub fn hand_over(&mut self) -> Result<P::File, Error> {
        self.part().during("hand over", SUBJECT)
    }

    fn part(&mut self) -> Result<P::File, ErrorCode> {
        match &self.state {
            State::Open { origin: Origin::Hidden { .. }, .. } => return Err(ErrorCode::Unsupported),
            State::Open { file, .. } => file.part(&self.platform)?,
            State::Leftover { .. } | State::Closed => return Err(ErrorCode::Closed),
        }
        match mem::replace(&mut self.state, State::Closed) {
            State::Open { file, .. } => {
                self.line.close(&self.platform);
                Ok(file.into_inner())
            }
            State::Leftover { .. } | State::Closed => Err(ErrorCode::Closed),
        }
    }

    /// The platform's own file, while this one is open.
    ///
    /// # Errors
    /// `closed`.
    pub fn get_ref(&self) -> Result<&P::File, Error> {
        self.open().during("look at", SUBJECT)
    }

    /// The platform's own file, for something that begins at `offset`.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1.
    pub fn at(&self, offset: u64) -> Result<&P::File, Error> {
        self.open().and_then(|file| checked(offset).map(|_| file)).during("make a stream of", SUBJECT)
    }

    /// Another handle to the file, for a stream that begins at `offset` and goes on when this one is closed. It is on nobody's list.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1; `out-of-handles`; `unsupported` where streams are the system's own.
    pub fn duplicate(&self, offset: u64) -> Result<Self, Error> {
        let file = self.at(offset)?;
        let another = self.platform.duplicate(file).during("make a stream of", SUBJECT)?;
        Ok(File::unlisted(self.platform.clone(), another, Origin::Named))
    }

    /// Closes the file. Closing again is a success.
    ///
    /// # Errors
    /// Those of removing the private name, where the file still has one; the promise stands, and close can be tried again.
    pub fn close(&mut self) -> Result<(), Error> {
        match mem::replace(&mut self.state, State::Closed) {
            State::Open { file, origin } => {
                // What can't be told now, the name will miss if it ever asks.
                let _ = file.part(&self.platform);
                // The handle goes first: this is for hosts that refuse to remove an open file.
                drop(file);
                self.line.close(&self.platform);
                match origin {
                    Origin::Named | Origin::Unnamed | Origin::Unlinked => Ok(()),
                    Origin::Hidden { place, path } => self.remove_private_name(place, path),
                }
            }
            State::Leftover { place, path } => self.remove_private_name(place, path),
            State::Closed => Ok(()),
        }
        .during("close", SUBJECT)
    }

    fn remove_private_name(&mut self, place: Place<P>, path: NamePath) -> Result<(), ErrorCode> {
        match self.platform.remove_file(&place.dir, path.name()) {
            Ok(()) | Err(ErrorCode::NoEntry) => Ok(()),
            Err(code) => {
                self.state = State::Leftover { place, path };
                Err(code)
            }
        }
    }

    fn open(&self) -> Result<&P::File, ErrorCode> {
        match &self.state {
            State::Open { file, .. } => Ok(file.get_ref()),
            State::Leftover { .. } | State::Closed => Err(ErrorCode::Closed),
        }
    }
}

impl<P: Platform> Drop for File<P> {
    fn drop(&mut self) {
        // Drop forgives: whoever wants to know calls close, or looks into the ledger.
        if let (Err(error), State::Leftover { path, .. }) = (self.close(), &self.state) {
            ledger::left_over(&self.platform, CleanupFailure { path: path.path().into(), error });
        }
    }
}

/// Gives an unnamed file a name that is free, by the platform's own file: for a caller to whom
/// [`File::hand_over`] gave it.
///
/// # Errors
/// Those of [`File::link`], but for `closed` and `invalid`: the caller knows whether the file has a name.
pub fn link_unnamed<P: Platform>(
    platform: &P,
    file: &P::File,
    target: &str,
    durability: Durability,
) -> Result<(), Error> {
    link(platform, file, target, durability)
        .and_then(|place| sync_parent(platform, &place, durability))
        .during("link a file to", target)
}

fn link<P: Platform>(
    platform: &P,
    file: &P::File,
    target: &str,
    durability: Durability,
) -> Result<Place<P>, ErrorCode> {
    let (place, name) = open_parent(platform, target)?;
    sync(platform, file, durability)?;
    platform.link_unnamed(file, &place.dir, name.as_bytes())?;
    platform.ledger(|ledger, _| ledger.kept());
    Ok(place)
}

fn sync_parent<P: Platform>(platform: &P, place: &Place<P>, durability: Durability) -> Result<(), ErrorCode> {
    match durability {
        Durability::None | Durability::Data => Ok(()),
        Durability::Full => platform.sync_directory(&place.dir),
    }
}

/// A file knows no name that it could be called by.
const SUBJECT: &str = "a temporary file";

fn checked(offset: u64) -> Result<u64, ErrorCode> {
    if offset <= MAX_OFFSET { Ok(offset) } else { Err(ErrorCode::Invalid) }
}

/// How much of `max` bytes there can be from `offset` on. Systems refuse a read that would end past the last offset, even of an empty file.
fn room_to_read(offset: u64, max: usize) -> Result<usize, ErrorCode> {
    let room = MAX_OFFSET - checked(offset)?;
    Ok(usize::try_from(room).unwrap_or(usize::MAX).min(max))
}

/// Brings a file to stable storage as far as `durability` says.
pub(crate) fn sync<P: Platform>(
    platform: &P,
    file: &P::File,
    durability: Durability,
) -> Result<(), ErrorCode> {
    match durability {
        Durability::None => Ok(()),
        Durability::Data => platform.sync_data(file),
        Durability::Full => platform.sync_all(file),
    }
}
