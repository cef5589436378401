//! The functions of the interface `tempfile`.

use alloc::string::String;

use getrandom::SysRng;
use tempfile_core as core_;
use tempfile_wasi::WasiContext;

use crate::bindings::exports::scratch::tempfile::tempfile::{
    self, Durability, Error, FileBorrow, Guest, Location, Options, TempDir,
};
use crate::convert;
use crate::dir::DirHandle;
use crate::file::FileHandle;
use crate::runtime::Global;
use crate::temp_path::PathHandle;

/// The component.
pub(crate) struct Provider;

type Instance = core_::Instance<WasiContext, SysRng>;

/// The component's one user. If its limits cannot be read, it may create nothing.
// Inlined, it would be in the component seven times.
#[inline(never)]
pub(crate) fn instance() -> Result<&'static Instance, core_::Error> {
    static INSTANCE: Global<Result<Instance, core_::Error>> = Global::new();
    let new = || Ok(Instance::new(WasiContext::from_environment()?, SysRng));
    INSTANCE.get_or_init(new).as_ref().map_err(Clone::clone)
}

/// Calls `create` with the instance and the location that the bindings' location stands for.
fn create<T>(
    location: Location<'_>,
    create: impl FnOnce(&Instance, core_::Location<'_, WasiContext>) -> Result<T, core_::Error>,
) -> Result<T, Error> {
    let created = instance().and_then(|instance| match location {
        Location::Scratch => create(instance, core_::Location::Scratch),
        Location::Directory(path) => create(instance, core_::Location::Directory(&path)),
        Location::Within(dir) => {
            let dir = dir.get::<DirHandle>().0.borrow();
            create(instance, core_::Location::Within(&dir))
        }
    });
    created.map_err(convert::error)
}

impl Guest for Provider {
    type File = FileHandle;
    type TempPath = PathHandle;
    type TempDir = DirHandle;

    fn unnamed(location: Location<'_>) -> Result<tempfile::File, Error> {
        create(location, |instance, location| instance.unnamed(location)).map(FileHandle::resource)
    }

    fn named(
        options: Options,
        location: Location<'_>,
    ) -> Result<(tempfile::File, tempfile::TempPath), Error> {
        let options = convert::options(options);
        let (file, path) =
            create(location, |instance, location| instance.named(&options, location))?;
        Ok((FileHandle::resource(file), PathHandle::resource(path)))
    }

    fn spooled(max_memory: Option<u64>, location: Location<'_>) -> Result<tempfile::File, Error> {
        create(location, |instance, location| instance.spooled(max_memory, location))
            .map(FileHandle::any)
    }

    fn directory(options: Options, location: Location<'_>) -> Result<TempDir, Error> {
        let options = convert::options(options);
        create(location, |instance, location| instance.directory(&options, location))
            .map(DirHandle::resource)
    }

    fn link(file: FileBorrow<'_>, target: String, durability: Durability) -> Result<(), Error> {
        let mut file = file.get::<FileHandle>().0.borrow_mut();
        file.link(&target, convert::durability(durability)).map_err(convert::error)
    }

    fn default_directory() -> Result<String, Error> {
        instance().and_then(Instance::default_directory).map_err(convert::error)
    }
}
