//! What `compose`, `component` and `wit` write.

mod support;

use std::fs;

use support::{PLUGIN, World, command, output};
use wasi_tempfile_host::{PluginPreopens, components, compose};

#[test]
fn compose_writes_what_the_library_composes() {
    let world = World::new();
    let whole = world.path("whole.wasm");
    let ended = output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole));
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let composed = compose(&plugin, components::PROVIDER, PluginPreopens::Empty).expect("compose");
    assert!(fs::read(whole).expect("read it") == composed, "another component");
}

#[test]
fn what_compose_writes_runs_here_with_a_mount_as_scratch() {
    let world = World::new();
    let whole = world.path("whole.wasm");
    assert_eq!(output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole)).code, Some(0));
    let work = world.directory("data");
    let mut run = command();
    run.arg("run").arg("--root").arg(world.root());
    run.arg("--mount").arg(format!("{}::/store", work.display())).arg(whole).arg("see");
    let ended = output(&mut run);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.starts_with("interface: /store/"), "{}", ended.stdout);
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
fn the_wit_package_is_printed_as_one() {
    let ended = output(command().arg("wit"));
    assert_eq!(ended.code, Some(0));
    let packages: Vec<&str> =
        ended.stdout.lines().filter(|line| line.starts_with("package ")).collect();
    let [package] = packages[..] else { panic!("{packages:?}") };
    assert!(package.starts_with("package scratch:tempfile@"), "{package}");
    for interface in ["interface tempfile {", "interface ledger {", "world imports {"] {
        assert!(ended.stdout.contains(interface), "{interface}");
    }
}
