//! Plugins with a world of their own, and engines and data of the embedder's.

mod support;

use std::fs;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use support::{PLUGIN, World, shared_threads};
use tokio::sync::{Semaphore, oneshot};
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::wasmtime::component::HasSelf;
use wasi_tempfile_host::wasmtime::error::Context;
use wasi_tempfile_host::wasmtime::{
    self, Cache, CacheConfig, Config, Engine, PoolingAllocationConfig, Trap, bail,
};
use wasi_tempfile_host::{
    Ending, EngineLimits, Error, Outcome, Plugin, Provider, RunOptions, Sandbox, SandboxBuilder,
    ScratchRoot, State,
};

mod bindings {
    wasi_tempfile_host::wasmtime::component::bindgen!({
        inline: "
            package test:worlds;
            world plugin {
                import host: interface { name: func() -> u32; }
                export act: func(what: u32) -> u32;
            }
        ",
        path: "wit/tempfile",
        imports: { default: trappable },
        exports: { default: async },
        wasmtime_crate: wasi_tempfile_host::wasmtime,
    });
}

/// What the plugin of these tests does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Return,
    AskTheHost,
    Trap,
    Hoard,
    Spin,
    GetByWithoutMemory,
}

const PLUGIN_TEXT: &str = r#"(component
    (import "host" (instance $host (export "name" (func (result u32)))))
    (core func $name (canon lower (func $host "name")))
    (core module $main
        (import "host" "name" (func $name (result i32)))
        (memory 1)
        (func (export "act") (param $what i32) (result i32)
            (block $get-by (block $spin (block $hoard (block $trap (block $ask (block $return
                (br_table $return $ask $trap $hoard $spin $get-by (local.get $what)))
            (return (i32.const 42)))
            (return (call $name)))
            (unreachable))
            (if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then (unreachable)))
            (return (i32.const 0)))
            (loop $for-ever (br $for-ever))
            (unreachable))
            (memory.grow (i32.const 1000))))
    (core instance $main (instantiate $main
        (with "host" (instance (export "name" (func $name))))))
    (func (export "act") (param "what" u32) (result u32) (canon lift (core func $main "act"))))"#;

/// The embedder's data: the answer to the plugin's question.
struct Data(Option<u32>);

impl bindings::host::Host for Data {
    fn name(&mut self) -> wasi_tempfile_host::wasmtime::Result<u32> {
        match self.0 {
            Some(name) => Ok(name),
            None => Err(io::Error::from(io::ErrorKind::NotFound)).context("nobody has a name"),
        }
    }
}

struct Scene {
    world: World,
    root: ScratchRoot,
    sandbox: Sandbox<Data>,
    plugin: Plugin<Data>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Sandbox::builder())
    }

    fn with(builder: SandboxBuilder) -> Self {
        let world = World::new();
        let root = ScratchRoot::open(world.root()).expect("open the root");
        let sandbox = builder.data().build().expect("make a sandbox");
        let sandbox = sandbox.with(|linker| {
            bindings::Plugin::add_to_linker::<_, HasSelf<Data>>(linker, State::data_mut)
        });
        let sandbox = sandbox.expect("link");
        let bytes = wat::parse_str(PLUGIN_TEXT).expect("valid text");
        let plugin = sandbox.load(&bytes, Provider::Host).expect("load the plugin");
        Self { world, root, sandbox, plugin }
    }

    fn options(&self) -> RunOptions<Data> {
        RunOptions::in_root(&self.root).data(Data(Some(7))).memory(1 << 20)
    }

    fn call(&self, options: RunOptions<Data>, act: Act) -> Result<Outcome<u32>, Error> {
        self.plugin.call(options, async |store, instance| {
            let plugin = bindings::Plugin::new(&mut *store, &instance)?;
            fs::write(store.data().scratch_path().join("litter"), "litter")?;
            plugin.call_act(store, act as u32).await
        })
    }

    fn call_async(
        &self,
        options: RunOptions<Data>,
        act: Act,
    ) -> impl Future<Output = Result<Outcome<u32>, Error>> + Send + use<> {
        self.plugin.call_async(options, move |store, instance| {
            Box::pin(async move {
                let plugin = bindings::Plugin::new(&mut *store, &instance)?;
                fs::write(store.data().scratch_path().join("litter"), "litter")?;
                plugin.call_act(store, act as u32).await
            })
        })
    }

    /// Calls the plugin in both ways, which have the same outcome and leave nothing.
    #[track_caller]
    fn outcome(&self, options: impl Fn() -> RunOptions<Data>, act: Act) -> Outcome<u32> {
        let alone = self.call(options(), act).expect("call");
        let shared = shared_threads(2).block_on(self.call_async(options(), act)).expect("call");
        for outcome in [&alone, &shared] {
            assert_eq!(outcome.left_behind, ["litter"], "{act:?}");
            assert!(outcome.not_removed.is_empty(), "{act:?}");
        }
        assert_eq!((&shared.ending, shared.value), (&alone.ending, alone.value), "{act:?}");
        assert_eq!(shared.used.memory, alone.used.memory);
        self.world.assert_nothing_left();
        shared
    }
}

