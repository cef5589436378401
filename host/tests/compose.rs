//! `compose` makes a component for any WASI 0.2 host: here for one that knows nothing of this project.

mod support;

use std::fs;
use std::path::Path;

use support::{PLUGIN, World, command, output};
use wasi_tempfile_host::{PluginPreopens, components, compose};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// A host as wasmtime's own documentation shows it.
struct Foreign {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Foreign {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Runs a component with one directory, and gives what it printed if it succeeded.
fn run_elsewhere(component: &[u8], directory: &Path, arguments: &[&str]) -> Result<String, String> {
    let engine = Engine::default();
    let mut linker: Linker<Foreign> = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("link WASI");
    let component = Component::from_binary(&engine, component).expect("compile");
    let stdout = MemoryOutputPipe::new(1 << 20);
    let stderr = MemoryOutputPipe::new(1 << 20);
    let mut wasi = WasiCtx::builder();
    wasi.arg("plugin").args(arguments).stdout(stdout.clone()).stderr(stderr.clone());
    wasi.preopened_dir(directory, "/work", FsPerms::ReadWrite).expect("open the directory");
    let state = Foreign { wasi: wasi.build(), table: ResourceTable::new() };
    let mut store = Store::new(&engine, state);
    let command = Command::instantiate(&mut store, &component, &linker).expect("instantiate");
    let result = command.wasi_cli_run().call_run(&mut store);
    let text = |pipe: MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
    match result {
        Ok(Ok(())) => Ok(text(stdout)),
        Ok(Err(())) => Err(text(stderr)),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn composed() -> Vec<u8> {
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    compose(&plugin, components::PROVIDER, PluginPreopens::Empty).expect("compose")
}

#[test]
fn what_compose_writes_runs_in_another_host_with_its_directory_as_scratch() {
    let world = World::new();
    let whole = world.path("whole.wasm");
    let ended = output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));

    let work = world.directory("work");
    let whole = fs::read(whole).expect("read it");
    let said = run_elsewhere(&whole, &work, &["see"]).expect("the plugin succeeds");
    assert!(said.starts_with("interface: /work/"), "{said}");
    assert_eq!(fs::read_dir(work).expect("list it").count(), 0, "the plugin's files are gone");
}

#[test]
fn a_composed_plugin_sees_no_directory_by_itself() {
    let world = World::new();
    let work = world.directory("work");
    fs::write(work.join("secret"), "secret").expect("write a file");
    for path in ["/work", "/", "."] {
        let error = run_elsewhere(&composed(), &work, &["list", path]).expect_err("nothing to list");
        assert!(error.contains("list"), "{error}");
    }
}

#[test]
fn a_plugin_without_the_interface_is_composed_with_the_stub() {
    let world = World::new();
    let work = world.directory("work");
    // A composition imports nothing of the interface any more, and has preopens of its own.
    let twice = compose(&composed(), components::PROVIDER, PluginPreopens::Empty).expect("compose");
    assert!(run_elsewhere(&composed(), &work, &["ok"]).is_ok());
    let error = run_elsewhere(&twice, &work, &["ok"]).expect_err("no directory, no scratch");
    assert!(error.contains("make a file") || error.contains("unreachable"), "{error}");
}

#[test]
fn what_compose_writes_runs_here_with_a_mount_as_scratch() {
    let world = World::new();
    let whole = world.file("whole.wasm", composed());
    let work = world.directory("work");
    let mut run = command();
    run.arg("run").arg("--root").arg(world.root());
    run.arg("--mount").arg(format!("{}::/work", work.display())).arg(whole).arg("see");
    let ended = output(&mut run);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.starts_with("interface: /work/"), "{}", ended.stdout);
}

#[test]
fn the_component_written_out_serves_as_provider() {
    let world = World::new();
    let provider = world.path("provider.wasm");
    let ended = output(command().arg("component").arg("-o").arg(&provider));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let provider = provider.to_str().expect("the test's path is text");
    let ended = output(&mut world.run(&["--provider", provider], &["see"]));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    world.assert_nothing_left();
}

#[test]
fn the_provider_imports_little_and_is_small() {
    let allowed = ["wasi:cli/environment@", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];
    let engine = Engine::default();
    let provider = Component::from_binary(&engine, components::PROVIDER).expect("compile");
    for (import, _) in provider.component_type().imports(&engine) {
        assert!(allowed.iter().any(|prefix| import.starts_with(prefix)), "{import}");
    }
    assert!(components::PROVIDER.len() <= 64 << 10, "{} bytes", components::PROVIDER.len());
}

#[test]
fn the_wit_package_is_printed_as_one() {
    let ended = output(command().arg("wit"));
    assert_eq!(ended.code, Some(0));
    let packages: Vec<&str> = ended.stdout.lines().filter(|line| line.starts_with("package ")).collect();
    let [package] = packages[..] else { panic!("{packages:?}") };
    assert!(package.starts_with("package scratch:tempfile@"), "{package}");
    for interface in ["interface types {", "interface tempfile {", "interface direct {", "world provider {"] {
        assert!(ended.stdout.contains(interface), "{interface}");
    }
}
