//! Removal of trees with mount points in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use getrandom::SysRng;
use rustix::process::Signal;
use tempfile_core::{CleanupFailure, ErrorCode, Options, Process, directory};
use wasi_tempfile_host::{Plugin, RunOptions, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::plugins::{Provider, Running, sandboxed};
use crate::support::{self, Mount, World, command, output};
use crate::trace;

figure!(
    no_removal_crosses_a_mount_point,
    a_removal_by_joined_paths_that_knows_no_mount_points,
    a_sweep_that_says_nothing,
);

/// Where in a tree something is mounted. The last is below what a removal has open at once.
const PLACES: [&str; 4] = ["m", "sub/m", "m/m", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/m"];

/// What is mounted.
const KINDS: [Kind; 3] = [Kind::Directory, Kind::File, Kind::FileSystem];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
    FileSystem,
}

/// A tree that is about to be removed, and its removal, which returns what it reported.
struct Doomed {
    tree: PathBuf,
    remove: Box<dyn FnOnce() -> String>,
}

fn no_removal_crosses_a_mount_point(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let rounds = scale.pick(1, 20);
    type Prepare = fn(&World) -> Doomed;
    let removals: [(&str, Prepare); 8] = [
        ("a temporary directory", by_core),
        ("the end of a run's directory", by_its_owner),
        ("a sweep", by_a_sweep),
        ("the next start", by_the_next_start),
        ("the command's sweep", by_the_command),
        ("the command's sweep without openat2", by_the_command_without_openat2),
        ("the command's end", |world| by_the_end_of_the_command(world, None)),
        ("a signal", |world| by_the_end_of_the_command(world, Some(Signal::TERM))),
    ];
    for (name, prepare) in removals {
        try_all(rounds, name, &prepare, &mut tally);
    }
    for provider in Provider::BOTH {
        let plugin = sandboxed(provider);
        let name = format!("a plugin with the provider {}", provider.name());
        try_all(rounds, &name, &|world| by_a_plugin(&plugin, world), &mut tally);
    }
    tally
}

fn a_removal_by_joined_paths_that_knows_no_mount_points() -> Tally {
    let mut tally = Tally::default();
    let by_joined_paths = |world: &World| {
        let tree = world.orphan("aaaabbbbccccdddd");
        let remove = {
            let tree = tree.clone();
            move || format!("(busy) {:?}", fs::remove_dir_all(tree))
        };
        Doomed { tree, remove: Box::new(remove) }
    };
    try_all(1, "joined paths", &by_joined_paths, &mut tally);
    tally
}

fn a_sweep_that_says_nothing() -> Tally {
    let mut tally = Tally::default();
    let silent = |world: &World| {
        let Doomed { tree, remove } = by_a_sweep(world);
        let remove = Box::new(move || {
            remove();
            String::new()
        });
        Doomed { tree, remove }
    };
    try_all(1, "a silent sweep", &silent, &mut tally);
    tally
}

fn by_core(world: &World) -> Doomed {
    let location = native::open(&world.root());
    let mut dir =
        directory(&Process, &mut SysRng, &Options::default(), &location).expect("make a directory");
    let tree = dir.path().into();
    Doomed { tree, remove: Box::new(move || reported(&dir.close().err().unwrap_or_default())) }
}

fn by_its_owner(world: &World) -> Doomed {
    let scratch = ScratchRoot::open(world.root())
        .and_then(|root| root.create_dir())
        .expect("make a directory");
    Doomed { tree: scratch.path().into(), remove: Box::new(move || reported(&scratch.close())) }
}

fn by_a_sweep(world: &World) -> Doomed {
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    let remove = move || reported(&root.sweep().expect("sweep").not_removed);
    Doomed { tree: world.orphan("aaaabbbbccccdddd"), remove: Box::new(remove) }
}

fn by_the_next_start(world: &World) -> Doomed {
    let path = world.root();
    let remove = move || {
        let (_, sweep) = ScratchRoot::open_and_sweep(path).expect("open the root");
        reported(&sweep.not_removed)
    };
    Doomed { tree: world.orphan("aaaabbbbccccdddd"), remove: Box::new(remove) }
}

fn by_the_command(world: &World) -> Doomed {
    let mut sweep = command();
    sweep.arg("sweep").arg(world.root());
    Doomed { tree: world.orphan("aaaabbbbccccdddd"), remove: Box::new(|| heard(sweep)) }
}

/// As on a kernel, or in a sandbox, that refuses the call by which mount points are not crossed.
fn by_the_command_without_openat2(world: &World) -> Doomed {
    let mut sweep = command();
    sweep.arg("sweep").arg(world.root());
    let options = ["-e", "trace=openat2", "-e", "inject=openat2:error=ENOSYS", "-o", "/dev/null"];
    let mut sweep = trace::traced(sweep, &options);
    sweep.stderr(std::process::Stdio::piped());
    Doomed { tree: world.orphan("aaaabbbbccccdddd"), remove: Box::new(|| heard(sweep)) }
}

fn heard(mut command: Command) -> String {
    output(&mut command).stderr
}

fn by_the_end_of_the_command(world: &World, signal: Option<Signal>) -> Doomed {
    let run = support::Running::until(&mut world.run(&[], &["wait"]), "waiting");
    let [tree] = &world.scratch()[..] else { panic!("one run, {:?}", world.scratch()) };
    let remove = move || match signal {
        Some(signal) => {
            run.signal(signal);
            run.end().stderr
        }
        None => run.close_input().stderr,
    };
    Doomed { tree: tree.clone(), remove: Box::new(remove) }
}

/// A plugin removes a directory of its own, through its provider; what stays is the end's.
fn by_a_plugin(plugin: &Plugin, world: &World) -> Doomed {
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    let mut running = Running::start(plugin, RunOptions::in_root(&root).args(["plugin", "remove"]));
    let path = running.line();
    let tree = running.scratch().join(path.rsplit('/').next().unwrap_or_default());
    Doomed { tree, remove: Box::new(move || reported(&running.end().1.not_removed)) }
}

fn reported(failures: &[CleanupFailure]) -> String {
    let busy = failures.iter().filter(|failure| failure.error.code == ErrorCode::Busy);
    busy.map(|failure| format!("{} (busy)\n", failure.path)).collect()
}

/// Prepares a removal for every kind of mount in every place, and looks behind the mount after it.
fn try_all(rounds: u64, name: &str, prepare: &dyn Fn(&World) -> Doomed, tally: &mut Tally) {
    for _ in 0..rounds {
        for kind in KINDS {
            for place in PLACES {
                let of = format!("{name}, {kind:?} at {place}");
                if let Err(why) = try_one(kind, place, &of, prepare, tally) {
                    return tally.not_looked_at(why);
                }
            }
        }
    }
}

fn try_one(
    kind: Kind,
    place: &str,
    of: &str,
    prepare: &dyn Fn(&World) -> Doomed,
    tally: &mut Tally,
) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only the superuser can mount".into());
    }
    let world = World::in_memory();
    let outside = world.directory("outside");
    let Doomed { tree, remove } = prepare(&world);
    let at = tree.join(place);
    fs::create_dir_all(at.parent().expect("it is in the tree")).expect("make directories");
    fs::write(tree.join("ordinary"), "goes").expect("write a file");
    let _file_system = match kind {
        Kind::FileSystem => Some(Mount::in_memory(&outside).ok_or("this process may not mount")?),
        Kind::Directory | Kind::File => None,
    };
    furnish(&outside);
    let from = match kind {
        Kind::Directory | Kind::FileSystem => {
            fs::create_dir(&at).expect("make a directory");
            outside.clone()
        }
        Kind::File => {
            fs::write(&at, "").expect("write a file");
            outside.join("file")
        }
    };
    let mount = Mount::bind(&from, &at).ok_or("this process may not mount")?;
    let before = contents(&outside);
    let report = remove();
    let after = contents(&outside);
    tally.count("removals", 1);
    tally.count("files behind mounts", before.len() as u64);
    let lost = before.iter().filter(|(path, text)| after.get(*path) != Some(*text)).count();
    tally.expect(lost == 0, || format!("{of}: {lost} files behind the mount were touched"));
    tally.expect(report.contains("(busy)"), || format!("{of}: only {report:?} was reported"));
    tally.expect(!tree.join("ordinary").exists(), || format!("{of}: the rest has stayed"));
    // A directory that was deep has been moved up, and what is mounted in it with it.
    unmount_below(&tree);
    drop(mount);
    // Once nothing is mounted, everything goes.
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sweep = root.sweep().expect("sweep");
    tally.expect(sweep.not_removed.is_empty(), || format!("{of}: {:?}", sweep.not_removed));
    Ok(())
}

fn unmount_below(tree: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("list the mounts");
    for path in mounts.lines().filter_map(|line| line.split(' ').nth(1)) {
        if Path::new(path).starts_with(tree) {
            let _ = Command::new("umount").arg(path).status();
        }
    }
}

fn furnish(directory: &Path) {
    fs::create_dir_all(directory.join("deep/er")).expect("make directories");
    for path in ["file", "deep/file", "deep/er/file"] {
        fs::write(directory.join(path), "precious").expect("write a file");
    }
}

/// The files of a tree, with what is in them.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            pending.extend(entries.map(|entry| entry.path()));
        } else if let Ok(bytes) = fs::read(&path) {
            found.insert(path, bytes);
        }
    }
    found
}
