//! Sweepers and creators in one root.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use getrandom::SysRng;
use rustix::fs::Mode;
use rustix::process::{Pid, Signal, kill_process};
use tempfile_core::{ErrorCode, Options, under_new_name};
use wasi_tempfile_host::ScratchRoot;

use crate::figure::{Scale, Tally, figure};
use crate::part::{self, Part, Player};
use crate::support::World;
use crate::trace;

figure!(
    eight_sweepers_take_nothing_from_eight_creators,
    creators_that_do_not_lock,
    a_creator_that_is_stopped_and_does_not_look_again,
);

pub(crate) const PARTS: &[Part] = &[("creator", creator), ("sweeper", sweeper)];

/// As many sweepers, and as many creators; half of either in another process.
const EACH: usize = 8;

/// How long it goes on.
#[derive(Clone, Copy)]
enum Until {
    Rounds(u64),
    Over(Duration),
}

impl Until {
    fn is_reached(self, rounds: u64, began: Instant) -> bool {
        match self {
            Until::Rounds(limit) => rounds >= limit,
            Until::Over(time) => began.elapsed() >= time,
        }
    }
}

fn eight_sweepers_take_nothing_from_eight_creators(scale: Scale) -> Tally {
    let mut tally =
        side_by_side(scale.pick(Until::Rounds(50), Until::Over(Duration::from_secs(60))), create);
    tally.add(stopped("create"));
    tally
}

fn creators_that_do_not_lock() -> Tally {
    side_by_side(Until::Rounds(50), create_without_lock)
}

fn a_creator_that_is_stopped_and_does_not_look_again() -> Tally {
    stopped("create without lock")
}

/// Makes a directory, puts something into it, and looks whether it stays: what went wrong if not.
type Create = fn(&ScratchRoot) -> Result<(), String>;

fn create(root: &ScratchRoot) -> Result<(), String> {
    let scratch = root.create_dir().map_err(|error| error.to_string())?;
    use_it(scratch.path())?;
    let stayed = scratch.close();
    if stayed.is_empty() { Ok(()) } else { Err(format!("{stayed:?}")) }
}

fn create_without_lock(root: &ScratchRoot) -> Result<(), String> {
    let options = Options { prefix: "run-".into(), ..Options::default() };
    let make = |name: &str| mkdir_marked(&root.path().join(name)).map_err(|_| ErrorCode::Exist);
    let ((), name) =
        under_new_name(&options, &mut SysRng, make).map_err(|code| code.to_string())?;
    let path = root.path().join(name);
    use_it(&path)?;
    fs::remove_dir_all(path).map_err(|error| format!("remove: {error}"))
}

/// Makes a directory with the mark of a run's.
fn mkdir_marked(path: &Path) -> rustix::io::Result<()> {
    rustix::fs::mkdirat(rustix::fs::CWD, path, Mode::RWXU | Mode::SVTX)
}

fn use_it(directory: &Path) -> Result<(), String> {
    let file = directory.join("file");
    fs::write(&file, "mine").map_err(|error| format!("write: {error}"))?;
    for _ in 0..4 {
        // The sweepers get a chance.
        thread::yield_now();
        match fs::read_to_string(&file) {
            Ok(text) if text == "mine" => {}
            otherwise => return Err(format!("read: {otherwise:?}")),
        }
    }
    Ok(())
}

/// Sweeps once: what went wrong, if something did.
fn sweep(root: &ScratchRoot) -> Result<(), String> {
    let sweep = root.sweep().map_err(|error| error.to_string())?;
    match sweep.not_removed.is_empty() && sweep.foreign.is_empty() {
        true => Ok(()),
        false => Err(format!("{sweep:?}")),
    }
}

fn side_by_side(until: Until, create: Create) -> Tally {
    let world = World::in_memory();
    let (path, began) = (world.root(), Instant::now());
    let (working, tally) = (AtomicUsize::new(EACH), Mutex::new(Tally::default()));
    let root = || ScratchRoot::open_unswept(&path).expect("open the root");
    let mut sweepers: Vec<Player> = (0..EACH / 2)
        .map(|_| {
            Player::start(&mut part::command(
                "sweeper",
                &[path.to_str().expect("the test's path is text")],
            ))
        })
        .collect();
    thread::scope(|scope| {
        for _ in 0..EACH {
            scope.spawn(|| {
                let (root, mut mine) = (root(), Tally::default());
                let mut rounds = 0;
                while !until.is_reached(rounds, began) {
                    create(&root).unwrap_or_else(|why| mine.violated(format!("creator: {why}")));
                    rounds += 1;
                }
                mine.count("directories made", rounds);
                tally.lock().expect("no panic").add(mine);
                working.fetch_sub(1, Ordering::Relaxed);
            });
        }
        for _ in 0..EACH / 2 {
            scope.spawn(|| {
                let (root, mut mine) = (root(), Tally::default());
                while working.load(Ordering::Relaxed) > 0 {
                    sweep(&root).unwrap_or_else(|why| mine.violated(format!("sweeper: {why}")));
                    mine.count("sweeps", 1);
                }
                tally.lock().expect("no panic").add(mine);
            });
        }
    });
    let mut tally = tally.into_inner().expect("no panic");
    for sweeper in sweepers.drain(..) {
        let (said, succeeded) = sweeper.end();
        tally.count("sweeps", said.trim().parse().unwrap_or(0));
        tally.expect(succeeded, || "sweeper: its process failed".into());
    }
    tally.expect(world.scratch().is_empty(), || format!("{:?} was left", world.scratch()));
    tally
}

