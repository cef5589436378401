//! A process that has no descriptor left when a run ends. In a program of its own, because the
//! limit is the whole process's.
#![cfg(unix)]

mod support;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::World;
use wasi_tempfile_host::ScratchRoot;

#[test]
fn what_stays_without_descriptors_is_removed_later() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let make = || root.create_dir().expect("make a directory");
    let flat: Vec<_> = (0..10).map(|_| make()).collect();
    let nested: Vec<_> = (0..10).map(|_| make()).collect();
    for scratch in flat.iter().chain(&nested) {
        fs::write(scratch.path().join("file"), "left").expect("write a file");
    }
    for scratch in &nested {
        fs::create_dir(scratch.path().join("directory")).expect("make a directory");
        fs::write(scratch.path().join("directory/file"), "left").expect("write a file");
    }

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).expect("limit descriptors");
    drop((flat, nested));
    let waiting = root.waiting();
    setrlimit(Resource::Nofile, limit).expect("lift the limit");

    assert_eq!(waiting, 10, "those with a directory that has to be opened");
    let patience = Instant::now() + Duration::from_secs(60);
    while root.waiting() > 0 && Instant::now() < patience {
        thread::yield_now();
    }
    assert_eq!(root.waiting(), 0);
    world.assert_nothing_left();
}
