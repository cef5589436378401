//! Trees that are too deep and too wide for whoever counts on the system's limits.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::process::{Resource, Rlimit, setrlimit};
use tempfile_core::{Process, TempDir};
use wasi_tempfile_host::ScratchRoot;

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::part::Player;
use crate::plugins::Provider;
use crate::support::{PLUGIN, World};

figure!(deep_and_wide_trees_take_few_descriptors, a_removal_that_holds_every_level);

const DESCRIPTORS: u64 = 64;
const STACK: usize = 256 << 10;

/// How a tree of a size is made.
type Build = fn(&Path, u64);

/// How a tree is removed: nothing if all of it went.
type Remove = fn(&Path) -> Option<String>;

fn deep_and_wide_trees_take_few_descriptors(scale: Scale) -> Tally {
    let (depth, entries) = (scale.pick(1000, 10_000), scale.pick(5000, 100_000));
    let mut tally = Tally::default();
    for provider in Provider::BOTH {
        by_a_plugin(provider, depth, entries, &mut tally);
    }
    // The limits are this process's from here on.
    within_limits(by_core, depth, entries, &mut tally);
    within_limits(by_a_sweep, depth, entries, &mut tally);
    tally
}

fn a_removal_that_holds_every_level() -> Tally {
    let mut tally = Tally::default();
    within_limits(
        |tree| fs::remove_dir_all(tree).err().map(|error| error.to_string()),
        1000,
        1000,
        &mut tally,
    );
    tally
}

fn within_limits(remove: Remove, depth: u64, entries: u64, tally: &mut Tally) {
    let world = World::in_memory();
    let trees: [(&str, Build, u64); 2] = [("levels", deep, depth), ("entries", wide, entries)];
    for (what, build, size) in trees {
        let tree = world.orphan("aaaabbbbccccdddd");
        build(&tree, size);
        let limit = Rlimit { current: Some(DESCRIPTORS), maximum: Some(DESCRIPTORS) };
        setrlimit(Resource::Nofile, limit).expect("limit the descriptors");
        let removed = {
            let tree = tree.clone();
            thread::Builder::new().stack_size(STACK).spawn(move || remove(&tree))
        };
        let stayed = removed.expect("start a thread").join().expect("it ended");
        tally.expect(stayed.is_none(), || format!("{size} {what}: {stayed:?}"));
        tally.expect(!tree.exists(), || format!("{size} {what}: the tree is still there"));
        tally.count(what, size);
        if tree.exists() {
            by_core(&tree);
        }
    }
}

fn by_core(tree: &Path) -> Option<String> {
    let (parent, name) = (native::open(tree.parent()?), tree.file_name()?.to_str()?);
    let mut tree = TempDir::adopt(&Process, &parent, name).expect("open the tree");
    tree.close().err().map(|stayed| format!("{stayed:?}"))
}

fn by_a_sweep(tree: &Path) -> Option<String> {
    let root = ScratchRoot::open_unswept(tree.parent()?).expect("open the root");
    let sweep = root.sweep().expect("sweep");
    (sweep.removed != [tree]).then(|| format!("{sweep:?}"))
}

/// The plugin removes it, in a process of its own with as few descriptors.
fn by_a_plugin(provider: Provider, depth: u64, entries: u64, tally: &mut Tally) {
    let world = World::in_memory();
    let mut shell = Command::new("sh");
    let script = format!(
        "ulimit -n {DESCRIPTORS}; exec \"$0\" run --root \"$1\" --provider {} \"$2\" remove",
        provider.name()
    );
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_wasi-tempfile")]).arg(world.root()).arg(PLUGIN);
    let mut running = Player::start(&mut shell);
    let path = running.line();
    let [scratch] = &world.scratch()[..] else { panic!("one directory: {:?}", world.scratch()) };
    let tree = scratch.join(path.rsplit('/').next().unwrap_or_default());
    deep(&tree, depth);
    wide(&tree, entries);
    let (said, succeeded) = running.end();
    let (name, said) = (provider.name(), said.trim());
    tally.expect(succeeded && said == "removed", || {
        format!("{name}: {depth} levels and {entries} entries: {said}")
    });
    tally.count("levels", depth);
    tally.count("entries", entries);
}

/// Directories in one another, a file in each.
fn deep(tree: &Path, levels: u64) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut dir: OwnedFd = openat(CWD, tree, flags, Mode::empty()).expect("open the tree");
    for _ in 0..levels {
        mkdirat(&dir, "d", Mode::RWXU).expect("make a directory");
        dir = openat(&dir, "d", flags, Mode::empty()).expect("open it");
        openat(&dir, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU)
            .map(drop)
            .expect("make a file");
    }
}

/// Half of the entries in one directory, half in directories of a hundred.
fn wide(tree: &Path, entries: u64) {
    let below: PathBuf = tree.join("wide");
    fs::create_dir(&below).expect("make a directory");
    for number in 0..entries / 2 {
        fs::File::create(below.join(number.to_string())).expect("make a file");
        let hundred = tree.join(format!("wide-{}", number / 100));
        if number % 100 == 0 {
            fs::create_dir(&hundred).expect("make a directory");
        }
        fs::File::create(hundred.join(number.to_string())).expect("make a file");
    }
}
