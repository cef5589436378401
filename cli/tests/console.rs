//! Events of the console end a run, as signals do where there are signals.
#![cfg(windows)]

mod support;

use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::Command;

use support::{Ended, Running, World, output};
use wasi_tempfile_host::ScratchRoot;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW};

/// An event that does not come is a failure, and not a test that hangs.
const TIMEOUT: [&str; 2] = ["--timeout", "60s"];

/// Runs a test in a process of its own, with a console of its own: whatever runs the tests may have
/// none, and an event goes to other programs of a console too.
fn with_console(name: &str, test: impl FnOnce()) {
    const MARK: &str = "TEST_HAS_CONSOLE";
    if std::env::var_os(MARK).is_some() {
        // SAFETY: the handler is a function of this program. The second call makes this process
        // heed Ctrl-C, and with it those that it starts, whatever its parent did.
        let heeds = unsafe {
            SetConsoleCtrlHandler(Some(survive), 1) != 0 && SetConsoleCtrlHandler(None, 0) != 0
        };
        assert!(heeds, "receive events: {}", std::io::Error::last_os_error());
        return test();
    }
    let mut again = Command::new(std::env::current_exe().expect("find this program"));
    again.args(["--exact", name, "--nocapture"]).env(MARK, "");
    let ended = output(again.creation_flags(CREATE_NO_WINDOW));
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

/// The handler of events in the process of a test.
unsafe extern "system" fn survive(_: u32) -> i32 {
    1
}

/// How a subcommand of the test plugin ends by Ctrl-C after its first line.
#[track_caller]
fn ended_by_ctrl_c(world: &World, options: &[&str], subcommand: &str, line: &str) -> Ended {
    let options = [&TIMEOUT[..], options].concat();
    let running = Running::until(&mut world.run(&options, &[subcommand]), line);
    assert_eq!(world.scratch().len(), 1, "one private directory");
    // To all programs of the console: those in a group of their own ignore Ctrl-C.
    send(CTRL_C_EVENT, 0);
    running.end()
}

#[track_caller]
fn send(event: u32, group: u32) {
    // SAFETY: it takes two numbers.
    let sent = unsafe { GenerateConsoleCtrlEvent(event, group) };
    assert_ne!(sent, 0, "send an event: {}", std::io::Error::last_os_error());
}

#[test]
fn ctrl_c_ends_a_plugin_that_computes_or_waits() {
    with_console("ctrl_c_ends_a_plugin_that_computes_or_waits", || {
        for (subcommand, line) in [("spin", "spinning"), ("wait", "waiting")] {
            let world = World::new();
            let ended = ended_by_ctrl_c(&world, &[], subcommand, line);
            assert_eq!((ended.code, &*ended.stderr), (Some(130), ""), "{subcommand}");
            world.assert_nothing_left();
        }
    });
}

#[test]
fn ctrl_break_ends_a_plugin() {
    with_console("ctrl_break_ends_a_plugin", || {
        let world = World::new();
        let mut run = world.run(&TIMEOUT, &["spin"]);
        let running = Running::until(run.creation_flags(CREATE_NEW_PROCESS_GROUP), "spinning");
        send(CTRL_BREAK_EVENT, running.id());
        let ended = running.end();
        assert_eq!((ended.code, &*ended.stderr), (Some(143), ""));
        world.assert_nothing_left();
    });
}

#[test]
fn what_a_plugin_that_hangs_in_a_system_call_leaves_after_ctrl_c_is_swept() {
    with_console("what_a_plugin_that_hangs_in_a_system_call_leaves_after_ctrl_c_is_swept", || {
        let world = World::new();
        // Nobody reads after the first line, so the pipe is full soon.
        let ended = ended_by_ctrl_c(&world, &[], "flood", "flooding");
        assert_eq!(ended.code, Some(130), "{}", ended.stderr);
        ScratchRoot::open(world.root()).expect("open the root");
        world.assert_nothing_left();
    });
}

#[test]
fn a_directory_that_is_to_be_kept_stays_after_ctrl_c() {
    with_console("a_directory_that_is_to_be_kept_stays_after_ctrl_c", || {
        for (subcommand, line) in [("spin", "spinning"), ("flood", "flooding")] {
            let world = World::new();
            let ended = ended_by_ctrl_c(&world, &["--keep"], subcommand, line);
            assert_eq!(ended.code, Some(130), "{}", ended.stderr);
            let [kept] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
            let kept = kept.strip_prefix("kept the scratch directory: ").expect("it says where");
            ScratchRoot::open(world.root()).expect("open the root, and sweep it");
            assert_eq!(world.scratch(), [Path::new(kept)], "{subcommand}");
        }
    });
}
