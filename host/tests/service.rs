//! A service with two hundred runs at once, in a process that lacks what it needs to remove their
//! directories. In a program of its own, because limits and the user are the whole process's.
#![cfg(unix)]

mod support;

use std::io::{Read, stdin};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use support::{PLUGIN, World, shared_threads};
use wasi_tempfile_host::{
    Capture, Control, Ending, Error, Input, Outcome, Plugin, Provider, RunOptions, Sandbox,
    ScratchRoot,
};

const RUNS: usize = 200;

/// One test at a time.
static PROCESS: Mutex<()> = Mutex::new(());

struct Service {
    root: ScratchRoot,
    plugin: Plugin,
}

impl Service {
    fn new(world: &World, plugin: &[u8], provider: Provider<'_>) -> Self {
        let root = ScratchRoot::open(world.root()).expect("open the root");
        let sandbox = Sandbox::new().expect("make a sandbox");
        let plugin = sandbox.load(plugin, provider).expect("load the plugin");
        Self { root, plugin }
    }

    /// Starts the runs, and calls `meanwhile` when each has made its files or failed. Then it stops
    /// every second one, in which no destructor runs, and lets the others return.
    fn serve(&self, meanwhile: impl FnOnce()) -> Vec<Result<Outcome, Error>> {
        let runtime = shared_threads(2);
        let (mut inputs, mut controls, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let ((input, open), output) = (tokio::io::duplex(1), Capture::new(1024));
            let options = RunOptions::in_root(&self.root).args(["plugin", "wait"]);
            let options = options.stdin(Input::stream(input)).stdout(&output);
            inputs.push(open);
            controls.push(options.control());
            runs.push((runtime.spawn(self.plugin.run_async(options)), output));
        }
        while !runs.iter().all(|(run, output)| run.is_finished() || !output.bytes().is_empty()) {
            thread::yield_now();
        }
        meanwhile();
        controls.iter().step_by(2).for_each(Control::stop);
        drop(inputs);
        runs.into_iter().map(|(run, _)| runtime.block_on(run).expect("no panic")).collect()
    }

    /// Waits for the later attempts to remove directories.
    #[track_caller]
    fn assert_nothing_left(&self, world: &World) {
        let patience = Instant::now() + Duration::from_secs(60);
        while self.root.waiting() > 0 && Instant::now() < patience {
            thread::yield_now();
        }
        assert_eq!(self.root.waiting(), 0);
        world.assert_nothing_left();
    }
}

/// How many of the runs came to the end that was meant for them.
fn ended_well(outcomes: &[Result<Outcome, Error>]) -> usize {
    let ended_well = |outcome: &&Result<Outcome, Error>| {
        let ending = outcome.as_ref().map(|outcome| &outcome.ending);
        matches!(ending, Ok(Ending::Returned | Ending::Interrupted))
    };
    outcomes.iter().filter(ended_well).count()
}

#[test]
fn nothing_stays_of_runs_that_share_few_descriptors() {
    let _process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let limit = getrlimit(Resource::Nofile);
    for provider in [Provider::Host, Provider::Component] {
        for descriptors in [256, 64] {
            let world = World::new();
            let service = Service::new(&world, &plugin, provider);
            setrlimit(Resource::Nofile, Rlimit { current: Some(descriptors), ..limit })
                .expect("limit descriptors");
            let outcomes = service.serve(|| {});
            // The limit stays: what the runs gave back has to be enough, also for the next run.
            service.assert_nothing_left(&world);
            let next = RunOptions::in_root(&service.root).args(["plugin", "ok"]);
            let next = service.plugin.run(next).expect("run");
            setrlimit(Resource::Nofile, limit).expect("lift the limit");
            assert_eq!(next.ending, Ending::Returned);
            // Perhaps none, since each that begins takes descriptors from the others.
            let well = ended_well(&outcomes);
            assert!(well < RUNS, "the limit was not met");
        }
    }
}

#[test]
fn nothing_stays_of_runs_whose_root_was_closed_meanwhile() {
    const NAME: &str = "nothing_stays_of_runs_whose_root_was_closed_meanwhile";
    const AGAIN: &str = "PLUGIN_ON_STANDARD_INPUT";
    let _process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    if geteuid().is_root() {
        // Modes mean nothing to the superuser. An ordinary user may not reach the build directory.
        let mut again = Command::new("/proc/self/exe");
        again.args(["--exact", NAME]).env(AGAIN, "").uid(65534).gid(65534);
        let ended = again.stdin(fs::File::open(PLUGIN).expect("open the plugin")).output();
        let ended = ended.expect("start this program again");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let (world, plugin) = if std::env::var_os(AGAIN).is_some() {
        let mut plugin = Vec::new();
        stdin().read_to_end(&mut plugin).expect("read the plugin");
        (World::in_memory(), plugin)
    } else {
        (World::new(), fs::read(PLUGIN).expect("read the plugin"))
    };
    for provider in [Provider::Host, Provider::Component] {
        let service = Service::new(&world, &plugin, provider);
        let outcomes = service.serve(|| world.set_mode("root", 0o500));
        assert_eq!(ended_well(&outcomes), RUNS);
        assert_eq!((service.root.waiting(), world.scratch().len()), (RUNS, RUNS));
        assert!(service.root.create_dir().is_err(), "the root is closed");
        world.set_mode("root", 0o700);
        service.assert_nothing_left(&world);
    }
}
