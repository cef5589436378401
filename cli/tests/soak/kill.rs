//! Processes that are killed, beside others that go on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use rustix::process::Signal;
use wasi_tempfile_host::ScratchRoot;

use crate::embedder::{Embedder, Given, Input, block_on};
use crate::figure::{Scale, Tally, figure};
use crate::part::{self, Part, Player};
use crate::plugins::Provider;
use crate::support::World;

figure!(
    what_killed_processes_leave_goes_and_what_lives_stays,
    a_start_that_does_not_sweep,
    a_sweep_that_goes_by_names_alone,
);

pub(crate) const PARTS: &[Part] = &[("instances", instances), ("churn", churn)];

/// Processes that live through all rounds, and the instances in each.
const LIVING: usize = 4;
const INSTANCES: usize = 4;

fn what_killed_processes_leave_goes_and_what_lives_stays(scale: Scale) -> Tally {
    rounds(scale.pick(20, 1000), |root| {
        // What every start of a process does with its root.
        drop(ScratchRoot::open(root).expect("open the root"));
    })
}

fn a_start_that_does_not_sweep() -> Tally {
    rounds(2, |root| drop(ScratchRoot::open_unswept(root).expect("open the root")))
}

/// As one does that takes what is old, whatever "old" means, or what belongs to no process that is
/// known.
fn a_sweep_that_goes_by_names_alone() -> Tally {
    rounds(2, |root| {
        for entry in fs::read_dir(root).expect("list the root") {
            let path = entry.expect("read an entry").path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-")) {
                fs::remove_dir_all(path).expect("remove it");
            }
        }
    })
}

fn rounds(rounds: u64, start: fn(&Path)) -> Tally {
    let world = World::in_memory();
    let root = world.root();
    for provider in Provider::BOTH {
        Embedder::new(provider).store(&world.path(provider.name()));
    }
    let living: Vec<Player> = (0..LIVING).map(|number| waiting(&world, number)).collect();
    let alive = contents(&root);
    assert_eq!(world.scratch().len(), LIVING * INSTANCES, "one directory for each instance");

    let mut tally = Tally::default();
    for round in 0..rounds {
        // In every other round the process dies in the middle of making and removing.
        if round % 2 == 0 {
            waiting(&world, round as usize).signal(Signal::KILL);
        } else {
            let mut victim = player(&world, "churn", round as usize);
            for _ in 0..round % 50 {
                victim.line();
            }
            victim.signal(Signal::KILL);
        }
        start(&root);
        let now = contents(&root);
        let leaked = now.difference(&alive).count();
        let lost = alive.difference(&now).count();
        tally.expect(leaked == 0, || {
            format!("round {round}: {leaked} files and directories were left")
        });
        tally.expect(lost == 0, || {
            format!("round {round}: {lost} living files and directories were removed")
        });
    }
    tally.count("processes killed", rounds);
    tally.count("instances alive in others", (LIVING * INSTANCES) as u64);
    for player in living {
        let (_, succeeded) = player.end();
        tally.expect(succeeded, || "a living process failed".into());
    }
    tally
}

fn player(world: &World, part: &str, number: usize) -> Player {
    let provider = Provider::BOTH[number % 2].name();
    let (root, code) = (text(world.root()), text(world.path(provider)));
    let mut command: Command = part::command(part, &[&root, provider, &code]);
    Player::start(&mut command)
}

/// A process whose instances have all got something in their directories.
fn waiting(world: &World, number: usize) -> Player {
    let mut player = player(world, "instances", number);
    for _ in 0..INSTANCES {
        assert_eq!(player.line(), "waiting");
    }
    player
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("the test's path is text")
}

/// Everything below a directory.
fn contents(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(entry.path());
            }
            found.insert(entry.path());
        }
    }
    found
}

/// Runs instances side by side that wait for the end of standard input with something in their
/// directories.
fn instances(arguments: &[String]) -> ExitCode {
    let [root, provider, code] = arguments else { return ExitCode::FAILURE };
    let provider = if provider == "host" { Provider::Host } else { Provider::Component };
    let root = ScratchRoot::open(root).expect("open the root");
    let embedder = Embedder::load(provider, Path::new(code));
    thread::scope(|scope| {
        for litter in ["unnamed", "named", "spooled", "directory"] {
            let (root, embedder) = (&root, &embedder);
            scope.spawn(move || {
                let scratch = root.create_dir().expect("make a directory");
                let given = Given {
                    arguments: &["wait"],
                    litter,
                    input: Input::Process,
                    ..Given::default()
                };
                block_on(embedder.run(scratch, given));
            });
        }
    });
    ExitCode::SUCCESS
}

/// Makes and removes directories with something in them, for ever.
fn churn(arguments: &[String]) -> ExitCode {
    let root = ScratchRoot::open_unswept(&arguments[0]).expect("open the root");
    loop {
        let scratch = root.create_dir().expect("make a directory");
        fs::create_dir(scratch.path().join("directory")).expect("it is mine");
        fs::write(scratch.path().join("directory/file"), "mine").expect("it is mine");
        println!("made");
        assert!(scratch.close().is_empty(), "it is mine");
        println!("removed");
    }
}
