//! A process without addresses for the memory of a plugin. In a program of its own, because the
//! limit is the whole process's.
#![cfg(target_os = "linux")]

mod support;

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{PLUGIN, World};
use wasi_tempfile_host::{Ending, Error, Provider, RunOptions, Sandbox, ScratchRoot};

#[test]
fn an_instance_that_the_system_refuses_is_an_error_of_the_host() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = sandbox.load(&fs::read(PLUGIN).expect("read the plugin"), Provider::Host);
    let plugin = plugin.expect("load the plugin");
    let run = || plugin.run(RunOptions::in_root(&root).args(["plugin", "ok"]));

    let status = fs::read_to_string("/proc/self/status").expect("read the size of the process");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("its line");
    let kibibytes: u64 = size.trim().trim_end_matches(" kB").parse().expect("a number");
    let limit = getrlimit(Resource::As);
    // Room for all but the 4 GiB that a memory reserves.
    let room = (kibibytes << 10) + (1 << 30);
    setrlimit(Resource::As, Rlimit { current: Some(room), ..limit }).expect("limit addresses");
    let refused = run();
    setrlimit(Resource::As, limit).expect("lift the limit");

    let refused = refused.expect_err("there are no addresses");
    let operation = "instantiate the plugin";
    assert!(matches!(refused, Error::Engine { operation: o, .. } if o == operation), "{refused:?}");
    assert_eq!(sandbox.counters().dropped, 1);
    world.assert_nothing_left();
    assert_eq!(run().expect("run").ending, Ending::Returned, "the control");
}
