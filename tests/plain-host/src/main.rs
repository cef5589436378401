//! A host that knows nothing of this project: runs a component on wasmtime's own WASI.
//!
//! `plain-host COMPONENT DIRECTORY [ARGUMENTS]` gives the component the directory as `/tmp`.
#![deny(unsafe_code)]

use std::process::ExitCode;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn main() -> wasmtime::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, directory, ..] = arguments.as_slice() else {
        eprintln!("plain-host COMPONENT DIRECTORY [ARGUMENTS]");
        return Ok(ExitCode::from(2));
    };
    let engine = Engine::default();
    let component = Component::from_file(&engine, component)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let mut wasi = WasiCtx::builder();
    wasi.inherit_stdio().arg("plugin").args(&arguments[2..]);
    wasi.preopened_dir(directory, "/tmp", FsPerms::ReadWrite)?;
    let state = State { wasi: wasi.build(), table: ResourceTable::new() };
    let mut store = Store::new(&engine, state);
    let command = Command::instantiate(&mut store, &component, &linker)?;
    match command.wasi_cli_run().call_run(&mut store)? {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(()) => Ok(ExitCode::FAILURE),
    }
}
