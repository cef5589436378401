//! Removal against attackers who put links in the place of directories while it runs.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use getrandom::SysRng;
use tempfile_core::{Location, Options, Process, TempDir, directory};
use wasi_tempfile_host::{Plugin, RunOptions, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::plugins::{Provider, Running, sandboxed};
use crate::stepped::Stepped;
use crate::support::World;

figure!(
    nothing_outside_is_touched_by_a_removal_under_attack,
    a_removal_by_joined_paths,
    a_removal_by_joined_paths_swapped_in_every_gap,
);

/// The files in each directory, inside and outside: what follows a link finds one to remove.
const FILES: usize = 20;

/// Directories that are swapped, the last below what a removal has open at once.
const BAITS: [&str; 3] = ["bait", "sub/bait", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/bait"];

/// A directory that is about to be removed with all that is put there, and its removal. It may lose
/// against an attacker, and leave something; it may not be led outside.
struct Doomed {
    tree: PathBuf,
    remove: Box<dyn FnOnce()>,
}

fn nothing_outside_is_touched_by_a_removal_under_attack(scale: Scale) -> Tally {
    let swaps = scale.pick(1500, 100_000);
    let mut tally = Tally::default();
    // Most through what all of them share, the rest through those who share it.
    attack(swaps * 7 / 10, &by_core, &mut tally);
    attack(swaps / 10, &by_its_owner, &mut tally);
    attack(swaps / 10, &by_a_sweep, &mut tally);
    in_every_gap(scale.pick(7, 1), remove_by_core, &mut tally);
    for provider in Provider::BOTH {
        let plugin = sandboxed(provider);
        attack(swaps / 20, &|world| by_a_plugin(&plugin, world), &mut tally);
    }
    tally
}

fn a_removal_by_joined_paths() -> Tally {
    let mut tally = Tally::default();
    // Who wins is chance, on a busy machine more than elsewhere.
    for _ in 0..200 {
        attack(500, &by_joined_paths, &mut tally);
        if tally.violations > 0 {
            break;
        }
    }
    tally
}

fn a_removal_by_joined_paths_swapped_in_every_gap() -> Tally {
    let mut tally = Tally::default();
    in_every_gap(7, remove_by_joined_paths, &mut tally);
    tally
}

fn by_core(world: &World) -> Doomed {
    let location = native::open(&world.root());
    let mut dir =
        directory(&Process, &mut SysRng, &Options::default(), &location).expect("make a directory");
    Doomed { tree: dir.path().into(), remove: Box::new(move || drop(dir.close())) }
}

fn by_its_owner(world: &World) -> Doomed {
    let scratch = ScratchRoot::open(world.root())
        .and_then(|root| root.create_dir())
        .expect("make a directory");
    Doomed { tree: scratch.path().into(), remove: Box::new(move || drop(scratch.close())) }
}

fn by_a_sweep(world: &World) -> Doomed {
    let tree = world.orphan("aaaabbbbccccdddd");
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    Doomed { tree, remove: Box::new(move || drop(root.sweep())) }
}

/// A plugin removes a directory of its own, through its provider.
fn by_a_plugin(plugin: &Plugin, world: &World) -> Doomed {
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    let mut running = Running::start(plugin, RunOptions::in_root(&root).args(["plugin", "remove"]));
    let path = running.line();
    let tree = running.scratch().join(path.rsplit('/').next().unwrap_or_default());
    Doomed { tree, remove: Box::new(move || drop(running.end())) }
}

fn by_joined_paths(world: &World) -> Doomed {
    let tree = world.root().join("tree");
    fs::create_dir(&tree).expect("make a directory");
    let remove = {
        let tree = tree.clone();
        move || remove_by_joined_paths(&tree, &Rc::new(Attacker::default()))
    };
    Doomed { tree, remove: Box::new(remove) }
}

/// What everybody writes first.
fn remove_by_joined_paths(directory: &Path, attacker: &Rc<Attacker>) {
    let gap = || attacker.step();
    gap();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_by_joined_paths(&path, attacker);
        } else {
            gap();
            let _ = fs::remove_file(path);
        }
    }
    gap();
    let _ = fs::remove_dir(directory);
}

fn remove_by_core(directory: &Path, attacker: &Rc<Attacker>) {
    let between = attacker.clone();
    let platform = Stepped::new(move |_| {
        between.step();
        Ok(())
    });
    let (parent, name) = (directory.parent(), directory.file_name().and_then(OsStr::to_str));
    let ctx = native::confined(platform, parent.expect("it has a parent"));
    let parent = ctx.instance().open(Location::Directory(&ctx.path)).expect("open the parent");
    let mut tree =
        TempDir::adopt(&ctx, &parent, name.expect("it has a name")).expect("open the tree");
    let _ = tree.close();
}

