//! What an operator sees of runs: spans, events and counters.

mod support;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::{PLUGIN, World, shared_threads};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{Control, Counters, Ending, Guards, Outcome, Plugin, Run, Sandbox, ScratchRoot};

type Fields = BTreeMap<&'static str, String>;

/// Collects what is said by default.
#[derive(Clone, Default)]
struct Log {
    spans: Arc<Mutex<BTreeMap<u64, Fields>>>,
    events: Arc<Mutex<Vec<Said>>>,
}

/// An event, and the name of the span that it was in.
struct Said {
    level: Level,
    span: Option<&'static str>,
    fields: Fields,
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
            let mut fields = Fields::new();
            attributes.record(&mut Collect(&mut fields));
            self.spans.lock().expect("no panic").insert(id.into_u64(), fields);
        }
    }
    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(fields) = self.spans.lock().expect("no panic").get_mut(&id.into_u64()) {
            values.record(&mut Collect(fields));
        }
    }
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // The calls of a plugin, each with its arguments, are there too: for who debugs it.
        if *event.metadata().level() <= Level::INFO {
            let mut fields = Fields::new();
            event.record(&mut Collect(&mut fields));
            let span = context.lookup_current().map(|span| span.name());
            self.events.lock().expect("no panic").push(Said {
                level: *event.metadata().level(),
                span,
                fields,
            });
        }
    }
}

impl Log {
    fn dispatch(&self) -> Dispatch {
        Registry::default().with(self.clone()).into()
    }

    /// The fields of the only span.
    fn span(&self) -> Fields {
        let spans = self.spans.lock().expect("no panic");
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.values().next().cloned().unwrap_or_default()
    }

    /// All events, as texts.
    fn events(&self) -> Vec<String> {
        let events = self.events.lock().expect("no panic");
        let text = |Said { level, span, fields }: &Said| {
            assert_eq!(*span, Some("run"), "an event of a run is in its span: {fields:?}");
            let rest: String = fields
                .iter()
                .filter(|(name, _)| **name != "message")
                .map(|(name, value)| format!(" {name}={value}"))
                .collect();
            format!("{level} {}{rest}", fields["message"])
        };
        events.iter().map(text).collect()
    }
}

struct Scene {
    world: World,
    root: ScratchRoot,
    sandbox: Sandbox,
    plugin: Plugin,
}

impl Scene {
    fn new(hosted: bool, guards: Guards) -> Self {
        let world = World::new();
        let root = ScratchRoot::open(world.root()).expect("open the root");
        let sandbox = Sandbox::with_guards(guards).expect("make a sandbox");
        let bytes = fs::read(PLUGIN).expect("read the plugin");
        let plugin = if hosted { sandbox.load_hosted(&bytes) } else { sandbox.load(&bytes) };
        Self { world, root, plugin: plugin.expect("load the plugin"), sandbox }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::in_root(&self.root).args(["plugin"]).args(arguments.iter().copied())
    }

    /// What is seen of one run.
    fn seen(&self, run: Run) -> (Outcome, Log) {
        let log = Log::default();
        let outcome =
            tracing::dispatcher::with_default(&log.dispatch(), || self.plugin.run(run)).expect("run");
        (outcome, log)
    }
}

fn hosted() -> Scene {
    Scene::new(true, Guards::default())
}

fn composed() -> Scene {
    Scene::new(false, Guards::default())
}

#[test]
fn a_run_is_a_span_with_what_it_used_and_how_it_ended() {
    let scene = hosted();
    let limits = Limits { bytes: Some(10_000), ..Limits::default() };
    let (outcome, log) = scene.seen(scene.run(&["fill", "5000"]).limits(limits));
    let span = log.span();
    assert_eq!(span["provider"], "host");
    assert_eq!(span["ending"], "the plugin returned");
    assert_eq!(span["memory"], outcome.used.memory.to_string());
    assert_eq!(span["peak_bytes"], "5001");
    assert_eq!(span["refused"], "0");
    assert_eq!((span["left_behind"].as_str(), span["not_removed"].as_str()), ("0", "0"));
    assert!(span["milliseconds"].parse::<f64>().is_ok_and(|time| time > 0.0), "{span:?}");
    assert!(span["scratch"].starts_with(&*scene.world.root().to_string_lossy()), "{span:?}");
    assert_eq!(log.events(), [""; 0], "an honest plugin is nothing to talk about");
}

