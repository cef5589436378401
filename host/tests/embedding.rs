//! The library, as an embedder uses it.

mod support;

use std::fs;
use std::thread;
use std::time::Duration;

use support::{PLUGIN, World};
#[cfg(windows)]
use wasi_tempfile_host::CleanupFailure;
use wasi_tempfile_host::{
    Capture, Ending, Mount, Plugin, Provider, RunOptions, Sandbox, ScratchRoot,
};

fn plugin() -> Plugin {
    plugin_with(Provider::Component)
}

fn plugin_with(provider: Provider<'_>) -> Plugin {
    let sandbox = Sandbox::new().expect("make a sandbox");
    sandbox.load(&fs::read(PLUGIN).expect("read the plugin"), provider).expect("load the plugin")
}

fn root(world: &World) -> ScratchRoot {
    ScratchRoot::open(world.root()).expect("open the root")
}

/// The plugin that computes until it is stopped. If the test fails before that, it ends by itself.
fn spin(root: &ScratchRoot, output: &Capture) -> RunOptions {
    let run = RunOptions::in_root(root).args(["plugin", "spin"]).stdout(output);
    run.timeout(Duration::from_secs(60))
}

/// Waits until the run has said something, or has ended.
fn until_said(output: &Capture, run: &thread::ScopedJoinHandle<'_, Ending>) {
    while output.bytes().is_empty() && !run.is_finished() {
        thread::yield_now();
    }
}

#[test]
fn one_plugin_runs_many_times_side_by_side_each_in_a_directory_of_its_own() {
    let world = World::new();
    let root = root(&world);
    let plugin = plugin();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..4 {
                    let outcome =
                        plugin.run(RunOptions::in_root(&root).args(["plugin", "ok"])).expect("run");
                    assert_eq!(outcome.ending, Ending::Returned);
                    assert!(outcome.left_behind.is_empty(), "{:?}", outcome.left_behind);
                    assert!(outcome.not_removed.is_empty(), "{:?}", outcome.not_removed);
                }
            });
        }
    });
    world.assert_nothing_left();
}

#[test]
fn what_a_trap_left_behind_is_told_and_removed() {
    for provider in [Provider::Component, Provider::Host] {
        let world = World::new();
        let run = RunOptions::in_root(&root(&world)).args(["plugin", "trap"]);
        let outcome = plugin_with(provider).run(run).expect("run");
        assert!(matches!(outcome.ending, Ending::Trapped { .. }), "{:?}", outcome.ending);
        let left = &outcome.left_behind;
        assert_eq!(left.len(), 2, "a file and a directory, with {provider:?}: {left:?}");
        world.assert_nothing_left();
    }
}

#[test]
fn stopping_one_run_leaves_its_neighbour_of_the_same_engine_alone() {
    let world = World::new();
    let root = root(&world);
    let plugin = plugin();
    let outputs = [Capture::new(1024), Capture::new(1024)];
    let runs = outputs.each_ref().map(|output| spin(&root, output));
    let controls = runs.each_ref().map(RunOptions::control);
    let endings = thread::scope(|scope| {
        let [first, second] = runs.map(|run| {
            let plugin = &plugin;
            scope.spawn(move || plugin.run(run).expect("run").ending)
        });
        until_said(&outputs[0], &first);
        until_said(&outputs[1], &second);
        controls[0].stop();
        let first = first.join().expect("no panic");
        assert!(!second.is_finished(), "the neighbour goes on");
        let path = controls[1].scratch_path().expect("the neighbour has its directory");
        assert_eq!(world.scratch(), [path]);
        controls[1].stop();
        [first, second.join().expect("no panic")]
    });
    assert_eq!(endings, [Ending::Interrupted, Ending::Interrupted]);
    assert_eq!(controls.map(|control| control.scratch_path()), [None, None]);
    world.assert_nothing_left();
}

