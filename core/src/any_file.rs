//! The interface's `file`: an open file, or one that is spooled.

use alloc::vec::Vec;

use rand_core::TryRng;

use crate::context::{Context, PlatformFile, check_stopped};
use crate::create::unlisted;
use crate::error::{Error, ErrorCode, ResultExt};
use crate::file::{File, STREAM, check_stream};
use crate::instance::{Instance, SpoolLocation};
use crate::ledger::{ExplainExt, LedgerEntry};
use crate::limits::Refusal;
use crate::memory::MemoryCharge;
use crate::persist::Durability;
use crate::retry::retry_removals;
use crate::shared::{Lock, Shared, WeakShared};
use crate::spool::{Spool, Storage};
use crate::usage::HandleKind;

/// `file` of the interface. Dropping it closes it.
///
/// Every method but [`close`](Self::close) fails with `closed` once the file is closed or exchanged
/// for a descriptor.
pub enum AnyFile<C: Context, R> {
    /// On disk from the start.
    Plain(File<C>),
    /// In memory while it is small.
    Spooled(Spooled<C, R>),
}

/// A file that stays in memory while it is small. Only one handle has it; the instance knows it
/// too, to move it to disk when memory is needed for another.
pub struct Spooled<C: Context, R>(Shared<Lock<Inner<C, R>>>);

/// The spooled files of an instance, among which memory is shared.
pub(crate) type SpooledFiles<C, R> = Lock<Vec<WeakShared<Lock<Inner<C, R>>>>>;

pub(crate) struct Inner<C: Context, R> {
    instance: Instance<C, R>,
    location: SpoolLocation<C>,
    /// None once the file is closed.
    spool: Option<Spool<File<C>>>,
    entry: LedgerEntry,
    /// The memory reserved for the handle.
    _handle: MemoryCharge,
    /// The memory reserved for the bytes.
    bytes: MemoryCharge,
}

const CLOSED: &str = "use a spooled file";

impl<C: Context, R: TryRng + Clone> Spooled<C, R> {
    pub(crate) fn new(
        instance: &Instance<C, R>,
        location: SpoolLocation<C>,
        max_memory: Option<u64>,
    ) -> Result<Self, Error> {
        const OPERATION: &str = "create a spooled file";
        let ledger = instance.context().ledger();
        let handle = ledger.admit_handle(location.path_len()).explained(ledger);
        let handle = handle.without_path(OPERATION)?;
        let now = instance.context().now();
        let inner = Inner {
            instance: instance.clone(),
            location,
            spool: Some(Spool::new(max_memory)),
            entry: ledger.open(HandleKind::File, None, None, now),
            _handle: handle,
            bytes: ledger.empty_charge(),
        };
        let file = Spooled(Shared::new(Lock::new(inner)));
        if max_memory == Some(0) {
            file.0.lock().roll_over()?;
        }
        if ledger.limits_memory() {
            let mut files = instance.spooled_files().lock();
            if files.len() == files.capacity() {
                files.retain(|file| file.strong_count() > 0);
                // Room for as many again, so that this search is rare.
                let live = files.len();
                files.reserve(live.max(8));
            }
            files.push(Shared::downgrade(&file.0));
        }
        Ok(file)
    }

    /// Makes room for the file to reach `end` bytes, by moving spooled files to disk if necessary,
    /// and then calls `grow`.
    fn grow_with_room<T>(
        &self,
        end: u64,
        grow: impl FnOnce(&mut Inner<C, R>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let moved = self.make_room(end);
        let mut inner = self.0.lock();
        if let Err(refusal) = inner.room(end) {
            moved?;
            return Err(refusal).without_path("extend a spooled file");
        }
        grow(&mut inner)
    }

    /// Moves spooled files of the instance to disk, the largest first, until this one may reach
    /// `end`. One that cannot move stays, and the next one is tried.
    ///
    /// # Errors
    /// Those of moving this file.
    fn make_room(&self, end: u64) -> Result<(), Error> {
        let (instance, own) = {
            let inner = self.0.lock();
            if inner.room(end).is_ok() {
                return Ok(());
            }
            (inner.instance.clone(), inner.movable().map_or(0, |spool| spool.usage_at(end).0))
        };
        let is_own = |file: &Shared<_>| Shared::ptr_eq(file, &self.0);
        let size = |file: &Shared<Lock<Inner<C, R>>>| match file.try_lock() {
            _ if is_own(file) => own,
            Some(inner) => inner.movable().map_or(0, Spool::in_memory),
            None => 0,
        };
        let mut files: Vec<_> = {
            let files = instance.spooled_files().lock();
            files.iter().filter_map(WeakShared::upgrade).map(|file| (size(&file), file)).collect()
        };
        files.retain(|(size, _)| *size > 0);
        let mut own_move = Ok(());
        while self.0.lock().room(end).is_err() {
            // Of two equally large ones the other moves.
            let by_size = files.iter().enumerate();
            let largest = by_size.max_by_key(|(_, (size, file))| (*size, !is_own(file)));
            let Some((index, _)) = largest else { break };
            let (_, file) = files.swap_remove(index);
            check_stopped(instance.context()).without_path("move a spooled file")?;
            let moved = file.try_lock().map_or(Ok(()), |mut inner| inner.roll_over());
            if is_own(&file) {
                own_move = moved;
            }
        }
        own_move
    }
}

impl<C: Context, R: TryRng + Clone> Inner<C, R> {
    fn spool(&self) -> Result<&Spool<File<C>>, Error> {
        self.spool.as_ref().ok_or(ErrorCode::Closed).without_path(CLOSED)
    }

