//! The platform within the limits that the environment sets: every byte passes through here, and nothing is handed over.

use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;

use getrandom::SysRng;
use tempfile_core::{AnyFile, Error, ErrorCode, Limited, LimitedFile, SpooledFiles, TempDir};
use tempfile_wasi::{Descriptor, InputStream, OutputStream, Wasi};

use crate::provider::platform;
use crate::runtime::Global;

pub(crate) type Platform = Limited<Wasi>;

type File = AnyFile<Platform, SysRng>;

/// A file, as its handle has it.
pub(crate) type Held = Rc<RefCell<File>>;

/// The spooled files, among which room in memory is made.
static SPOOLED: Global<RefCell<Vec<Weak<RefCell<File>>>>> = Global::new();

fn spooled() -> &'static RefCell<Vec<Weak<RefCell<File>>>> {
    SPOOLED.get_or_init(RefCell::default)
}

pub(crate) fn hold(file: File) -> Held {
    let listed = matches!(file, AnyFile::Spooled(_));
    let held = Rc::new(RefCell::new(file));
    if listed {
        let mut spooled = spooled().borrow_mut();
        spooled.retain(|file| file.strong_count() > 0);
        spooled.push(Rc::downgrade(&held));
    }
    held
}

/// Whoever could not be limited may create nothing.
pub(crate) type Started = Result<Platform, Error>;

pub(crate) fn start() -> Started {
    Limited::from_environment(Wasi::default())
}

pub(crate) fn started(platform: &Started) -> Result<&Platform, Error> {
    platform.as_ref().map_err(Clone::clone)
}

struct Spools(Vec<Held>);

impl SpooledFiles<Platform, SysRng> for Spools {
    type Key = usize;

    fn keys(&self) -> Vec<usize> {
        (0..self.0.len()).collect()
    }

    fn with<T>(&mut self, key: usize, act: impl FnOnce(&mut File) -> T) -> Option<T> {
        Some(act(&mut self.0.get(key)?.borrow_mut()))
    }
}

/// Makes room in memory, if this is a spooled file.
pub(crate) fn make_room(file: &Held, end: u64) {
    let spools = Spools(spooled().borrow().iter().filter_map(Weak::upgrade).collect());
    let this = spools.0.iter().position(|spooled| Rc::ptr_eq(spooled, file));
    if let (Some(this), Ok(platform)) = (this, platform()) {
        tempfile_core::make_room(platform, &mut { spools }, this, end);
    }
}

/// What goes round the limits is refused where there are any; `closed` comes before that.
fn go_round(file: &Held, operation: &str) -> Result<(), Error> {
    file.borrow().storage()?;
    match platform()?.counts() {
        true => Err(Error::new(ErrorCode::Unsupported, operation, "a temporary file")),
        false => Ok(()),
    }
}

pub(crate) fn hand_over(file: &Held) -> Result<Descriptor, Error> {
    go_round(file, "hand over")?;
    file.borrow_mut().hand_over().map(LimitedFile::into_inner)
}

pub(crate) fn open_directory(dir: &TempDir<Platform>) -> Result<Descriptor, Error> {
    dir.get_ref()?;
    match platform()?.counts() {
        true => Err(Error::new(ErrorCode::Unsupported, "open", dir.path())),
        false => tempfile_wasi::open_again(dir),
    }
}

pub(crate) fn reader(file: &Held, offset: u64) -> Result<InputStream, Error> {
    go_round(file, "make a stream of")?;
    file.borrow_mut().on_disk().and_then(|file| tempfile_wasi::reader(file.at(offset)?.get_ref(), offset))
}

pub(crate) fn writer(file: &Held, offset: u64) -> Result<OutputStream, Error> {
    go_round(file, "make a stream of")?;
    file.borrow_mut().on_disk().and_then(|file| tempfile_wasi::writer(file.at(offset)?.get_ref(), offset))
}
