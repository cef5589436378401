//! What other users, and the user, find in a mount of a plugin.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use support::{Ended, Running, World, output};

/// The options of a run that makes its temporary files in a mount.
fn options(world: &World, provider: &str) -> Vec<String> {
    let mount = format!("{}::/data", world.path("mount").display());
    ["--provider", provider, "--mount", &mount, "--env", "TMPDIR=/data"].map(str::to_owned).into()
}

fn run(world: &World, provider: &str, arguments: &[&str]) -> Ended {
    let options = options(world, provider);
    output(&mut world.run(&options.iter().map(String::as_str).collect::<Vec<_>>(), arguments))
}

fn entries(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("list the directory");
    entries.map(|entry| entry.expect("read an entry").path()).collect()
}

const STAYED: &str = "temporary files of the plugin may have stayed in its mounts";

#[test]
fn temporary_files_in_a_mount_are_private_with_either_provider() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    for provider in ["host", "component"] {
        let world = World::new();
        let mount = world.directory("mount");
        let options = options(&world, provider);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let running = Running::until(&mut world.run(&options, &["wait"]), "waiting");
        let made = entries(&mount);
        assert_eq!(made.len(), 2, "{made:?}");
        for path in made {
            let mode = fs::metadata(&path).expect("look at it").permissions().mode() & 0o777;
            let private = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, private, "{provider}: {}", path.display());
        }
        let ended = running.close_input();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
        assert_eq!(entries(&mount), Vec::<PathBuf>::new(), "{provider}");
    }
}

#[test]
fn the_host_provider_removes_from_a_mount_after_a_trap() {
    let world = World::new();
    let mount = world.directory("mount");
    let ended = run(&world, "host", &["trap"]);
    assert_eq!(ended.complaints().len(), 1, "{}", ended.stderr);
    assert_eq!(entries(&mount), Vec::<PathBuf>::new());
}

#[test]
fn what_may_have_stayed_in_a_mount_is_said() {
    let world = World::new();
    let mount = world.directory("mount");
    let ended = run(&world, "component", &["trap"]);
    let [stayed, trap] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert_eq!(stayed, STAYED);
    assert!(trap.starts_with("the plugin trapped"), "{trap}");
    assert_eq!(entries(&mount).len(), 2, "WASI gives the host no way to know which");
    // No destructor runs here either.
    let ended = run(&world, "component", &["exit", "0"]);
    assert_eq!((ended.code, ended.complaints()), (Some(0), vec![STAYED]));
    assert_eq!(entries(&mount).len(), 4);
}

#[test]
fn nothing_is_said_of_a_mount_after_a_return() {
    let world = World::new();
    let mount = world.directory("mount");
    let ended = run(&world, "component", &["ok"]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert_eq!(entries(&mount), Vec::<PathBuf>::new());
}

#[test]
fn nothing_is_said_of_a_mount_that_the_plugin_cannot_write_to() {
    let world = World::new();
    let mount = format!("{}::/data:ro", world.directory("mount").display());
    let ended = output(&mut world.run(&["--provider", "component", "--mount", &mount], &["trap"]));
    assert_eq!(ended.complaints().len(), 1, "{}", ended.stderr);
}
