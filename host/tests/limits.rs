//! What a plugin may have at one time, as an embedder limits it.

mod support;

use std::fs;
use std::thread;

use support::World;
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{
    Capture, Ending, Error, Mount, MountCause, Plugin, PluginPreopens, Provider, RunOptions,
    Sandbox, ScratchRoot, components, compose,
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
    assert!(matches!(custom, Err(Error::LimitsNotEnforced)));
    world.assert_nothing_left();
}

#[test]
fn limits_that_a_provider_component_does_not_understand_let_nothing_through() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    // Composed beforehand: otherwise the sandbox reads the limits itself.
    let whole = compose(&plugin, components::PROVIDER, PluginPreopens::All).expect("compose");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = sandbox.load(&whole, Provider::Composed).expect("load the plugin");
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
}

#[test]
fn limits_in_the_environment_hold_with_either_provider_unless_others_are_set() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let sandbox = Sandbox::new().expect("make a sandbox");
    for provider in [Provider::Host, Provider::Component] {
        let plugin = sandbox.load(&plugin, provider).expect("load the plugin");
        let hold = |text: &str| {
            RunOptions::in_root(&root).env(Limits::VARIABLE, text).args(["plugin", "hold", "3"])
        };
        for (run, said) in [
            (hold("entries=2"), "2 quota\nafterwards ok\n"),
            (hold(""), "3 ok\nafterwards ok\n"),
            // The embedder's own limits come first.
            (
                hold("bytes=many").limits(Limits { entries: Some(1), ..Limits::default() }),
                "1 quota\nafterwards ok\n",
            ),
        ] {
            let output = Capture::new(1024);
            plugin.run(run.stdout(&output)).expect("run");
            assert_eq!(output.text(), said, "{provider:?}");
        }
        let refused = plugin.run(hold("bytes=many"));
        assert!(
            matches!(&refused, Err(Error::MalformedLimits { text }) if text == "bytes=many"),
            "{refused:?}"
        );
        world.assert_nothing_left();
    }
}

#[test]
fn two_mounts_of_one_path_in_the_plugin_are_refused() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let mount = |name: &str, guest| Mount::new(world.directory(name), guest).expect("a mount");
    let (first, second, third) =
        (mount("first", "/data"), mount("second", "/data"), mount("third", "/data/deep"));
    for provider in [Provider::Host, Provider::Component] {
        let plugin = sandbox.load(&plugin, provider).expect("load the plugin");
        let run = || RunOptions::in_root(&root).args(["plugin", "ok"]).mount(first.clone());
        let refused = plugin.run(run().mount(second.clone()));
        assert!(
            matches!(&refused, Err(Error::Mount { cause: MountCause::Twice, .. })),
            "{refused:?}"
        );
        world.assert_nothing_left();
        let nested = plugin.run(run().mount(third.clone())).expect("run");
        assert_eq!(nested.ending, Ending::Returned, "one within another is another path");
    }
}

#[test]
fn a_plugin_that_has_a_provider_already_keeps_it() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let custom = Provider::Custom(components::PROVIDER);
    for (preopens, provider) in [
        (PluginPreopens::All, Provider::Host),
        (PluginPreopens::Granted, Provider::Host),
        (PluginPreopens::None, Provider::Component),
        (PluginPreopens::All, custom),
    ] {
        let whole = compose(&plugin, components::PROVIDER, preopens).expect("compose");
        let whole = sandbox.load(&whole, provider).expect("load the plugin");
        assert!(!whole.is_served_by_host());
        let run = || RunOptions::in_root(&root).args(["plugin", "ok"]);
        let outcome = whole.run(run()).expect("run");
        assert_eq!(outcome.ending, Ending::Returned, "{preopens:?}");
        assert_eq!(outcome.used.tempfile, None, "nobody counted");
        let limited = whole.run(run().limits(Limits::default()));
        assert!(matches!(limited, Err(Error::LimitsNotEnforced)), "{limited:?}");
    }
    assert!(sandbox.load(&plugin, Provider::Host).expect("load").is_served_by_host());
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

#[test]
fn streams_beyond_the_handles_are_refused_and_counted() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = plugin();
    let limits = Limits { handles: Some(10), ..Limits::default() };
    for way in ["input-streams", "output-streams"] {
        let output = Capture::new(1024);
        let run = RunOptions::in_root(&root).args(["plugin", "pressure", way]);
        let outcome = plugin.run(run.stdout(&output).limits(limits)).expect("run");
        assert_eq!(outcome.ending, Ending::Returned, "{way}: {}", output.text());
        let usage = outcome.used.tempfile.expect("the host counted");
        assert_eq!(usage.peak.files, 10, "{way}");
        assert!(outcome.used.refused > 0, "{way}");
    }
    world.assert_nothing_left();
}
