//! After many runs the process has what it had before. Alone in its process, since it counts what belongs to all of it.

mod support;

use std::fs;

use support::World;
use wasi_tempfile_host::{Ending, Run, Sandbox, ScratchRoot};

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[test]
fn r16_descriptors_return_to_the_base_line_however_runs_end() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = fs::read(support::PLUGIN).expect("read the plugin");
    for plugin in [sandbox.load(&plugin), sandbox.load_hosted(&plugin)] {
        let plugin = plugin.expect("load");
        let round = || {
            for way in ["ok", "fail", "exit", "panic", "trap", "keep"] {
                let outcome = plugin.run(Run::in_root(&root).args(["plugin", way, "3"])).expect("run");
                assert_eq!(outcome.ending == Ending::Returned, matches!(way, "ok" | "keep"), "{way}");
                assert!(outcome.not_removed.is_empty(), "{:?}", outcome.not_removed);
            }
        };
        round();
        let before = open_files();
        for _ in 0..30 {
            round();
        }
        assert_eq!(open_files(), before);
        world.assert_nothing_left();
    }
}
