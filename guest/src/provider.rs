//! The interface's functions.

use alloc::string::{String, ToString};
use core::cell::RefCell;

use getrandom::SysRng;
use tempfile_core as core_;
use tempfile_core::Place;

use crate::bindings::exports::scratch::tempfile::tempfile::{
    self, Durability, Error, FileBorrow, Guest, Location, Options, TempDir,
};
use crate::convert;
use crate::dir::DirHandle;
use crate::file::FileHandle;
use crate::runtime::Global;
use crate::system::{self, Platform};
use crate::temp_path::PathHandle;

/// The component.
pub(crate) struct Provider;

struct State {
    platform: system::Started,
    default: RefCell<Option<Place<Platform>>>,
}

static STATE: Global<State> = Global::new();

fn state() -> &'static State {
    STATE.get_or_init(|| State { platform: system::start(), default: RefCell::default() })
}

pub(crate) fn platform() -> Result<&'static Platform, core_::Error> {
    system::started(&state().platform)
}

/// The default directory, looked for until it has been found.
fn default_place() -> Result<Place<Platform>, core_::Error> {
    let state = state();
    if let Some(place) = &*state.default.borrow() {
        return Ok(place.clone());
    }
    let place = core_::default_place(platform()?, &mut SysRng)?;
    *state.default.borrow_mut() = Some(place.clone());
    Ok(place)
}

fn place(location: Location<'_>) -> Result<(&'static Platform, Place<Platform>), Error> {
    let at = |platform| match location {
        Location::Scratch => default_place(),
        Location::Within(dir) => dir.get::<DirHandle>().0.borrow().place(),
        Location::Directory(path) => core_::place_at(platform, &path),
    };
    platform().and_then(|platform| Ok((platform, at(platform)?))).map_err(convert::error)
}

impl Guest for Provider {
    type File = FileHandle;
    type TempPath = PathHandle;
    type TempDir = DirHandle;

    fn unnamed(location: Location<'_>) -> Result<tempfile::File, Error> {
        let (platform, place) = place(location)?;
        let file = core_::unnamed(platform, &mut SysRng, &place).map_err(convert::error)?;
        Ok(FileHandle::resource(file))
    }

    fn named(
        options: Options,
        location: Location<'_>,
    ) -> Result<(tempfile::File, tempfile::TempPath), Error> {
        let (platform, place) = place(location)?;
        let options = convert::options(options);
        let (file, path) = core_::named(platform, &mut SysRng, &options, &place).map_err(convert::error)?;
        Ok((FileHandle::resource(file), PathHandle::resource(path)))
    }

    fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<tempfile::File, Error> {
        let (platform, place) = place(location)?;
        let file = core_::spooled(platform, SysRng, max_memory, &place).map_err(convert::error)?;
        Ok(FileHandle::any(file))
    }

    fn directory(options: Options, location: Location<'_>) -> Result<TempDir, Error> {
        let (platform, place) = place(location)?;
        let options = convert::options(options);
        let dir = core_::directory(platform, &mut SysRng, &options, &place).map_err(convert::error)?;
        Ok(DirHandle::resource(dir))
    }

    fn link(file: FileBorrow<'_>, target: String, durability: Durability) -> Result<(), Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.link(&target, convert::durability(durability)).map_err(convert::error)
    }

    fn default_directory() -> Result<String, Error> {
        default_place().map(|place| place.path().to_string()).map_err(convert::error)
    }
}
