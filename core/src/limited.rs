//! A platform that counts what is created through it, and keeps it within limits.
//!
//! Everything counts that is created through the platform, wherever it is: a name until it is
//! removed or replaced, a file's bytes until its last name and its last handle are gone. A file's
//! bytes are its size, so a gap counts as the zeros that it reads as. What is kept or persisted
//! goes on counting, since it still fills the disk. Growth is admitted before it happens, up to the
//! last byte that fits.
//!
//! Names are compared byte by byte. A file system that folds case, or gives files short names,
//! would find what counts under one name by another, under which it does not: there a name that is
//! not listed exactly is not found.

use alloc::string::String;
use alloc::vec::Vec;

use crate::account::{BASES, Number};
use crate::error::ErrorCode;
use crate::ledger::SharedLedger;
use crate::persist::lists;
use crate::platform::{DirectoryState, Identity, Metadata, Platform, name_to_str};

/// A platform on top of another that keeps what is created within the limits of a ledger. If the
/// ledger limits no files, nothing is counted and every call goes straight to the other platform.
#[derive(Clone)]
pub struct Limited<P> {
    inner: P,
    /// None if nothing is counted.
    ledger: Option<SharedLedger>,
}

/// An open directory and its number.
#[derive(Clone)]
pub struct LimitedDir<D> {
    dir: D,
    number: Number,
}

impl<D> LimitedDir<D> {
    /// The other platform's directory.
    pub fn get_ref(&self) -> &D {
        &self.dir
    }
}

/// An open file that is counted. Dropping it closes it.
pub struct LimitedFile<F> {
    // The file is closed before it stops counting.
    file: F,
    counted: Option<Counted>,
}

/// A handle in the accounting, for as long as this exists.
struct Counted {
    ledger: SharedLedger,
    number: Number,
}

impl<F> LimitedFile<F> {
    /// The other platform's file.
    pub fn get_ref(&self) -> &F {
        &self.file
    }

    /// The other platform's file. It no longer counts.
    pub fn into_inner(self) -> F {
        self.file
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.ledger.account(|account, _, usage| account.close(self.number, usage));
    }
}

impl<P: Platform> Limited<P> {
    /// Keeps what is created on `inner` within the limits of `ledger`.
    pub fn new(inner: P, ledger: &SharedLedger) -> Self {
        let ledger = ledger.limits().limits_files().then(|| ledger.clone());
        Limited { inner, ledger }
    }

    /// Whether files are counted, so that no access may bypass this platform.
    pub fn is_counting(&self) -> bool {
        self.ledger.is_some()
    }

    /// The other platform.
    pub fn get_ref(&self) -> &P {
        &self.inner
    }

    /// A base directory, whose path identifies it.
    ///
    /// # Errors
    /// `quota` if there is no memory to remember it.
    pub fn base(&self, dir: P::Dir, path: &str) -> Result<LimitedDir<P::Dir>, ErrorCode> {
        self.numbered(dir, BASES, path.as_bytes())
    }

    fn numbered(
        &self,
        dir: P::Dir,
        parent: Number,
        name: &[u8],
    ) -> Result<LimitedDir<P::Dir>, ErrorCode> {
        let number = match &self.ledger {
            Some(ledger) => ledger.admit(|account, _, _| account.directory(parent, name))?,
            None => BASES,
        };
        Ok(LimitedDir { dir, number })
    }

    /// An open file, counted under its number if it has one.
    fn file(&self, file: P::File, number: Option<Number>) -> LimitedFile<P::File> {
        let counted =
            |(ledger, number): (&SharedLedger, Number)| Counted { ledger: ledger.clone(), number };
        LimitedFile { file, counted: self.ledger.as_ref().zip(number).map(counted) }
    }

    /// A file whose name does not count, because nobody has to remove it.
    fn unnamed(&self, file: P::File) -> LimitedFile<P::File> {
        let create =
            |ledger: &SharedLedger| ledger.account(|account, _, _| account.create_unnamed());
        self.file(file, self.ledger.as_ref().map(create))
    }