#[test]
fn a_run_stopped_before_it_began_does_not_begin() {
    let world = World::new();
    let output = Capture::new(1024);
    let run = RunOptions::in_root(&root(&world)).args(["plugin", "see"]).stdout(&output);
    run.control().stop();
    assert_eq!(plugin().run(run).expect("run").ending, Ending::Interrupted);
    assert_eq!(output.text(), "");
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn an_abandoned_run_loses_its_directory_at_once() {
    let world = World::new();
    let root = root(&world);
    let plugin = plugin();
    let output = Capture::new(1024);
    thread::scope(|scope| {
        let run = spin(&root, &output);
        let control = run.control();
        let run = scope.spawn(|| plugin.run(run).expect("run").ending);
        until_said(&output, &run);
        assert!(control.abandon().expect("no error").not_removed.is_empty());
        world.assert_nothing_left();
        control.stop();
        assert_eq!(run.join().expect("no panic"), Ending::Interrupted);
    });
}

/// No directory that wasmtime has open can be removed there.
#[cfg(windows)]
#[test]
fn an_abandoned_run_loses_its_directory_when_it_ends() {
    let world = World::new();
    let root = root(&world);
    let plugin = plugin();
    let output = Capture::new(1024);
    thread::scope(|scope| {
        let run = spin(&root, &output);
        let control = run.control();
        let run = scope.spawn(|| plugin.run(run).expect("run").ending);
        until_said(&output, &run);
        let stayed = control.abandon().expect("no error").not_removed;
        let is_busy = |stayed: &CleanupFailure| stayed.error.to_string().ends_with("(busy)");
        assert!(!stayed.is_empty() && stayed.iter().all(is_busy), "{stayed:?}");
        assert_eq!(world.scratch().len(), 1);
        control.stop();
        assert_eq!(run.join().expect("no panic"), Ending::Interrupted);
    });
    world.assert_nothing_left();
}

#[test]
fn an_abandoned_run_that_keeps_its_directory_keeps_it() {
    let world = World::new();
    let root = root(&world);
    let plugin = plugin();
    let output = Capture::new(1024);
    thread::scope(|scope| {
        let run = spin(&root, &output).keep();
        let control = run.control();
        let run = scope.spawn(|| plugin.run(run).expect("run"));
        while output.bytes().is_empty() && !run.is_finished() {
            thread::yield_now();
        }
        let kept = control.abandon().expect("no error").kept.expect("kept");
        assert_eq!(world.scratch(), [&*kept]);
        control.stop();
        assert_eq!(run.join().expect("no panic").kept, Some(kept));
    });
}

#[test]
fn no_time_at_all_is_a_timeout() {
    let world = World::new();
    let run = RunOptions::in_root(&root(&world))
        .args(["plugin", "spin"])
        .timeout(Duration::from_nanos(1));
    assert_eq!(plugin().run(run).expect("run").ending, Ending::TimedOut);
    world.assert_nothing_left();
}

#[test]
fn output_beyond_the_capture_is_discarded_and_the_plugin_goes_on() {
    let world = World::new();
    for (limit, is_truncated) in [(30, true), (1 << 20, false)] {
        let [output, errors] = [Capture::new(limit), Capture::new(limit)];
        let run = RunOptions::in_root(&root(&world)).args(["plugin", "chatter", "1000"]);
        let outcome = plugin().run(run.stdout(&output).stderr(&errors)).expect("run");
        assert_eq!(outcome.ending, Ending::Returned, "{}", errors.text());
        for (capture, name) in [(&output, "output"), (&errors, "errors")] {
            let whole: String = (0..1000).map(|n| format!("line {n} of the {name}\n")).collect();
            assert_eq!(capture.text(), whole[..whole.len().min(limit)]);
            assert_eq!(capture.is_truncated(), is_truncated, "{name}");
        }
        assert!(outcome.used.stderr > 20_000, "all that was written counts");
    }
    world.assert_nothing_left();
}

#[test]
fn a_capture_that_is_exactly_full_is_whole() {
    let world = World::new();
    let output = Capture::new("line 0 of the output\n".len());
    let run = RunOptions::in_root(&root(&world)).args(["plugin", "chatter", "1"]).stdout(&output);
    plugin().run(run).expect("run");
    assert_eq!((&*output.text(), output.is_truncated()), ("line 0 of the output\n", false));
}

#[test]
fn a_plugin_that_never_stops_writing_to_a_capture_ends_by_its_timeout() {
    let world = World::new();
    let output = Capture::new(10_000);
    let run = RunOptions::in_root(&root(&world)).args(["plugin", "flood"]).stdout(&output);
    let outcome = plugin().run(run.timeout(Duration::from_secs(1))).expect("run");
    assert_eq!(outcome.ending, Ending::TimedOut);
    assert_eq!(output.bytes().len(), 10_000);
    world.assert_nothing_left();
}

#[test]
fn a_function_of_the_embedders_finds_the_run_it_belongs_to() {
    let text = r#"(component
        (import "test:embedder/look" (instance $look (export "entries" (func (result u32)))))
        (core func $entries (canon lower (func $look "entries")))
        (core module $main
            (import "look" "entries" (func $entries (result i32)))
            (func (export "run") (result i32) (call $entries)))
        (core instance $main (instantiate $main
            (with "look" (instance (export "entries" (func $entries))))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $export (export "run" (func $run)))
        (export "wasi:cli/run@0.2.12" (instance $export)))"#;
    let world = World::new();
    let sandbox = Sandbox::new().expect("make a sandbox").with(|linker| {
        linker.instance("test:embedder/look")?.func_wrap("entries", |store, ()| {
            let state: &wasi_tempfile_host::State = store.data();
            Ok((u32::try_from(fs::read_dir(state.scratch_path())?.count())?,))
        })
    });
    let plugin = sandbox
        .expect("link")
        .load(&wat::parse_str(text).expect("a component"), Provider::Host)
        .expect("load");
    let outcome = plugin.run(RunOptions::in_root(&root(&world))).expect("run");
    // Nothing in the directory: 0, which as a result means success.
    assert_eq!(outcome.ending, Ending::Returned);
}

#[test]
fn a_kept_directory_shows_what_was_there_however_the_run_ended() {
    for provider in [Provider::Component, Provider::Host] {
        let plugin = plugin_with(provider);
        for arguments in [&["trap"][..], &["exit", "0"], &["spin"], &["hoard"]] {
            let world = World::new();
            let root = root(&world);
            let run = RunOptions::in_root(&root).args(["plugin"]).args(arguments.iter().copied());
            let run = run.timeout(Duration::from_secs(1)).memory(16 << 20).keep();
            let outcome = plugin.run(run).expect("run");
            let kept = outcome.kept.expect("it was kept");
            let seen: Vec<_> = fs::read_dir(&kept).expect("list it").collect();
            let which = format!("{provider:?}, {arguments:?}, {:?}", outcome.ending);
            assert_eq!((seen.len(), outcome.left_behind.len()), (2, 2), "{which}");
            // One of them is a file with six bytes, the other a directory with a file.
            for entry in seen {
                let path = entry.expect("read an entry").path();
                if path.is_dir() {
                    assert_eq!(fs::read_dir(path).expect("list it").count(), 1, "{which}");
                } else {
                    assert_eq!(fs::read_to_string(path).expect("read it"), "litter", "{which}");
                }
            }
            assert_eq!(root.sweep().expect("sweep").kept, [kept]);
        }
    }
}

#[test]
fn to_keep_the_directory_keeps_nothing_in_a_mount() {
    let world = World::new();
    let (root, out) = (root(&world), world.directory("out"));
    let mount = Mount::new(&out, "/tmpfiles").expect("a mount");
    let run = RunOptions::in_root(&root).args(["plugin", "trap"]).env("TMPDIR", "/tmpfiles");
    let outcome = plugin_with(Provider::Host).run(run.mount(mount).keep()).expect("run");
    assert!(matches!(outcome.ending, Ending::Trapped { .. }), "{:?}", outcome.ending);
    let kept = outcome.kept.expect("it was kept");
    assert_eq!(fs::read_dir(kept).expect("list it").count(), 0, "they were in the mount");
    assert_eq!(fs::read_dir(&out).expect("list it").count(), 0, "what a trap left there goes");
}
