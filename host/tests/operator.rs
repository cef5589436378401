//! What an operator sees of runs: spans, events and counters.

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use support::{PLUGIN, World, shared_threads};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::wasmtime;
use wasi_tempfile_host::{
    Capture, Counters, Ending, EngineLimits, Input, Outcome, Plugin, Provider, RunOptions, Sandbox,
    ScratchRoot,
};

type Fields = BTreeMap<&'static str, String>;

/// What is said by default of all runs of this process. There is one for all tests: between
/// subscribers that come and go, tracing may forget what one of them wants.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Spans>>);

#[derive(Default)]
struct Spans {
    live: BTreeMap<u64, Seen>,
    closed: Vec<Seen>,
}

/// A run, as an operator sees it.
#[derive(Clone, Debug, Default)]
struct Seen {
    span: Fields,
    events: Vec<String>,
}

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "run" {
            let mut seen = Seen::default();
            attributes.record(&mut Collect(&mut seen.span));
            self.lock().live.insert(id.into_u64(), seen);
        }
    }
    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(seen) = self.lock().live.get_mut(&id.into_u64()) {
            values.record(&mut Collect(&mut seen.span));
        }
    }
    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let mut spans = self.lock();
        if let Some(seen) = spans.live.remove(&id.into_u64()) {
            spans.closed.push(seen);
        }
    }
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // The calls of a plugin, each with its arguments, are there too: for who debugs it.
        if *event.metadata().level() > Level::INFO {
            return;
        }
        let mut fields = Fields::new();
        event.record(&mut Collect(&mut fields));
        let message = fields.remove("message").unwrap_or_default();
        let scratch = fields.remove("scratch");
        let fields: String =
            fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let mut text = format!("{} {message}{fields}", event.metadata().level());
        let span =
            context.lookup_current().expect("an event of a run is in its span").id().into_u64();
        let mut spans = self.lock();
        let seen = spans.live.get_mut(&span).expect("which is open");
        // Who asks for warnings alone does not see the span. What began has a directory.
        let begun = message != "a run could not begin";
        if begun && scratch.as_ref() != seen.span.get("scratch") {
            text.push_str(", of a run that is not named");
        }
        seen.events.push(text);
    }
}

impl Log {
    /// The one of this process.
    fn get() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let subscriber = Registry::default().with(log.clone());
            tracing::subscriber::set_global_default(subscriber).expect("nobody else has set one");
            log
        })
    }

    /// The run that had its directory in this root. There must be only one.
    #[track_caller]
    fn take(&self, root: &Path) -> Seen {
        let is_in_root = |seen: &Seen| {
            seen.span.get("scratch").is_some_and(|scratch| Path::new(scratch).starts_with(root))
        };
        let mut spans = self.lock();
        let live = spans.live.values().filter(|seen| is_in_root(seen)).cloned();
        let closed = spans.closed.iter().filter(|seen| is_in_root(seen)).cloned();
        let mut found: Vec<_> = live.chain(closed).collect();
        spans.closed.retain(|seen| !is_in_root(seen));
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    fn lock(&self) -> MutexGuard<'_, Spans> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Scene {
    world: World,
    root: ScratchRoot,
    sandbox: Sandbox,
    plugin: Plugin,
}

impl Scene {
    fn new(hosted: bool, limits: EngineLimits) -> Self {
        Log::get();
        let world = World::new();
        let root = ScratchRoot::open(world.root()).expect("open the root");
        let sandbox = Sandbox::builder().limits(limits).build().expect("make a sandbox");
        let bytes = fs::read(PLUGIN).expect("read the plugin");
        let plugin = if hosted {
            sandbox.load(&bytes, Provider::Host)
        } else {
            sandbox.load(&bytes, Provider::Component)
        };
        Self { world, root, plugin: plugin.expect("load the plugin"), sandbox }
    }

    fn run(&self, arguments: &[&str]) -> RunOptions {
        RunOptions::in_root(&self.root).args(["plugin"]).args(arguments.iter().copied())
    }

    /// Runs it, and says what was seen.
    #[track_caller]
    fn seen(&self, run: RunOptions) -> (Outcome, Seen) {
        let outcome = self.plugin.run(run).expect("run");
        (outcome, Log::get().take(&self.world.root()))
    }
}

fn hosted() -> Scene {
    Scene::new(true, EngineLimits::default())
}

