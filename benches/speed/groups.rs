//! The benchmark groups, and the comparisons between their benchmarks.

use std::cell::LazyCell;
use std::fs::{self, File};
use std::hint::black_box;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use cap_tempfile::ambient_authority;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::bare;
use crate::comparison::{Comparison, Routine, timed};
use crate::embedder::{self, Embedder, Placement, Synchronous, pooling, whole};
use crate::plugins::{Plugins, Runner};
use crate::processes;
use crate::report::Report;
use crate::sorting::Sorting;
use crate::space::Space;

pub(crate) const BARE: &str = "bare system calls";
pub(crate) const TEMPFILE: &str = "`tempfile`, native";
const TEMPFILE_WASM: &str = "`tempfile`, in wasm";
const CAP: &str = "`cap-tempfile`, native";
const PYTHON: &str = "CPython";
const NATIVE: &str = "native";
const COMPONENT: &str = "component";
const HOST: &str = "host";

/// An operation, and its implementations.
pub(crate) struct Group {
    name: &'static str,
    /// Takes long, so there are few samples.
    slow: bool,
    benchmarks: Vec<(&'static str, Routine)>,
    comparisons: Vec<Comparison>,
}

impl Group {
    fn new(name: &'static str) -> Self {
        Group { name, slow: false, benchmarks: Vec::new(), comparisons: Vec::new() }
    }

    fn slow(self) -> Self {
        Group { slow: true, ..self }
    }

    fn bench(mut self, name: &'static str, run: impl Fn(u64) -> u64 + 'static) -> Self {
        self.benchmarks.push((name, Rc::new(run)));
        self
    }

    /// The three placements, each with its own way to do the work of this name.
    fn placements(self, plugins: &Plugins, work: &str) -> Self {
        let name = work.to_owned();
        let native = move |count| bench::ours::run(&name, count).expect("the work can be done");
        self.bench(NATIVE, native)
            .bench(COMPONENT, works(&plugins.component, work))
            .bench(HOST, works(&plugins.host, work))
    }

