//! Fail the Nth call of the platform, once or for ever: whatever is called next, errors are typed, nothing that was acknowledged is
//! lost, and once the fault is over everything can be removed.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use getrandom::SysRng;
use rand_core::TryRng;
use tempfile_core::{
    Durability, Error, ErrorCode, File, Options, Place, ReplaceMode, TempDir, TempPath,
    default_place, directory, named, place_at, unnamed,
};

mod stepped;

use stepped::{Step, Stepped};

/// The operating system, but for one call (or all from one on) that fails.
type Faulty = Stepped<Rc<Plan>>;

struct Plan {
    /// What has been called, in order.
    log: RefCell<Vec<&'static str>>,
    /// How many calls have been made.
    calls: Cell<u64>,
    /// Which call fails, counted from 1; 0 for none.
    fail_at: Cell<u64>,
    for_ever: bool,
    code: ErrorCode,
    /// Whether the system has unnamed files and a no-replace rename.
    modern: bool,
}

impl Step for Rc<Plan> {
    fn step(&self, verb: &'static str) -> Result<(), ErrorCode> {
        if !self.modern && stepped::MODERN.contains(&verb) {
            return Err(ErrorCode::Unsupported);
        }
        self.log.borrow_mut().push(verb);
        let call = self.calls.get() + 1;
        self.calls.set(call);
        let fail_at = self.fail_at.get();
        let fails = fail_at != 0 && (call == fail_at || self.for_ever && call > fail_at);
        if fails { Err(self.code) } else { Ok(()) }
    }
}

/// What a scenario works with, and what it holds when it ends: the caller closes it when the fault is over.
struct World {
    platform: Faulty,
    place: Place<Faulty>,
    target: String,
    files: Vec<File<Faulty>>,
    paths: Vec<TempPath<Faulty>>,
    dirs: Vec<TempDir<Faulty>>,
}

impl World {
    fn named(&mut self) -> Result<(), Error> {
        let (file, path) = named(&self.platform, &mut SysRng, &Options::default(), &self.place)?;
        self.files.push(file);
        self.paths.push(path);
        Ok(())
    }

    fn directory(&mut self) -> Result<(), Error> {
        self.dirs.push(directory(&self.platform, &mut SysRng, &Options::default(), &self.place)?);
        Ok(())
    }

    fn persist(&mut self, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        self.named()?;
        self.files[0].write(0, b"new")?;
        self.paths[0].persist(&self.target, mode, durability)
    }
}

