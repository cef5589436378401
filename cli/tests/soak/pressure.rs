//! Plugins that make the host keep as much as they can.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::wasmtime::{Cache, CacheConfig};
use wasi_tempfile_host::{Capture, Plugin, RunOptions, Sandbox, ScratchRoot};

use crate::endings::open_files;
use crate::figure::{Scale, Tally, figure};
use crate::flat::{most_resident, resident, resident_of_files};
use crate::part::{self, Part};
use crate::plugins::Running;
use crate::support::{PLUGIN, World};

figure!(
    what_a_plugin_makes_the_host_keep_stays_within_its_limits,
    a_plugin_with_more_memory_than_is_counted_with,
    a_plugin_with_more_handles_than_are_counted_with,
);

pub(crate) const PARTS: &[Part] = &[("pressure", pressure)];

/// What the host may need besides what the plugin may have: the arguments of one call, of which the
/// host makes a copy before it can refuse the call, among it.
const MEMORY_SLACK: u64 = 16 << 20;
const HANDLE_SLACK: u64 = 8;

/// What a plugin may have.
#[derive(Clone, Copy)]
struct Allowed {
    memory: u64,
    handles: u64,
}

/// Few handles, and more of them than the memory is enough for.
const ALLOWED: [Allowed; 2] =
    [Allowed { memory: 32 << 20, handles: 100 }, Allowed { memory: 48 << 20, handles: 20_000 }];

fn what_a_plugin_makes_the_host_keep_stays_within_its_limits(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let scene = Scene::new();
    let ways = scene.ways();
    // `cargo test` tries each way once, with either limits.
    for (number, way) in ways.iter().enumerate() {
        for (other, allowed) in ALLOWED.into_iter().enumerate() {
            if scale == Scale::Full || number % 2 == other {
                tally.add(scene.look(way, 0, allowed, allowed));
                tally.count("ways to fill the host", 1);
            }
        }
    }
    let (began, time) = (Instant::now(), Duration::from_secs(60));
    for seed in 1.. {
        if scale.pick(seed > 3, began.elapsed() >= time) {
            break;
        }
        let allowed = ALLOWED[seed % ALLOWED.len()];
        tally.add(scene.look("mixture", seed, allowed, allowed));
        tally.count("mixtures", 1);
    }
    tally
}

fn a_plugin_with_more_memory_than_is_counted_with() -> Tally {
    let [less, _] = ALLOWED;
    let given = Allowed { memory: 256 << 20, handles: 20_000 };
    let counted = Allowed { handles: given.handles, ..less };
    Scene::new().look("spooled-files-that-may-not-move", 0, given, counted)
}

fn a_plugin_with_more_handles_than_are_counted_with() -> Tally {
    let [few, many] = ALLOWED;
    Scene::new().look(
        "unnamed-files",
        0,
        Allowed { handles: 500, ..many },
        Allowed { memory: many.memory, ..few },
    )
}

/// A root, and the plugin's machine code.
struct Scene {
    world: World,
}

impl Scene {
    fn new() -> Self {
        let scene = Scene { world: World::in_memory() };
        // Compiled here, so that what the compiler took is not free in the processes that are
        // looked at.
        load(&scene.world.path("cache"));
        scene
    }

    /// The names of the ways.
    fn ways(&self) -> Vec<String> {
        let root = ScratchRoot::open(self.world.root()).expect("open the root");
        let said = Capture::new(1 << 16);
        let run = RunOptions::in_root(&root).args(["plugin", "pressure"]).stdout(&said);
        load(&self.world.path("cache")).run(run).expect("run the plugin");
        let ways: Vec<String> = said.text().lines().map(str::to_owned).collect();
        assert!(ways.len() > 20, "{ways:?}");
        ways
    }

    /// Looks at a process in which a plugin goes one way.
    fn look(&self, way: &str, seed: usize, given: Allowed, counted: Allowed) -> Tally {
        let numbers = [given.memory, given.handles, counted.memory, counted.handles];
        let [memory, handles, counted_memory, counted_handles] =
            numbers.map(|number| number.to_string());
        let path = self.world.path("");
        let path = path.to_str().expect("the test's path is text");
        let seed = seed.to_string();
        let arguments = [path, way, &seed, &memory, &handles, &counted_memory, &counted_handles];
        part::ask(&mut part::command("pressure", &arguments), Scale::Short).unwrap_or_else(|why| {
            let mut tally = Tally::default();
            tally.violated(format!("{way} {seed}: {why}"));
            tally
        })
    }
}

/// The plugin, compiled if the cache does not have it.
fn load(cache: &Path) -> Plugin {
    let mut config = CacheConfig::new();
    config.with_directory(cache);
    let cache = Cache::new(config).expect("make a cache");
    let sandbox = Sandbox::builder().cache(cache).build().expect("make a sandbox");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    sandbox.load(&plugin, wasi_tempfile_host::Provider::Host).expect("load the plugin")
}

/// Gives back to the system what the allocator keeps of what was freed: that is not the plugin's.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it takes a number, and may be called by any thread at any time.
        unsafe { malloc_trim(0) };
    }
}

/// Runs a plugin, and looks at what this process has because of that.
fn pressure(arguments: &[String]) -> ExitCode {
    let [world, way, seed, numbers @ ..] = arguments else { return ExitCode::FAILURE };
    let numbers: Vec<u64> = numbers.iter().map(|text| text.parse().expect("a number")).collect();
    let [memory, handles, counted_memory, counted_handles] = numbers[..] else {
        return ExitCode::FAILURE;
    };
    let world = Path::new(world);
    let root = ScratchRoot::open(world.join("root")).expect("open the root");
    let plugin = load(&world.join("cache"));
    let options = || RunOptions::in_root(&root).memory(memory);
    plugin.run(options().args(["plugin", "ok"])).expect("run the plugin");

    let (memory_before, files_before) = (resident() - resident_of_files(), open_files());
    // From here on the system keeps the highest value anew.
    fs::write("/proc/self/clear_refs", "5").expect("the system forgets the highest value");
    let limits = Limits { handles: Some(handles), ..Limits::default() };
    let run = options().limits(limits).args(["plugin", "pressure", way, seed]);
    let mut running = Running::start(&plugin, run);
    let (mut files, mut full) = (0, None);
    // A plugin that runs out of its memory ends before it is full.
    while let Some(line) = running.next_line() {
        files = files.max(open_files());
        give_back();
        running.tell("");
        if line != "more" {
            full = Some(line);
            break;
        }
    }
    let (said, outcome) = running.end();
    // Code that ran for the first time came from the program's file, and is nothing that is kept.
    let of_files = resident_of_files();
    let highest = most_resident().saturating_sub(of_files);

    let mut tally = Tally::default();
    let more_memory = highest.saturating_sub(memory_before);
    let more_files = (files as u64).saturating_sub(files_before as u64);
    let of = format!("{way} {seed} ({:?}, {:?}, {})", full, said, outcome.ending);
    tally.expect(more_memory <= counted_memory + MEMORY_SLACK, || {
        format!(
            "{of}: {} KiB more of {} KiB ({} KiB are files)",
            more_memory >> 10,
            counted_memory >> 10,
            of_files >> 10
        )
    });
    tally.expect(more_files <= counted_handles + HANDLE_SLACK, || {
        format!("{of}: {more_files} descriptors more of {counted_handles}")
    });
    part::answer(&tally)
}
