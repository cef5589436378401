//! The rows that are times.

use std::cell::{LazyCell, RefCell};
use std::fs::{self, File};
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_tempfile::ambient_authority;
use criterion::{Criterion, SamplingMode};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::bare;
use crate::embedder::{Embedder, Placement, Synchronous, pooling, whole};
use crate::outside::{Outside, waited};
use crate::plugins::{Plugins, Runner};
use crate::report::{Line, Report};
use crate::sorting::Sorting;
use crate::space::Space;

pub(crate) const BARE: &str = "bare system calls";
pub(crate) const TEMPFILE: &str = "`tempfile`, native";
const TEMPFILE_WASM: &str = "`tempfile`, in wasm";
const CAP: &str = "`cap-tempfile`, native";
const PYTHON: &str = "CPython";
const GO: &str = "Go";
const NATIVE: &str = "native";
const COMPONENT: &str = "component";
const HOST: &str = "host";

/// Does a work so many times, and says how many nanoseconds that took.
type Contender = Rc<dyn Fn(u64) -> u64>;

/// A work, and who does it.
pub(crate) struct Field {
    name: &'static str,
    /// One that takes long: few samples.
    slow: bool,
    entrants: Vec<(&'static str, Contender)>,
    rows: Vec<Row>,
}

/// A work in one placement, and done by a peer.
pub(crate) struct Row {
    name: &'static str,
    slow: bool,
    placement: &'static str,
    against: &'static str,
    target: Option<f64>,
    ours: Contender,
    peer: Contender,
}

impl Field {
    fn new(name: &'static str) -> Self {
        Field { name, slow: false, entrants: Vec::new(), rows: Vec::new() }
    }

    fn slow(self) -> Self {
        Field { slow: true, ..self }
    }

    fn enter(mut self, name: &'static str, run: impl Fn(u64) -> u64 + 'static) -> Self {
        self.entrants.push((name, Rc::new(run)));
        self
    }

    /// Somebody who may be missing here: then the rows with it are, and the report says why.
    fn enter_if(
        self,
        name: &'static str,
        found: Result<Outside, String>,
        report: &mut Report,
    ) -> Self {
        match found {
            Ok(outside) => self.enter(name, move |count| outside.run(count)),
            Err(reason) => {
                report.skip(format!("{}, {name}: {reason}", self.name));
                self
            }
        }
    }

    /// The three placements, each with its own way to do the work of this name.
    fn placements(self, plugins: &Plugins, work: &'static str) -> Self {
        let native = move |count| bench::ours::run(work, count).expect("the work can be done");
        self.enter(NATIVE, native)
            .enter(COMPONENT, works(&plugins.component, work))
            .enter(HOST, works(&plugins.host, work))
    }

