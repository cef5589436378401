//! An open file, without a name.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::context::{Context, Descriptors, PlatformFile};
use crate::error::{Cause, Error, ErrorCode, ResultExt};
use crate::failures::CleanupFailure;
use crate::ledger::{ExplainExt, Kind, LedgerEntry, PendingRemoval};
use crate::location::OpenLocation;
use crate::memory::MemoryCharge;
use crate::name::NamePath;
use crate::persist::{Durability, Target, sync_file};
use crate::platform::Platform;
use crate::retry::{may_be_open, retry_removals};
use crate::usage::HandleKind;

/// The most bytes that one read returns: what may be allocated for a caller who asks for more.
pub const MAX_READ: usize = 1 << 20;

/// The most bytes that one write takes: hosts limit what one call may make them copy, and trap past
/// it.
pub const MAX_WRITE: usize = 4 << 20;

/// The largest offset and size: systems use signed 64-bit numbers.
pub(crate) const MAX_OFFSET: u64 = i64::MAX as u64;

/// How a file was created, which decides what its handle has to remove and whether it can be
/// linked.
pub(crate) enum Origin<C: Context> {
    /// It has a name, which somebody else guards.
    Named,
    /// The system created it without a name.
    Unnamed,
    /// It had a private name, which is gone or which the system removes with the last handle.
    Unlinked,
    /// It still has its private name, since the host cannot remove the name of an open file.
    PrivateName { location: OpenLocation<C>, path: NamePath },
}

enum State<C: Context> {
    Open {
        file: PlatformFile<C>,
        origin: Origin<C>,
    },
    /// Closed, but the private name could not be removed yet.
    NameLeft {
        location: OpenLocation<C>,
        path: NamePath,
    },
    Closed,
}

/// An open file: `file` of the interface. Dropping it closes it.
///
/// Every method but [`close`](Self::close) fails with `closed` once the file is closed or exchanged
/// for a descriptor.
pub struct File<C: Context> {
    ctx: C,
    state: State<C>,
    entry: LedgerEntry,
    charge: MemoryCharge,
}

impl<C: Context> File<C> {
    pub(crate) fn new(
        ctx: C,
        file: PlatformFile<C>,
        origin: Origin<C>,
        charge: MemoryCharge,
    ) -> Self {
        let entry = ctx.ledger().open(HandleKind::File, None, None, ctx.now());
        File { ctx, state: State::Open { file, origin }, entry, charge }
    }

    pub(crate) fn context(&self) -> &C {
        &self.ctx
    }

    /// A file that is part of something which has its own entry in the ledger.
    pub(crate) fn unlisted(ctx: C, file: PlatformFile<C>, origin: Origin<C>) -> Self {
        let charge = MemoryCharge::empty(None);
        File { ctx, state: State::Open { file, origin }, entry: LedgerEntry::none(), charge }
    }

    /// Takes the file out, and leaves one that is closed.
    pub(crate) fn take(&mut self) -> Self {
        File {
            ctx: self.ctx.clone(),
            state: mem::replace(&mut self.state, State::Closed),
            entry: mem::replace(&mut self.entry, LedgerEntry::none()),
            charge: mem::replace(&mut self.charge, MemoryCharge::empty(None)),
        }
    }

