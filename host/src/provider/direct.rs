//! The interface `direct`.

use std::fs;

use tempfile_core::{Error, ErrorCode};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::{FsPerms, OpenMode};

use super::interface::direct::Host;
use super::{Failure, File, TempDir, TempfileCtxView, Waiting};

impl Host for TempfileCtxView<'_> {
    /// Bytes that pass through the host as lists are copied as often as through a descriptor, and keep their path to `link`.
    fn hand_over(&mut self, file: Resource<File>) -> Result<Resource<Descriptor>, Failure> {
        self.call_on(&file, |view| {
            // `closed` comes before `unsupported`.
            view.table.get(&file)?.storage()?;
            Err(Error::new(ErrorCode::Unsupported, "hand over", "a temporary file").into())
        })
    }

    fn open_directory(&mut self, dir: Resource<TempDir>) -> Result<Resource<Descriptor>, Failure> {
        self.call_on(&dir, |view| {
            let dir = view.table.get(&dir)?;
            dir.get_ref()?;
            if view.ctx.platform.counts() {
                return Err(Error::new(ErrorCode::Unsupported, "open", dir.path()).into());
            }
            let handle = dir
                .get_ref()?
                .try_clone()
                .map_err(|_| Error::new(ErrorCode::OutOfHandles, "open", dir.path()))?;
            let here = matches!(view.waiting, Waiting::Here);
            let mode = OpenMode::READ | OpenMode::WRITE;
            let dir = Dir::new(fs::File::from(handle), FsPerms::ReadWrite, mode, here);
            view.put(Descriptor::Dir(dir))
        })
    }
}