type Scenario = (&'static str, fn(&mut World) -> Result<(), Error>);

const SCENARIOS: &[Scenario] = &[
    ("named, used and closed", |world| {
        world.named()?;
        let (file, path) = (&mut world.files[0], &mut world.paths[0]);
        file.write(0, b"acknowledged")?;
        file.set_size(64)?;
        file.sync(Durability::Full)?;
        assert_eq!(file.read(0, 12)?, b"acknowledged");
        file.close()?;
        path.close()
    }),
    ("named twice", |world| {
        world.named()?;
        world.named()
    }),
    ("reopened", |world| {
        world.named()?;
        world.files[0].write(0, b"acknowledged")?;
        let again = world.paths[0].reopen()?;
        assert_eq!(again.read(0, 12)?, b"acknowledged");
        world.files.push(again);
        Ok(())
    }),
    ("unnamed", |world| {
        world.files.push(unnamed(&world.platform, &mut SysRng, &world.place)?);
        world.files[0].write(0, b"x")?;
        world.files[0].close()
    }),
    ("persisted over", |world| world.persist(ReplaceMode::Overwrite, Durability::None)),
    ("persisted over, data", |world| world.persist(ReplaceMode::Overwrite, Durability::Data)),
    ("persisted over, full", |world| world.persist(ReplaceMode::Overwrite, Durability::Full)),
    ("persisted anew", |world| {
        world.target.push_str(".new");
        world.persist(ReplaceMode::NoClobber, Durability::Full)
    }),
    ("persist refused", |world| {
        match world.persist(ReplaceMode::NoClobber, Durability::None) {
            Err(error) if error.code == ErrorCode::Exist => {}
            other => return other,
        }
        assert_eq!(world.files[0].read(0, 3)?, b"new");
        world.paths[0].close()
    }),
    ("directory", |world| {
        world.directory()?;
        world.dirs[0].create_file("file")?.write(0, b"x")?;
        world.dirs[0].create_directory("sub")?;
        world.dirs[0].create_file("sub/file")?;
        world.dirs[0].rename("sub/file", "moved")?;
        assert_eq!(world.dirs[0].entries("")?.len(), 3);
        world.dirs[0].remove("sub")
    }),
    ("deep directory", |world| {
        world.directory()?;
        let mut path = String::from("d");
        for _ in 0..20 {
            world.dirs[0].create_directory(&path)?;
            path.push_str("/d");
        }
        world.dirs[0].remove("d")
    }),
    ("created in a directory", |world| {
        world.directory()?;
        world.place = world.dirs[0].place()?;
        world.named()?;
        world.files.push(unnamed(&world.platform, &mut SysRng, &world.place)?);
        Ok(())
    }),
    ("default directory", |world| {
        world.place = default_place(&world.platform, &mut SysRng)?;
        Ok(())
    }),
];

const CODES: &[ErrorCode] = &[
    ErrorCode::Access,
    ErrorCode::Busy,
    ErrorCode::Io,
    ErrorCode::NoSpace,
    ErrorCode::OutOfHandles,
    ErrorCode::OutOfMemory,
    ErrorCode::Quota,
    ErrorCode::ReadOnly,
];

/// A directory of the test's own.
struct Root(PathBuf);

impl Root {
    fn new() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("randomness");
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Thousands of directories come and go: in memory, where the system has such a place.
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = parent.join(format!("faults-{name}"));
        fs::create_dir(&path).expect("a directory");
        fs::write(path.join("target"), "old").expect("a target");
        Root(path)
    }

    /// What lies in it besides the target.
    fn strays(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("a listing");
        let names =
            names.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        names.filter(|name| !name.starts_with("target")).collect()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a run ended, and how many calls it made.
struct Run {
    result: Result<(), Error>,
    calls: u64,
}

impl World {
    fn new(root: &Root, for_ever: bool, code: ErrorCode, modern: bool) -> Self {
        let (log, calls, fail_at) = Default::default();
        let platform = Stepped(Rc::new(Plan { log, calls, fail_at, for_ever, code, modern }));
        let path = root.0.to_str().expect("UTF-8");
        World {
            place: place_at(&platform, path).expect("the root"),
            platform,
            target: format!("{path}/target"),
            files: Vec::new(),
            paths: Vec::new(),
            dirs: Vec::new(),
        }
    }
}

fn run(scenario: &Scenario, fail_at: u64, for_ever: bool, code: ErrorCode, modern: bool) -> Run {
    let root = Root::new();
    let mut world = World::new(&root, for_ever, code, modern);
    let platform = world.platform.clone();
    platform.0.calls.set(0);
    platform.0.fail_at.set(fail_at);
    let result = (scenario.1)(&mut world);
    let calls = platform.0.calls.get();

    // The fault is over: everything still held can be removed, and says so.
    platform.0.fail_at.set(0);
    let context =
        || format!("{}: call {fail_at} {code}, for ever: {for_ever}, {result:?}", scenario.0);
    for file in &mut world.files {
        file.close().unwrap_or_else(|error| panic!("{}: {error}", context()));
    }
    for path in &mut world.paths {
        path.close().unwrap_or_else(|error| panic!("{}: {error}", context()));
    }
    for dir in &mut world.dirs {
        dir.close().unwrap_or_else(|failures| panic!("{}: {failures:?}", context()));
    }
    // A creation that fails half-way removes what it made; where even that fails, for ever, nobody holds the name.
    let half_way =
        for_ever && result.as_ref().is_err_and(|error| error.message.starts_with("create a"));
    if !half_way {
        assert_eq!(root.strays(), Vec::<String>::new(), "{}", context());
    }
    let target = fs::read_to_string(root.0.join("target")).expect("the target");
    assert!(target == "old" || target == "new", "{}: {target:?}", context());
    Run { result, calls }
}

fn fail_every_call(for_ever: bool) {
    let mut faults = 0;
    for scenario in SCENARIOS {
        for modern in [true, false] {
            let clean = run(scenario, 0, for_ever, ErrorCode::Io, modern);
            clean.result.unwrap_or_else(|error| panic!("{}: {error}", scenario.0));
            for call in 1..=clean.calls {
                for &code in CODES {
                    let run = run(scenario, call, for_ever, code, modern);
                    if let Err(error) = run.result {
                        // The search for a default directory goes on past a candidate that fails.
                        let expected = match scenario.0 {
                            "default directory" if code != ErrorCode::Quota => ErrorCode::NoScratch,
                            _ => code,
                        };
                        assert_eq!(error.code, expected, "{}: call {call}: {error}", scenario.0);
                        faults += 1;
                    }
                }
            }
        }
    }
    assert!(faults > 1000, "only {faults} faults were seen");
}

#[test]
fn a_fault_of_one_call_leaks_nothing_and_keeps_its_code() {
    fail_every_call(false);
}

#[test]
fn a_fault_that_stays_leaks_nothing_once_it_is_over() {
    fail_every_call(true);
}

#[test]
fn each_durability_syncs_its_own_steps_in_order() {
    let order = |durability| {
        let root = Root::new();
        let mut world = World::new(&root, false, ErrorCode::Io, true);
        world.persist(ReplaceMode::Overwrite, durability).expect("no fault");
        let log = world.platform.0.log.borrow();
        let counts = |verb: &&&str| verb.starts_with("sync") || verb.starts_with("rename");
        log.iter().filter(counts).copied().collect::<Vec<_>>()
    };
    assert_eq!(order(Durability::None), ["rename"]);
    assert_eq!(order(Durability::Data), ["sync_data", "rename"]);
    assert_eq!(order(Durability::Full), ["sync_all", "rename", "sync_directory"]);
}

/// A source that says the same again: splitmix64.
struct Seeded(u64);

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(mixed ^ (mixed >> 31))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[test]
fn the_same_seed_gives_the_same_names() {
    let names = |seed| {
        let root = Root::new();
        let world = World::new(&root, false, ErrorCode::Io, true);
        let mut source = Seeded(seed);
        let mut name = || {
            let (_, path) = named(&world.platform, &mut source, &Options::default(), &world.place)
                .expect("no fault");
            path.path().rsplit('/').next().map(str::to_owned)
        };
        [name(), name(), name()]
    };
    assert_eq!(names(7), names(7));
    assert_ne!(names(7), names(8));
}

#[test]
fn a_collision_can_be_had_on_purpose() {
    let root = Root::new();
    let world = World::new(&root, false, ErrorCode::Io, true);
    let create =
        |seed| named(&world.platform, &mut Seeded(seed), &Options::default(), &world.place);
    let first = create(7).expect("no fault");
    let second = create(7).expect("the next name of the same source");
    assert_ne!(first.1.path(), second.1.path());
    let creations =
        world.platform.0.log.borrow().iter().filter(|verb| **verb == "create_file").count();
    assert_eq!(creations, 3, "the second met the first's name");
}
