//! `compose` makes a component for any WASI 0.2 host: here for one that knows nothing of this
//! project.

mod support;

use std::fs;
use std::path::Path;

use support::{PLUGIN, World};
use wasi_tempfile_host::{
    Ending, Error, PluginPreopens, Provider, RunOptions, Sandbox, ScratchAccess, ScratchRoot,
    components, compose,
};
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
    run_granted(component, &[(directory, "/store")], arguments)
}

/// The same with these directories under these names.
fn run_granted(
    component: &[u8],
    directories: &[(&Path, &str)],
    arguments: &[&str],
) -> Result<String, String> {
    let engine = Engine::default();
    let mut linker: Linker<Foreign> = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("link WASI");
    let component = Component::from_binary(&engine, component).expect("compile");
    let stdout = MemoryOutputPipe::new(1 << 20);
    let stderr = MemoryOutputPipe::new(1 << 20);
    let mut wasi = WasiCtx::builder();
    wasi.arg("plugin").args(arguments).stdout(stdout.clone()).stderr(stderr.clone());
    for (directory, name) in directories {
        wasi.preopened_dir(directory, name, FsPerms::ReadWrite).expect("open the directory");
    }
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
    compose(&plugin, components::PROVIDER, PluginPreopens::None).expect("compose")
}

#[test]
fn a_composed_plugin_runs_in_another_host_with_its_directory_as_scratch() {
    let world = World::new();
    let work = world.directory("data");
    let said = run_elsewhere(&composed(), &work, &["see"]).expect("the plugin succeeds");
    assert!(said.starts_with("interface: /store/"), "{said}");
    assert_eq!(fs::read_dir(work).expect("list it").count(), 0, "the plugin's files are gone");
}

#[test]
fn a_composed_plugin_sees_no_directory_by_itself() {
    let world = World::new();
    let work = world.directory("data");
    fs::write(work.join("secret"), "secret").expect("write a file");
    let said = run_elsewhere(&composed(), &work, &["list", "/store", "/", "."])
        .expect("the plugin succeeds");
    assert_eq!(said, "/store: blind\n/: blind\n.: blind\n");
}

#[test]
fn each_choice_of_preopens_opens_what_it_says() {
    let world = World::new();
    let (tmp, store) = (world.directory("tmp"), world.directory("store"));
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    for (preopens, sees_tmp, sees_store) in [
        (PluginPreopens::All, true, true),
        (PluginPreopens::Granted, false, true),
        (PluginPreopens::None, false, false),
    ] {
        let composed = compose(&plugin, components::PROVIDER, preopens).expect("compose");
        let run = |directories: &[(&Path, &str)], arguments: &[&str]| {
            run_granted(&composed, directories, arguments).expect("the plugin succeeds")
        };
        let both = [(&*tmp, "/tmp"), (&*store, "/store")];
        let listed = run(&both, &["list", "/tmp", "/store"]);
        let blind = [listed.contains("/tmp: blind"), listed.contains("/store: blind")];
        assert_eq!(blind, [!sees_tmp, !sees_store], "{preopens:?}: {listed}");
        // Its temporary files are in the first directory that is usable.
        let own = run(&both, &["see"]);
        assert!(own.starts_with("interface: /tmp/"), "{own}");
        assert_eq!(own.ends_with("library: sees it\n"), sees_tmp, "{preopens:?}: {own}");
        let elsewhere = run(&both[1..], &["see"]);
        assert!(elsewhere.starts_with("interface: /store/"), "{elsewhere}");
        assert_eq!(elsewhere.ends_with("library: sees it\n"), sees_store, "{preopens:?}");
        // Of two directories of one name the second is the plugin's.
        let twice = run(&[(&*tmp, "/tmp"), (&*tmp, "/tmp")], &["see"]);
        assert_eq!(twice.ends_with("library: sees it\n"), sees_store, "{preopens:?}: {twice}");
    }
}

/// A plugin that asks for its preopens through these versions of the interface at once, and fails
/// if it gets any.
fn curious(versions: &[&str]) -> Vec<u8> {
    let mut text = String::from("(component (core module $heap (memory (export \"memory\") 1)");
    // Everything lands at the same place: this plugin only counts.
    text += "(func (export \"realloc\") (param i32 i32 i32 i32) (result i32) i32.const 1024))";
    text += "(core instance $heap (instantiate $heap))";
    let (mut imports, mut counts, mut arguments) = (String::new(), String::new(), String::new());
    for (i, version) in versions.iter().enumerate() {
        text += &format!(
            r#"(import "wasi:filesystem/types{version}" (instance $types{i}
                (export "descriptor" (type (sub resource)))))
            (alias export $types{i} "descriptor" (type $descriptor{i}))
            (import "wasi:filesystem/preopens{version}" (instance $preopens{i}
                (alias outer 1 $descriptor{i} (type $outer))
                (export "descriptor" (type $own (eq $outer)))
                (export "get-directories" (func (result (list (tuple (own $own) string)))))))
            (core func $get{i} (canon lower (func $preopens{i} "get-directories")
                (memory (core memory $heap "memory")) (realloc (core func $heap "realloc"))))"#
        );
        imports += &format!(r#"(import "host" "get{i}" (func $get{i} (param i32)))"#);
        counts += &format!("(call $get{i} (i32.const 0)) (i32.load (i32.const 4)) i32.or ");
        arguments += &format!(r#"(export "get{i}" (func $get{i}))"#);
    }
    text += &format!(
        r#"(core module $main {imports} (import "heap" "memory" (memory 1))
            (func (export "run") (result i32) (i32.const 0) {counts} (i32.const 0) i32.ne))
        (core instance $main (instantiate $main
            (with "heap" (instance $heap)) (with "host" (instance {arguments}))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $export (export "run" (func $run)))
        (export "wasi:cli/run@0.2.12" (instance $export)))"#
    );
    wat::parse_str(&text).expect("the test's text is a component")
}

