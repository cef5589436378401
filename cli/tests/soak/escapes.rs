//! Hostile names: creations and sequences of operations with names that would lead out of a
//! directory, if anybody let them.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use conformance_runner::Os;
use conformance_runner::script::{self, Draw};
use getrandom::SysRng;
use tempfile_core::{ErrorCode, MAX_NAME, OpenLocation, Options, Process, directory, named};

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::support::World;

figure!(no_name_leads_out_of_its_directory, sequences_by_joined_paths, creations_by_joined_paths,);

/// How many creations or sequences there are between two looks.
const BATCH: u64 = 200;

fn no_name_leads_out_of_its_directory(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let scene = Scene::new();
    creations(&scene, scale.pick(20_000, 10_000_000), create, &mut tally);
    // Sequences have 22 operations on average, and at least 15.
    sequences(&scene, scale.pick(2_000, 500_000), play, &mut tally);
    tally
}

fn sequences_by_joined_paths() -> Tally {
    let mut tally = Tally::default();
    sequences(&Scene::new(), 200, play_by_joined_paths, &mut tally);
    tally
}

fn creations_by_joined_paths() -> Tally {
    let mut tally = Tally::default();
    creations(&Scene::new(), 20_000, create_by_joined_path, &mut tally);
    tally
}

/// A directory to create in, among things that nobody may touch.
struct Scene {
    world: World,
    before: Vec<Found>,
}

impl Scene {
    fn new() -> Self {
        let world = World::in_memory();
        for name in ["outside", "outside/directory"] {
            world.directory(name);
            for file in ["a", "b", "file"] {
                world.file(&format!("{name}/{file}"), "precious");
            }
        }
        let mut scene = Scene { world, before: Vec::new() };
        scene.before = scene.look();
        scene
    }

    /// Everything in the world but what is in the root.
    fn look(&self) -> Vec<Found> {
        let (mut found, mut pending) = (Vec::new(), vec![self.world.path("")]);
        while let Some(directory) = pending.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let path = entry.path();
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                let is_root = path == self.world.root();
                if metadata.is_dir() && !is_root {
                    pending.push(path.clone());
                }
                // The root changes all the time; it stays, with its mode.
                let (size, changed) = match is_root {
                    true => (0, (0, 0)),
                    false => (metadata.size(), (metadata.ctime(), metadata.ctime_nsec())),
                };
                found.push(Found { path, mode: metadata.mode(), size, changed });
            }
        }
        found.sort();
        found
    }

    /// Counts whatever was touched outside of the root or is left in it.
    fn expect_untouched(&self, what: &str, tally: &mut Tally) {
        let left = self.world.scratch();
        tally.expect(left.is_empty(), || format!("{what}: {left:?} is left"));
        let after = self.look();
        tally.expect(after == self.before, || {
            let new = after.iter().find(|found| !self.before.contains(found));
            format!("{what}: {new:?} is new or changed, {} are there", after.len())
        });
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    path: PathBuf,
    mode: u32,
    size: u64,
    changed: (i64, i64),
}

/// What is left of a panic.
type Played = std::thread::Result<()>;

fn sequences(scene: &Scene, count: u64, play: fn(&Scene, u64) -> Played, tally: &mut Tally) {
    for seed in (0..count).step_by(BATCH as usize) {
        let what = format!("{BATCH} sequences from seed {seed}");
        tally.expect(play(scene, seed).is_ok(), || format!("{what}: a panic"));
        scene.expect_untouched(&what, tally);
        if tally.violations > 0 {
            break;
        }
        tally.count("sequences of at least 15 operations", BATCH);
    }
}

/// The sequences that the differential test plays in every placement.
fn play(scene: &Scene, seed: u64) -> Played {
    let root = scene.world.root();
    let text = root.to_str().expect("the test's path is text");
    catch_unwind(AssertUnwindSafe(|| script::play(&Os::of(&root), text, seed, BATCH, |_| ())))
}