    /// Creates something with a name, and records it if that succeeds.
    fn create<T>(
        &self,
        dir: &LimitedDir<P::Dir>,
        name: &[u8],
        handles: u32,
        create: impl FnOnce() -> Result<T, ErrorCode>,
    ) -> Result<(T, Option<Number>), ErrorCode> {
        let Some(ledger) = &self.ledger else { return Ok((create()?, None)) };
        ledger.admit(|account, limits, usage| account.admit_name(name.len(), limits, usage))?;
        match create() {
            Ok(created) => {
                let number = ledger.account(|account, _, usage| {
                    account.create((dir.number, name), handles, usage)
                });
                Ok((created, Some(number)))
            }
            Err(code) => {
                ledger.account(|account, _, _| account.cancel_name(name.len()));
                Err(code)
            }
        }
    }

    /// Gives an existing file a name by `link`, and records it if that succeeds.
    fn add_name(
        &self,
        file: Option<Number>,
        (to, target): (&LimitedDir<P::Dir>, &[u8]),
        link: impl FnOnce() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        let (Some(ledger), Some(file)) = (&self.ledger, file) else { return link() };
        ledger.admit(|account, limits, usage| account.admit_name(target.len(), limits, usage))?;
        let linked = link();
        ledger.account(|account, _, usage| match linked {
            Ok(()) => account.link(file, (to.number, target), usage),
            Err(_) => account.cancel_name(target.len()),
        });
        linked
    }

    /// Fails with `no-entry` if what a name finds has another name: one that differs in case, is
    /// another spelling of it in Unicode, or its short name on Windows.
    fn check_exact(&self, dir: &LimitedDir<P::Dir>, name: &[u8]) -> Result<(), ErrorCode> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let known = || ledger.account(|account, _, _| account.find(dir.number, name).is_some());
        let exists = || self.inner.metadata_at(&dir.dir, name).is_ok();
        let listed = || lists(&self.inner, &dir.dir, name);
        let exact = known() || !exists() || !self.may_fold(&dir.dir, name) || listed();
        if exact { Ok(()) } else { Err(ErrorCode::NoEntry) }
    }

    /// Whether an existing name may be another spelling of what it finds: one call for most names,
    /// where a listing takes one for every entry.
    fn may_fold(&self, dir: &P::Dir, name: &[u8]) -> bool {
        // Windows finds an entry by its short name too, which has a tilde: `PROGRA~1`.
        let plain = |name: &&str| name.is_ascii() && !name.contains('~');
        let Some(name) = name_to_str(name).filter(plain) else { return true };
        let swap = |c: char| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        };
        let other: String = name.chars().map(swap).collect();
        other != name && self.inner.metadata_at(dir, other.as_bytes()).is_ok()
    }

    /// Checks the two names of a rename. A rename may change the case of a file's own name. A
    /// target that exists in another spelling is `exist`, since systems differ in which of the two
    /// names stays.
    fn check_rename(
        &self,
        (dir, name): (&LimitedDir<P::Dir>, &[u8]),
        (to, target): (&LimitedDir<P::Dir>, &[u8]),
    ) -> Result<(), ErrorCode> {
        self.check_exact(dir, name)?;
        // Of ASCII alone: the tables of Unicode would be 13 kB in every instance of a component.
        if dir.number == to.number && name.eq_ignore_ascii_case(target) {
            return Ok(());
        }
        self.check_exact(to, target).map_err(|_| ErrorCode::Exist)
    }

    fn record_removal(&self, dir: &LimitedDir<P::Dir>, name: &[u8]) {
        if let Some(ledger) = &self.ledger {
            ledger.account(|account, _, usage| account.remove((dir.number, name), usage));
        }
    }

    /// Changes a name by `rename`, and records it if that succeeds.
    fn change_name(
        &self,
        (dir, name): (&LimitedDir<P::Dir>, &[u8]),
        (to, target): (&LimitedDir<P::Dir>, &[u8]),
        rename: impl FnOnce() -> Result<(), ErrorCode>,
    ) -> Result<(), ErrorCode> {
        let Some(ledger) = &self.ledger else { return rename() };
        self.check_rename((dir, name), (to, target))?;
        let admitted =
            ledger.admit(|account, _, _| account.admit_rename(name.len(), target.len()))?;
        let renamed = rename();
        ledger.account(|account, _, usage| match renamed {
            Ok(()) => account.rename((dir.number, name), (to.number, target), admitted, usage),
            Err(_) => account.cancel_rename(admitted),
        });
        renamed
    }
}

