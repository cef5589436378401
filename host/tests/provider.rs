//! The interface served by the host itself: what a plugin gets, and an embedder with a store of their own.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use support::{BARE_PLUGIN, Running, World, output};
use tokio::runtime::Builder;
use wasi_tempfile_host::provider::{self, TempfileCtx, TempfileCtxView, TempfileView};
use wasi_tempfile_host::{Capture, Ending, Provider, RunOptions, Sandbox, ScratchRoot};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const HOST: [&str; 2] = ["--provider", "host"];

fn bare_plugin() -> Vec<u8> {
    fs::read(BARE_PLUGIN).expect("read the plugin")
}

#[test]
fn n09_a_plugin_without_any_file_system_has_scratch_space() {
    let engine = Engine::default();
    let component = Component::new(&engine, bare_plugin()).expect("a component");
    let ty = component.component_type();
    let imports: Vec<&str> = ty.imports(&engine).map(|(name, _)| name).collect();
    assert!(imports.iter().any(|name| name.starts_with("scratch:tempfile/tempfile")), "{imports:?}");
    assert!(!imports.iter().any(|name| name.contains("filesystem")), "{imports:?}");

    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    for plugin in
        [sandbox.load(&bare_plugin(), Provider::Host), sandbox.load(&bare_plugin(), Provider::Component)]
    {
        let said = Capture::new(1024);
        let outcome = plugin.expect("load").run(RunOptions::in_root(&root).stdout(&said)).expect("run");
        assert_eq!(outcome.ending, Ending::Returned);
        assert!(said.text().starts_with("without a file system in /tmp/"), "{}", said.text());
    }
    world.assert_nothing_left();
}

#[test]
fn the_same_plugin_runs_with_either_provider() {
    let world = World::new();
    for provider in ["component", "host"] {
        let ended = output(&mut world.run(&["--provider", provider], &["ok"]));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
    }
    world.assert_nothing_left();
}

#[test]
fn the_standard_library_finds_no_scratch_directory_of_a_limited_run() {
    let world = World::new();
    let limited = [&HOST[..], &["--bytes", "1M"]].concat();
    let seen = output(&mut world.run(&limited, &["see"]));
    assert!(seen.stdout.starts_with("interface: /tmp/"), "{}", seen.stdout);
    assert!(seen.stdout.ends_with("standard library: blind\n"), "{}", seen.stdout);
    let data = world.directory("data");
    let mount = format!("{}::/data", data.display());
    let listed =
        output(&mut world.run(&[&limited[..], &["--mount", &mount]].concat(), &["list", "/data", "/tmp", "/"]));
    assert_eq!(listed.stdout, "/data: []\n/tmp: blind\n/: blind\n", "{}", listed.stderr);
}

#[test]
fn files_are_the_owners_alone_whatever_the_umask() {
    let world = World::new();
    let mut waiting = std::process::Command::new("sh");
    let command = "umask 000; exec \"$0\" run --root \"$1\" --provider host \"$2\" wait";
    waiting.args(["-c", command, env!("CARGO_BIN_EXE_wasi-tempfile")]).arg(world.root()).arg(support::PLUGIN);
    let running = Running::until(&mut waiting, "waiting");
    let [scratch] = &world.scratch()[..] else { panic!("one directory: {:?}", world.scratch()) };
    let mode = |path: &std::path::Path| fs::metadata(path).expect("look at it").permissions().mode() & 0o7777;
    assert_eq!(mode(scratch), 0o700);
    let modes = fs::read_dir(scratch).expect("list it").map(|entry| mode(&entry.expect("an entry").path()));
    let mut modes: Vec<u32> = modes.collect();
    modes.sort_unstable();
    assert_eq!(modes, [0o600, 0o700]);
    assert_eq!(running.close_input().code, Some(0));
    world.assert_nothing_left();
}

#[test]
fn a_file_is_persisted_to_a_mount_and_to_no_other_place() {
    let world = World::new();
    let (data, closed) = (world.directory("data"), world.directory("closed"));
    let mounts = [format!("{}::/data", data.display()), format!("{}::/data/closed:ro", closed.display())];
    let options = [&HOST[..], &["--mount", &mounts[0], "--mount", &mounts[1]]].concat();
    let persist = |target: &str| output(&mut world.run(&options, &["persist", target])).stdout;
    assert_eq!(persist("/data/found"), "ok\n");
    assert_eq!(fs::read_to_string(data.join("found")).expect("read it"), "persisted");
    assert_eq!(persist("/data/closed/x"), "access\n");
    assert_eq!(persist("/data/../x"), "invalid-name\n");
    assert_eq!(persist("/elsewhere/x"), "no-entry\n");
    assert_eq!(persist(&format!("{}/x", data.display())), "no-entry\n", "a path of the host's");
    std::os::unix::fs::symlink("/", data.join("way-out")).expect("plant a link");
    assert_eq!(persist("/data/way-out/x"), "not-directory\n");
    assert_eq!(fs::read_dir(&closed).expect("list it").count(), 0);
    world.assert_nothing_left();
}

/// A store of an embedder's own.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    tempfile: TempfileCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl TempfileView for State {
    fn tempfile(&mut self) -> TempfileCtxView<'_> {
        self.tempfile.view(&mut self.table)
    }
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
    let plugin = CommandPre::new(linker.instantiate_pre(&component).expect("link")).expect("a command");
    let run = || {
        let (root, plugin, engine) = (root.clone(), plugin.clone(), engine.clone());
        async move {
            let scratch = root.create_dir().expect("make a directory");
            let tempfile = TempfileCtx::builder(&scratch).expect("open it").build();
            let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), tempfile };
            let mut store = Store::new(&engine, state);
            let command = plugin.instantiate_async(&mut store).await.expect("an instance");
            command.wasi_cli_run().call_run(&mut store).await.expect("no trap").expect("success");
            let usage = store.data().tempfile.usage();
            assert_eq!((usage.live, usage.peak.files > 0), (Default::default(), true));
        }
    };
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
    }
    world.assert_nothing_left();
}
