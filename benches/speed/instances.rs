//! Many live instances, in a process of their own: memory that an allocator kept from before would
//! not be counted.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Store;

use crate::comparison::nanoseconds;
use crate::embedder::{self, Embedder, Placement, State};
use crate::space::Space;

/// The argument that this program starts itself with.
pub(crate) const COMMAND: &str = "--instances";

/// What so many live instances cost.
pub(crate) struct Cost {
    /// Resident memory of each, in bytes.
    pub(crate) memory: f64,
    /// How long the first ones took to make and to run, on average, and how long the last ones did.
    pub(crate) first: f64,
    pub(crate) last: f64,
}

/// How many instances are timed at either end.
const TIMED: usize = 10;

impl Cost {
    /// Measures instances of a plugin that have run.
    pub(crate) fn of(plugin: &Path, placement: Placement, count: usize) -> Self {
        let mut measuring =
            Command::new(std::env::current_exe().expect("know this program's path"));
        let placement = if placement == Placement::Host { "host" } else { "component" };
        measuring.arg(COMMAND).arg(plugin).args([placement, &count.to_string()]);
        let output = measuring.output().expect("start this program again");
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
        let [memory, first, last] = numbers[..] else {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        };
        Self { memory, first, last }
    }
}

/// The other side of [`Cost::of`].
pub(crate) fn measure(arguments: &mut dyn Iterator<Item = String>) -> ExitCode {
    let mut argument = || arguments.next().expect("three arguments");
    let (plugin, placement, count) = (argument(), argument(), argument());
    let placement = if placement == "host" { Placement::Host } else { Placement::Component };
    let count: usize = count.parse().expect("a number of instances");
    raise_handles();
    let space = Space::open();
    let embedder = Embedder::new(&fs::read(plugin).expect("read a plugin"), placement);
    let live = || -> Store<State> {
        let scratch = embedder::scratch(&space.root);
        embedder.live(&scratch, "", 1).0
    };
    // What is made once is not an instance's.
    let warm = live();
    let before = resident();
    let mut held = Vec::with_capacity(count);
    let mut timed = |count: usize| {
        let start = Instant::now();
        held.extend((0..count).map(|_| live()));
        nanoseconds(start.elapsed()) as f64 / count as f64
    };
    let first = timed(TIMED);
    timed(count.saturating_sub(2 * TIMED).max(1));
    let last = timed(TIMED);
    let memory = (resident() - before) / held.len() as f64;
    println!("{memory} {first} {last}");
    drop((warm, held));
    ExitCode::SUCCESS
}

/// As many open files as this process may have.
fn raise_handles() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// The memory that the system has given to this process, in bytes.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("look at this process's memory");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the system says it");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024.0
}
