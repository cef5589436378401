//! The memory of a service's process. Alone in its file, because other tests would use some too.

mod support;

use std::fs;
use std::thread;

use support::{PLUGIN, World};
use wasi_tempfile_host::{Ending, Provider, RunOptions, Sandbox, ScratchRoot};

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("read the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim_end_matches("kB").trim().parse::<u64>().expect("a number") << 10
}

#[test]
fn the_memory_of_spooled_files_is_given_back_after_the_runs() {
    const AT_ONCE: u64 = 8;
    const SIZE: u64 = 8_000_000;
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let plugin = sandbox.load(&plugin, Provider::Host).expect("load the plugin");
    let size = SIZE.to_string();
    let spool = || {
        let options = RunOptions::in_root(&root).args(["plugin", "spool", &size, &size, &size]);
        let outcome = plugin.run(options).expect("run");
        assert_eq!(outcome.ending, Ending::Returned);
        assert!(outcome.used.tempfile.expect("the host counted").peak.memory >= 3 * SIZE);
    };
    spool();
    let before = resident();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| (0..3).for_each(|_| spool()));
        }
    });
    let more = resident().saturating_sub(before);
    let used = AT_ONCE * 3 * SIZE;
    println!("{more} bytes more after {used} bytes at once");
    // What the allocator was last asked to give back is at most 32 MiB ago.
    assert!(more < 48 << 20, "{more} bytes more after {used} bytes at once");
}
