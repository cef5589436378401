//! A process whose errors have backtraces. In a program of its own, because the variable that
//! switches them on is the whole process's.

mod support;

use std::fs;

use support::store::State;
use support::{PLUGIN, World};
use wasi_tempfile_host::provider::{self, TempfileCtx};
use wasi_tempfile_host::{Capture, Ending, Provider, RunOptions, Sandbox, ScratchRoot};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::p2::bindings::sync;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// What the plugin prints in a store of an embedder's own.
fn in_own_store(root: &ScratchRoot, component: &[u8]) -> String {
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("link WASI");
    provider::add_to_linker(&mut linker).expect("link the provider");
    assert!(
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).is_err(),
        "the linker refuses names that are taken, as before"
    );
    let component = Component::new(&engine, component).expect("a component");
    let plugin = linker.instantiate_pre(&component).expect("link");
    let plugin = sync::CommandPre::new(plugin).expect("a command");
    let scratch = root.create_dir().expect("make a directory");
    let tempfile = TempfileCtx::builder(scratch).expect("open it").build().expect("room for it");
    let output = MemoryOutputPipe::new(1 << 20);
    let args = ["plugin", "stream-errors"];
    let wasi = WasiCtx::builder().args(&args).stdout(output.clone()).build();
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new(), tempfile });
    let command = plugin.instantiate(&mut store).expect("an instance");
    command.wasi_cli_run().call_run(&mut store).expect("no trap").expect("success");
    String::from_utf8(output.contents().to_vec()).expect("text")
}

#[test]
#[allow(unsafe_code, reason = "to set a variable of the environment")]
fn the_error_of_a_stream_has_no_backtrace_of_the_host() {
    // SAFETY: no other thread uses the environment, since this is the only test of its program.
    unsafe { std::env::set_var("RUST_BACKTRACE", "1") };
    let backtrace = std::backtrace::Backtrace::capture().status();
    assert_eq!(backtrace, std::backtrace::BacktraceStatus::Captured);

    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let component = fs::read(PLUGIN).expect("read the plugin");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let in_sandbox = |provider| {
        let plugin = sandbox.load(&component, provider).expect("load");
        let output = Capture::new(1 << 20);
        let run = RunOptions::in_root(&root).args(["plugin", "stream-errors"]).stdout(&output);
        assert_eq!(plugin.run(run).expect("run").ending, Ending::Returned);
        output.text()
    };
    for said in [
        in_sandbox(Provider::Host),
        in_sandbox(Provider::Component),
        in_own_store(&root, &component),
    ] {
        assert_eq!(said.lines().count(), 2, "a message is one line: {said}");
        assert!(said.starts_with("write: ") && said.contains("\nread: "), "{said}");
        assert!(!said.contains(".rs"), "a file of the host's source code: {said}");
    }
    world.assert_nothing_left();
}
