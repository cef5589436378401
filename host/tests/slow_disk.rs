//! Runs that wait for a disk, or compute, hold up no other run on the same threads.
//!
//! No test here measures time. What blocks is released by the test, after everybody else has ended
//! or, in the controls, after as many others have ended elsewhere.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use support::{PLUGIN, World, shared_threads};
use tokio::runtime::Runtime;
use wasi_tempfile_host::{
    Capture, Control, Ending, EngineLimits, Mount, Outcome, Plugin, Provider, RunOptions, Sandbox,
    ScratchRoot,
};

/// More than the runtime has threads.
const BLOCKERS: usize = 4;
const THREADS: usize = 2;
const NEIGHBOURS: usize = 8;

struct Scene {
    world: World,
    root: ScratchRoot,
    runtime: Runtime,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        world.directory("data");
        let root = ScratchRoot::open(world.root()).expect("open the root");
        Self { world, root, runtime: shared_threads(THREADS) }
    }

    /// A run that opens a fifo which nobody writes to: the system call waits until somebody does.
    fn opens_a_fifo(&self, number: usize, output: &Capture) -> RunOptions {
        let name = format!("data/{number}");
        let made = Command::new("mkfifo").arg(self.world.path(&name)).status();
        assert!(made.expect("start mkfifo").success(), "make a fifo");
        let mount = Mount::new(self.world.path("data"), "/data").expect("a mount");
        let path = format!("/data/{number}");
        RunOptions::in_root(&self.root).args(["plugin", "open", &path]).mount(mount).stdout(output)
    }

    /// Lets the system calls go on.
    fn release(&self) {
        for fifo in fs::read_dir(self.world.path("data")).expect("list the fifos") {
            let path = fifo.expect("read an entry").path();
            // Opened for both, it waits for nobody.
            fs::File::options().read(true).write(true).open(path).expect("open the fifo");
        }
    }

    /// Runs neighbours until all have ended.
    fn neighbours(&self, plugin: &Plugin, runtime: &Runtime) {
        until(&self.spawn_neighbours(plugin, runtime), NEIGHBOURS);
    }

    /// Starts neighbours, and counts those that have ended.
    fn spawn_neighbours(&self, plugin: &Plugin, runtime: &Runtime) -> Arc<AtomicUsize> {
        let ended = Arc::new(AtomicUsize::new(0));
        for _ in 0..NEIGHBOURS {
            let run = plugin.run_async(RunOptions::in_root(&self.root).args(["plugin", "ok"]));
            let ended = ended.clone();
            runtime.spawn(async move {
                assert_eq!(run.await.expect("run").ending, Ending::Returned);
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        ended
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A runtime waits for its system calls, also after a test that has failed.
        self.release();
    }
}

fn until_said(output: &Capture) {
    while output.bytes().is_empty() {
        thread::yield_now();
    }
}

fn until(count: &AtomicUsize, all: usize) {
    while count.load(Ordering::Relaxed) < all {
        thread::yield_now();
    }
}

fn placements(sandbox: &Sandbox) -> [Plugin; 2] {
    let bytes = fs::read(Path::new(PLUGIN)).expect("read the plugin");
    [sandbox.load(&bytes, Provider::Component), sandbox.load(&bytes, Provider::Host)]
        .map(|plugin| plugin.expect("load the plugin"))
}

fn sandbox() -> Sandbox {
    Sandbox::new().expect("make a sandbox")
}

#[test]
fn a_slow_disk_does_not_stall_other_runs() {
    for plugin in placements(&sandbox()) {
        let scene = Scene::new();
        let outputs: [Capture; BLOCKERS] = std::array::from_fn(|_| Capture::new(1024));
        let blockers: Vec<_> = (0..BLOCKERS)
            .map(|number| {
                scene.runtime.spawn(plugin.run_async(scene.opens_a_fifo(number, &outputs[number])))
            })
            .collect();
        outputs.iter().for_each(until_said);

        scene.neighbours(&plugin, &scene.runtime);

        assert!(
            blockers.iter().all(|blocker| !blocker.is_finished()),
            "nobody has opened the fifos for writing yet"
        );
        scene.release();
        for (blocker, output) in blockers.into_iter().zip(outputs) {
            let outcome = scene.runtime.block_on(blocker).expect("no panic").expect("run");
            assert_eq!(outcome.ending, Ending::Returned);
            assert_eq!(output.text(), "opening\nopened\n");
        }
        scene.world.assert_nothing_left();
    }
}

/// The control: the same, but for runs that wait on the runtime's own threads.
#[test]
fn waiting_for_a_disk_on_shared_threads_stalls_every_run() {
    let [plugin, _] = placements(&sandbox());
    let scene = Scene::new();
    let begun = Arc::new(AtomicUsize::new(0));
    let blockers: Vec<_> = (0..THREADS)
        .map(|number| {
            let (plugin, begun) = (plugin.clone(), begun.clone());
            let run = scene.opens_a_fifo(number, &Capture::new(1024));
            scene.runtime.spawn(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                plugin.run(run)
            })
        })
        .collect();
    until(&begun, THREADS);

    let stalled = scene.spawn_neighbours(&plugin, &scene.runtime);
    scene.neighbours(&plugin, &shared_threads(THREADS));
    assert_eq!(stalled.load(Ordering::Relaxed), 0, "as many have ended on another runtime");

    scene.release();
    for blocker in blockers {
        assert_eq!(
            scene.runtime.block_on(blocker).expect("no panic").expect("run").ending,
            Ending::Returned
        );
    }
    until(&stalled, NEIGHBOURS);
    scene.world.assert_nothing_left();
}

#[test]
fn a_reader_that_never_reads_does_not_stall_other_runs() {
    for plugin in placements(&sandbox()) {
        let scene = Scene::new();
        let (readers, blockers): (Vec<_>, Vec<_>) = (0..BLOCKERS)
            .map(|_| {
                let (reader, writer) = std::io::pipe().expect("make a pipe");
                let writer = fs::File::from(std::os::fd::OwnedFd::from(writer));
                let run = RunOptions::in_root(&scene.root).args(["plugin", "flood"]).stdout(writer);
                (reader, scene.runtime.spawn(plugin.run_async(run)))
            })
            .unzip();

        scene.neighbours(&plugin, &scene.runtime);

        assert!(
            blockers.iter().all(|blocker| !blocker.is_finished()),
            "nobody has read from the pipes yet"
        );
        drop(readers);
        for blocker in blockers {
            let ending = scene.runtime.block_on(blocker).expect("no panic").expect("run").ending;
            assert!(matches!(ending, Ending::Trapped { .. }), "the pipe has no reader: {ending}");
        }
        scene.world.assert_nothing_left();
    }
}

/// Starts plugins that compute, and says how to end them.
fn compute(plugin: &Plugin, scene: &Scene, count: usize) -> impl FnOnce() -> Vec<Outcome> {
    let outputs: Vec<_> = (0..count).map(|_| Capture::new(1024)).collect();
    let (controls, runs): (Vec<_>, Vec<_>) = outputs
        .iter()
        .map(|output| {
            let run = RunOptions::in_root(&scene.root).args(["plugin", "spin"]).stdout(output);
            (run.control(), scene.runtime.spawn(plugin.run_async(run)))
        })
        .unzip();
    outputs.iter().for_each(until_said);
    let handle = scene.runtime.handle().clone();
    move || {
        controls.iter().for_each(Control::stop);
        runs.into_iter().map(|run| handle.block_on(run).expect("no panic").expect("run")).collect()
    }
}

#[test]
fn a_compute_bound_plugin_does_not_stall_other_runs() {
    for plugin in placements(&sandbox()) {
        let scene = Scene::new();
        let stop = compute(&plugin, &scene, BLOCKERS);

        scene.neighbours(&plugin, &scene.runtime);

        for outcome in stop() {
            assert_eq!(outcome.ending, Ending::Interrupted);
        }
        scene.world.assert_nothing_left();
    }
}

/// The control: the same, but for turns that nobody ever ends.
#[test]
fn a_plugin_that_never_ends_its_turn_stalls_everybody() {
    let limits = EngineLimits::default().time_slice(Duration::from_secs(3600));
    let [plugin, _] =
        placements(&Sandbox::builder().limits(limits).build().expect("make a sandbox"));
    let [elsewhere, _] = placements(&sandbox());
    let scene = Scene::new();
    let stop = compute(&plugin, &scene, THREADS);

    let stalled = scene.spawn_neighbours(&plugin, &scene.runtime);
    scene.neighbours(&elsewhere, &shared_threads(THREADS));
    assert_eq!(stalled.load(Ordering::Relaxed), 0, "as many have ended on another runtime");

    for outcome in stop() {
        assert_eq!(outcome.ending, Ending::Interrupted);
    }
    until(&stalled, NEIGHBOURS);
    scene.world.assert_nothing_left();
}