#[test]
fn a_call_that_returns_gives_its_value() {
    let scene = Scene::new();
    let outcome = scene.outcome(|| scene.options(), Act::Return);
    assert_eq!(
        (outcome.ending, outcome.value, outcome.used.memory),
        (Ending::Returned, Some(42), 65536)
    );
    assert_eq!(scene.sandbox.counters().returned, 2);
}

#[test]
fn a_host_function_finds_the_data_of_its_call() {
    let scene = Scene::new();
    let outcome = scene.outcome(|| scene.options().data(Data(Some(11))), Act::AskTheHost);
    assert_eq!(outcome.into_value(), Ok(11));
}

#[test]
fn an_error_of_a_host_function_is_a_trap_with_its_source() {
    let scene = Scene::new();
    let outcome = scene.outcome(|| scene.options().data(Data(None)), Act::AskTheHost);
    let reason = "nobody has a name: entity not found".to_owned();
    assert_eq!(outcome.ending, Ending::Trapped { reason });
    assert!(outcome.error.is_some_and(|error| error.root_cause().is::<io::Error>()));
}

#[test]
fn an_error_of_a_host_function_called_at_the_start_is_a_trap_too() {
    let scene = Scene::new();
    let plugin = wat::parse_str(
        r#"(component
            (import "host" (instance $host (export "name" (func (result u32)))))
            (core func $name (canon lower (func $host "name")))
            (core module $main
                (import "host" "name" (func $name (result i32)))
                (func $start (drop (call $name)))
                (start $start))
            (core instance (instantiate $main
                (with "host" (instance (export "name" (func $name)))))))"#,
    );
    let plugin = scene.sandbox.load(&plugin.expect("valid text"), Provider::Host);
    let call = plugin
        .expect("load the plugin")
        .call(scene.options().data(Data(None)), async |_, _| -> wasmtime::Result<()> {
            panic!("there is no instance")
        });
    let reason = "nobody has a name: entity not found".to_owned();
    assert_eq!(call.expect("call").ending, Ending::Trapped { reason });
}

#[test]
fn an_error_of_the_closure_is_the_outcomes() {
    let scene = Scene::new();
    let failing = || -> wasmtime::Result<()> {
        Err(io::Error::from(io::ErrorKind::NotFound)).context("read a file of the embedder's")
    };
    let alone = scene.plugin.call(scene.options(), async |_, _| failing());
    let shared =
        scene.plugin.call_async(scene.options(), move |_, _| Box::pin(async move { failing() }));
    for outcome in [alone, shared_threads(1).block_on(shared)] {
        let outcome = outcome.expect("call");
        let reason = "read a file of the embedder's: entity not found".to_owned();
        assert_eq!(outcome.ending, Ending::Errored { reason });
        assert!(outcome.error.is_some_and(|error| error.root_cause().is::<io::Error>()));
    }
    assert_eq!(scene.sandbox.counters().errored, 2);
    scene.world.assert_nothing_left();
}

#[test]
fn an_error_of_the_closure_after_a_refusal_of_memory_is_its_own() {
    let scene = Scene::new();
    let outcome = scene.plugin.call(scene.options(), async |store, instance| {
        let plugin = bindings::Plugin::new(&mut *store, &instance)?;
        let pages = plugin.call_act(store, Act::GetByWithoutMemory as u32).await?;
        assert_eq!(pages, u32::MAX, "it was refused");
        bail!("the closure's own")
    });
    let outcome: Outcome<()> = outcome.expect("call");
    let reason = "the closure's own".to_owned();
    assert_eq!(outcome.ending, Ending::Errored { reason });
}

