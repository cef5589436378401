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
    let composed = compose(&plugin, components::PROVIDER, PluginPreopens::All).expect("compose");
    assert!(fs::read(whole).expect("read it") == composed, "another component");
}

/// What the plugin sees of itself, composed with these options.
fn seen(options: &[&str]) -> String {
    seen_when_run(options, &[])
}

/// The same, run with the others.
fn seen_when_run(options: &[&str], run: &[&str]) -> String {
    let world = World::new();
    let whole = world.path("whole.wasm");
    let composed = output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole).args(options));
    assert_eq!((composed.code, &*composed.stderr), (Some(0), ""));
    let mut running = command();
    running.args(["run", "--root"]).arg(world.root()).args(run).arg(whole).arg("see");
    let ended = output(&mut running);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    world.assert_nothing_left();
    ended.stdout
}

#[test]
fn a_composed_plugin_opens_its_own_temporary_files() {
    let seen = seen(&[]);
    assert!(seen.starts_with("interface: /tmp/"), "{seen}");
    assert!(seen.ends_with("standard library: sees it\n"), "{seen}");
}

#[test]
fn a_plugin_composed_without_preopens_has_the_interface_alone() {
    let seen = seen(&["--preopens", "none"]);
    assert!(seen.starts_with("interface: /tmp/"), "{seen}");
    assert!(seen.ends_with("standard library: blind\n"), "{seen}");
}

#[test]
fn limits_in_the_environment_hide_the_scratch_directory_of_a_composed_plugin() {
    let composed = ["--preopens", "granted"];
    let sight = |limits: &str| seen_when_run(&composed, &["--env", limits]);
    let limited = sight("SCRATCH_LIMITS=bytes=1000");
    assert!(limited.ends_with("standard library: blind\n"), "{limited}");
    let open = sight("SCRATCH_LIMITS=handles=10");
    assert!(open.ends_with("standard library: sees it\n"), "{open}");
}

/// The plugin with a provider inside of it, run with these options.
fn run_composed(options: &[&str], arguments: &[&str]) -> support::Ended {
    let world = World::new();
    let whole = world.path("whole.wasm");
    let composed = output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole));
    assert_eq!((composed.code, &*composed.stderr), (Some(0), ""));
    let mut run = command();
    run.args(["run", "--root"]).arg(world.root()).args(options).arg(whole).args(arguments);
    let ended = output(&mut run);
    world.assert_nothing_left();
    ended
}

#[test]
fn a_composed_plugin_runs_with_the_provider_it_has() {
    for provider in ["host", "component"] {
        let ended = run_composed(&["--provider", provider, "--stats=json"], &["ok"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!ended.stderr.contains("peak-files"), "nobody counted: {}", ended.stderr);
    }
}

#[test]
fn a_plugin_leaves_nothing_in_any_order_of_dropping() {
    for provider in ["host", "component"] {
        let ended = run_composed(&["--provider", provider], &["drops"]);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn limits_on_a_composed_plugin_are_refused() {
    for limit in [["--bytes", "1MiB"], ["--handles", "10"]] {
        for provider in ["host", "component"] {
            let options = [&["--provider", provider], &limit[..]].concat();
            let ended = run_composed(&options, &["ok"]);
            assert_eq!(ended.code, Some(2), "{}", ended.stderr);
            let [line] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
            assert!(line.contains("SCRATCH_LIMITS"), "{line}");
        }
    }
    let ended = run_composed(&["--env", "SCRATCH_LIMITS=bytes=1000"], &["fill", "3000"]);
    assert_eq!(ended.stdout, "1000 quota, then quota\nafterwards ok\n", "{}", ended.stderr);
}

#[test]
fn a_composed_plugin_shows_limits_of_another_form() {
    let ended = run_composed(&["--env", "SCRATCH_LIMITS=bites=1000"], &["ok"]);
    assert_eq!(ended.code, Some(1));
    let words = "take limits such as bytes=4096,handles=20 from the variable SCRATCH_LIMITS, which \
                 is \\\"bites=1000\\\": ";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn a_composed_plugin_is_not_composed_again() {
    let world = World::new();
    let (whole, again) = (world.path("whole.wasm"), world.path("again.wasm"));
    let composed = output(command().arg("compose").arg(PLUGIN).arg("-o").arg(&whole));
    assert_eq!((composed.code, &*composed.stderr), (Some(0), ""));
    for preopens in ["all", "granted", "none"] {
        let mut compose = command();
        compose.arg("compose").arg(&whole).arg("-o").arg(&again).args(["--preopens", preopens]);
        let ended = output(&mut compose);
        let line = format!(
            "compose {}: the plugin has a provider already: it was composed before, and can be \
             run as it is",
            whole.display()
        );
        assert_eq!((ended.code, ended.complaints()), (Some(3), vec![&*line]), "{preopens}");
        assert!(!again.exists());
    }
}

#[test]
fn a_plugin_without_imports_of_the_interface_is_told_that_it_got_no_provider() {
    let world = World::new();
    let mention =
        r#"(component (core module (memory 1) (data (i32.const 0) "scratch:tempfile/tempfile")))"#;
    for text in ["(component)", mention] {
        let plugin = world.file("empty.wasm", wat::parse_str(text).expect("a component"));
        let whole = world.path("whole.wasm");
        let ended = output(command().arg("compose").arg(plugin).arg("-o").arg(&whole));
        let line = "the plugin imports nothing of scratch:tempfile, so it got no provider";
        assert_eq!((ended.code, ended.complaints()), (Some(0), vec![line]), "{text}");
        assert!(whole.exists());
    }
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