fn composed() -> Scene {
    Scene::new(false, EngineLimits::default())
}

#[test]
fn a_run_is_a_span_with_what_it_used_and_how_it_ended() {
    let scene = hosted();
    let limits = Limits { bytes: Some(10_000), ..Limits::default() };
    let (outcome, seen) = scene.seen(scene.run(&["fill", "5000"]).limits(limits));
    let span = &seen.span;
    assert_eq!(span["provider"], "host");
    assert_eq!(span["ending"], "the plugin returned");
    assert_eq!(span["memory"], outcome.used.memory.to_string());
    assert_eq!(span["peak_bytes"], "5001");
    assert_eq!(span["refused"], "0");
    assert_eq!((span["left_behind"].as_str(), span["not_removed"].as_str()), ("0", "0"));
    assert!(span["milliseconds"].parse::<f64>().is_ok_and(|time| time > 0.0), "{span:?}");
    assert!(span["scratch"].starts_with(&*scene.world.root().to_string_lossy()), "{span:?}");
    assert_eq!(seen.events, [""; 0], "an honest plugin is nothing to talk about");
}

#[test]
fn a_composed_run_has_no_figures_of_files() {
    let scene = composed();
    let (_, seen) = scene.seen(scene.run(&["ok"]));
    let span = &seen.span;
    assert_eq!(span["provider"], "component");
    assert!(!span.contains_key("peak_bytes"), "{span:?}");
    assert_eq!(seen.events, [""; 0]);
}

#[test]
fn handles_that_a_plugin_left_open_are_logged() {
    let scene = hosted();
    let (_, seen) = scene.seen(scene.run(&["exit", "0"]));
    assert_eq!(
        seen.events,
        ["WARN a plugin ended without closing what it had opened directories=1 files=1 paths=1"]
    );
    let scene = composed();
    let (_, seen) = scene.seen(scene.run(&["exit", "0"]));
    assert_eq!(seen.events, ["INFO a plugin left something in its scratch directory entries=2"]);
}

#[test]
fn after_a_trap_only_the_ending_is_logged() {
    for scene in [hosted(), composed()] {
        let (_, seen) = scene.seen(scene.run(&["trap"]));
        assert_eq!(
            seen.events,
            ["WARN a plugin trapped \
                ending=the plugin trapped: wasm `unreachable` instruction executed"]
        );
        assert_eq!(seen.span["left_behind"], "2");
    }
}

#[test]
fn limits_that_are_met_are_told() {
    let scene = hosted();
    let limits = Limits { bytes: Some(1000), ..Limits::default() };
    let (outcome, seen) = scene.seen(scene.run(&["fill", "5000"]).limits(limits));
    assert_eq!(outcome.used.refused, 2);
    assert_eq!(seen.span["refused"], "2");
    assert_eq!(
        seen.events,
        ["WARN calls were refused by a limit, the file system or the process refused=2"]
    );

    let (_, seen) = scene.seen(scene.run(&["hoard"]).memory(16 << 20));
    assert_eq!(
        seen.events,
        ["WARN a limit ended a plugin \
            ending=the plugin ran out of memory: its limit is 16MiB"]
    );
    let (_, seen) = scene.seen(scene.run(&["spin"]).timeout(Duration::from_nanos(1)));
    assert_eq!(
        seen.events,
        ["WARN a limit ended a plugin ending=the plugin did not end in time and was stopped"]
    );
}

#[test]
fn an_asynchronous_run_is_seen_like_any_other_on_whatever_thread_it_is() {
    let scene = hosted();
    let runtime = shared_threads(2);
    let run = scene.plugin.run_async(scene.run(&["exit", "0"]));
    let outcome = runtime.block_on(runtime.spawn(run)).expect("no panic").expect("run");
    assert_eq!(outcome.ending, Ending::Returned);
    let seen = Log::get().take(&scene.world.root());
    assert_eq!(seen.span["ending"], "the plugin returned");
    assert_eq!(
        seen.events,
        ["WARN a plugin ended without closing what it had opened directories=1 files=1 paths=1"]
    );
}