#[test]
fn a_long_reason_is_cut() {
    let scene = Scene::new();
    let call = scene
        .plugin
        .call(scene.options(), async |_, _| -> wasmtime::Result<()> { bail!("ä".repeat(10_000)) });
    let Ending::Errored { reason } = call.expect("call").ending else { panic!("an error") };
    assert_eq!(reason, "ä".repeat(1000) + "…");
}

#[test]
fn a_call_that_traps_has_its_trap() {
    let scene = Scene::new();
    let outcome = scene.outcome(|| scene.options(), Act::Trap);
    assert_eq!(
        outcome.error.and_then(|error| error.downcast_ref().copied()),
        Some(Trap::UnreachableCodeReached)
    );
    assert!(matches!(outcome.ending, Ending::Trapped { .. }));
}

#[test]
fn a_call_that_gets_no_more_memory_and_ends_is_out_of_memory() {
    let scene = Scene::new();
    let outcome = scene.outcome(|| scene.options(), Act::Hoard);
    assert_eq!(outcome.ending, Ending::OutOfMemory { limit: Some(1 << 20) });
    let outcome = scene.outcome(|| scene.options().memory(1 << 30), Act::Hoard);
    assert_eq!(outcome.into_value(), Ok(0), "the control");
}

#[test]
fn a_call_that_computes_is_stopped_by_a_timeout_and_by_fuel() {
    let scene = Scene::new();
    let timeout = Duration::from_millis(50);
    assert_eq!(
        scene.outcome(|| scene.options().timeout(timeout), Act::Spin).ending,
        Ending::TimedOut
    );
    let scene =
        Scene::with(Sandbox::builder().limits(EngineLimits::default().fuel(Some(1_000_000))));
    let outcome = scene.outcome(|| scene.options(), Act::Spin);
    assert_eq!(outcome.ending, Ending::OutOfFuel { fuel: 1_000_000 });
}

#[test]
fn a_call_of_an_export_that_is_missing_says_so() {
    let scene = Scene::new();
    let outcome = scene.plugin.call(scene.options(), async |store, instance| {
        instance.get_typed_func::<(), ()>(&mut *store, "missing")?;
        Ok(())
    });
    let Ending::Errored { reason } = outcome.expect("call").ending else {
        panic!("it has no such export")
    };
    assert_eq!(reason, "failed to find function export");
}

#[test]
fn a_call_of_an_export_with_another_type_says_which() {
    let scene = Scene::new();
    let outcome = scene.plugin.call(scene.options(), async |store, instance| {
        instance.get_typed_func::<(String,), ()>(&mut *store, "act")?;
        Ok(())
    });
    let ending = outcome.expect("call").ending.to_string();
    assert_eq!(
        ending,
        "the call failed: failed to convert function to given type: type mismatch with parameters: \
         expected `string` found `u32`"
    );
}

#[test]
fn only_a_command_can_be_run() {
    let scene = Scene::new();
    assert!(matches!(scene.plugin.run(scene.options()), Err(Error::NoRun)));
    let run = scene.plugin.run_async(scene.options());
    assert!(matches!(shared_threads(1).block_on(run), Err(Error::NoRun)));
    scene.world.assert_nothing_left();
}

#[test]
fn a_call_can_be_stopped_and_dropped() {
    let scene = Scene::new();
    let runtime = shared_threads(2);
    let options = scene.options();
    let control = options.control();
    let stopped = runtime.spawn(scene.call_async(options, Act::Spin));
    let dropped = runtime.spawn(scene.call_async(scene.options(), Act::Spin));
    while scene.sandbox.counters().live < 2 {
        std::thread::yield_now();
    }
    dropped.abort();
    control.stop();
    let outcome = runtime.block_on(stopped).expect("no panic").expect("call");
    assert_eq!(outcome.ending, Ending::Interrupted);
    while scene.sandbox.counters().live > 0 {
        std::thread::yield_now();
    }
    scene.world.assert_nothing_left();
}

fn pooled(instances: u32) -> Engine {
    pooled_with(instances, 64 << 20)
}

/// An engine with a pool of so many instances, with so many bytes of memory each.
fn pooled_with(instances: u32, bytes: usize) -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances).max_memory_size(bytes).total_memories(instances);
    pool.total_tables(8).total_stacks(8).total_core_instances(8);
    let mut config = Config::new();
    EngineLimits::default().configure(&mut config);
    config.allocation_strategy(pool);
    Engine::new(&config).expect("an engine")
}