    /// Returns at most `length` bytes from `offset`, [`MAX_READ`] at most; none at end of file.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1.
    pub fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        let read = |file: &_| {
            let length = usize::try_from(length).unwrap_or(MAX_READ).min(MAX_READ);
            match readable(offset, length)? {
                0 => Ok(Vec::new()),
                length => self.ctx.platform().read(file, offset, length),
            }
        };
        self.open().and_then(read).without_path("read a temporary file")
    }

    /// Reads into `buffer`; 0 means end of file. May read less.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        let read = |file: &_| read_at(self.ctx.platform(), file, buffer, offset);
        self.open().and_then(read).without_path("read a temporary file")
    }

    /// Writes at `offset` and returns the number of bytes written: at least 1 unless `data` is
    /// empty.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1; `file-too-large`, `no-space` and others of
    /// the system.
    pub fn write(&self, data: &[u8], offset: u64) -> Result<u64, Error> {
        let write = |file: &_| write_at(self.ctx.platform(), file, data, offset);
        self.open()
            .and_then(write)
            .map(|count| count as u64)
            .explained(self.ctx.ledger())
            .without_path("write to a temporary file")
    }

    /// Returns the size in bytes.
    ///
    /// # Errors
    /// `closed`.
    pub fn size(&self) -> Result<u64, Error> {
        let size = |file: &_| self.ctx.platform().size(file);
        self.open().and_then(size).without_path("get the size of a temporary file")
    }

    /// Truncates the file, or extends it with zeros.
    ///
    /// # Errors
    /// `closed`; `invalid` if the size is over 2^63-1; `file-too-large`.
    pub fn set_size(&self, size: u64) -> Result<(), Error> {
        let resize = |file: &_| set_size(self.ctx.platform(), file, size);
        self.open()
            .and_then(resize)
            .explained(self.ctx.ledger())
            .without_path("resize a temporary file")
    }

    /// Waits until what was written is on stable storage.
    ///
    /// # Errors
    /// `closed`; `io`; `no-space`. After one of the latter two the file's state on storage is
    /// unknown.
    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        let sync = |file: &_| sync_file(self.ctx.platform(), file, durability);
        self.open().and_then(sync).without_path("sync a temporary file")
    }

    /// Gives an unnamed file a free name: `link` of the interface.
    ///
    /// # Errors
    /// `closed`; `invalid` if it has or had a name; `exist`; `unsupported`; `cross-device`;
    /// `not-durable`; those of paths.
    pub fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
        self.link_to(target, durability)
            .explained(self.ctx.ledger())
            .at("link a temporary file to", target)
    }

    fn link_to(&mut self, target: &str, durability: Durability) -> Result<(), Cause> {
        let State::Open { file, origin } = &mut self.state else {
            return Err(ErrorCode::Closed.into());
        };
        match origin {
            Origin::Unnamed => {}
            Origin::Unlinked | Origin::PrivateName { .. } => {
                return Err(ErrorCode::Unsupported.into());
            }
            Origin::Named => return Err(ErrorCode::Invalid.into()),
        }
        let target = link(&self.ctx, file, target, durability)?;
        *origin = Origin::Named;
        Ok(target.sync_directory(&self.ctx, durability)?)
    }

    /// Gives the platform's own file away and closes this one: `file-descriptor` of the interface.
    ///
    /// # Errors
    /// `closed`; `unsupported` if the context permits no descriptors, and while the file still has
    /// its private name, which only this handle can remove.
    pub fn into_descriptor(&mut self) -> Result<PlatformFile<C>, Error> {
        self.take_platform_file().without_path("get the descriptor of a temporary file")
    }

    fn take_platform_file(&mut self) -> Result<PlatformFile<C>, ErrorCode> {
        match mem::replace(&mut self.state, State::Closed) {
            State::Open { file, origin } => {
                let permitted = self.ctx.descriptors() == Descriptors::All;
                if !permitted || matches!(origin, Origin::PrivateName { .. }) {
                    self.state = State::Open { file, origin };
                    return Err(ErrorCode::Unsupported);
                }
                self.entry.close();
                Ok(file)
            }
            State::NameLeft { location, path } => {
                self.state = State::NameLeft { location, path };
                Err(ErrorCode::Closed)
            }
            State::Closed => Err(ErrorCode::Closed),
        }
    }

    /// The platform's own file, while this one is open.
    ///
    /// # Errors
    /// `closed`.
    pub fn get_ref(&self) -> Result<&PlatformFile<C>, Error> {
        self.open().without_path("use a temporary file")
    }

    /// The platform's own file, for a stream of the system's that begins at `offset`.
    ///
    /// # Errors
    /// `closed`; `unsupported` if the context permits no descriptors; `invalid` if the offset is
    /// over 2^63-1.
    pub fn stream_source(&self, offset: u64) -> Result<&PlatformFile<C>, Error> {
        self.open()
            .and_then(|file| check_stream(&self.ctx, offset).map(|()| file))
            .without_path(STREAM)
    }

    /// Another handle to the file, for a stream that begins at `offset` and outlives this handle.
    /// It is a handle in the ledger like any other.
    ///
    /// # Errors
    /// `closed`; `invalid` if the offset is over 2^63-1; `quota`; `out-of-handles`; `unsupported`.
    pub fn duplicate(&self, offset: u64) -> Result<Self, Error> {
        let duplicate = || {
            let file = self.open()?;
            check_offset(offset)?;
            let charge = self.ctx.ledger().admit_handle(0)?;
            Ok::<_, ErrorCode>((self.ctx.platform().duplicate(file)?, charge))
        };
        let (file, charge) = duplicate().explained(self.ctx.ledger()).without_path(STREAM)?;
        Ok(File::new(self.ctx.clone(), file, Origin::Named, charge))
    }

    /// Closes the file. Closing it again succeeds.
    ///
    /// # Errors
    /// Those of removing the private name, where the file still has one. Close can be tried again.
    pub fn close(&mut self) -> Result<(), Error> {
        match mem::replace(&mut self.state, State::Closed) {
            State::Open { file, origin } => {
                // The handle first, for hosts that cannot remove the name of an open file.
                drop(file);
                self.entry.close();
                let removed = match origin {
                    Origin::Named | Origin::Unnamed | Origin::Unlinked => Ok(()),
                    Origin::PrivateName { location, path } => {
                        self.remove_private_name(location, path)
                    }
                };
                retry_removals(&self.ctx);
                removed
            }
            State::NameLeft { location, path } => self.remove_private_name(location, path),
            State::Closed => Ok(()),
        }
        .without_path("close a temporary file")
    }

    fn remove_private_name(
        &mut self,
        location: OpenLocation<C>,
        path: NamePath,
    ) -> Result<(), ErrorCode> {
        match self.ctx.platform().remove_file(&location.dir, path.name()) {
            Ok(()) | Err(ErrorCode::NoEntry) => Ok(()),
            Err(code) => {
                self.state = State::NameLeft { location, path };
                Err(code)
            }
        }
    }

    fn open(&self) -> Result<&PlatformFile<C>, ErrorCode> {
        match &self.state {
            State::Open { file, .. } => Ok(file),
            State::NameLeft { .. } | State::Closed => Err(ErrorCode::Closed),
        }
    }
}