    fn row(
        mut self,
        placement: &'static str,
        against: &'static str,
        target: impl Into<Option<f64>>,
    ) -> Self {
        let find = |name| {
            self.entrants.iter().find(|(entrant, _)| *entrant == name).map(|(_, run)| run.clone())
        };
        if let (Some(ours), Some(peer)) = (find(placement), find(against)) {
            let Field { name, slow, .. } = self;
            self.rows.push(Row {
                name,
                slow,
                placement,
                against,
                target: target.into(),
                ours,
                peer,
            });
        }
        self
    }
}

fn works(runner: &Runner, work: &'static str) -> impl Fn(u64) -> u64 + 'static {
    let runner = runner.clone();
    move |count| runner.work(work, count)
}

fn theirs(work: &'static str) -> impl Fn(u64) -> u64 + 'static {
    move |count| bench::theirs::run(work, count).expect("the work can be done")
}

/// All of them, in the order of the table.
pub(crate) fn all(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Row> {
    let mut fields = creation(space, plugins, report);
    fields.extend(data(space, plugins));
    fields.extend(endings(space, plugins));
    fields.extend(instances(space, plugins));
    fields.extend(sorting(space, plugins, report));
    fields.into_iter().flat_map(|field| field.rows).collect()
}

fn creation(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Field> {
    let dir = Arc::new(space.open_directory("bare"));
    let bare = |run: fn(&std::os::fd::OwnedFd, u64) -> u64| {
        let dir = dir.clone();
        move |count| run(&dir, count)
    };
    let cap = Rc::new(cap_tempfile::tempdir(ambient_authority()).expect("make a directory"));
    let (cap_file, cap_dir) = (cap.clone(), cap);
    let named = Field::new("create+remove, named")
        .placements(plugins, "named")
        .enter(BARE, bare(bare::named))
        .enter("openat, close, unlinkat alone", bare(bare::three_calls))
        .enter(TEMPFILE, theirs("named"))
        .enter(TEMPFILE_WASM, works(&plugins.theirs, "named"))
        .enter_if(PYTHON, Outside::python(), report)
        .enter_if(GO, Outside::go(&space.directory("go")), report)
        .row(HOST, BARE, 1.10)
        .row(HOST, TEMPFILE, 1.05)
        .row(COMPONENT, BARE, 1.50)
        .row(COMPONENT, TEMPFILE_WASM, 0.95)
        .row(NATIVE, BARE, None)
        .row(NATIVE, TEMPFILE, None)
        .row(TEMPFILE, BARE, None)
        .row(TEMPFILE_WASM, BARE, None)
        .row(PYTHON, BARE, None)
        .row(GO, BARE, None)
        .row("openat, close, unlinkat alone", BARE, None);
    let unnamed = Field::new("create+remove, unnamed")
        .placements(plugins, "unnamed")
        .enter(BARE, bare(bare::unnamed))
        .enter(TEMPFILE, theirs("unnamed"))
        .enter(TEMPFILE_WASM, works(&plugins.theirs, "unnamed"))
        .enter(CAP, move |count| {
            timed(count, || drop(cap_tempfile::TempFile::new(&cap_file).expect("create")))
        })
        .row(HOST, BARE, 1.20)
        .row(NATIVE, BARE, None)
        .row(COMPONENT, BARE, None)
        .row(COMPONENT, TEMPFILE_WASM, None)
        .row(TEMPFILE, BARE, None)
        .row(CAP, BARE, None);
    let directory = Field::new("create+remove, directory")
        .placements(plugins, "directory")
        .enter(BARE, bare(bare::directory))
        .enter(TEMPFILE, theirs("directory"))
        .enter(TEMPFILE_WASM, works(&plugins.theirs, "directory"))
        .enter(CAP, move |count| {
            timed(count, || drop(cap_tempfile::TempDir::new_in(&cap_dir).expect("create")))
        })
        .row(HOST, BARE, None)
        .row(NATIVE, BARE, None)
        .row(COMPONENT, BARE, None)
        .row(COMPONENT, TEMPFILE_WASM, None)
        .row(TEMPFILE, BARE, None)
        .row(CAP, BARE, None);
    let call = Field::new("a call that does nothing")
        .placements(plugins, "call")
        .enter("getppid", |count| timed(count, || _ = black_box(rustix::process::getppid())))
        .row(HOST, "getppid", None)
        .row(COMPONENT, "getppid", None);
    vec![named, unnamed, directory, call]
}

fn data(space: &Space, plugins: &Plugins) -> Vec<Field> {
    let spooled = Field::new("spooled 4 KiB: write, rewind, read, drop")
        .placements(plugins, "spooled")
        .enter(TEMPFILE, theirs("unspooled"))
        .enter("component, by `list<u8>`", works(&plugins.component, "list-spooled"))
        .enter("host, by `list<u8>`", works(&plugins.host, "list-spooled"))
        .row(HOST, TEMPFILE, 0.35)
        .row(COMPONENT, TEMPFILE, 0.35)
        .row(NATIVE, TEMPFILE, None)
        .row("host, by `list<u8>`", TEMPFILE, None)
        .row("component, by `list<u8>`", TEMPFILE, None);
    let mut fields = vec![spooled];
    for (name, works, size, host, component) in [
        ("write 4 KiB", ["write:4096", "list-write:4096", "wasi-write:4096"], 4 << 10, None, None),
        (
            "write 64 KiB",
            ["write:65536", "list-write:65536", "wasi-write:65536"],
            64 << 10,
            Some(1.05),
            Some(1.10),
        ),
        (
            "write 1 MiB",
            ["write:1048576", "list-write:1048576", "wasi-write:1048576"],
            1 << 20,
            None,
            None,
        ),
    ] {
        let dir = space.open_directory("bare");
        let bare = move |count| bare::write(&dir, size, count);
        fields.push(block(name, plugins, works, bare, host, component));
    }
    for (name, works, size, host, component) in [
        (
            "read 4 KiB, cached",
            ["read:4096", "list-read:4096", "wasi-read:4096"],
            4 << 10,
            None,
            None,
        ),
        (
            "read 64 KiB, cached",
            ["read:65536", "list-read:65536", "wasi-read:65536"],
            64 << 10,
            Some(1.40),
            Some(2.00),
        ),
        (
            "read 1 MiB, cached",
            ["read:1048576", "list-read:1048576", "wasi-read:1048576"],
            1 << 20,
            None,
            None,
        ),
    ] {
        let dir = space.open_directory("bare");
        let bare = move |count| bare::read(&dir, size, count);
        fields.push(block(name, plugins, works, bare, host, component));
    }
    fields.push(stream(space, plugins));
    fields
}

fn block(
    name: &'static str,
    plugins: &Plugins,
    [work, list, floor]: [&'static str; 3],
    bare: impl Fn(u64) -> u64 + 'static,
    host: Option<f64>,
    component: Option<f64>,
) -> Field {
    const ALONE: &str = "the native call";
    const LIST: &str = "component, by `list<u8>`";
    const HOST_LIST: &str = "host, by `list<u8>`";
    const FLOOR: &str = "WASI's own call, in wasm";
    Field::new(name)
        .placements(plugins, work)
        .enter(ALONE, bare)
        .enter(LIST, works(&plugins.component, list))
        .enter(HOST_LIST, works(&plugins.host, list))
        .enter(FLOOR, works(&plugins.theirs, floor))
        .row(HOST, ALONE, host)
        .row(COMPONENT, ALONE, component)
        .row(NATIVE, ALONE, None)
        .row(HOST_LIST, ALONE, None)
        .row(LIST, ALONE, None)
        .row(FLOOR, ALONE, None)
}

fn stream(space: &Space, plugins: &Plugins) -> Field {
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
    Field::new("1 GiB from a stream into a temporary file")
        .slow()
        .enter(HOST, spliced(&plugins.host))
        .enter(COMPONENT, spliced(&plugins.component))
        .enter(LOOP, looped)
        .row(HOST, LOOP, 1.15)
        .row(COMPONENT, LOOP, 2.00)
}

fn endings(space: &Space, plugins: &Plugins) -> Vec<Field> {
    const STD: &str = "`std::fs::remove_dir_all`";
    let persist = |name, work: &'static str, durable| {
        let dir = space.open_directory("bare");
        Field::new(name)
            .placements(plugins, work)
            .enter(BARE, move |count| bare::persist(&dir, durable, count))
            .row(HOST, BARE, None)
            .row(COMPONENT, BARE, None)
            .row(NATIVE, BARE, None)
    };
    let removal =
        |name, work: &'static str, make: fn(&Path), native: Option<f64>, component: Option<f64>| {
            let dir = space.directory("trees");
            Field::new(name)
                .slow()
                .placements(plugins, work)
                .enter(STD, move |count| bare::remove(&dir, make, count))
                .row(NATIVE, STD, native)
                .row(HOST, STD, None)
                .row(COMPONENT, STD, component)
        };
    vec![
        persist("create+persist, durability none", "persist", false)
            .enter(TEMPFILE, theirs("persist"))
            .row(TEMPFILE, BARE, None),
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

fn instances(space: &Space, plugins: &Plugins) -> Vec<Field> {
    const EMPTY: &str = "an empty component";
    const POOL: &str = "component, by a thread pool";
    const THREAD: &str = "component, on the current thread";
    const ENTERED: &str = "component, in a runtime";
    const ALONE: &str = "component, outside of any";
    let bytes = |path| fs::read(path).expect("read a component that was built");
    let (ours, first, empty) =
        (bytes(&plugins.bytes.ours), bytes(&plugins.bytes.first), bytes(&plugins.bytes.empty));
    let scratch = Arc::new(space.root.create_dir().expect("make a scratch directory"));
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
        Field::new("instantiate, drop")
            .enter(COMPONENT, instance(&first, Placement::Component))
            .enter(HOST, instance(&first, Placement::Host))
            .enter(EMPTY, instance(&empty, Placement::Component))
            .row(COMPONENT, EMPTY, 1.50)
            .row(HOST, EMPTY, None),
        Field::new("instantiate, drop: with a pooling allocator")
            .enter(COMPONENT, pooled(&first, Placement::Component))
            .enter(HOST, pooled(&first, Placement::Host))
            .enter(EMPTY, pooled(&empty, Placement::Component))
            .enter("component, on demand", instance(&first, Placement::Component))
            .row(COMPONENT, EMPTY, None)
            .row(HOST, EMPTY, None)
            .row(COMPONENT, "component, on demand", None),
        Field::new("run with a first file, in a sandbox")
            .enter(COMPONENT, run(&plugins.first_component))
            .enter(HOST, run(&plugins.first_host))
            .enter(EMPTY, run(&plugins.empty))
            .row(COMPONENT, EMPTY, None)
            .row(HOST, EMPTY, None),
        Field::new("create+remove, named: allow_blocking_current_thread")
            .enter(POOL, settings(false))
            .enter(THREAD, settings(true))
            .row(THREAD, POOL, None),
        Field::new("create+remove, named: synchronous calls, in an entered runtime")
            .enter(ALONE, synchronous(false))
            .enter(ENTERED, synchronous(true))
            .row(ENTERED, ALONE, None),
        Field::new("load a composed plugin")
            .enter("compiled before", move |count| timed(count, || drop(code.load())))
            .enter("compiled now", move |count| timed(count, || drop(Code::of(&whole))))
            .row("compiled before", "compiled now", None),
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

fn sorting(space: &Space, plugins: &Plugins, report: &mut Report) -> Vec<Field> {
    const GNU: &str = "GNU sort, one thread";
    let field = Field::new("sort 200 MB with 32 MiB").slow();
    if let Err(reason) = Sorting::gnu() {
        report.skip(format!("{}: {reason}", field.name));
        return vec![field];
    }
    let (directory, sort) = (space.directory("sorting"), plugins.sort.clone());
    let sorting = Rc::new(LazyCell::new(move || Sorting::of(directory, 200_000_000)));
    let (ours, gnu) = (sorting.clone(), sorting);
    let field = field
        .enter("component", move |count| ours.in_sandbox(&sort, count))
        .enter(GNU, move |count| gnu.with_gnu(count))
        .row("component", GNU, 1.20);
    vec![field]
}

pub(crate) fn timed(count: u64, mut once: impl FnMut()) -> u64 {
    let start = Instant::now();
    (0..count).for_each(|_| once());
    nanoseconds(start.elapsed())
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What something took, less what this thread waited for a processor that others had.
fn undisturbed(run: impl FnOnce() -> u64) -> u64 {
    let waited = || waited(Path::new("/proc/thread-self/schedstat"));
    let before = waited();
    let took = run();
    let waited = waited() - before;
    // More than half of it, and the number says nothing: the start, which is not in it, waited too.
    took - waited.min(took / 2)
}

/// One sample: the work done so many times by either.
struct Pair {
    count: u64,
    ours: u64,
    peer: u64,
}

impl Row {
    /// Measures the row, unless the command line leaves it out.
    pub(crate) fn measure(&self, criterion: &mut Criterion, report: &mut Report) {
        let pairs = RefCell::new(Vec::new());
        let mut group = criterion.benchmark_group(self.name);
        group.sampling_mode(SamplingMode::Flat);
        let (samples, warm_up, measured) = if self.slow { (10, 1, 1000) } else { (30, 300, 1200) };
        group.sample_size(samples);
        group
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(measured));
        group.bench_function(format!("{} against {}", self.placement, self.against), |bencher| {
            bencher.iter_custom(|count| {
                let pair = self.pair(count, pairs.borrow().len() % 2 == 0);
                let took = pair.ours;
                pairs.borrow_mut().push(pair);
                Duration::from_nanos(took)
            });
        });
        group.finish();
        if let Some(line) = self.line(&pairs.into_inner()) {
            report.add(line);
        }
    }

    fn pair(&self, count: u64, ours_first: bool) -> Pair {
        let run = |contender: &Contender| undisturbed(|| contender(count));
        if ours_first {
            let ours = run(&self.ours);
            Pair { count, ours, peer: run(&self.peer) }
        } else {
            let peer = run(&self.peer);
            Pair { count, ours: run(&self.ours), peer }
        }
    }

    /// What the samples say; nothing if there are none. The shortest of the warm-up are left out.
    fn line(&self, pairs: &[Pair]) -> Option<Line> {
        let least = pairs.last()?.count / 2;
        let pairs = pairs.iter().filter(|pair| pair.count > least);
        let (times, ratios): (Vec<f64>, Vec<f64>) = pairs
            .map(|pair| (pair.ours as f64 / pair.count as f64, pair.ours as f64 / pair.peer as f64))
            .unzip();
        Some(Line::time(self.name, self.placement, &times, self.against, &ratios, self.target))
    }
}