#[test]
fn a_composed_run_has_no_figures_of_files() {
    let scene = composed();
    let (_, log) = scene.seen(scene.run(&["ok"]));
    let span = log.span();
    assert_eq!(span["provider"], "component");
    assert!(!span.contains_key("peak_bytes"), "{span:?}");
    assert_eq!(log.events(), [""; 0]);
}

#[test]
fn p23_what_a_plugin_did_not_close_is_told() {
    let scene = hosted();
    let (_, log) = scene.seen(scene.run(&["exit", "0"]));
    assert_eq!(
        log.events(),
        ["WARN a plugin ended without closing what it had opened directories=1 files=1 paths=1"]
    );
    let scene = composed();
    let (_, log) = scene.seen(scene.run(&["exit", "0"]));
    assert_eq!(log.events(), ["INFO a plugin left something in its scratch directory entries=2"]);
}

#[test]
fn p23_a_plugin_that_could_not_close_is_told_for_its_ending_alone() {
    // What the host provided was removed with its handles.
    for (scene, left_behind) in [(hosted(), "0"), (composed(), "2")] {
        let (_, log) = scene.seen(scene.run(&["trap"]));
        assert_eq!(
            log.events(),
            ["WARN a plugin trapped ending=the plugin trapped: wasm `unreachable` instruction executed"]
        );
        assert_eq!(log.span()["left_behind"], left_behind);
    }
}

#[test]
fn limits_that_are_met_are_told() {
    let scene = hosted();
    let limits = Limits { bytes: Some(1000), ..Limits::default() };
    let (outcome, log) = scene.seen(scene.run(&["fill", "5000"]).limits(limits));
    assert_eq!(outcome.used.refused, 2);
    assert_eq!(log.span()["refused"], "2");
    assert_eq!(log.events(), ["WARN a plugin was refused more than its limits refused=2"]);

    let (_, log) = scene.seen(scene.run(&["hoard"]).memory(16 << 20));
    assert_eq!(
        log.events(),
        ["WARN a limit ended a plugin ending=the plugin ran out of memory: its limit is 16777216 bytes"]
    );
    let (_, log) = scene.seen(scene.run(&["spin"]).timeout(Duration::ZERO));
    assert_eq!(
        log.events(),
        ["WARN a limit ended a plugin ending=the plugin did not end in time and was stopped"]
    );
}

#[test]
fn an_asynchronous_run_is_seen_like_any_other_on_whatever_thread_it_is() {
    let scene = hosted();
    let log = Log::default();
    let dispatch = log.dispatch();
    let on_all_threads = dispatch.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&on_all_threads)))
        .build()
        .expect("make a runtime");
    let run = scene.plugin.run_async(scene.run(&["exit", "0"]));
    let outcome = runtime.block_on(runtime.spawn(run)).expect("no panic").expect("run");
    assert_eq!(outcome.ending, Ending::Returned);
    assert_eq!(log.span()["ending"], "the plugin returned");
    assert_eq!(
        log.events(),
        ["WARN a plugin ended without closing what it had opened directories=1 files=1 paths=1"]
    );
}

#[test]
fn every_way_to_end_is_counted() {
    let scene = Scene::new(true, Guards { fuel: Some(1_000_000_000), ..Guards::default() });
    let run = |run| scene.plugin.run(run).expect("run").ending;
    run(scene.run(&["ok"]));
    run(scene.run(&["ok"]).keep());
    run(scene.run(&["fail"]));
    run(scene.run(&["trap"]));
    run(scene.run(&["spin"]).timeout(Duration::ZERO));
    run(scene.run(&["hoard"]).memory(16 << 20));
    run(scene.run(&["spin"]));
    let runtime = shared_threads(2);
    let control = Control::new();
    let stopped = runtime.spawn(scene.plugin.run_async(scene.run(&["spin"]).control(&control)));
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
    // One that was stopped before it began is none.
    let control = Control::new();
    control.stop();
    assert_eq!(run(scene.run(&["ok"]).control(&control)), Ending::Interrupted);

    let mut expected = Counters::default();
    expected.begun = 9;
    expected.returned = 2;
    expected.failed = 1;
    expected.trapped = 1;
    expected.timed_out = 1;
    expected.out_of_memory = 1;
    expected.out_of_fuel = 1;
    expected.interrupted = 1;
    expected.dropped = 1;
    expected.directories_made = 9;
    expected.directories_removed = 8;
    expected.directories_kept = 1;
    assert_eq!(scene.sandbox.counters(), expected);
}