impl<C: Context> Drop for File<C> {
    fn drop(&mut self) {
        let exchanged = matches!(self.state, State::Closed);
        if let (Err(error), State::NameLeft { path, .. }) = (self.close(), &self.state) {
            let path = String::from(path.path());
            if may_be_open(&self.ctx, error.code) {
                // A stream may have it open.
                self.ctx
                    .ledger()
                    .queue_removal(PendingRemoval { path: path.clone(), kind: Kind::File });
            }
            self.ctx.ledger().record_leftover(CleanupFailure { path, error });
        }
        if exchanged {
            // The caller has closed the descriptor by now.
            retry_removals(&self.ctx);
        }
    }
}

/// Gives an unnamed file a free name, by the platform's own file: for a caller that has it from
/// [`File::into_descriptor`].
///
/// # Errors
/// Those of [`File::link`] but `closed` and `invalid`: the caller knows whether the file has a
/// name.
pub fn link_unnamed<C: Context>(
    ctx: &C,
    file: &PlatformFile<C>,
    target: &str,
    durability: Durability,
) -> Result<(), Error> {
    link(ctx, file, target, durability)
        .and_then(|target| Ok(target.sync_directory(ctx, durability)?))
        .explained(ctx.ledger())
        .at("link a temporary file to", target)
}

fn link<C: Context>(
    ctx: &C,
    file: &PlatformFile<C>,
    target: &str,
    durability: Durability,
) -> Result<Target<C>, Cause> {
    let target = Target::open(ctx, target)?;
    sync_file(ctx.platform(), file, durability)?;
    ctx.platform().link_unnamed(file, &target.location.dir, target.name())?;
    ctx.ledger().count_kept(|| target.path());
    Ok(target)
}

pub(crate) const STREAM: &str = "open a stream of a temporary file";

/// Refuses a stream of the system's.
pub(crate) fn check_stream<C: Context>(ctx: &C, offset: u64) -> Result<(), ErrorCode> {
    match ctx.descriptors() {
        Descriptors::All | Descriptors::Streams => check_offset(offset).map(|_| ()),
        Descriptors::Directories | Descriptors::None => Err(ErrorCode::Unsupported),
    }
}

/// Reads a platform's file into `buffer`; 0 means end of file. May read less.
///
/// # Errors
/// `invalid` if the offset is over 2^63-1; those of the platform.
pub fn read_at<P: Platform>(
    platform: &P,
    file: &P::File,
    buffer: &mut [u8],
    offset: u64,
) -> Result<usize, ErrorCode> {
    match readable(offset, buffer.len())? {
        0 => Ok(0),
        length => platform.read_into(file, offset, &mut buffer[..length]),
    }
}

/// Writes some of `data` to a platform's file: at least one byte, unless it is empty.
///
/// # Errors
/// `invalid` if the offset is over 2^63-1; `file-too-large` if the end would be; those of the
/// platform.
pub fn write_at<P: Platform>(
    platform: &P,
    file: &P::File,
    data: &[u8],
    offset: u64,
) -> Result<usize, ErrorCode> {
    let room = MAX_OFFSET - check_offset(offset)?;
    match data.len() {
        0 => Ok(0),
        length if length as u64 > room => Err(ErrorCode::FileTooLarge),
        length => platform.write(file, offset, &data[..length.min(MAX_WRITE)]),
    }
}

/// Truncates a platform's file, or extends it with zeros.
///
/// # Errors
/// `invalid` if the size is over 2^63-1; those of the platform.
pub fn set_size<P: Platform>(platform: &P, file: &P::File, size: u64) -> Result<(), ErrorCode> {
    platform.set_size(file, check_offset(size)?)
}

fn check_offset(offset: u64) -> Result<u64, ErrorCode> {
    if offset <= MAX_OFFSET { Ok(offset) } else { Err(ErrorCode::Invalid) }
}

/// How much of `length` bytes can be read from `offset`. Systems refuse a read that would end past
/// the largest offset, even in an empty file.
fn readable(offset: u64, length: usize) -> Result<usize, ErrorCode> {
    let room = MAX_OFFSET - check_offset(offset)?;
    Ok(usize::try_from(room).unwrap_or(usize::MAX).min(length))
}
