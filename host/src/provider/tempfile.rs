//! The functions of the interface `tempfile`.

use tempfile_core as core;
use wasmtime::component::Resource;

use super::context::InstanceContext;
use super::interface::tempfile::{Durability, Error, Host, Location, Options};
use super::{Failure, File, TempDir, TempPath, TempfileCtxView, convert};

type Instance = core::Instance<InstanceContext, getrandom::SysRng>;

impl TempfileCtxView<'_> {
    /// Calls `create` with the instance and the location that the bindings' location stands for.
    fn create<T, F>(&mut self, location: Location, create: F) -> Result<T, Failure>
    where
        F: FnOnce(&Instance, core::Location<'_, InstanceContext>) -> Result<T, core::Error>,
    {
        self.call(|view| {
            let instance = &view.ctx.instance;
            Ok(match location {
                Location::Scratch => create(instance, core::Location::Scratch),
                Location::Directory(path) => create(instance, core::Location::Directory(&path)),
                Location::Within(dir) => {
                    create(instance, core::Location::Within(view.table.get(&dir)?))
                }
            }?)
        })
    }
}

impl Host for TempfileCtxView<'_> {
    fn unnamed(&mut self, location: Location) -> Result<Resource<File>, Failure> {
        let file = self.create(location, |instance, location| instance.unnamed(location))?;
        self.push(File::Plain(file))
    }

    fn named(
        &mut self,
        options: Options,
        location: Location,
    ) -> Result<(Resource<File>, Resource<TempPath>), Failure> {
        let options = convert::options(options);
        let (file, path) =
            self.create(location, |instance, location| instance.named(&options, location))?;
        let path = self.push(path)?;
        match self.push(File::Plain(file)) {
            Ok(file) => Ok((file, path)),
            Err(failure) => {
                self.delete(path).map_err(Failure::Trap)?;
                Err(failure)
            }
        }
    }

    fn spooled(
        &mut self,
        max_memory: Option<u64>,
        location: Location,
    ) -> Result<Resource<File>, Failure> {
        let file =
            self.create(location, |instance, location| instance.spooled(max_memory, location))?;
        self.push(file)
    }

    fn directory(
        &mut self,
        options: Options,
        location: Location,
    ) -> Result<Resource<TempDir>, Failure> {
        let options = convert::options(options);
        let dir =
            self.create(location, |instance, location| instance.directory(&options, location))?;
        self.push(dir)
    }

    fn link(
        &mut self,
        file: Resource<File>,
        target: String,
        durability: Durability,
    ) -> Result<(), Failure> {
        let durability = convert::durability(durability);
        self.call_on(&file, |file| file.link(&target, durability))
    }

    fn convert_error(&mut self, failure: Failure) -> wasmtime::Result<Error> {
        match failure {
            Failure::Error(error) => {
                let exhausted = [core::ErrorCode::Quota, core::ErrorCode::OutOfHandles];
                self.ctx.refused += u64::from(exhausted.contains(&error.code));
                Ok(convert::error(error))
            }
            Failure::Trap(error) => Err(error),
        }
    }

    fn default_directory(&mut self) -> Result<String, Failure> {
        self.call(|view| Ok(view.ctx.instance.default_directory()?))
    }
}