#[test]
fn an_engine_of_the_embedders_serves_calls() {
    let scene = Scene::with(Sandbox::builder().engine(pooled(8)));
    assert_eq!(scene.outcome(|| scene.options(), Act::Return).into_value(), Ok(42));
    let ending = scene.outcome(|| scene.options(), Act::Hoard).ending;
    assert_eq!(ending, Ending::OutOfMemory { limit: Some(1 << 20) });
    let timeout = Duration::from_millis(50);
    assert_eq!(
        scene.outcome(|| scene.options().timeout(timeout), Act::Spin).ending,
        Ending::TimedOut
    );
}

#[test]
fn a_run_takes_of_a_pool_what_the_guide_for_embedders_says() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let bytes = fs::read(PLUGIN).expect("read the plugin");
    for (provider, memories, core_instances, tables) in
        [(Provider::Host, 1, 3, 2), (Provider::Component, 3, 9, 4)]
    {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(1).total_stacks(1).max_memory_size(16 << 20);
        pool.total_memories(memories).total_core_instances(core_instances).total_tables(tables);
        let mut config = Config::new();
        EngineLimits::default().configure(&mut config);
        config.allocation_strategy(pool);
        let engine = Engine::new(&config).expect("an engine");
        let sandbox = Sandbox::builder().engine(engine).build().expect("make a sandbox");
        let plugin = sandbox.load(&bytes, provider).expect("load the plugin");
        let run = || RunOptions::in_root(&root).args(["plugin", "ok"]);
        // The second finds the places of the first.
        for _ in 0..2 {
            assert_eq!(plugin.run(run()).expect("run").ending, Ending::Returned, "{provider:?}");
        }
    }
    world.assert_nothing_left();
}