#[test]
fn what_a_plugin_has_can_be_read_while_it_runs() {
    let runtime = shared_threads(2);
    for (scene, counted) in [(hosted(), true), (composed(), false)] {
        let output = Capture::new(1024);
        let (input, open) = tokio::io::duplex(1);
        let run = scene.run(&["wait"]).stdin(Input::stream(input)).stdout(&output);
        let control = run.control();
        assert_eq!(control.usage(), None, "nothing has begun");
        let run = runtime.spawn(scene.plugin.run_async(run));
        while output.bytes().is_empty() {
            std::thread::yield_now();
        }
        let live = control
            .usage()
            .map(|usage| (usage.live.files, usage.live.paths, usage.live.directories));
        assert_eq!(live, counted.then_some((1, 1, 1)));
        drop(open);
        runtime.block_on(run).expect("no panic").expect("run");
        assert_eq!(control.usage(), None, "it has ended");
    }
}

#[test]
fn a_run_that_cannot_begin_is_counted_and_told() {
    let scene = hosted();
    // A root that is only missing is made again.
    fs::rename(scene.world.root(), scene.world.path("moved")).expect("rename the root");
    fs::write(scene.world.root(), "").expect("a file in its place");
    let message = scene.plugin.run(scene.run(&["ok"])).expect_err("there is no root").to_string();
    assert!(Log::get().lock().closed.iter().any(|seen| {
        let begun = "none: the run could not begin";
        let event = format!("WARN a run could not begin error={message}");
        seen.span["ending"] == begun && seen.events == [event]
    }));
    let counters = scene.sandbox.counters();
    assert_eq!((counters.begun, counters.not_begun, counters.directories_made), (0, 1, 0));

    let scene = hosted();
    let mount =
        wasi_tempfile_host::Mount::new(scene.world.path("missing"), "/data").expect("a mount");
    scene.plugin.run(scene.run(&["ok"]).mount(mount)).expect_err("there is no such directory");
    let seen = Log::get().take(&scene.world.root());
    assert_eq!(seen.span["ending"], "none: the run could not begin");
    let mut expected = Counters::default();
    (expected.not_begun, expected.directories_made, expected.directories_removed) = (1, 1, 1);
    assert_eq!(scene.sandbox.counters(), expected);
}

#[test]
fn every_way_to_end_is_counted() {
    let scene = Scene::new(true, EngineLimits::default().fuel(Some(1_000_000_000)));
    let run = |run| scene.plugin.run(run).expect("run").ending;
    run(scene.run(&["ok"]));
    run(scene.run(&["ok"]).keep());
    run(scene.run(&["fail"]));
    run(scene.run(&["trap"]));
    run(scene.run(&["spin"]).timeout(Duration::from_nanos(1)));
    run(scene.run(&["hoard"]).memory(16 << 20));
    run(scene.run(&["spin"]));
    let runtime = shared_threads(2);
    let spinning = scene.run(&["spin"]);
    let control = spinning.control();
    let stopped = runtime.spawn(scene.plugin.run_async(spinning));
    let dropped = runtime.spawn(scene.plugin.run_async(scene.run(&["spin"])));
    while scene.sandbox.counters().live < 2 {
        std::thread::yield_now();
    }
    dropped.abort();
    control.stop();
    runtime.block_on(stopped).expect("no panic").expect("run");
    while scene.sandbox.counters().live > 0 {
        std::thread::yield_now();
    }
    // Neither of these has begun.
    let stopped = || {
        let stopped = scene.run(&["ok"]);
        stopped.control().stop();
        stopped
    };
    assert_eq!(run(stopped()), Ending::Interrupted);
    let early = runtime.block_on(scene.plugin.run_async(stopped())).expect("run");
    assert_eq!(early.ending, Ending::Interrupted);
    let own = scene.plugin.call(scene.run(&["ok"]), async |_, _| -> wasmtime::Result<()> {
        wasmtime::bail!("the closure's own")
    });
    let reason = "the closure's own".to_owned();
    assert_eq!(own.expect("call").ending, Ending::Errored { reason });

    let mut expected = Counters::default();
    expected.begun = 10;
    expected.stopped_early = 2;
    expected.errored = 1;
    expected.returned = 2;
    expected.failed = 1;
    expected.trapped = 1;
    expected.timed_out = 1;
    expected.out_of_memory = 1;
    expected.out_of_fuel = 1;
    expected.interrupted = 1;
    expected.dropped = 1;
    expected.directories_made = 10;
    expected.directories_removed = 9;
    expected.directories_kept = 1;
    assert_eq!(scene.sandbox.counters(), expected);
}
