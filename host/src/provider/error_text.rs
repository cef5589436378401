//! The text of WASI's errors, as a plugin sees it: one line.
//!
//! wasmtime-wasi answers `to-debug-string` with the engine's debugging text. If the process has
//! `RUST_BACKTRACE` set, that ends in the host's stack, with the paths of its source code.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::error::{Error, Host, HostError, add_to_linker};

use super::TempfileView;
use crate::error::one_line;

struct OneLine<'a>(&'a mut ResourceTable);

struct HasOneLine;

impl HasData for HasOneLine {
    type Data<'a> = OneLine<'a>;
}

impl Host for OneLine<'_> {}

impl HostError for OneLine<'_> {
    fn to_debug_string(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        Ok(one_line(self.0.get(&error)?.as_ref()))
    }

    fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        HostError::drop(self.0, error)
    }
}

/// Replaces `wasi:io/error` in a linker that has it.
pub(crate) fn replace_in<T: TempfileView + 'static>(
    linker: &mut Linker<T>,
) -> wasmtime::Result<()> {
    let mut is_free = linker.clone();
    is_free.allow_shadowing(false);
    if add(&mut is_free).is_ok() {
        return Ok(());
    }
    super::shadowing(linker, add)
}

fn add<T: TempfileView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    add_to_linker::<T, HasOneLine>(linker, |data| OneLine(data.tempfile().table))
}