/// Sweeps until standard input ends, and says how often.
fn sweeper(arguments: &[String]) -> ExitCode {
    let root = ScratchRoot::open_unswept(&arguments[0]).expect("open the root");
    let ended = thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut sweeps = 0_u64;
    while !ended.is_finished() {
        sweep(&root).expect("sweep");
        sweeps += 1;
    }
    println!("{sweeps}");
    ExitCode::SUCCESS
}

/// How often the root is swept while a creator is stopped.
const SWEEPS: u64 = 100;

/// Stops a creator, in a process of its own, behind each of the system calls by which it makes a
/// directory its own.
fn stopped(how: &str) -> Tally {
    let mut tally = Tally::default();
    for (call, what) in [("mkdirat", "run-"), ("openat2", "run-"), ("flock", "LOCK_EX")] {
        match trace::occurrence(how_command(&World::in_memory(), how), call, what) {
            Ok(Some(when)) => stop_behind(how, call, when, &mut tally),
            // It does not even try.
            Ok(None) => {}
            Err(why) => {
                tally.not_looked_at(why);
                break;
            }
        }
    }
    tally
}

fn how_command(world: &World, how: &str) -> Command {
    part::command("creator", &[world.root().to_str().expect("the test's path is text"), how])
}

fn stop_behind(how: &str, call: &str, when: usize, tally: &mut Tally) {
    let world = World::in_memory();
    let inject = format!("inject={call}:signal=STOP:when={when}");
    let log = world.path("log");
    let options =
        ["-e", &format!("trace={call}"), "-e", &inject, "-o", log.to_str().unwrap_or_default()];
    let mut creator = Player::start(&mut trace::traced(how_command(&world, how), &options));
    let process = creator.line().parse().ok().and_then(Pid::from_raw).expect("it says its number");
    while !fs::read_to_string(&log).is_ok_and(|log| log.contains("stopped by SIGSTOP")) {
        thread::yield_now();
    }
    let root = ScratchRoot::open_unswept(world.root()).expect("open the root");
    let sweeps = |tally: &mut Tally| {
        for _ in 0..SWEEPS {
            sweep(&root).unwrap_or_else(|why| tally.violated(format!("sweep: {why}")));
        }
        tally.count("sweeps over a stopped creator", SWEEPS);
    };
    sweeps(tally);
    kill_process(process, Signal::CONT).expect("send a signal");
    let made = creator.line();
    tally.expect(made == "made", || format!("stopped behind {call}: {made}"));
    sweeps(tally);
    let (said, succeeded) = creator.end();
    tally.expect(succeeded && said.trim() == "kept", || format!("stopped behind {call}: {said}"));
    tally.expect(world.scratch().is_empty(), || format!("{:?} was left", world.scratch()));
}

/// Says its number; makes a directory, and says so; when standard input has ended, looks whether it
/// is still there.
fn creator(arguments: &[String]) -> ExitCode {
    let [root, how] = arguments else { return ExitCode::FAILURE };
    println!("{}", std::process::id());
    let root = ScratchRoot::open_unswept(root).expect("open the root");
    let wait = || drop(std::io::stdin().read_to_end(&mut Vec::new()));
    let outcome = if how == "create" {
        let scratch = root.create_dir().expect("make a directory");
        fs::write(scratch.path().join("file"), "mine").expect("it is mine");
        println!("made");
        wait();
        use_it(scratch.path())
    } else {
        let path = root.path().join("run-aaaabbbbccccdddd");
        mkdir_marked(&path).expect("make a directory");
        println!(
            "{}",
            fs::write(path.join("file"), "mine")
                .map_or_else(|error| error.to_string(), |()| "made".into())
        );
        wait();
        use_it(&path)
    };
    println!("{}", outcome.map_or_else(|why| why, |()| "kept".into()));
    ExitCode::SUCCESS
}
