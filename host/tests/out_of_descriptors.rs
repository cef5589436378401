//! A service that runs out of descriptors. In a program of its own, because the limit is the whole
//! process's.

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{PLUGIN, World};
use wasi_tempfile_host::{Provider, RunOptions, Sandbox, ScratchRoot};

/// As many runs at once, and how many each thread begins.
const THREADS: usize = 50;
const RUNS: usize = 10;

#[test]
fn what_stayed_for_want_of_descriptors_is_removed_when_there_are_some() {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = sandbox.load(&plugin, Provider::Host).expect("load the plugin");

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), ..limit }).expect("limit descriptors");
    let left = thread::scope(|scope| {
        let runs = || {
            // It leaves a file and a directory.
            let run = || plugin.run(RunOptions::in_root(&root).args(["plugin", "forget"]));
            // Some cannot begin.
            let outcomes = (0..RUNS).filter_map(|_| run().ok());
            outcomes.filter(|outcome| !outcome.not_removed.is_empty()).count()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(runs)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum::<usize>()
    });
    setrlimit(Resource::Nofile, limit).expect("lift the limit");

    println!("{left} directories stayed at the end of their run");
    let patience = Instant::now() + Duration::from_secs(60);
    while root.waiting() > 0 && Instant::now() < patience {
        thread::yield_now();
    }
    world.assert_nothing_left();
}