    /// Calls `act`, which may move the bytes to disk, and then updates the accounting of memory.
    fn update<T>(
        &mut self,
        act: impl FnOnce(
            &mut Spool<File<C>>,
            &mut dyn FnMut() -> Result<File<C>, Error>,
        ) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Inner { instance, location, spool, .. } = self;
        let spool = spool.as_mut().ok_or(ErrorCode::Closed).without_path(CLOSED)?;
        let before = spool.in_memory();
        let done = act(spool, &mut || {
            let location = instance.open_spool_location(location)?;
            unlisted(instance.context(), &mut instance.source(), &location)
        });
        instance.context().ledger().resize_memory(before, spool.in_memory());
        let capacity = spool.capacity();
        // The bytes are there already. If they take more than was predicted, the next growth fails.
        let _ = self.bytes.resize(capacity);
        done
    }

    fn roll_over(&mut self) -> Result<(), Error> {
        self.update(|spool, make| spool.roll_over(make))
    }

    /// Whether the file may reach `end` in memory.
    fn room(&self, end: u64) -> Result<(), Refusal> {
        let Some(spool) = &self.spool else { return Ok(()) };
        let (len, capacity) = spool.usage_at(end);
        let more = len.saturating_sub(spool.in_memory());
        let ledger = self.instance.context().ledger();
        ledger.admit_memory(more)?;
        self.bytes.fits(capacity)
    }

    /// The spool, if its bytes may move to disk.
    fn movable(&self) -> Option<&Spool<File<C>>> {
        self.spool.as_ref().filter(|spool| spool.can_move())
    }

    fn close(&mut self) -> Result<(), Error> {
        if let Some(spool) = &mut self.spool {
            if let Some(file) = spool.file_mut() {
                file.close()?;
            }
            self.release();
        }
        Ok(())
    }
}

impl<C: Context, R> Inner<C, R> {
    fn release(&mut self) {
        if let Some(spool) = self.spool.take() {
            self.instance.context().ledger().resize_memory(spool.in_memory(), 0);
        }
        self.bytes.shrink(u64::MAX);
        self.location = SpoolLocation::Closed;
        self.entry.close();
        retry_removals(self.instance.context());
    }
}

impl<C: Context, R> Drop for Inner<C, R> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<C: Context, R: TryRng + Clone> AnyFile<C, R> {
    /// Moves the file out of `self`, for a caller whose table must not stay borrowed while the file
    /// is used. Leaves a closed file, or another reference to the same spooled file; the caller
    /// puts the file back afterwards.
    #[must_use]
    pub fn take(&mut self) -> Self {
        match self {
            AnyFile::Plain(file) => AnyFile::Plain(file.take()),
            AnyFile::Spooled(file) => AnyFile::Spooled(Spooled(file.0.clone())),
        }
    }

    /// As [`File::read`].
    ///
    /// # Errors
    /// As [`File::read`].
    pub fn read(&self, length: u32, offset: u64) -> Result<Vec<u8>, Error> {
        match self {
            AnyFile::Plain(file) => file.read(length, offset),
            AnyFile::Spooled(file) => file.0.lock().spool()?.read(length, offset),
        }
    }

