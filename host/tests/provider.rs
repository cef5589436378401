//! The interface served by the host itself: what a plugin gets, and an embedder with a store of
//! their own.

mod support;

use std::fs;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};

use support::store::State;
use support::{BARE_PLUGIN, PLUGIN, World};
use tokio::runtime::{Builder, Handle};
use wasi_tempfile_host::provider::{self, TempfileCtx};
use wasi_tempfile_host::{Capture, Ending, Provider, RunOptions, Sandbox, ScratchRoot};
use wasmtime::component::{Component, Linker, ResourceTable, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::filesystem::{Descriptor, File};
use wasmtime_wasi::p2::bindings::{CommandPre, sync};
use wasmtime_wasi::runtime::in_tokio;
use wasmtime_wasi::{FsPerms, OpenMode, WasiCtx};

fn bare_plugin() -> Vec<u8> {
    fs::read(BARE_PLUGIN).expect("read the plugin")
}

#[test]
fn a_plugin_without_any_file_system_has_scratch_space() {
    let engine = Engine::default();
    let component = Component::new(&engine, bare_plugin()).expect("a component");
    let ty = component.component_type();
    let imports: Vec<&str> = ty.imports(&engine).map(|(name, _)| name).collect();
    assert!(
        imports.iter().any(|name| name.starts_with("scratch:tempfile/tempfile")),
        "{imports:?}"
    );
    assert!(!imports.iter().any(|name| name.contains("filesystem")), "{imports:?}");

    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    for plugin in [
        sandbox.load(&bare_plugin(), Provider::Host),
        sandbox.load(&bare_plugin(), Provider::Component),
    ] {
        let (said, complained) = (Capture::new(1024), Capture::new(1024));
        let run = RunOptions::in_root(&root).stdout(&said).stderr(&complained);
        let outcome = plugin.expect("load").run(run).expect("run");
        assert_eq!(outcome.ending, Ending::Returned, "{}", complained.text());
        assert!(said.text().starts_with("without a file system in /tmp/"), "{}", said.text());
    }
    world.assert_nothing_left();
}

#[test]
fn stores_on_the_threads_of_a_runtime_are_served_side_by_side() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("link WASI");
    provider::add_to_linker_async(&mut linker).expect("link the provider");
    let component = Component::new(&engine, bare_plugin()).expect("a component");
    let plugin =
        CommandPre::new(linker.instantiate_pre(&component).expect("link")).expect("a command");
    let run = || {
        let (root, plugin, engine) = (root.clone(), plugin.clone(), engine.clone());
        async move {
            let scratch = root.create_dir().expect("make a directory");
            let tempfile =
                TempfileCtx::builder(scratch).expect("open it").build().expect("room for it");
            let state =
                State { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), tempfile };
            let mut store = Store::new(&engine, state);
            let command = plugin.instantiate_async(&mut store).await.expect("an instance");
            command.wasi_cli_run().call_run(&mut store).await.expect("no trap").expect("success");
            let usage = store.data().tempfile.usage();
            assert_eq!((usage.live, usage.peak.files > 0), (Default::default(), true));
        }
    };
    let other = Builder::new_multi_thread().worker_threads(1).build().expect("start a runtime");
    for mut runtime in [Builder::new_multi_thread(), Builder::new_current_thread()] {
        let runtime = runtime.worker_threads(2).enable_all().build().expect("start a runtime");
        let runs: Vec<_> = (0..16).map(|_| runtime.spawn(run())).collect();
        for run in runs {
            runtime.block_on(run).expect("no panic");
        }
        let local = tokio::task::LocalSet::new();
        let runs: Vec<_> = (0..4).map(|_| local.spawn_local(run())).collect();
        local.block_on(&runtime, run());
        for run in runs {
            local.block_on(&runtime, run).expect("no panic in a set of local tasks");
        }
        runtime.block_on(run());
        let task = async { provider::spawn(run()).await };
        runtime.block_on(task).expect("no panic in a task of the provider's");
        let handle = other.handle().clone();
        let entered = inside(handle.clone(), run());
        runtime.block_on(runtime.spawn(entered)).expect("no panic where another was entered");
        runtime.block_on(inside(handle, run()));
    }
    in_tokio(async { provider::spawn(run()).await }).expect("no panic");
    world.assert_nothing_left();
}

/// Polls a future where another runtime than the one that polls it has been entered.
async fn inside<T>(runtime: Handle, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// The interface's error of a file that is not handed over.
fn unsupported() -> Val {
    Val::Record(vec![
        ("code".to_owned(), Val::Enum("unsupported".to_owned())),
        ("message".to_owned(), Val::String("not this one".to_owned())),
        ("path".to_owned(), Val::Option(None)),
    ])
}

#[test]
fn a_file_that_is_not_handed_over_keeps_no_later_one_from_it() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("link WASI");
    provider::add_to_linker(&mut linker).expect("link the provider");

    // This provider hands over no file, so the test does: files of its own, after it has refused
    // once.
    let (handed_over, asked) = (world.directory("handed-over"), AtomicU32::new(0));
    let directory = handed_over.clone();
    linker.allow_shadowing(true);
    let mut descriptors =
        linker.instance("scratch:tempfile-wasi/descriptors@0.2.0").expect("the interface");
    descriptors
        .func_new("file-descriptor", move |mut store, _, arguments, results| {
            let [Val::Resource(file)] = arguments else { panic!("{arguments:?}") };
            file.resource_drop(&mut store)?;
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let result = if number == 0 {
                Err(Some(Box::new(unsupported())))
            } else {
                let file = fs::File::create_new(directory.join(number.to_string()))?;
                let file = File::new(file, FsPerms::ReadWrite, OpenMode::WRITE, true);
                let descriptor = store.data_mut().table.push(Descriptor::File(file))?;
                Ok(Some(Box::new(Val::Resource(descriptor.try_into_resource_any(&mut store)?))))
            };
            results[0] = Val::Result(result);
            Ok(())
        })
        .expect("link it");

    let component = fs::read(PLUGIN).expect("read the plugin");
    let component = Component::new(&engine, component).expect("a component");
    let plugin = linker.instantiate_pre(&component).expect("link");
    let plugin = sync::CommandPre::new(plugin).expect("a command");
    let scratch = root.create_dir().expect("make a directory");
    let tempfile = TempfileCtx::builder(scratch).expect("open it").build().expect("room for it");
    // The plugin writes ten bytes to one unnamed file, and then one byte to each of two others.
    let wasi = WasiCtx::builder().args(&["plugin", "fill", "10"]).build();
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new(), tempfile });
    let command = plugin.instantiate(&mut store).expect("an instance");
    command.wasi_cli_run().call_run(&mut store).expect("no trap").expect("success");

    let written = |name| fs::read(handed_over.join(name)).expect("it was handed over");
    assert_eq!((written("1"), written("2")), (b"x".to_vec(), b"x".to_vec()));
}
