//! The plugins, and a run of one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use wasi_tempfile_host::{
    Capture, Ending, Mount, Plugin, Provider, RunOptions, Sandbox, ScratchRoot,
};

use crate::nested::Call;
use crate::space::Space;

/// This package, as plugins.
const CALL: Call = Call {
    features: None,
    packages: &["bench"],
    artifacts: &[
        ("bench-ours.wasm", "ours.wasm"),
        ("bench-theirs.wasm", "theirs.wasm"),
        ("bench-first.wasm", "first.wasm"),
        ("bench-empty.wasm", "empty.wasm"),
    ],
};

/// Compiled plugins, by who provides.
pub(crate) struct Plugins {
    pub(crate) component: Runner,
    pub(crate) host: Runner,
    /// The crate `tempfile`, with the same rights and a directory granted to it.
    pub(crate) theirs: Runner,
    /// One file, held to the end; and nothing.
    pub(crate) first_component: Runner,
    pub(crate) first_host: Runner,
    pub(crate) empty: Runner,
    pub(crate) sort: Runner,
    pub(crate) bytes: Bytes,
}

/// The components themselves.
#[derive(Clone)]
pub(crate) struct Bytes {
    pub(crate) ours: PathBuf,
    pub(crate) first: PathBuf,
    pub(crate) empty: PathBuf,
}

impl Plugins {
    /// Builds and compiles them. Only who measures pays for that.
    pub(crate) fn build(workspace: &Path, space: &Space) -> Self {
        let built = workspace.join("target/bench");
        fs::create_dir_all(&built).expect("create a directory for the plugins");
        CALL.build(workspace, &built).unwrap_or_else(|cause| panic!("{cause}"));
        let path = |name: &str| built.join(format!("{name}.wasm"));
        let bytes = |name| fs::read(path(name)).expect("read a component that was built");
        let sandbox = Sandbox::new().expect("start the engine");
        let runner = |plugin: Result<Plugin, _>| Runner {
            plugin: plugin.expect("load a plugin"),
            root: space.root.clone(),
            mount: None,
        };
        let granted = Mount::new(space.directory("granted"), "/bench").expect("a plain path");
        Self {
            component: runner(sandbox.load(&bytes("ours"), Provider::Component)),
            host: runner(sandbox.load(&bytes("ours"), Provider::Host)),
            theirs: Runner {
                mount: Some(granted),
                ..runner(sandbox.load(&bytes("theirs"), Provider::Component))
            },
            first_component: runner(sandbox.load(&bytes("first"), Provider::Component)),
            first_host: runner(sandbox.load(&bytes("first"), Provider::Host)),
            empty: runner(sandbox.load(&bytes("empty"), Provider::Component)),
            sort: runner(sandbox.load(
                &fs::read(test_plugins::SORT).expect("read a component"),
                Provider::Component,
            )),
            bytes: Bytes { ours: path("ours"), first: path("first"), empty: path("empty") },
        }
    }
}

/// A compiled plugin, to be run again and again.
#[derive(Clone)]
pub(crate) struct Runner {
    plugin: Plugin,
    root: ScratchRoot,
    mount: Option<Mount>,
}

impl Runner {
    /// Runs a work so many times, and returns what it says that took.
    pub(crate) fn work(&self, work: &str, count: u64) -> u64 {
        self.answer(self.run().args(["bench", work, &count.to_string()]))
    }

    /// As [`work`](Self::work), once for each count, with a file on standard input.
    pub(crate) fn work_on(&self, work: &str, input: &Path, count: u64) -> u64 {
        let input = || File::open(input).expect("open the input");
        (0..count).map(|_| self.answer(self.run().args(["bench", work]).stdin(input()))).sum()
    }

    fn answer(&self, run: RunOptions) -> u64 {
        let output = Capture::new(1 << 10);
        self.end(run.stdout(&output));
        output.text().trim().parse().expect("the plugin says a number")
    }

    /// A run with a scratch directory, and what else was granted.
    pub(crate) fn run(&self) -> RunOptions {
        let run = RunOptions::in_root(&self.root);
        match &self.mount {
            Some(mount) => run.mount(mount.clone()),
            None => run,
        }
    }

    /// Runs to the end, which must be a good one.
    pub(crate) fn end(&self, run: RunOptions) {
        let errors = Capture::new(1 << 10);
        let outcome = self.plugin.run(run.stderr(&errors)).expect("begin a run");
        assert_eq!(outcome.ending, Ending::Returned, "{}", errors.text());
    }
}