#[test]
fn every_version_of_the_preopens_is_stubbed() {
    let world = World::new();
    let work = world.directory("data");
    let versions = ["@0.2.0", "@0.2.6", "@0.2.12"];
    assert!(run_elsewhere(&curious(&versions), &work, &[]).is_err(), "alone it sees a directory");

    let composed =
        compose(&curious(&versions), components::PROVIDER, PluginPreopens::None).expect("compose");
    assert_eq!(run_elsewhere(&composed, &work, &[]), Ok(String::new()));

    let plugin = Sandbox::new()
        .expect("make a sandbox")
        .load(&curious(&versions), Provider::Component)
        .expect("load");
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let ending =
        |access| plugin.run(RunOptions::in_root(&root).scratch_access(access)).expect("run").ending;
    assert_eq!(ending(ScratchAccess::Isolated), Ending::Returned);
    assert_eq!(ending(ScratchAccess::Open), Ending::Failed { status: 1 }, "it sees one");
}

#[test]
fn a_composed_plugin_is_not_composed_again() {
    // A stub would take the directory from the provider that is inside.
    for preopens in [PluginPreopens::All, PluginPreopens::Granted, PluginPreopens::None] {
        let twice = compose(&composed(), components::PROVIDER, preopens);
        assert!(matches!(twice, Err(Error::HasProvider)), "{preopens:?}");
    }
}

#[test]
fn a_plugin_that_only_mentions_the_interface_is_composed() {
    let plugin = r#"(component (core module (memory 1)
        (data (i32.const 0) "scratch:tempfile/tempfile@0.1.0")))"#;
    let plugin = wat::parse_str(plugin).expect("the test's text is a component");
    compose(&plugin, components::PROVIDER, PluginPreopens::Granted).expect("compose");
}

#[test]
fn the_provider_imports_little() {
    let allowed =
        ["wasi:cli/environment@", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];
    let engine = Engine::default();
    let component = Component::from_binary(&engine, components::PROVIDER).expect("compile");
    for (import, _) in component.component_type().imports(&engine) {
        assert!(allowed.iter().any(|prefix| import.starts_with(prefix)), "{import}");
    }
}

/// A plugin that exports functions with a resource of the interface.
const GIVES_A_FILE: &str = r#"(component
    (import "scratch:tempfile/tempfile@0.1.0"
        (instance $interface (export "file" (type $file (sub resource)))))
    (alias export $interface "file" (type $file))
    (core module $main
        (func (export "make") (result i32) (i32.const 0))
        (func (export "use") (param i32)))
    (core instance $main (instantiate $main))
    (func $make (result (own $file)) (canon lift (core func $main "make")))
    (func $use (param "file" (borrow $file)) (canon lift (core func $main "use")))
    (instance $api (export "make" (func $make)))
    (export "make" (func $make))
    (export "test:plugin/api" (instance $api))
    (export "use" (func $use)))"#;

#[test]
fn a_plugin_that_exports_a_function_with_a_resource_of_the_interface_is_composed() {
    let plugin = wat::parse_str(GIVES_A_FILE).expect("a component");
    for preopens in [PluginPreopens::All, PluginPreopens::Granted, PluginPreopens::None] {
        let composed = compose(&plugin, components::PROVIDER, preopens).expect("compose");
        let engine = wasmtime::Engine::default();
        let composed = wasmtime::component::Component::new(&engine, composed).expect("it is valid");
        let ty = composed.component_type();
        let mut exports: Vec<&str> = ty.exports(&engine).map(|(name, _)| name).collect();
        exports.sort_unstable();
        let expected = ["make", "scratch:tempfile/tempfile@0.1.0", "test:plugin/api", "use"];
        assert_eq!(exports, expected);
    }
}

#[test]
fn what_is_missing_of_the_interface_is_named_with_what_is_served() {
    let sandbox = Sandbox::new().expect("make a sandbox");
    for (provider, import, words) in [
        (Provider::Host, "scratch:tempfile/tempfile@9.0.0", "the host serves version 0.1.0"),
        (Provider::Component, "scratch:tempfile/ledger@9.0.0", "the provider has version 0.1.0"),
        (Provider::Host, "scratch:tempfile-wasi/descriptors@0.9.0", "the host serves version 0.2"),
        (Provider::Composed, "scratch:tempfile/tempfile@0.1.0", "load it with Provider::Host"),
        (Provider::Host, "scratch:tempfile/telepathy@0.1.0", "neither the host nor the provider"),
    ] {
        let text = format!(r#"(component (import "{import}" (instance (export "f" (func)))))"#);
        let error = sandbox.load(&wat::parse_str(text).expect("a component"), provider);
        let error = error.map(drop).expect_err("nobody serves it");
        let Error::MissingImport { import: named, .. } = &error else { panic!("{error}") };
        assert_eq!(named, import);
        assert!(error.to_string().contains(words), "{error}");
    }
}
