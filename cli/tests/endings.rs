//! However a run ends, it says so in one line, and nothing of it stays on disk.

mod support;

#[cfg(unix)]
use std::process::{Command, Stdio};

#[cfg(unix)]
use rustix::process::Signal;
use support::{Ended, Running, World, output};
use wasi_tempfile_host::ScratchRoot;

/// Runs a subcommand of the test plugin to its end and checks that nothing is left.
#[track_caller]
fn ended(options: &[&str], arguments: &[&str]) -> Ended {
    let world = World::new();
    let ended = output(&mut world.run(options, arguments));
    world.assert_nothing_left();
    ended
}

#[test]
fn a_return_is_a_success_and_says_nothing() {
    let ended = ended(&[], &["ok"]);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_failure_without_a_word_gets_one_line() {
    for provider in ["host", "component"] {
        for arguments in [&["fail"][..], &["exit", "1"], &["exit", "7"]] {
            let ended = ended(&["--provider", provider], arguments);
            // Rust's standard library reports any other status than 0 as 1.
            let line = "wasi-tempfile: the plugin failed with status 1\n";
            assert_eq!(ended.stderr, line, "{arguments:?}");
            assert_eq!(ended.code, Some(1), "{arguments:?}");
        }
    }
}

#[test]
fn a_failure_that_the_plugin_explains_gets_no_line() {
    for provider in ["host", "component"] {
        let ended = ended(&["--provider", provider], &["fly"]);
        assert_eq!(ended.stderr, "no such subcommand: fly\n");
        assert_eq!(ended.code, Some(1));
    }
}

#[test]
fn leaving_with_status_zero_is_a_success() {
    let ended = ended(&[], &["exit", "0"]);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_trap_gives_its_reason() {
    let ended = ended(&[], &["trap"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "wasi-tempfile: the plugin trapped: wasm `unreachable` instruction executed\n"
    );
}

#[test]
fn a_panic_says_what_the_plugin_says_and_that_it_trapped() {
    let ended = ended(&[], &["panic"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("on purpose"), "{}", ended.stderr);
    assert_eq!(ended.complaints(), ["the plugin trapped: wasm `unreachable` instruction executed"]);
}

#[test]
fn an_exhausted_stack_is_a_trap() {
    let ended = ended(&[], &["overflow"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let [complaint] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(complaint.starts_with("the plugin trapped: "), "{complaint}");
}

#[test]
fn exhausted_memory_names_the_limit() {
    let ended = ended(&["--memory", "16MiB"], &["hoard"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin ran out of memory: its limit is 16MiB"]);
}

#[test]
fn memory_too_small_to_begin_with_names_the_limit() {
    let ended = ended(&["--memory", "64KiB"], &["ok"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin ran out of memory: its limit is 64KiB"]);
}

#[test]
fn a_plugin_that_gets_by_without_more_memory_goes_on() {
    let ended = ended(&["--memory", "16MiB"], &["sip"]);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.stdout, "got by\n");
}

#[test]
fn a_timeout_stops_a_plugin_that_computes() {
    let ended = ended(&["--timeout", "1s"], &["spin"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin did not end in time and was stopped"]);
}

#[test]
fn a_timeout_stops_a_plugin_that_waits_for_input() {
    let world = World::new();
    let running = Running::until(&mut world.run(&["--timeout", "1s"], &["wait"]), "waiting");
    let ended = running.end();
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin did not end in time and was stopped"]);
    world.assert_nothing_left();
}

#[test]
fn a_timeout_stops_a_plugin_that_hangs_in_a_system_call() {
    let world = World::new();
    // Nobody reads after the first line, so the pipe is full soon.
    let running = Running::until(&mut world.run(&["--timeout", "1s"], &["flood"]), "flooding");
    let ended = running.end();
    assert_eq!(ended.code, Some(1));
    let timeout = "the plugin did not end in time and was stopped";
    if cfg!(windows) {
        // What the plugin has open stays until its process has ended.
        assert_eq!(ended.complaints().last(), Some(&timeout));
        ScratchRoot::open(world.root()).expect("open the root, and sweep it");
    } else {
        assert_eq!(ended.complaints(), [timeout]);
    }
    world.assert_nothing_left();
}

#[test]
fn a_directory_that_is_to_be_kept_stays_after_a_timeout_in_whatever_the_plugin_does() {
    for (subcommand, line) in [("spin", "spinning"), ("wait", "waiting"), ("flood", "flooding")] {
        let world = World::new();
        let mut run = world.run(&["--keep", "--timeout", "1s"], &[subcommand]);
        let ended = Running::until(&mut run, line).end();
        assert_eq!(ended.code, Some(1));
        let [kept, timeout] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
        assert_eq!(timeout, "the plugin did not end in time and was stopped");
        let kept = kept.strip_prefix("kept the scratch directory: ").expect("it says where");
        assert_eq!(world.scratch(), [std::path::Path::new(kept)], "{subcommand}");
    }
}

#[cfg(unix)]
#[test]
fn the_time_of_the_host_to_clean_up_is_not_the_plugins() {
    let world = World::new();
    // Each removal takes so long that all of them are over the timeout and the grace period.
    let mut strace = Command::new("strace");
    let delay = "inject=unlinkat:delay_enter=2000000";
    strace.args(["-f", "-e", "trace=unlinkat", "-e", delay, "-o", "/dev/null"]);
    let run = world.run(&["--timeout", "5s", "--stats=json"], &["forget"]);
    strace.arg(run.get_program()).args(run.get_args()).stdin(Stdio::null());
    let Ok(ended) = strace.output() else { return eprintln!("not looked at: no strace") };
    let ended = Ended::from(ended);
    if ended.stderr.starts_with("strace") {
        return eprintln!("not looked at: {}", ended.stderr);
    }
    let figures: serde_json::Value = serde_json::from_str(&ended.stderr).expect("one object");
    assert_eq!(figures["ending"], "the plugin returned", "{figures}");
    assert_eq!(ended.code, Some(0));
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn signals_that_are_ignored_stay_ignored() {
    for name in ["HUP", "INT", "TERM", "QUIT"] {
        let world = World::new();
        // As `nohup` starts a command.
        let run = world.run(&[], &["wait"]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("trap '' {name}; exec \"$@\"")).arg("sh");
        shell.arg(run.get_program()).args(run.get_args());
        let running = Running::until(&mut shell, "waiting");
        running.signal(match name {
            "HUP" => Signal::HUP,
            "INT" => Signal::INT,
            "TERM" => Signal::TERM,
            _ => Signal::QUIT,
        });
        let ended = running.close_input();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{name}");
        world.assert_nothing_left();
    }
}

#[cfg(unix)]
#[test]
fn the_limit_on_processor_time_ends_a_run_as_a_signal_does() {
    let world = World::new();
    let run = world.run(&[], &["spin"]);
    let mut limited = Command::new("prlimit");
    limited.arg("--cpu=2:60").arg(run.get_program()).args(run.get_args());
    if Command::new("prlimit").arg("--version").output().is_err() {
        return eprintln!("not looked at: no prlimit");
    }
    let ended = output(limited.env("XDG_CACHE_HOME", world.path("cache")));
    assert_eq!(ended.code, Some(128 + 24), "{}", ended.stderr);
    world.assert_nothing_left();
}

#[test]
fn a_timeout_that_is_not_reached_changes_nothing() {
    let world = World::new();
    let running = Running::until(&mut world.run(&["--timeout", "1h"], &["wait"]), "waiting");
    let ended = running.close_input();
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.code, Some(0));
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn signals_end_a_plugin_that_computes_or_waits() {
    for (subcommand, line) in [("spin", "spinning"), ("wait", "waiting")] {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
            let world = World::new();
            let running = Running::until(&mut world.run(&[], &[subcommand]), line);
            assert_eq!(world.scratch().len(), 1, "one private directory");
            running.signal(signal);
            let ended = running.end();
            assert_eq!(ended.code, Some(code), "{subcommand}: {}", ended.stderr);
            assert_eq!(ended.stderr, "");
            world.assert_nothing_left();
        }
    }
}

#[cfg(unix)]
#[test]
fn signals_end_a_plugin_that_hangs_in_a_system_call() {
    let world = World::new();
    let running = Running::until(&mut world.run(&[], &["flood"]), "flooding");
    running.signal(Signal::INT);
    // The second one says that it is meant.
    running.signal(Signal::INT);
    assert_eq!(running.end().code, Some(130));
    world.assert_nothing_left();
}

#[test]
fn a_closed_standard_output_ends_the_plugin_and_not_the_host() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().expect("make a pipe");
    drop(reader);
    let ended = output(world.run(&[], &["flood"]).stdout(writer));
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin trapped: wasm `unreachable` instruction executed"]);
    world.assert_nothing_left();
}