    /// As [`File::write`].
    ///
    /// # Errors
    /// As [`File::write`]; `out-of-memory`; `quota`; those of moving to disk, which change nothing.
    pub fn write(&mut self, data: &[u8], offset: u64) -> Result<u64, Error> {
        match self {
            AnyFile::Plain(file) => file.write(data, offset),
            AnyFile::Spooled(file) => {
                file.0.lock().spool()?.check_write(offset, data.len())?;
                if data.is_empty() {
                    return Ok(0);
                }
                file.grow_with_room(offset + data.len() as u64, |inner| {
                    inner.update(|spool, make| spool.write(data, offset, make))
                })
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
            AnyFile::Spooled(file) => file.0.lock().spool()?.size(),
        }
    }

    /// As [`File::set_size`].
    ///
    /// # Errors
    /// As [`File::set_size`]; `out-of-memory`; `quota`; those of moving to disk, which change
    /// nothing.
    pub fn set_size(&mut self, size: u64) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.set_size(size),
            AnyFile::Spooled(file) => {
                file.0.lock().spool()?.check_size(size)?;
                file.grow_with_room(size, |inner| {
                    inner.update(|spool, make| spool.set_size(size, make))
                })
            }
        }
    }

    /// As [`File::sync`]. Bytes in memory are not synced.
    ///
    /// # Errors
    /// As [`File::sync`].
    pub fn sync(&self, durability: Durability) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.sync(durability),
            AnyFile::Spooled(file) => file.0.lock().spool()?.sync(durability),
        }
    }

    /// Returns where the bytes are.
    ///
    /// # Errors
    /// `closed`.
    pub fn storage(&self) -> Result<Storage, Error> {
        match self {
            AnyFile::Plain(file) => file.get_ref().map(|_| Storage::Disk),
            AnyFile::Spooled(file) => Ok(file.0.lock().spool()?.storage()),
        }
    }

    /// Moves the bytes to disk, if they are in memory.
    ///
    /// # Errors
    /// `closed`; those of creating and writing a file, after which the bytes are still in memory.
    pub fn roll_over(&mut self) -> Result<(), Error> {
        match self {
            AnyFile::Plain(file) => file.get_ref().map(|_| ()),
            AnyFile::Spooled(file) => file.0.lock().roll_over(),
        }
    }

    /// As [`File::link`]; a spooled file moves to disk first.
    ///
    /// # Errors
    /// As [`File::link`] and [`roll_over`](Self::roll_over).
    pub fn link(&mut self, target: &str, durability: Durability) -> Result<(), Error> {
        self.on_disk(|file| file.link(target, durability))
    }

    /// As [`File::stream_source`]; a spooled file moves to disk first.
    ///
    /// # Errors
    /// As [`File::stream_source`] and [`roll_over`](Self::roll_over); those of `open`.
    pub fn system_stream<T>(
        &mut self,
        offset: u64,
        open: impl FnOnce(&PlatformFile<C>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let AnyFile::Spooled(file) = self {
            // `closed` and `unsupported` come before the move.
            let inner = file.0.lock();
            inner.spool()?;
            check_stream(inner.instance.context(), offset).without_path(STREAM)?;
        }
        self.on_disk(|file| open(file.stream_source(offset)?))
    }

    /// As [`File::duplicate`]; a spooled file moves to disk first.
    ///
    /// # Errors
    /// As [`File::duplicate`] and [`roll_over`](Self::roll_over).
    pub fn duplicate(&mut self, offset: u64) -> Result<File<C>, Error> {
        self.on_disk(|file| file.duplicate(offset))
    }

    /// Uses the file on disk. A spooled file moves there first.
    fn on_disk<T>(
        &mut self,
        act: impl FnOnce(&mut File<C>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.roll_over()?;
        match self {
            AnyFile::Plain(file) => act(file),
            AnyFile::Spooled(file) => {
                let mut inner = file.0.lock();
                let on_disk = inner.spool.as_mut().and_then(Spool::file_mut);
                act(on_disk.ok_or(ErrorCode::Closed).without_path(CLOSED)?)
            }
        }
    }

    /// As [`File::into_descriptor`].
    ///
    /// # Errors
    /// As [`File::into_descriptor`]; `unsupported` while the bytes are in memory.
    pub fn into_descriptor(&mut self) -> Result<PlatformFile<C>, Error> {
        match self {
            AnyFile::Plain(file) => file.into_descriptor(),
            AnyFile::Spooled(file) => {
                const OPERATION: &str = "get the descriptor of a spooled file";
                let mut inner = file.0.lock();
                let spool =
                    inner.spool.as_mut().ok_or(ErrorCode::Closed).without_path(OPERATION)?;
                let on_disk = spool.file_mut().ok_or(ErrorCode::Unsupported);
                let descriptor = on_disk.without_path(OPERATION)?.into_descriptor()?;
                inner.release();
                Ok(descriptor)
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
            AnyFile::Spooled(file) => file.0.lock().close(),
        }
    }
}