#[test]
fn a_pool_without_room_is_an_error_of_the_host() {
    let scene = Scene::with(Sandbox::builder().engine(pooled(1)));
    let runtime = shared_threads(2);
    let options = scene.options();
    let control = options.control();
    let (instantiated, wait) = mpsc::channel();
    let first = runtime.spawn(scene.plugin.call_async(options, move |store, instance| {
        Box::pin(async move {
            instantiated.send(())?;
            bindings::Plugin::new(&mut *store, &instance)?.call_act(store, Act::Spin as u32).await
        })
    }));
    wait.recv().expect("the first call has the only instance");
    let refused = scene.call(scene.options(), Act::Return).expect_err("there is no other");
    assert!(matches!(refused, Error::Busy { .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        "the engine's pool is full: maximum concurrent limit of 1 for component instances reached"
    );
    control.stop();
    runtime.block_on(first).expect("no panic").expect("call");
    assert_eq!(scene.sandbox.counters().dropped, 1);
    scene.world.assert_nothing_left();
}

/// Calls a plugin that computes, and drops the future when it does.
async fn call_and_drop(scene: &Scene, options: RunOptions<Data>) {
    let (instantiated, computes) = oneshot::channel();
    let mut call = pin!(scene.plugin.call_async(options, move |store, instance| {
        Box::pin(async move {
            let _ = instantiated.send(());
            bindings::Plugin::new(&mut *store, &instance)?.call_act(store, Act::Spin as u32).await
        })
    }));
    let mut computes = pin!(computes);
    poll_fn(|context| {
        if let Poll::Ready(outcome) = call.as_mut().poll(context) {
            panic!("it computes for ever: {outcome:?}");
        }
        computes.as_mut().poll(context).map(drop)
    })
    .await;
}

#[test]
fn what_a_dropped_call_holds_is_held_until_its_place_in_the_pool_is_free() {
    let scene = Arc::new(Scene::with(Sandbox::builder().engine(pooled(2))));
    let places = Arc::new(Semaphore::new(2));
    shared_threads(2).block_on(async {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (scene, places) = (scene.clone(), places.clone());
                tokio::spawn(async move {
                    for _ in 0..50 {
                        let place = places.clone().acquire_owned().await.expect("it is open");
                        call_and_drop(&scene, scene.options().hold(place)).await;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("no panic");
        }
        let _all = places.acquire_many(2).await.expect("it is open");
        scene.world.assert_nothing_left();
    });
    assert_eq!(scene.sandbox.counters().dropped, 200);
}

#[test]
fn a_dropped_call_that_is_released_has_left_its_place_in_the_pool() {
    let scene = Scene::with(Sandbox::builder().engine(pooled(1)));
    shared_threads(2).block_on(async {
        for _ in 0..200 {
            let options = scene.options();
            let control = options.control();
            call_and_drop(&scene, options).await;
            control.released().await;
            scene.world.assert_nothing_left();
        }
    });
    assert_eq!(scene.sandbox.counters().dropped, 200);
}

#[test]
fn a_call_refused_by_the_maximum_of_the_pool_is_not_said_to_be_at_its_limit() {
    let scene = Scene::with(Sandbox::builder().engine(pooled_with(1, 1 << 20)));
    let outcome = scene.outcome(|| scene.options().memory(256 << 20), Act::Hoard);
    assert_eq!(outcome.ending, Ending::OutOfMemory { limit: None });
    assert!(!outcome.ending.to_string().contains("MiB"), "{}", outcome.ending);
}

#[test]
fn a_plugin_that_the_pool_has_no_room_for_is_not_called_invalid() {
    let sandbox = Sandbox::builder().engine(pooled_with(1, 1 << 20)).build().expect("a sandbox");
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let refused = sandbox.load(&plugin, Provider::Host).err().expect("it needs more memory");
    assert!(matches!(refused, Error::Engine { operation: "load the plugin", .. }), "{refused:?}");
    let refused = sandbox.load(&plugin[..plugin.len() - 1], Provider::Host).err();
    assert!(matches!(refused, Some(Error::Invalid { .. })), "the control: {refused:?}");
}

#[test]
fn a_value_of_an_export_that_is_too_large_is_an_error_of_the_call() {
    let scene = Scene::new();
    let plugin = wat::parse_str(
        r#"(component
            (core module $main
                (memory (export "memory") 65)
                (func (export "give") (param $length i32) (result i32)
                    (i32.store (i32.const 4) (local.get $length))
                    (i32.const 0)))
            (core instance $main (instantiate $main))
            (func (export "give") (param "length" u32) (result (list u8))
                (canon lift (core func $main "give") (memory (core memory $main "memory")))))"#,
    );
    let plugin = scene.sandbox.load(&plugin.expect("valid text"), Provider::Host).expect("load");
    let give = |length: u32| {
        let options = scene.options().memory(16 << 20);
        let outcome = plugin.call(options, async move |store, instance| {
            let give = instance.get_typed_func::<(u32,), (Vec<u8>,)>(&mut *store, "give")?;
            Ok(give.call_async(store, (length,)).await?.0.len())
        });
        outcome.expect("call")
    };
    let most = EngineLimits::default().hostcall_fuel;
    assert_eq!(give(most as u32).into_value(), Ok(most));
    let reason = format!("one call passed more than {most} bytes to the host, its hostcall_fuel");
    assert_eq!(give(most as u32 + 1).into_value(), Err(Ending::Errored { reason }));
}

#[test]
fn an_engine_that_cannot_be_interrupted_is_refused() {
    let refused = Sandbox::builder().engine(Engine::default()).build().err().expect("no epochs");
    let expected =
        "the engine is configured without epoch_interruption(true) (see EngineLimits::configure)";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn a_compiled_plugin_comes_from_the_cache() {
    let world = World::new();
    let cache = || {
        let mut config = CacheConfig::new();
        config.with_directory(world.path("cache"));
        Cache::new(config).expect("a cache")
    };
    let plugin = fs::read(PLUGIN).expect("read the plugin");
    let load = |cache: Cache| {
        let sandbox = Sandbox::builder().cache(cache).build().expect("make a sandbox");
        sandbox.load(&plugin, Provider::Host).expect("load the plugin")
    };
    let (first, second) = (cache(), cache());
    load(first.clone());
    assert_eq!((first.cache_hits(), first.cache_misses()), (0, 1));
    let plugin = load(second.clone());
    assert_eq!((second.cache_hits(), second.cache_misses()), (1, 0));
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let outcome = plugin.run(RunOptions::in_root(&root).args(["plugin", "ok"])).expect("run");
    assert_eq!(outcome.ending, Ending::Returned);
}

#[test]
fn a_cache_belongs_to_the_engine() {
    let world = World::new();
    let mut config = CacheConfig::new();
    config.with_directory(world.path("cache"));
    let builder = Sandbox::builder().cache(Cache::new(config).expect("a cache")).engine(pooled(1));
    assert!(matches!(builder.build(), Err(Error::CacheOfEngine)));
}

#[test]
fn limits_of_files_hold_for_calls() {
    let scene = Scene::new();
    let limits = Limits { bytes: Some(1), ..Limits::default() };
    let outcome = scene.outcome(|| scene.options().limits(limits), Act::Return);
    assert!(outcome.used.tempfile.is_some_and(|usage| usage.peak.bytes == 0));
}