    /// Adds a row of the table, unless one of the benchmarks is missing.
    fn compare(
        mut self,
        benchmark: &'static str,
        baseline: &'static str,
        target: impl Into<Option<f64>>,
    ) -> Self {
        let find = |name| {
            Some(self.benchmarks.iter().find(|(benchmark, _)| *benchmark == name)?.1.clone())
        };
        if let (Some(run), Some(run_baseline)) = (find(benchmark), find(baseline)) {
            let (group, slow, target) = (self.name, self.slow, target.into());
            let comparison =
                Comparison { group, slow, benchmark, baseline, target, run, run_baseline };
            self.comparisons.push(comparison);
        }
        self
    }
}

fn works(runner: &Runner, work: &str) -> impl Fn(u64) -> u64 + use<> {
    let (runner, work) = (runner.clone(), work.to_owned());
    move |count| runner.work(&work, count)
}

fn theirs(work: &'static str) -> impl Fn(u64) -> u64 + 'static {
    move |count| bench::theirs::run(work, count).expect("the work can be done")
}

/// All of them, in the order of the table.
pub(crate) fn all(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Comparison> {
    let mut groups = creation(space, plugins, report);
    groups.extend(data(space, plugins));
    groups.extend(endings(space, plugins));
    groups.extend(instances(space, plugins));
    groups.extend(sorting(space, plugins, report));
    groups.into_iter().flat_map(|group| group.comparisons).collect()
}

fn creation(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Group> {
    let dir = Arc::new(space.open_directory("bare"));
    let bare = |run: fn(&OwnedFd, u64) -> u64| {
        let dir = dir.clone();
        move |count| run(&dir, count)
    };
    let cap = Rc::new(cap_tempfile::tempdir(ambient_authority()).expect("make a directory"));
    let (cap_file, cap_dir) = (cap.clone(), cap);
    let named = Group::new("create+remove, named")
        .placements(plugins, "named")
        .bench(BARE, bare(bare::named))
        .bench("openat, close, unlinkat alone", bare(bare::three_calls))
        .bench(TEMPFILE, theirs("named"))
        .bench(TEMPFILE_WASM, works(&plugins.theirs, "named"))
        .compare(HOST, BARE, 1.10)
        .compare(HOST, TEMPFILE, 1.05)
        .compare(COMPONENT, BARE, 1.50)
        .compare(COMPONENT, TEMPFILE_WASM, 0.95)
        .compare(NATIVE, BARE, None)
        .compare(NATIVE, TEMPFILE, None)
        .compare(TEMPFILE, BARE, None)
        .compare(TEMPFILE_WASM, BARE, None)
        .compare("openat, close, unlinkat alone", BARE, None);
    let named = match processes::python(1) {
        Ok(_) => named
            .bench(PYTHON, |count| processes::python(count).expect("CPython ran before"))
            .compare(PYTHON, BARE, None),
        Err(reason) => {
            report.skip(format!("{}, {PYTHON}: {reason}", named.name));
            named
        }
    };
    let unnamed = Group::new("create+remove, unnamed")
        .placements(plugins, "unnamed")
        .bench(BARE, bare(bare::unnamed))
        .bench(TEMPFILE, theirs("unnamed"))
        .bench(TEMPFILE_WASM, works(&plugins.theirs, "unnamed"))
        .bench(CAP, move |count| {
            timed(count, || drop(cap_tempfile::TempFile::new(&cap_file).expect("create")))
        })
        .compare(HOST, BARE, 1.20)
        .compare(NATIVE, BARE, None)
        .compare(COMPONENT, BARE, None)
        .compare(COMPONENT, TEMPFILE_WASM, None)
        .compare(TEMPFILE, BARE, None)
        .compare(CAP, BARE, None);
    let directory = Group::new("create+remove, directory")
        .placements(plugins, "directory")
        .bench(BARE, bare(bare::directory))
        .bench(TEMPFILE, theirs("directory"))
        .bench(TEMPFILE_WASM, works(&plugins.theirs, "directory"))
        .bench(CAP, move |count| {
            timed(count, || drop(cap_tempfile::TempDir::new_in(&cap_dir).expect("create")))
        })
        .compare(HOST, BARE, None)
        .compare(NATIVE, BARE, None)
        .compare(COMPONENT, BARE, None)
        .compare(COMPONENT, TEMPFILE_WASM, None)
        .compare(TEMPFILE, BARE, None)
        .compare(CAP, BARE, None);
    let call = Group::new("a call that does nothing")
        .placements(plugins, "call")
        .bench("getppid", |count| timed(count, || _ = black_box(rustix::process::getppid())))
        .compare(HOST, "getppid", None)
        .compare(COMPONENT, "getppid", None);
    vec![named, unnamed, directory, call]
}

fn data(space: &Space, plugins: &Plugins) -> Vec<Group> {
    let spooled = Group::new("spooled 4 KiB: write, rewind, read, drop")
        .placements(plugins, "spooled")
        .bench(TEMPFILE, theirs("unspooled"))
        .bench("component, by `list<u8>`", works(&plugins.component, "list-spooled"))
        .bench("host, by `list<u8>`", works(&plugins.host, "list-spooled"))
        .compare(HOST, TEMPFILE, 0.35)
        .compare(COMPONENT, TEMPFILE, 0.35)
        .compare(NATIVE, TEMPFILE, None)
        .compare("host, by `list<u8>`", TEMPFILE, None)
        .compare("component, by `list<u8>`", TEMPFILE, None);
    let mut groups = vec![spooled];
    type Bare = fn(&OwnedFd, usize, u64) -> u64;
    let (write, read): (Bare, Bare) = (bare::write, bare::read);
    for (name, operation, bare, size, host, component) in [
        ("write 4 KiB", "write", write, 4 << 10, None, None),
        ("write 64 KiB", "write", write, 64 << 10, Some(1.05), Some(1.10)),
        ("write 1 MiB", "write", write, 1 << 20, None, None),
        ("read 4 KiB, cached", "read", read, 4 << 10, None, None),
        ("read 64 KiB, cached", "read", read, 64 << 10, Some(1.40), Some(2.00)),
        ("read 1 MiB, cached", "read", read, 1 << 20, None, None),
    ] {
        const CALL: &str = "the native call";
        const LIST: &str = "component, by `list<u8>`";
        const HOST_LIST: &str = "host, by `list<u8>`";
        const WASI: &str = "WASI's own call, in wasm";
        let dir = space.open_directory("bare");
        let list = format!("list-{operation}:{size}");
        let group = Group::new(name)
            .placements(plugins, &format!("{operation}:{size}"))
            .bench(CALL, move |count| bare(&dir, size, count))
            .bench(LIST, works(&plugins.component, &list))
            .bench(HOST_LIST, works(&plugins.host, &list))
            .bench(WASI, works(&plugins.theirs, &format!("wasi-{operation}:{size}")))
            .compare(HOST, CALL, host)
            .compare(COMPONENT, CALL, component)
            .compare(NATIVE, CALL, None)
            .compare(HOST_LIST, CALL, None)
            .compare(LIST, CALL, None)
            .compare(WASI, CALL, None);
        groups.push(group);
    }
    groups.push(stream(space, plugins));
    groups
}

fn stream(space: &Space, plugins: &Plugins) -> Group {
    const LOOP: &str = "a native copy loop";
    let input = space.path().join("zeros");
    File::create(&input).and_then(|file| file.set_len(1 << 30)).expect("make the input");
    let dir = space.open_directory("bare");
    let spliced = |runner: &Runner| {
        let (runner, input) = (runner.clone(), input.clone());
        move |count| runner.work_on("stream", &input, count)
    };
    let looped = {
        let input = input.clone();
        move |count| (0..count).map(|_| bare::copy(&input, &dir)).sum()
    };
    Group::new("1 GiB from a stream into a temporary file")
        .slow()
        .bench(HOST, spliced(&plugins.host))
        .bench(COMPONENT, spliced(&plugins.component))
        .bench(LOOP, looped)
        .compare(HOST, LOOP, 1.15)
        .compare(COMPONENT, LOOP, 2.00)
}

fn endings(space: &Space, plugins: &Plugins) -> Vec<Group> {
    const STD: &str = "`std::fs::remove_dir_all`";
    let persist = |name, work: &'static str, durable| {
        let dir = space.open_directory("bare");
        Group::new(name)
            .placements(plugins, work)
            .bench(BARE, move |count| bare::persist(&dir, durable, count))
            .compare(HOST, BARE, None)
            .compare(COMPONENT, BARE, None)
            .compare(NATIVE, BARE, None)
    };
    let removal =
        |name, work: &'static str, make: fn(&Path), native: Option<f64>, component: Option<f64>| {
            let dir = space.directory("trees");
            Group::new(name)
                .slow()
                .placements(plugins, work)
                .bench(STD, move |count| bare::remove(&dir, make, count))
                .compare(NATIVE, STD, native)
                .compare(HOST, STD, None)
                .compare(COMPONENT, STD, component)
        };
    vec![
        persist("create+persist, durability none", "persist", false)
            .bench(TEMPFILE, theirs("persist"))
            .compare(TEMPFILE, BARE, None),
        persist("create+persist, durability full", "persist-full", true),
        removal(
            "removal of 100,000 entries",
            "wide:100000",
            |tree| bare::wide(tree, 100_000),
            Some(1.00),
            Some(1.60),
        ),
        removal("removal of depth 1,000", "deep:1000", |tree| bare::deep(tree, 1000), None, None),
    ]
}

fn instances(space: &Space, plugins: &Plugins) -> Vec<Group> {
    const EMPTY: &str = "an empty component";
    const POOL: &str = "component, by a thread pool";
    const THREAD: &str = "component, on the current thread";
    const ENTERED: &str = "component, in a runtime";
    const ALONE: &str = "component, outside of any";
    let bytes = |path| fs::read(path).expect("read a component that was built");
    let (ours, first, empty) =
        (bytes(&plugins.bytes.ours), bytes(&plugins.bytes.first), bytes(&plugins.bytes.empty));
    let scratch = Rc::new(embedder::scratch(&space.root));
    let instance = |plugin: &[u8], placement| {
        let (plugin, scratch) = (plugin.to_vec(), scratch.clone());
        let embedder = LazyCell::new(move || Embedder::new(&plugin, placement));
        move |count| timed(count, || drop(embedder.instantiate(&scratch)))
    };
    let pooled = |plugin: &[u8], placement| {
        let (plugin, scratch) = (plugin.to_vec(), scratch.clone());
        let embedder = LazyCell::new(move || Embedder::on(&pooling(), &plugin, placement));
        move |count| timed(count, || drop(embedder.instantiate(&scratch)))
    };
    let synchronous = |entered| {
        let (plugin, scratch) = (ours.clone(), scratch.clone());
        let embedder = LazyCell::new(move || Synchronous::new(&plugin));
        move |count| embedder.work(&scratch, "named", count, entered)
    };
    let run = |runner: &Runner| {
        let runner = runner.clone();
        move |count| timed(count, || runner.end(runner.run()))
    };
    let settings = |blocking| {
        let (plugin, scratch) = (ours.clone(), scratch.clone());
        let new = move || Embedder::new(&plugin, Placement::Component).with_blocking(blocking);
        let embedder = LazyCell::new(new);
        move |count| embedder.live(&scratch, "named", count).1
    };
    let whole: Rc<[u8]> = whole(&ours).into();
    let code = {
        let whole = whole.clone();
        LazyCell::new(move || Code::of(&whole))
    };
    vec![
        Group::new("instantiate, drop")
            .bench(COMPONENT, instance(&first, Placement::Component))
            .bench(HOST, instance(&first, Placement::Host))
            .bench(EMPTY, instance(&empty, Placement::Component))
            .compare(COMPONENT, EMPTY, 1.50)
            .compare(HOST, EMPTY, None),
        Group::new("instantiate, drop: with a pooling allocator")
            .bench(COMPONENT, pooled(&first, Placement::Component))
            .bench(HOST, pooled(&first, Placement::Host))
            .bench(EMPTY, pooled(&empty, Placement::Component))
            .bench("component, on demand", instance(&first, Placement::Component))
            .compare(COMPONENT, EMPTY, None)
            .compare(HOST, EMPTY, None)
            .compare(COMPONENT, "component, on demand", None),
        Group::new("run with a first file, in a sandbox")
            .bench(COMPONENT, run(&plugins.first_component))
            .bench(HOST, run(&plugins.first_host))
            .bench(EMPTY, run(&plugins.empty))
            .compare(COMPONENT, EMPTY, None)
            .compare(HOST, EMPTY, None),
        Group::new("create+remove, named: allow_blocking_current_thread")
            .bench(POOL, settings(false))
            .bench(THREAD, settings(true))
            .compare(THREAD, POOL, None),
        Group::new("create+remove, named: synchronous calls, in an entered runtime")
            .bench(ALONE, synchronous(false))
            .bench(ENTERED, synchronous(true))
            .compare(ENTERED, ALONE, None),
        Group::new("load a composed plugin")
            .bench("compiled before", move |count| timed(count, || drop(code.load())))
            .bench("compiled now", move |count| timed(count, || drop(Code::of(&whole))))
            .compare("compiled before", "compiled now", None),
    ]
}

/// A plugin, compiled.
struct Code {
    engine: Engine,
    bytes: Vec<u8>,
}

impl Code {
    fn of(plugin: &[u8]) -> Self {
        let engine = Engine::default();
        let bytes = engine.precompile_component(plugin).expect("compile a plugin");
        Code { engine, bytes }
    }

    #[allow(
        unsafe_code,
        reason = "the engine has no other way to run code that was compiled before"
    )]
    fn load(&self) -> Component {
        // SAFETY: this process made it a moment ago.
        unsafe { Component::deserialize(&self.engine, &self.bytes) }
            .expect("load a compiled plugin")
    }
}

fn sorting(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Group> {
    const GNU: &str = "GNU sort, one thread";
    let group = Group::new("sort 200 MB with 32 MiB").slow();
    if let Err(reason) = Sorting::gnu() {
        report.skip(format!("{}: {reason}", group.name));
        return vec![group];
    }
    let (directory, sort) = (space.directory("sorting"), plugins.sort.clone());
    let sorting = Rc::new(LazyCell::new(move || Sorting::of(directory, 200_000_000)));
    let (ours, gnu) = (sorting.clone(), sorting);
    let group = group
        .bench("component", move |count| ours.in_sandbox(&sort, count))
        .bench(GNU, move |count| gnu.with_gnu(count))
        .compare("component", GNU, 1.20);
    vec![group]
}
