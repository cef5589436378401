//! What a plugin may have at one time, as an embedder limits it.

mod support;

use std::fs;
use std::thread;

use support::World;
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{
    Capture, Ending, Error, Plugin, Provider, RunOptions, Sandbox, ScratchRoot,
};

#[test]
fn a_provider_of_the_embedders_own_is_not_limited() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let run = |limits| RunOptions::in_root(&root).args(["plugin", "ok"]).limits(limits);
    let custom = Provider::Custom(wasi_tempfile_host::components::PROVIDER);
    let custom = sandbox.load(&plugin, custom).expect("load").run(run(Limits::default()));
    assert!(matches!(custom, Err(Error::NotLimited)));
    world.assert_nothing_left();
}

#[test]
fn limits_that_a_provider_component_does_not_understand_let_nothing_through() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let plugin = Sandbox::new()
        .and_then(|sandbox| sandbox.load(&plugin, Provider::Component))
        .expect("load the plugin");
    for (text, said) in [
        ("bytes=many", "0 invalid\nafterwards invalid\n"),
        ("sparks=5", "0 invalid\nafterwards invalid\n"),
        ("entries=2", "2 quota\nafterwards ok\n"),
        ("", "3 ok\nafterwards ok\n"),
    ] {
        let output = Capture::new(1024);
        let run =
            RunOptions::in_root(&root).env(Limits::VARIABLE, text).args(["plugin", "hold", "3"]);
        let outcome = plugin.run(run.stdout(&output)).expect("run");
        assert_eq!((outcome.ending, &*output.text()), (Ending::Returned, said), "{text:?}");
    }
    // The embedder's own limits come first.
    let output = Capture::new(1024);
    let limits = Limits { entries: Some(1), ..Limits::default() };
    let run = RunOptions::in_root(&root)
        .env(Limits::VARIABLE, "")
        .args(["plugin", "hold", "3"])
        .limits(limits);
    plugin.run(run.stdout(&output)).expect("run");
    assert_eq!(output.text(), "1 quota\nafterwards ok\n");
}

fn plugin() -> Plugin {
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    Sandbox::new()
        .and_then(|sandbox| sandbox.load(&plugin, Provider::Host))
        .expect("load the plugin")
}

#[test]
fn a_neighbour_at_its_limit_is_not_noticed() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = plugin();
    let limits = Limits { bytes: Some(100_000), ..Limits::default() };
    thread::scope(|scope| {
        for _ in 0..4 {
            for (size, expected) in
                [("500000", "100000 quota, then quota"), ("99999", "99999 ok, then ok")]
            {
                let (plugin, root) = (&plugin, &root);
                scope.spawn(move || {
                    for _ in 0..5 {
                        let output = Capture::new(1024);
                        let run = RunOptions::in_root(root)
                            .args(["plugin", "fill", size])
                            .stdout(&output)
                            .limits(limits);
                        let outcome = plugin.run(run).expect("run");
                        assert_eq!(outcome.ending, Ending::Returned);
                        assert_eq!(output.text(), format!("{expected}\nafterwards ok\n"));
                        let usage = outcome.used.tempfile.expect("the host counted");
                        assert_eq!((usage.live.bytes, usage.peak.bytes), (0, 100_000));
                    }
                });
            }
        }
    });
    world.assert_nothing_left();
}