/// What everybody writes first. None of the names is absolute or goes up far, so that what this
/// touches is in the test's own world.
fn play_by_joined_paths(scene: &Scene, seed: u64) -> Played {
    let mut draw = Draw::new(seed);
    let sequence = scene.world.root().join("sequence");
    fs::create_dir_all(sequence.join("d/e")).expect("make directories");
    symlink(scene.world.path("outside"), sequence.join("l")).expect("plant a link");
    for _ in 0..BATCH {
        let path = format!("{}/{}", sequence.display(), draw.child());
        let _ = match draw.below(4) {
            0 => fs::write(path, "mine"),
            1 => fs::create_dir(path),
            2 => fs::remove_file(path),
            _ => fs::rename(path, sequence.join("moved")),
        };
    }
    let _ = fs::remove_dir_all(sequence);
    Ok(())
}

type Create = fn(&OpenLocation<Process>, &Options, bool) -> Result<(), String>;

fn creations(scene: &Scene, count: u64, create: Create, tally: &mut Tally) {
    let (mut draw, location) = (Draw::new(count), native::open(&scene.world.root()));
    for number in 0..count {
        let [prefix, suffix] = [(); 2].map(|()| {
            let pieces = draw.below(4);
            (0..pieces).map(|_| draw.piece()).collect::<String>()
        });
        let random_chars = draw.of(&[None, Some(0), Some(1), Some(255)]);
        let options = Options { prefix, suffix, random_chars, label: None };
        let directory = draw.once_in(4);
        let created = catch_unwind(AssertUnwindSafe(|| create(&location, &options, directory)));
        match created.unwrap_or_else(|_| Err("a panic".to_owned())) {
            Ok(()) => {}
            Err(what) => tally.violated(format!("{what}: {options:?}")),
        }
        if number % BATCH == BATCH - 1 {
            scene.expect_untouched(&format!("creations to number {number}"), tally);
            if tally.violations > 0 {
                break;
            }
        }
    }
    tally.count("creations", count);
}

/// Creates, looks at what was created, and removes it.
fn create(
    location: &OpenLocation<Process>,
    options: &Options,
    is_directory: bool,
) -> Result<(), String> {
    let created = if is_directory {
        directory(&Process, &mut SysRng, options, location).map(|mut dir| {
            let path = dir.path().to_owned();
            let fits = fits(location, options, &path);
            fits && dir.close().is_ok()
        })
    } else {
        named(&Process, &mut SysRng, options, location).map(|(_file, mut path)| {
            let fits = fits(location, options, path.path());
            fits && path.close().is_ok()
        })
    };
    match created {
        Ok(true) => Ok(()),
        Ok(false) => Err("what was created is not where it should be".to_owned()),
        Err(error) if matches!(error.code, ErrorCode::InvalidName | ErrorCode::NameTooLong) => {
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether something is there, under one name of the pattern in the directory.
fn fits(location: &OpenLocation<Process>, options: &Options, path: &str) -> bool {
    let name = path.strip_prefix(location.path()).and_then(|rest| rest.strip_prefix('/'));
    let is_one_name = |name: &str| {
        name.len() <= MAX_NAME
            && !name.contains(['/', '\0'])
            && name.starts_with(&options.prefix)
            && name.ends_with(&options.suffix)
    };
    name.is_some_and(is_one_name) && fs::symlink_metadata(Path::new(path)).is_ok()
}

/// Touches nothing outside of the test's own world.
fn create_by_joined_path(
    location: &OpenLocation<Process>,
    options: &Options,
    _: bool,
) -> Result<(), String> {
    let root = Path::new(location.path());
    let path = format!("{}/{}x{}", location.path(), options.prefix, options.suffix);
    let parent = Path::new(&path).parent().and_then(|parent| fs::canonicalize(parent).ok());
    let within = |outer: Option<&Path>| {
        parent.as_deref().zip(outer).is_some_and(|(parent, outer)| parent.starts_with(outer))
    };
    if within(root.parent()) && fs::write(&path, "mine").is_ok() && within(Some(root)) {
        fs::remove_file(path).expect("remove the file");
    }
    Ok(())
}
