//! The memory of a service's process. Alone in its file, because other tests would use some too.
//! Linux says how much it is in a file.
#![cfg(target_os = "linux")]

mod support;

use std::fs;

use support::{PLUGIN, World, shared_threads};
use wasi_tempfile_host::{Ending, Provider, RunOptions, Sandbox, ScratchRoot};

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("read the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim_end_matches("kB").trim().parse::<u64>().expect("a number") << 10
}

#[test]
fn the_memory_of_spooled_files_is_given_back_after_the_runs() {
    const AT_ONCE: usize = 16;
    const SIZE: u64 = 4_000_000;
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let plugin = sandbox.load(&plugin, Provider::Host).expect("load the plugin");
    let runtime = shared_threads(2);
    let size = SIZE.to_string();
    let run = || {
        plugin.run_async(RunOptions::in_root(&root).args(["plugin", "spool", &size, &size, &size]))
    };
    let spool = |count: usize| {
        let runs: Vec<_> = (0..count).map(|_| runtime.spawn(run())).collect();
        for run in runs {
            let outcome = runtime.block_on(run).expect("no panic").expect("run");
            assert_eq!(outcome.ending, Ending::Returned);
            assert!(outcome.used.tempfile.expect("the host counted").peak.memory >= 3 * SIZE);
        }
    };
    spool(1);
    let before = resident();
    // What the service itself keeps is between the blocks, so the system gets none of them back by
    // itself.
    let service = runtime.spawn(async {
        let mut kept = Vec::new();
        for _ in 0..100_000 {
            kept.push(vec![1_u8; 100]);
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
        drop(kept);
    });
    spool(AT_ONCE);
    let more = resident().saturating_sub(before);
    service.abort();
    println!("{more} bytes more after {} bytes at once", AT_ONCE as u64 * 3 * SIZE);
    // What the allocator was last asked to give back is at most 16 MiB ago.
    assert!(more < 64 << 20, "{more} bytes more");
}
