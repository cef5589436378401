//! Roots that somebody else has a hand in, and what lies in a root and is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Gid, Mode, Uid, chown, mknodat};
use wasi_tempfile_host::ScratchRoot;

use crate::figure::{Scale, Tally, figure};
use crate::support::World;

figure!(
    shared_roots_are_refused_and_foreign_content_stays,
    an_embedder_that_only_looks_for_a_directory,
    a_sweep_that_empties_the_root,
);

/// Somebody else.
const STRANGER: u32 = 65534;

fn shared_roots_are_refused_and_foreign_content_stays(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    refused(|root| ScratchRoot::open(root).is_ok(), &mut tally);
    foreign(scale.pick(20, 1000), sweep, &mut tally);
    tally
}

fn an_embedder_that_only_looks_for_a_directory() -> Tally {
    let mut tally = Tally::default();
    refused(|root| fs::create_dir_all(root).is_ok() && root.is_dir(), &mut tally);
    tally
}

fn a_sweep_that_empties_the_root() -> Tally {
    let mut tally = Tally::default();
    let empty = |root: &Path| {
        for entry in fs::read_dir(root).expect("list the root") {
            let path = entry.expect("read an entry").path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        BTreeSet::new()
    };
    foreign(1, empty, &mut tally);
    tally
}

/// Opens roots of every kind and mode, and counts those that it should not have, and those that it
/// should.
fn refused(open: fn(&Path) -> bool, tally: &mut Tally) {
    let root = rustix::process::geteuid().is_root();
    for mode in 0..0o1000 {
        let world = World::in_memory();
        world.set_mode("root", mode);
        let shared = mode & 0o022 != 0;
        // The superuser opens what a mode keeps its owner from opening.
        let closed = !root && mode & 0o700 != 0o700;
        let opened = open(&world.root());
        tally.expect(!(opened && shared), || format!("a root of mode {mode:03o} was opened"));
        tally.expect(opened || shared || closed, || {
            format!("a root of mode {mode:03o} was refused")
        });
        tally.count("roots", 1);
        world.set_mode("root", 0o700);
    }
    type Plant = fn(&World, &Path);
    let kinds: [(&str, Plant); 6] = [
        ("a link to a root", |world, root| symlink(world.root(), root).expect("plant a link")),
        ("a link to nothing", |world, root| {
            symlink(world.path("nothing"), root).expect("plant a link")
        }),
        ("a file", |_, root| fs::write(root, "").expect("write a file")),
        ("a fifo", |_, root| {
            mknodat(CWD, root, FileType::Fifo, Mode::RWXU, 0).expect("plant a fifo")
        }),
        ("a socket", |_, root| drop(UnixListener::bind(root).expect("plant a socket"))),
        ("a stranger's directory", |_, root| {
            fs::create_dir(root).expect("make a directory");
            fs::set_permissions(root, fs::Permissions::from_mode(0o700)).expect("set a mode");
            chown(root, Some(Uid::from_raw(STRANGER)), Some(Gid::from_raw(STRANGER)))
                .expect("give it away");
        }),
    ];
    for (kind, plant) in kinds {
        if kind.starts_with("a stranger") && !root {
            tally.not_looked_at("only the superuser can give a directory away");
            continue;
        }
        let world = World::in_memory();
        let root = world.path("planted");
        plant(&world, &root);
        // A slash or a dot at the end makes the system follow a link.
        for end in ["", "/", "//", "/.", "/./", "/sub/..", "/sub/../"] {
            let mut spelled = root.clone().into_os_string();
            spelled.push(end);
            fs::create_dir_all(world.root().join("sub")).expect("make a directory");
            tally.expect(!open(Path::new(&spelled)), || format!("{kind}, {end}, was opened"));
            tally.count("roots", 1);
        }
        tally.expect(!world.path("nothing").exists(), || format!("{kind} was followed"));
    }
}

fn sweep(root: &Path) -> BTreeSet<PathBuf> {
    let found = ScratchRoot::open_unswept(root).and_then(|root| root.sweep()).expect("sweep");
    found.foreign.into_iter().collect()
}

/// Sweeps a root with much in it that is not ours, gives what was reported, and counts what was
/// not, and what is gone.
fn foreign(sweeps: u64, sweep: fn(&Path) -> BTreeSet<PathBuf>, tally: &mut Tally) {
    let world = World::in_memory();
    let (root, elsewhere) = (world.root(), world.directory("elsewhere"));
    fs::write(elsewhere.join("precious"), "precious").expect("write a file");
    let mut planted = BTreeSet::new();
    // Nearly the names of ours: with a name of ours it is what is not a directory.
    for name in [
        "notes",
        ".hidden",
        "run",
        "run-",
        "run-short",
        "run-AAAABBBBCCCCDDDD",
        "run-aaaabbbbccccdddd.bak",
    ]
    .into_iter()
    .chain([
        "trash-aaaabbbbccccddd1",
        "RUN-aaaabbbbccccdddd",
        " run-aaaabbbbccccdddd",
        "run-aaaabbbbccccddddd",
    ]) {
        fs::create_dir(root.join(name)).expect("make a directory");
        fs::write(root.join(name).join("precious"), "precious").expect("write a file");
        planted.insert(root.join(name));
    }
    for (number, ours) in ["run-", "trash-"].into_iter().enumerate() {
        let name = |letter: char| root.join(format!("{ours}aaaabbbbccccddd{letter}"));
        fs::write(name('a'), "precious").expect("write a file");
        symlink(&elsewhere, name('b')).expect("plant a link");
        symlink("nowhere", name('c')).expect("plant a link");
        mknodat(CWD, name('d'), FileType::Fifo, Mode::RWXU, 0).expect("plant a fifo");
        drop(UnixListener::bind(name('e')).expect("plant a socket"));
        planted.extend("abcde".chars().map(name));
        let directory = |letter, mode| {
            fs::create_dir(name(letter)).expect("make a directory");
            fs::write(name(letter).join("precious"), "precious").expect("write a file");
            fs::set_permissions(name(letter), fs::Permissions::from_mode(mode))
                .expect("set a mode");
            name(letter)
        };
        // Directories of this user without the mark.
        let unmarked = [('g', 0o700), ('h', 0o755), ('i', 0o1777), ('j', 0o500)];
        planted.extend(unmarked.map(|(letter, mode)| directory(letter, mode)));
        if rustix::process::geteuid().is_root() {
            // With the mark, and another owner.
            for (letter, mode) in [('f', 0o1700), ('k', 0o2555)] {
                let path = directory(letter, mode);
                let owner = Uid::from_raw(STRANGER - number as u32);
                chown(&path, Some(owner), None).expect("give it away");
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set a mode");
                planted.insert(path);
            }
        }
    }
    let mut everything = contents(&root);
    for _ in 0..sweeps {
        let reported = sweep(&root);
        tally.expect(reported == planted, || {
            format!("not reported: {:?}", planted.difference(&reported).collect::<Vec<_>>())
        });
        let now = contents(&root);
        tally.expect(now == everything, || {
            format!("gone: {:?}", everything.difference(&now).collect::<Vec<_>>())
        });
        everything = now;
    }
    tally.expect(elsewhere.join("precious").exists(), || "a link was followed".into());
    tally.count("sweeps", sweeps);
    tally.count("foreign things", planted.len() as u64);
}

/// Every path below a directory, with its mode.
fn contents(directory: &Path) -> BTreeSet<(PathBuf, u32)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
        if metadata.is_dir() {
            found.extend(contents(&entry.path()));
        }
        found.insert((entry.path(), metadata.permissions().mode()));
    }
    found
}
