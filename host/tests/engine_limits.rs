//! Every guard bites, with an ending that says which, and nothing is left. Each test has its
//! control: what is just allowed.

mod support;

use std::fs;
use std::time::Duration;

use support::{PLUGIN, World};
use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::{
    Capture, Ending, EngineLimits, Provider, RunOptions, Sandbox, ScratchRoot,
};

/// Which of the two ways a plugin is served.
#[derive(Clone, Copy)]
enum By {
    Component,
    Host,
}

/// Runs a plugin behind these limits, and gives its ending and what it said.
#[track_caller]
fn run(limits: EngineLimits, by: By, component: &[u8], arguments: &[&str]) -> (Ending, String) {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::builder().limits(limits).build().expect("make a sandbox");
    let plugin = match by {
        By::Component => sandbox.load(component, Provider::Component),
        By::Host => sandbox.load(component, Provider::Host),
    };
    let output = Capture::new(1024);
    let run =
        RunOptions::in_root(&root).args(["plugin"]).args(arguments.iter().copied()).stdout(&output);
    let outcome = plugin.expect("load the plugin").run(run).expect("run");
    assert!(outcome.not_removed.is_empty(), "{:?}", outcome.not_removed);
    world.assert_nothing_left();
    (outcome.ending, output.text())
}

/// Runs a subcommand of the test plugin.
#[track_caller]
fn plugin(limits: EngineLimits, by: By, arguments: &[&str]) -> (Ending, String) {
    run(limits, by, &fs::read(PLUGIN).expect("read the plugin"), arguments)
}

/// Runs a component whose core module has this code, and whose command returns.
#[track_caller]
fn module(limits: EngineLimits, module: &str) -> Ending {
    component(
        limits,
        &format!(
            r#"(core module $main {module} (func (export "run") (result i32) (i32.const 0)))
            (core instance $instance (instantiate $main))"#
        ),
    )
}

/// Runs a component with this in it, which defines a core instance `$instance` that exports `run`.
#[track_caller]
fn component(limits: EngineLimits, inner: &str) -> Ending {
    let text = format!(
        r#"(component
            {inner}
            (func $run (result (result)) (canon lift (core func $instance "run")))
            (component $export
                (import "run" (func $run (result (result))))
                (export "run" (func $run)))
            (instance $exported (instantiate $export (with "run" (func $run))))
            (export "wasi:cli/run@0.2.0" (instance $exported)))"#
    );
    run(limits, By::Component, &wat::parse_str(&text).expect("valid text"), &[]).0
}