impl<P: Platform> Platform for Limited<P> {
    type Dir = LimitedDir<P::Dir>;
    type File = LimitedFile<P::File>;
    type Entries = P::Entries;

    fn create_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let create = || self.inner.create_file(&dir.dir, name);
        let (file, number) = self.create(dir, name, 1, create)?;
        Ok(self.file(file, number))
    }

    fn create_delete_on_close(
        &self,
        dir: &Self::Dir,
        name: &[u8],
    ) -> Result<Self::File, ErrorCode> {
        self.inner.create_delete_on_close(&dir.dir, name).map(|file| self.unnamed(file))
    }

    fn create_unnamed(
        &self,
        dir: &Self::Dir,
        state: DirectoryState,
    ) -> Result<Self::File, ErrorCode> {
        self.inner.create_unnamed(&dir.dir, state).map(|file| self.unnamed(file))
    }

    fn open_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        let file = self.inner.open_file(&dir.dir, name)?;
        let Some(ledger) = &self.ledger else { return Ok(LimitedFile { file, counted: None }) };
        self.check_exact(dir, name)?;
        let size = self.inner.size(&file)?;
        let number =
            ledger.admit(|account, _, usage| account.open((dir.number, name), size, usage))?;
        Ok(self.file(file, Some(number)))
    }

    fn open_for_sync(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::File, ErrorCode> {
        // Its bytes counted already, if they ever will.
        self.inner.open_for_sync(&dir.dir, name).map(|file| self.file(file, None))
    }

    fn duplicate(&self, file: &Self::File) -> Result<Self::File, ErrorCode> {
        let duplicate = self.inner.duplicate(&file.file)?;
        let number = file.counted.as_ref().map(|Counted { ledger, number }| {
            ledger.account(|account, _, _| account.open_again(*number));
            *number
        });
        Ok(self.file(duplicate, number))
    }

    fn create_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        self.create(dir, name, 0, || self.inner.create_directory(&dir.dir, name)).map(|_| ())
    }

    fn open_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        let opened = self.inner.open_directory(&dir.dir, name)?;
        self.check_exact(dir, name)?;
        self.numbered(opened, dir.number, name)
    }

    fn open_for_removal(&self, dir: &Self::Dir, name: &[u8]) -> Result<Self::Dir, ErrorCode> {
        self.numbered(self.inner.open_for_removal(&dir.dir, name)?, dir.number, name)
    }

    fn entries(&self, dir: &Self::Dir) -> Result<Self::Entries, ErrorCode> {
        self.inner.entries(&dir.dir)
    }

    fn metadata_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Metadata, ErrorCode> {
        self.inner.metadata_at(&dir.dir, name)
    }

    fn remove_file(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        self.inner.remove_file(&dir.dir, name)?;
        self.record_removal(dir, name);
        Ok(())
    }

    // Inlined, it would be in a component eight times.
    #[inline(never)]
    fn remove_directory(&self, dir: &Self::Dir, name: &[u8]) -> Result<(), ErrorCode> {
        self.inner.remove_directory(&dir.dir, name)?;
        self.record_removal(dir, name);
        Ok(())
    }

    fn rename(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let rename = || self.inner.rename(&dir.dir, name, &to.dir, target);
        self.change_name((dir, name), (to, target), rename)
    }

    fn rename_no_replace(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let rename = || self.inner.rename_no_replace(&dir.dir, name, &to.dir, target);
        self.change_name((dir, name), (to, target), rename)
    }

    fn link(
        &self,
        dir: &Self::Dir,
        name: &[u8],
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let find =
            |ledger: &SharedLedger| ledger.account(|account, _, _| account.find(dir.number, name));
        let file = self.ledger.as_ref().and_then(find);
        self.add_name(file, (to, target), || self.inner.link(&dir.dir, name, &to.dir, target))
    }

    fn link_unnamed(
        &self,
        file: &Self::File,
        to: &Self::Dir,
        target: &[u8],
    ) -> Result<(), ErrorCode> {
        let number = file.counted.as_ref().map(|counted| counted.number);
        self.add_name(number, (to, target), || self.inner.link_unnamed(&file.file, &to.dir, target))
    }

    fn locks_open_names(&self) -> bool {
        self.inner.locks_open_names()
    }

    fn is_shared(&self, dir: &Self::Dir) -> Result<bool, ErrorCode> {
        self.inner.is_shared(&dir.dir)
    }

    fn identity(&self, file: &Self::File) -> Result<Identity, ErrorCode> {
        self.inner.identity(&file.file)
    }

    fn directory_identity(&self, dir: &Self::Dir) -> Result<Identity, ErrorCode> {
        self.inner.directory_identity(&dir.dir)
    }

    fn is_same_directory(&self, dir: &Self::Dir, other: &Self::Dir) -> bool {
        self.inner.is_same_directory(&dir.dir, &other.dir)
    }

    fn is_directory_at(
        &self,
        dir: &Self::Dir,
        parent: &Self::Dir,
        name: &[u8],
    ) -> Result<bool, ErrorCode> {
        self.inner.is_directory_at(&dir.dir, &parent.dir, name)
    }

    fn identity_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<Identity, ErrorCode> {
        self.inner.identity_at(&dir.dir, name)
    }

    fn link_count_at(&self, dir: &Self::Dir, name: &[u8]) -> Result<u64, ErrorCode> {
        self.inner.link_count_at(&dir.dir, name)
    }

    fn read_into(
        &self,
        file: &Self::File,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, ErrorCode> {
        self.inner.read_into(&file.file, offset, buffer)
    }

    fn read(&self, file: &Self::File, offset: u64, length: usize) -> Result<Vec<u8>, ErrorCode> {
        self.inner.read(&file.file, offset, length)
    }

    fn write(&self, file: &Self::File, offset: u64, data: &[u8]) -> Result<usize, ErrorCode> {
        let Some(Counted { ledger, number }) = &file.counted else {
            return self.inner.write(&file.file, offset, data);
        };
        let range = (offset, offset.saturating_add(data.len() as u64));
        let end = ledger
            .admit(|account, limits, usage| account.admit_growth(*number, range, limits, usage))?;
        let fitting = usize::try_from(end - offset).unwrap_or(usize::MAX).min(data.len());
        let count = self.inner.write(&file.file, offset, &data[..fitting])?;
        let end = offset.saturating_add(count as u64);
        ledger.account(|account, _, usage| account.resize(*number, |size| size.max(end), usage));
        Ok(count)
    }

    fn size(&self, file: &Self::File) -> Result<u64, ErrorCode> {
        self.inner.size(&file.file)
    }

    fn set_size(&self, file: &Self::File, size: u64) -> Result<(), ErrorCode> {
        let Some(Counted { ledger, number }) = &file.counted else {
            return self.inner.set_size(&file.file, size);
        };
        // All of it or nothing: the last byte alone is of use.
        ledger.admit(|account, limits, usage| {
            account.admit_growth(*number, (size, size), limits, usage)
        })?;
        self.inner.set_size(&file.file, size)?;
        ledger.account(|account, _, usage| account.resize(*number, |_| size, usage));
        Ok(())
    }

    fn sync_data(&self, file: &Self::File) -> Result<(), ErrorCode> {
        self.inner.sync_data(&file.file)
    }

    fn sync_all(&self, file: &Self::File) -> Result<(), ErrorCode> {
        self.inner.sync_all(&file.file)
    }

    fn sync_directory(&self, dir: &Self::Dir) -> Result<(), ErrorCode> {
        self.inner.sync_directory(&dir.dir)
    }
}
