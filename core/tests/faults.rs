//! Fault injection: the Nth call of the platform fails, once or from then on.
//!
//! Whichever call fails, its code is the result, nothing that was acknowledged is lost, and
//! everything can be removed once the fault is over.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fs;
use std::rc::Rc;

use rand_core::TryRng;
use tempfile_core::{
    AnyFile, Durability, Error, ErrorCode, File, Instance, Location, Options, ReplaceMode, Storage,
    TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use getrandom::SysRng;
use stepped::{OPTIONAL_CALLS, Stepped, TestContext, TestDir, TestInstance};

type Context = TestContext<Stepped>;

/// Which call fails.
struct Plan {
    /// The calls that were made, in order.
    log: RefCell<Vec<&'static str>>,
    /// How many calls were made.
    calls: Cell<u64>,
    /// The number of the call that fails, from 1; 0 for none.
    fail_at: Cell<u64>,
    duration: Duration,
    code: ErrorCode,
    system: System,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Duration {
    /// One call fails.
    Once,
    /// All later calls fail too.
    FromThenOn,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum System {
    /// It has unnamed files and a rename that does not replace.
    Modern,
    Old,
}

impl Plan {
    fn step(&self, call: &'static str) -> Result<(), ErrorCode> {
        if self.system == System::Old && OPTIONAL_CALLS.contains(&call) {
            return Err(ErrorCode::Unsupported);
        }
        self.log.borrow_mut().push(call);
        let number = self.calls.get() + 1;
        self.calls.set(number);
        let fails = match (self.fail_at.get(), self.duration) {
            (0, _) => false,
            (fail_at, Duration::Once) => number == fail_at,
            (fail_at, Duration::FromThenOn) => number >= fail_at,
        };
        if fails { Err(self.code) } else { Ok(()) }
    }
}

/// What a scenario uses, and the handles that it leaves open.
struct World {
    instance: TestInstance<Stepped>,
    plan: Rc<Plan>,
    root: String,
    target: String,
    files: Vec<File<Context>>,
    spooled: Vec<AnyFile<Context, SysRng>>,
    paths: Vec<TempPath<Context>>,
    dirs: Vec<TempDir<Context>>,
}

impl World {
    fn new(root: &TestDir, duration: Duration, code: ErrorCode, system: System) -> Self {
        let (log, calls, fail_at) = Default::default();
        let plan = Rc::new(Plan { log, calls, fail_at, duration, code, system });
        let steps = plan.clone();
        let platform = Stepped::new(move |call| steps.step(call));
        World {
            instance: TestContext::new(root, platform).instance(),
            plan,
            root: root.join(""),
            target: root.join("target"),
            files: Vec::new(),
            spooled: Vec::new(),
            paths: Vec::new(),
            dirs: Vec::new(),
        }
    }

    fn named(&mut self) -> Result<(), Error> {
        let location = Location::Directory(&self.root);
        let (file, path) = self.instance.named(&Options::default(), location)?;
        self.files.push(file);
        self.paths.push(path);
        Ok(())
    }

    fn directory(&mut self) -> Result<(), Error> {
        let location = Location::Directory(&self.root);
        self.dirs.push(self.instance.directory(&Options::default(), location)?);
        Ok(())
    }

    fn persist(&mut self, mode: ReplaceMode, durability: Durability) -> Result<(), Error> {
        self.named()?;
        self.files[0].write(b"new", 0)?;
        self.paths[0].persist(&self.target, mode, durability)
    }

    fn persist_directory(&mut self, mode: ReplaceMode) -> Result<(), Error> {
        self.target.push_str(".directory");
        self.directory()?;
        self.dirs[0].create_directory("sub")?;
        self.dirs[0].create_file("sub/file")?;
        self.dirs[0].persist(&self.target, mode, Durability::Full)
    }
}

type Scenario = (&'static str, fn(&mut World) -> Result<(), Error>);

const SCENARIOS: &[Scenario] = &[
    ("named, used and closed", |world| {
        world.named()?;
        let (file, path) = (&mut world.files[0], &mut world.paths[0]);
        file.write(b"acknowledged", 0)?;
        file.set_size(64)?;
        file.sync(Durability::Full)?;
        assert_eq!(file.read(12, 0)?, b"acknowledged");
        file.close()?;
        path.close()
    }),
    ("named in a shared directory", |world| {
        stepped::share(world.root.as_ref());
        world.named()?;
        world.paths[0].close()
    }),
    ("named twice", |world| {
        world.named()?;
        world.named()
    }),
    ("reopened", |world| {
        world.named()?;
        world.files[0].write(b"acknowledged", 0)?;
        let again = world.paths[0].reopen()?;
        assert_eq!(again.read(12, 0)?, b"acknowledged");
        world.files.push(again);
        Ok(())
    }),
    ("unnamed", |world| {
        world.files.push(world.instance.unnamed(Location::Directory(&world.root))?);
        world.files[0].write(b"x", 0)?;
        world.files[0].close()
    }),
    ("duplicated", |world| {
        world.named()?;
        world.files[0].write(b"acknowledged", 0)?;
        let duplicate = world.files[0].duplicate(0)?;
        assert_eq!(duplicate.read(12, 0)?, b"acknowledged");
        world.files.push(duplicate);
        Ok(())
    }),
    ("spooled", |world| {
        let location = Location::Directory(&world.root);
        world.spooled.push(world.instance.spooled(Some(12), location)?);
        let file = &mut world.spooled[0];
        file.write(b"acknowledged", 0)?;
        file.write(b"!", 12)?;
        assert_eq!(file.storage()?, Storage::Disk);
        Ok(())
    }),
    ("persisted over", |world| world.persist(ReplaceMode::Overwrite, Durability::None)),
    ("persisted over, data", |world| world.persist(ReplaceMode::Overwrite, Durability::Data)),
    ("persisted over, full", |world| world.persist(ReplaceMode::Overwrite, Durability::Full)),
    ("persisted under a free name", |world| {
        world.target.push_str(".new");
        world.persist(ReplaceMode::NoClobber, Durability::Full)
    }),
    ("persist refused", |world| {
        match world.persist(ReplaceMode::NoClobber, Durability::None) {
            Err(error) if error.code == ErrorCode::Exist => {}
            other => return other,
        }
        assert_eq!(world.files[0].read(3, 0)?, b"new");
        world.paths[0].close()
    }),
    ("directory", |world| {
        world.directory()?;
        world.dirs[0].create_file("file")?.write(b"x", 0)?;
        world.dirs[0].create_directory("sub")?;
        world.dirs[0].create_file("sub/file")?;
        world.dirs[0].rename("sub/file", "moved")?;
        assert_eq!(world.dirs[0].entries("")?.len(), 3);
        assert_eq!(world.dirs[0].metadata("file")?.size, 1);
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
        let dir = &world.dirs[0];
        let (file, path) = world.instance.named(&Options::default(), Location::Within(dir))?;
        world.files.push(file);
        world.paths.push(path);
        world.files.push(world.instance.unnamed(Location::Within(dir))?);
        Ok(())
    }),
    ("directory persisted", |world| world.persist_directory(ReplaceMode::Overwrite)),
    ("directory persisted under a free name", |world| {
        world.persist_directory(ReplaceMode::NoClobber)
    }),
    ("default directory", |world| world.instance.default_directory().map(drop)),
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

/// The result of a scenario, and the calls that it made.
struct Run {
    result: Result<(), Error>,
    calls: Vec<&'static str>,
}

fn run(
    scenario: &Scenario,
    fail_at: u64,
    duration: Duration,
    code: ErrorCode,
    system: System,
) -> Run {
    let root = TestDir::new();
    fs::write(root.path().join("target"), "old").expect("a target");
    let mut world = World::new(&root, duration, code, system);
    world.plan.fail_at.set(fail_at);
    let result = (scenario.1)(&mut world);
    let calls = world.plan.log.borrow().clone();

    // The fault is over: whatever is still open can be closed.
    world.plan.fail_at.set(0);
    let context = || format!("{}: call {fail_at} {code}, {duration:?}: {result:?}", scenario.0);
    for file in &mut world.files {
        file.close().unwrap_or_else(|error| panic!("{}: {error}", context()));
    }
    for file in &mut world.spooled {
        assert_eq!(file.read(12, 0).as_deref(), Ok(&b"acknowledged"[..]), "{}", context());
        file.close().unwrap_or_else(|error| panic!("{}: {error}", context()));
    }
    for path in &mut world.paths {
        path.close().unwrap_or_else(|error| panic!("{}: {error}", context()));
    }
    for dir in &mut world.dirs {
        dir.close().unwrap_or_else(|failures| panic!("{}: {failures:?}", context()));
    }
    // A creation that fails half way removes what it created. If the removal fails too, the ledger
    // lists what is left.
    let listed = world.instance.context().ledger.leftovers();
    let listed: Vec<&str> = listed.iter().map(|failure| &*failure.path).collect();
    let mut strays = root.names();
    strays.retain(|name| !name.starts_with("target") && !listed.contains(&&*root.join(name)));
    assert_eq!(strays, Vec::<String>::new(), "{}", context());
    let target = fs::read_to_string(root.path().join("target")).expect("the target");
    assert!(target == "old" || target == "new", "{}: {target:?}", context());
    let usage = world.instance.context().ledger.usage().live;
    assert_eq!((usage.files, usage.paths, usage.directories), (0, 0, 0), "{}", context());
    Run { result, calls }
}

/// The code that a scenario reports if it ends because calls fail with `code`.
fn expected(scenario: &Scenario, calls: &[&str], code: ErrorCode) -> ErrorCode {
    let renamed = calls.iter().any(|call| ["rename", "rename_no_replace", "link"].contains(call));
    let searches = scenario.0 == "default directory";
    match code {
        _ if renamed && calls.last() == Some(&"sync_directory") => ErrorCode::NotDurable,
        // These causes of a candidate that exists are reported.
        ErrorCode::NoSpace
        | ErrorCode::Quota
        | ErrorCode::OutOfHandles
        | ErrorCode::OutOfMemory
        | ErrorCode::Io
        | ErrorCode::Other
        | ErrorCode::Busy
        | ErrorCode::Exhausted => code,
        _ if searches => ErrorCode::NoScratch,
        code => code,
    }
}

fn fail_every_call(duration: Duration) {
    let mut faults = 0;
    for scenario in SCENARIOS {
        for system in [System::Modern, System::Old] {
            let clean = run(scenario, 0, duration, ErrorCode::Io, system);
            clean.result.unwrap_or_else(|error| panic!("{}: {error}", scenario.0));
            for number in 1..=clean.calls.len() as u64 {
                for &code in CODES {
                    let run = run(scenario, number, duration, code, system);
                    if let Err(error) = run.result {
                        let expected = expected(scenario, &run.calls, code);
                        assert_eq!(error.code, expected, "{}: {error}", scenario.0);
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
    fail_every_call(Duration::Once);
}

#[test]
fn a_fault_that_stays_leaks_nothing_once_it_is_over() {
    fail_every_call(Duration::FromThenOn);
}

/// A source that repeats itself: splitmix64.
#[derive(Clone)]
struct Seeded(Rc<Cell<u64>>);

impl Seeded {
    fn new(seed: u64) -> Self {
        Seeded(Rc::new(Cell::new(seed)))
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let state = self.0.get();
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
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
fn names_follow_from_the_random_source_alone() {
    let names = |seed| {
        let root = TestDir::new();
        let ctx = TestContext::new(&root, Stepped::new(|_| Ok(())));
        let instance = Instance::new(ctx, Seeded::new(seed));
        let location = || Location::Directory(root.path().to_str().expect("UTF-8"));
        let name = || {
            let created = instance.named(&Options::default(), location()).expect("no fault");
            created.1.path().rsplit('/').next().map(str::to_owned)
        };
        [name(), name(), name()]
    };
    assert_eq!(names(7), names(7));
    assert_ne!(names(7), names(8));
}

#[test]
fn a_name_that_is_taken_is_followed_by_the_next() {
    let root = TestDir::new();
    let world = World::new(&root, Duration::Once, ErrorCode::Io, System::Modern);
    let create = |seed| {
        let instance = Instance::new(world.instance.context().clone(), Seeded::new(seed));
        instance.named(&Options::default(), Location::Directory(&world.root)).expect("no fault")
    };
    let (first, second) = (create(7), create(7));
    assert_ne!(first.1.path(), second.1.path());
    let creations = world.plan.log.borrow().iter().filter(|call| **call == "create_file").count();
    assert_eq!(creations, 3, "the second file met the name of the first");
}

/// The default directory if the first file that is created fails with this code.
fn default_directory_after(code: ErrorCode, fallback: bool) -> Result<String, ErrorCode> {
    let root = TestDir::new();
    if fallback {
        fs::create_dir(root.join("fallback")).unwrap();
    }
    let failed = Cell::new(false);
    let platform = Stepped::new(move |call| {
        if call == "create_file" && !failed.replace(true) { Err(code) } else { Ok(()) }
    });
    let instance = TestContext::new(&root, platform).instance();
    let found = instance.default_directory().map_err(|error| error.code);
    found.map(|path| path.strip_prefix(&root.join("")).unwrap_or_default().to_owned())
}

#[test]
fn a_fallback_stands_in_for_what_is_missing_and_not_for_what_is_full() {
    for code in
        [ErrorCode::NoSpace, ErrorCode::Quota, ErrorCode::OutOfHandles, ErrorCode::OutOfMemory]
    {
        assert_eq!(default_directory_after(code, true), Err(code));
    }
    for code in [ErrorCode::NoEntry, ErrorCode::Access, ErrorCode::ReadOnly, ErrorCode::Io] {
        assert_eq!(default_directory_after(code, true), Ok("fallback".to_owned()), "{code}");
    }
}

#[test]
fn a_failure_of_the_system_is_not_a_missing_directory() {
    for code in [ErrorCode::Io, ErrorCode::Other, ErrorCode::NoSpace] {
        assert_eq!(default_directory_after(code, false), Err(code));
    }
    assert_eq!(default_directory_after(ErrorCode::Access, false), Err(ErrorCode::NoScratch));
}
