//! Scratch roots of a service that runs for long, while others remove and change them.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use support::{Mount, World};
use tempfile_core::ErrorCode;
use wasi_tempfile_host::{Error, RootCause, ScratchRoot};

fn open(world: &World) -> ScratchRoot {
    ScratchRoot::open(world.root()).expect("open the root")
}

fn refused(root: &ScratchRoot) -> RootCause {
    match root.create_dir() {
        Err(Error::Root { cause, .. }) => cause,
        otherwise => panic!("{otherwise:?}"),
    }
}

#[test]
fn a_root_that_was_removed_is_made_again() {
    let world = World::new();
    let root = open(&world);
    for _ in 0..3 {
        fs::remove_dir(world.root()).expect("nothing is in it");
        let scratch = root.create_dir().expect("make a directory");
        assert_eq!(world.scratch(), [scratch.path()]);
        let mode = fs::metadata(world.root()).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
        assert_eq!(root.sweep().expect("sweep").live, [scratch.path()]);
        assert!(scratch.close().is_empty());
    }
    world.assert_nothing_left();
}

#[test]
fn a_directory_of_a_removed_root_is_removed_from_it() {
    let world = World::new();
    let root = open(&world);
    let old = root.create_dir().expect("make a directory");
    fs::rename(world.root(), world.path("moved")).expect("move the root");
    let new = root.create_dir().expect("make a directory");
    assert_eq!(world.scratch(), [new.path()]);
    assert!(old.close().is_empty());
    assert_eq!(fs::read_dir(world.path("moved")).expect("list it").count(), 0);
    assert_eq!(world.scratch(), [new.path()]);
}

#[test]
fn what_is_in_the_place_of_a_removed_root_is_checked() {
    let world = World::new();
    let root = open(&world);
    fs::remove_dir(world.root()).expect("nothing is in it");
    symlink(world.directory("elsewhere"), world.root()).expect("plant a link");
    assert!(matches!(refused(&root), RootCause::Link));
    fs::remove_file(world.root()).expect("remove the link");
    fs::create_dir(world.root()).expect("make a directory");
    world.set_mode("root", 0o777);
    assert!(matches!(refused(&root), RootCause::Shared { mode: 0o777 }));
    assert_eq!(fs::read_dir(world.path("elsewhere")).expect("list it").count(), 0);
    world.assert_nothing_left();
}

#[test]
fn a_root_that_others_may_write_to_later_is_refused() {
    let world = World::new();
    let root = open(&world);
    let before = root.create_dir().expect("make a directory");
    for mode in [0o777, 0o720, 0o1777] {
        world.set_mode("root", mode);
        assert!(matches!(refused(&root), RootCause::Shared { .. }), "{mode:o}");
        assert!(root.sweep().is_err(), "{mode:o}");
    }
    world.set_mode("root", 0o700);
    assert!(root.create_dir().is_ok());
    assert!(before.close().is_empty());
}

#[test]
fn a_root_keeps_a_shared_lock() {
    let world = World::new();
    let cleaner = OwnedFd::from(fs::File::open(world.root()).expect("open the root"));
    let lock = |operation| flock(&cleaner, operation).is_ok();
    // A cleaner is quicker.
    assert!(lock(FlockOperation::NonBlockingLockExclusive));
    let root = open(&world);
    assert!(lock(FlockOperation::Unlock));
    drop(root.create_dir().expect("make a directory"));
    assert!(!lock(FlockOperation::NonBlockingLockExclusive), "it has been locked meanwhile");
    // Another process shares it.
    drop(open(&world).create_dir().expect("make a directory"));
    drop(root);
    assert!(lock(FlockOperation::NonBlockingLockExclusive));
}

#[test]
fn what_could_not_be_removed_is_removed_later() {
    let world = World::new();
    let root = open(&world);
    let scratch = root.create_dir().expect("make a directory");
    let path = scratch.path().to_owned();
    fs::write(path.join("file"), "left").expect("write a file");
    // Modes mean nothing to the superuser, and only the superuser mounts.
    let mount = if rustix::process::geteuid().is_root() {
        let mounted = path.join("mounted");
        fs::create_dir(&mounted).expect("make a directory");
        let Some(mount) = Mount::in_memory(&mounted) else { return };
        Some(mount)
    } else {
        world.set_mode("root", 0o500);
        None
    };
    drop(scratch);
    assert!(path.exists());
    assert_eq!(root.waiting(), 1);
    drop(mount);
    world.set_mode("root", 0o700);
    let patience = Instant::now() + Duration::from_secs(60);
    while root.waiting() > 0 && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert_eq!(root.waiting(), 0);
    world.assert_nothing_left();
}

#[test]
fn a_root_that_cannot_be_written_to_is_refused_when_it_is_opened() {
    let world = World::new();
    let path = world.directory("unwritable");
    // Modes mean nothing to the superuser, and only the superuser mounts.
    let (_mount, code) = if rustix::process::geteuid().is_root() {
        let Some(mount) = Mount::in_memory_of(&path, "ro,mode=700") else { return };
        (Some(mount), ErrorCode::ReadOnly)
    } else {
        world.set_mode("unwritable", 0o500);
        (None, ErrorCode::Access)
    };
    match ScratchRoot::open(&path) {
        Err(Error::Root { path: named, cause: RootCause::Refused { cause } }) => {
            assert_eq!((named, cause.code), (path.clone(), code));
        }
        otherwise => panic!("{otherwise:?}"),
    }
    let root = ScratchRoot::open_unswept(&path).expect("to look at it changes nothing");
    assert!(root.sweep_dry().expect("look").removed.is_empty());
    assert!(root.create_dir().is_err());
}

#[test]
fn opening_a_root_leaves_nothing_in_it_and_looking_changes_nothing() {
    let world = World::new();
    let orphan = world.orphan("abcdefghijklmno7");
    let before = fs::metadata(world.root()).expect("look at it").modified().expect("a time");
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    root.sweep_dry().expect("look");
    let after = fs::metadata(world.root()).expect("look at it").modified().expect("a time");
    assert_eq!((world.scratch(), after), (vec![orphan], before));
    open(&world);
    world.assert_nothing_left();
}
