//! What a plugin may have at one time: exact, typed, and nobody else's business.

mod support;

use std::fs;
use std::thread;

use support::{World, output};
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{Capture, Ending, Error, Plugin, Provider, RunOptions, Sandbox, ScratchRoot};

/// What the plugin says, run by the command with these limits, whoever provides.
#[track_caller]
fn said(limits: &[&str], arguments: &[&str]) -> String {
    let [host, component] = ["host", "component"].map(|provider| said_by(provider, limits, arguments));
    assert_eq!(host, component);
    host
}

#[track_caller]
fn said_by(provider: &str, limits: &[&str], arguments: &[&str]) -> String {
    let world = World::new();
    let ended = output(&mut world.run(&[&["--provider", provider], limits].concat(), arguments));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
    world.assert_nothing_left();
    ended.stdout
}

#[test]
fn r10_not_a_byte_over_the_limit_and_every_byte_up_to_it() {
    assert_eq!(said(&["--bytes", "10001"], &["fill", "10000"]), "10000 ok, then ok\nafterwards ok\n");
    assert_eq!(said(&["--bytes", "10000"], &["fill", "10000"]), "10000 ok, then quota\nafterwards ok\n");
    assert_eq!(said(&["--bytes", "10000"], &["fill", "50000"]), "10000 quota, then quota\nafterwards ok\n");
    assert_eq!(said(&["--file-size", "9999"], &["fill", "10000"]), "9999 quota, then ok\nafterwards ok\n");
}

#[test]
fn r10_a_sparse_file_of_eight_exbibytes_is_refused() {
    for limit in ["--bytes", "--file-size"] {
        let size = i64::MAX.to_string();
        assert_eq!(said(&[limit, "1M"], &["grow", &size]), "quota\n0\n");
        assert_eq!(said(&[limit, "1M"], &["grow", "1048577"]), "quota\n0\n");
        assert_eq!(said(&[limit, "1M"], &["grow", "1048576"]), "ok\n1048576\n");
    }
}

#[test]
fn handles_and_names_are_counted() {
    // A named file is a file and a path.
    assert_eq!(said(&["--handles", "20"], &["hold", "10"]), "10 ok\nafterwards ok\n");
    assert_eq!(said(&["--handles", "20"], &["hold", "50"]), "10 quota\nafterwards ok\n");
    assert_eq!(said(&["--entries", "10"], &["hold", "50"]), "10 quota\nafterwards ok\n");
    // The directory is an entry itself.
    assert_eq!(said(&["--entries", "10"], &["children", "50"]), "9 quota\nafterwards ok\n");
}

#[test]
fn handles_end_in_an_error_and_not_in_a_trap_without_a_limit_too() {
    // The table of a run ends at 16384; the system may have less to give.
    let said = said_by("host", &[], &["hold", "20000"]);
    let (held, rest) = said.split_once(' ').expect("a number first");
    assert!(held.parse::<u32>().is_ok_and(|held| held > 100), "{said}");
    assert_eq!(rest, "out-of-handles\nafterwards ok\n");
}

#[test]
fn the_largest_spooled_file_moves_to_disk_first() {
    let limit = ["--spool-memory", "100"];
    assert_eq!(
        said(&limit, &["spool", "60", "20", "50"]),
        "60 in disk, true whole\n20 in memory, true whole\n50 in memory, true whole\n"
    );
    assert_eq!(
        said(&limit, &["spool", "30", "80", "70"]),
        "30 in memory, true whole\n80 in disk, true whole\n70 in memory, true whole\n"
    );
    assert_eq!(said(&limit, &["spool", "100"]), "100 in memory, true whole\n");
    // What moves is counted where it goes, and stays where it was if there is no room; of the other, what fits is written.
    assert_eq!(
        said(&["--spool-memory", "100", "--bytes", "40"], &["spool", "60", "50"]),
        "60 in memory, true whole\n50 in disk, true whole\n"
    );
}

#[test]
fn limits_need_a_provider_that_counts() {
    let world = World::new();
    let provider = world.file("provider.wasm", wasi_tempfile_host::components::PROVIDER);
    let provider = provider.to_str().expect("the test's path is text");
    for (options, needed) in [
        (["--provider", provider, "--bytes", "1M"], "`--provider host` or `component`"),
        (["--provider", "component", "--idle", "1h"], "`--provider host`"),
        (["--provider", "component", "--time-to-live", "1h"], "`--provider host`"),
    ] {
        let ended = output(&mut world.run(&options, &["ok"]));
        assert_eq!(ended.code, Some(2), "{options:?}");
        let [complaint] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
        assert!(complaint.contains(needed), "{complaint}");
    }
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    let run = |limits| RunOptions::in_root(&root).args(["plugin", "ok"]).limits(limits);
    let custom = Provider::Custom(wasi_tempfile_host::components::PROVIDER);
    let custom = sandbox.load(&plugin, custom).expect("load").run(run(Limits::default()));
    assert!(matches!(custom, Err(Error::NotLimited)));
    let timeless = sandbox.load(&plugin, Provider::Component).expect("load");
    let timeless = timeless.run(run(Limits { idle: Some(1), ..Limits::default() }));
    assert!(matches!(timeless, Err(Error::NotTimed)));
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
        ("idle=5", "0 invalid\nafterwards invalid\n"),
        ("entries=2", "2 quota\nafterwards ok\n"),
        ("", "3 ok\nafterwards ok\n"),
    ] {
        let output = Capture::new(1024);
        let run = RunOptions::in_root(&root).env(Limits::VARIABLE, text).args(["plugin", "hold", "3"]);
        let outcome = plugin.run(run.stdout(&output)).expect("run");
        assert_eq!((outcome.ending, &*output.text()), (Ending::Returned, said), "{text:?}");
    }
    // The embedder's own limits come first.
    let output = Capture::new(1024);
    let limits = Limits { entries: Some(1), ..Limits::default() };
    let run =
        RunOptions::in_root(&root).env(Limits::VARIABLE, "").args(["plugin", "hold", "3"]).limits(limits);
    plugin.run(run.stdout(&output)).expect("run");
    assert_eq!(output.text(), "1 quota\nafterwards ok\n");
}

#[test]
fn n14_what_has_had_its_time_answers_closed() {
    let closed = "0 closed, then closed\nafterwards closed\n";
    for limit in ["--time-to-live", "--idle"] {
        assert_eq!(said_by("host", &[limit, "0"], &["fill", "10"]), closed);
        assert_eq!(said_by("host", &[limit, "1h"], &["fill", "10"]), "10 ok, then ok\nafterwards ok\n");
    }
}

#[test]
fn statistics_have_the_peaks() {
    let world = World::new();
    let options = ["--provider", "host", "--stats=json", "--bytes", "10000", "--entries", "7"];
    let figures = output(&mut world.run(&options, &["fill", "50000"])).stderr;
    let figures: serde_json::Value = serde_json::from_str(&figures).expect("one object");
    assert_eq!(figures["peak-bytes"], 10000, "{figures}");
}

fn plugin() -> Plugin {
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    Sandbox::new().and_then(|sandbox| sandbox.load(&plugin, Provider::Host)).expect("load the plugin")
}

#[test]
fn r10_a_neighbour_at_its_limit_is_not_noticed() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = plugin();
    let limits = Limits { bytes: Some(100_000), ..Limits::default() };
    thread::scope(|scope| {
        for _ in 0..4 {
            for (size, expected) in [("500000", "100000 quota, then quota"), ("99999", "99999 ok, then ok")] {
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