/// Somebody who puts a link in the place of a directory between two calls of its removal, and takes
/// it back between two others.
#[derive(Default)]
struct Attacker {
    calls: Cell<u64>,
    puts: u64,
    takes: u64,
    bait: PathBuf,
    outside: PathBuf,
}

impl Attacker {
    fn step(&self) {
        let call = self.calls.get() + 1;
        self.calls.set(call);
        if call == self.puts {
            put_link(&self.bait, &self.outside);
        } else if call == self.takes {
            take_link(&self.bait);
        }
    }
}

/// Lets an attacker come into every gap between two calls (or every few) of a removal, and stay for
/// some calls.
fn in_every_gap(stride: usize, remove: fn(&Path, &Rc<Attacker>), tally: &mut Tally) {
    let world = World::in_memory();
    let outside = world.directory("outside");
    let before = furnish(&outside);
    let tree = world.root().join("tree");
    for bait in BAITS {
        for stay in [1, 2, 3, 10, u64::MAX] {
            for puts in (1..).step_by(stride) {
                furnish(&tree.join(bait));
                let attacker = Attacker {
                    puts,
                    takes: puts.saturating_add(stay),
                    bait: tree.join(bait),
                    outside: outside.clone(),
                    ..Attacker::default()
                };
                let attacker = Rc::new(attacker);
                remove(&tree, &attacker);
                tally.count("gaps", 1);
                expect_untouched(&outside, &before, tally);
                clear(&tree);
                if attacker.calls.get() < puts {
                    break;
                }
            }
        }
    }
    clear(&outside);
}

/// Prepares removals and attacks them until there were so many swaps.
fn attack(swaps: u64, prepare: &dyn Fn(&World) -> Doomed, tally: &mut Tally) {
    let world = World::in_memory();
    let outside = world.directory("outside");
    let before = furnish(&outside);
    let swapped = AtomicU64::new(0);
    while swapped.load(Ordering::Relaxed) < swaps {
        let Doomed { tree, remove } = prepare(&world);
        for bait in BAITS {
            furnish(&tree.join(bait));
        }
        let (start, done) = (Barrier::new(BAITS.len() + 1), AtomicBool::new(false));
        thread::scope(|scope| {
            for bait in BAITS {
                let (tree, outside, start, done, swapped) =
                    (&tree, &outside, &start, &done, &swapped);
                scope.spawn(move || {
                    start.wait();
                    while !done.load(Ordering::Relaxed) {
                        let swap = swap(&tree.join(bait), outside);
                        swapped.fetch_add(u64::from(swap), Ordering::Relaxed);
                    }
                });
            }
            start.wait();
            remove();
            done.store(true, Ordering::Relaxed);
        });
        tally.count("removals", 1);
        expect_untouched(&outside, &before, tally);
        // What the attackers made of it is nobody's any more.
        clear(&tree);
    }
    tally.count("swaps", swapped.into_inner());
    clear(&outside);
}

/// Removes what nobody attacks any more, closed directories too.
fn clear(directory: &Path) {
    if directory.exists() {
        remove_by_core(directory, &Rc::new(Attacker::default()));
    }
}

/// Looks whether all is as it was, and if not, makes it so again.
fn expect_untouched(outside: &Path, before: &[(PathBuf, u32)], tally: &mut Tally) {
    let after = look(outside);
    if after != before {
        let untouched = after.iter().filter(|found| before.contains(found)).count();
        tally.violated(format!("of {} things outside, {untouched} are as they were", before.len()));
        clear(outside);
        furnish(outside);
    }
}

/// Makes a directory with files in it, and a closed directory with some more.
fn furnish(directory: &Path) -> Vec<(PathBuf, u32)> {
    for inside in [directory.to_owned(), directory.join("closed")] {
        fs::create_dir_all(&inside).expect("make a directory");
        for number in 0..FILES {
            fs::write(inside.join(number.to_string()), "precious").expect("write a file");
        }
    }
    // A removal gives itself the right to empty it: inside, not outside.
    fs::set_permissions(directory.join("closed"), fs::Permissions::from_mode(0o500))
        .expect("set a mode");
    look(directory)
}

/// Puts a link in the place of a directory, and takes it back: whether it succeeded.
fn swap(bait: &Path, outside: &Path) -> bool {
    let swapped = put_link(bait, outside);
    // The removal gets a chance to meet the link.
    thread::yield_now();
    take_link(bait);
    swapped
}

fn put_link(bait: &Path, outside: &Path) -> bool {
    fs::rename(bait, bait.with_extension("aside")).is_ok() && symlink(outside, bait).is_ok()
}

fn take_link(bait: &Path) {
    let _ = fs::remove_file(bait);
    let _ = fs::rename(bait.with_extension("aside"), bait);
}

/// Everything in a directory, with its mode, in order.
fn look(directory: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            pending.extend(
                fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()),
            );
        }
        found.push((path, metadata.permissions().mode()));
    }
    found.sort();
    found
}