#[track_caller]
fn assert_trapped(ending: &Ending, words: &str) {
    match ending {
        Ending::Trapped { reason } => assert!(reason.contains(words), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn they_are_read_back_as_they_were_set() {
    let limits = EngineLimits::default().memories(7).time_slice(Duration::from_millis(3));
    assert_eq!(Sandbox::builder().limits(limits).build().expect("make a sandbox").limits(), limits);
    assert_eq!(Sandbox::new().expect("make a sandbox").limits(), EngineLimits::default());
}

#[test]
fn a_stack_that_cannot_be_is_an_error() {
    for bytes in [0, usize::MAX, usize::MAX / 2] {
        let limits = EngineLimits::default().wasm_stack(bytes);
        assert!(Sandbox::builder().limits(limits).build().is_err(), "{bytes}");
    }
}

#[test]
fn memory_without_room_for_the_directory_is_an_error_that_says_so() {
    let world = World::new();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let sandbox = Sandbox::new().expect("make a sandbox");
    let plugin = sandbox.load(&fs::read(PLUGIN).expect("read the plugin"), Provider::Host);
    let limits = Limits { bytes: Some(1), ..Limits::default() };
    let options = RunOptions::in_root(&root).memory(1).limits(limits);
    let refused = plugin.expect("load the plugin").run(options);
    assert_eq!(
        refused.expect_err("there is no room").to_string(),
        "the memory of the run is too small for what the host keeps of the directory /tmp (quota)"
    );
    world.assert_nothing_left();
}

#[test]
fn resource_table_entries() {
    let limits = EngineLimits::default().resource_table_entries(100);
    let (ending, _) = plugin(limits, By::Component, &["hold", "150"]);
    assert_trapped(&ending, "resource table");
    let (ending, said) = plugin(limits, By::Component, &["hold", "20"]);
    assert_eq!((ending, said.as_str()), (Ending::Returned, "20 ok\nafterwards ok\n"));
    // The host provider keeps to seven eighths of it: an error that the plugin can handle.
    let (ending, said) = plugin(limits, By::Host, &["hold", "150"]);
    assert_eq!((ending, said.as_str()), (Ending::Returned, "44 quota\nafterwards ok\n"));
}

#[test]
fn component_handles() {
    let limits = EngineLimits::default().component_handles(100);
    for by in [By::Component, By::Host] {
        assert_trapped(&plugin(limits, by, &["hold", "150"]).0, "handle limit exceeded");
        assert_eq!(plugin(limits, by, &["hold", "20"]).0, Ending::Returned);
    }
}

#[test]
fn hostcall_fuel() {
    let limits = EngineLimits::default().hostcall_fuel(1 << 20);
    assert_trapped(
        &plugin(limits, By::Host, &["spool", "1048577"]).0,
        "one call passed more than 1048576 bytes to the host",
    );
    assert_eq!(plugin(limits, By::Host, &["spool", "1048576"]).0, Ending::Returned);
}

#[test]
fn a_buffer_of_any_size_is_written_with_the_default_fuel() {
    for by in [By::Component, By::Host] {
        // More than twice what one call may pass.
        let (ending, said) = plugin(EngineLimits::default(), by, &["buffer", "20000000"]);
        assert_eq!((ending, said.as_str()), (Ending::Returned, "20000000 20000000\n"));
    }
}

#[test]
fn random_bytes() {
    let ask = |count: u64| {
        component(
            EngineLimits::default().random_bytes(1000),
            &format!(
                r#"(import "wasi:random/random@0.2.0" (instance $random
                    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
                (core module $heap
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
                (core instance $heap (instantiate $heap))
                (alias core export $heap "memory" (core memory $memory))
                (core func $ask (canon lower (func $random "get-random-bytes")
                    (memory $memory) (realloc (core func $heap "realloc"))))
                (core module $main
                    (import "" "ask" (func $ask (param i64 i32)))
                    (func (export "run") (result i32)
                        (call $ask (i64.const {count}) (i32.const 0))
                        (i32.const 0)))
                (core instance $instance
                    (instantiate $main (with "" (instance (export "ask" (func $ask))))))"#
            ),
        )
    };
    assert_trapped(&ask(1001), "1001");
    assert_eq!(ask(1000), Ending::Returned);
}

#[test]
fn table_elements() {
    let limits = EngineLimits::default().table_elements(1000);
    assert_trapped(
        &module(limits, "(table 600 funcref) (table 401 funcref)"),
        "table minimum size of 401 elements",
    );
    assert_eq!(module(limits, "(table 600 funcref) (table 400 funcref)"), Ending::Returned);
}

#[test]
fn tables() {
    let limits = EngineLimits::default().tables(3);
    assert_trapped(&module(limits, &"(table 1 funcref)".repeat(4)), "table count too high at 4");
    assert_eq!(module(limits, &"(table 1 funcref)".repeat(3)), Ending::Returned);
}

#[test]
fn memories() {
    let limits = EngineLimits::default().memories(3);
    assert_trapped(&module(limits, &"(memory 1)".repeat(4)), "memory count too high at 4");
    assert_eq!(module(limits, &"(memory 1)".repeat(3)), Ending::Returned);
}

#[test]
fn instances() {
    let limits = EngineLimits::default().instances(3);
    let many = |count| {
        let others: String = (0..count).map(|_| "(core instance (instantiate $other))").collect();
        component(
            limits,
            &format!(
                r#"(core module $other)
                {others}
                (core module $main (func (export "run") (result i32) (i32.const 0)))
                (core instance $instance (instantiate $main))"#
            ),
        )
    };
    assert_trapped(&many(3), "instance count too high at 4");
    assert_eq!(many(2), Ending::Returned);
}

#[test]
fn wasm_stack() {
    let descend = |limits| {
        component(
            limits,
            r#"(core module $main
                (func $descend (param $left i32) (result i32)
                    (if (result i32) (local.get $left)
                        (then (i32.add (i32.const 1)
                            (call $descend (i32.sub (local.get $left) (i32.const 1)))))
                        (else (i32.const 0))))
                (func (export "run") (result i32)
                    (i32.ne (call $descend (i32.const 10000)) (i32.const 10000))))
            (core instance $instance (instantiate $main))"#,
        )
    };
    assert_trapped(&descend(EngineLimits::default().wasm_stack(64 << 10)), "call stack exhausted");
    assert_eq!(descend(EngineLimits::default()), Ending::Returned);
}

#[test]
fn fuel() {
    let limits = EngineLimits::default().fuel(Some(100_000_000));
    for by in [By::Component, By::Host] {
        let (ending, said) = plugin(limits, by, &["spin"]);
        assert_eq!(
            (&ending, said.as_str()),
            (&Ending::OutOfFuel { fuel: 100_000_000 }, "spinning\n")
        );
        assert_eq!(
            ending.to_string(),
            "the plugin computed more than it may: 100000000 units of fuel"
        );
        assert_eq!(plugin(limits, by, &["ok"]).0, Ending::Returned);
    }
}
