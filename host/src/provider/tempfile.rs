//! The interface's functions.

use getrandom::SysRng;
use tempfile_core::{self as core, AnyFile, Place};
use wasmtime::component::Resource;

use super::interface::tempfile::{Durability, Host, Location, Options};
use super::{Failure, File, Held, Key, Platform, TempDir, TempPath, TempfileCtxView, convert};

impl TempfileCtxView<'_> {
    /// The default directory, looked for until it has been found.
    fn default_place(&mut self) -> Result<Place<Platform>, Failure> {
        if let Some(place) = &self.ctx.default {
            return Ok(place.clone());
        }
        let place = core::default_place(&self.ctx.platform, &mut SysRng)?;
        self.ctx.default = Some(place.clone());
        Ok(place)
    }

    fn place(&mut self, location: Location) -> Result<Place<Platform>, Failure> {
        match location {
            Location::Scratch => self.default_place(),
            Location::Within(dir) => Ok(self.table.get(&dir)?.place()?),
            Location::Directory(path) => Ok(core::place_at(&self.ctx.platform, &path)?),
        }
    }
}

/// The handle that something made at a location is made from.
fn source(location: &Location) -> Option<Key> {
    match location {
        Location::Within(dir) => Some(TempDir::key(dir)),
        Location::Scratch | Location::Directory(_) => None,
    }
}

impl Host for TempfileCtxView<'_> {
    fn unnamed(&mut self, location: Location) -> Result<Resource<File>, Failure> {
        let from = source(&location);
        self.call_using(from, |view| {
            let place = view.place(location)?;
            let file = core::unnamed(&view.ctx.platform, &mut SysRng, &place)?;
            view.push(AnyFile::Plain(file), from)
        })
    }

    fn named(
        &mut self,
        options: Options,
        location: Location,
    ) -> Result<(Resource<File>, Resource<TempPath>), Failure> {
        let from = source(&location);
        self.call_using(from, |view| {
            let place = view.place(location)?;
            let options = convert::options(options);
            let (file, path) = core::named(&view.ctx.platform, &mut SysRng, &options, &place)?;
            let path = view.push(path, from)?;
            match view.push(AnyFile::Plain(file), Some(TempPath::key(&path))) {
                Ok(file) => Ok((file, path)),
                Err(failure) => {
                    view.delete(path).map_err(Failure::Trap)?;
                    Err(failure)
                }
            }
        })
    }

    fn spooled(&mut self, max_memory: Option<u64>, location: Location) -> Result<Resource<File>, Failure> {
        let from = source(&location);
        self.call_using(from, |view| {
            let place = view.place(location)?;
            let file = core::spooled(&view.ctx.platform, SysRng, max_memory, &place)?;
            let file = view.push(file, from)?;
            view.ctx.spooled.insert(file.rep());
            Ok(file)
        })
    }

    fn directory(&mut self, options: Options, location: Location) -> Result<Resource<TempDir>, Failure> {
        let from = source(&location);
        self.call_using(from, |view| {
            let place = view.place(location)?;
            let options = convert::options(options);
            let dir = core::directory(&view.ctx.platform, &mut SysRng, &options, &place)?;
            view.push(dir, from)
        })
    }

    fn link(&mut self, file: Resource<File>, target: String, durability: Durability) -> Result<(), Failure> {
        self.call_on(&file, |view| {
            Ok(view.table.get_mut(&file)?.link(&target, convert::durability(durability))?)
        })
    }

    fn default_directory(&mut self) -> Result<String, Failure> {
        self.call(|view| Ok(view.default_place()?.path().to_owned()))
    }
}
