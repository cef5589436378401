//! What a plugin can see of the host: what it was granted, and its own scratch directory unless the
//! run has limits on it.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;

use support::{PLUGIN, Running, World, output};

const PROVIDERS: [&str; 2] = ["component", "host"];

/// A plugin that makes a file and looks for it through its standard library.
#[track_caller]
fn seen(provider: &str, options: &[&str]) -> String {
    let world = World::new();
    let ended = output(&mut world.run(&[&["--provider", provider], options].concat(), &["see"]));
    assert_eq!(ended.stderr, "");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let [interface, standard] = lines[..] else { panic!("{}", ended.stdout) };
    assert!(interface.starts_with("interface: /tmp/"), "{interface}");
    standard.to_owned()
}

#[test]
fn the_standard_library_sees_the_scratch_directory_of_its_own_run() {
    for provider in PROVIDERS {
        assert_eq!(seen(provider, &[]), "standard library: sees it", "{provider}");
        assert_eq!(
            seen(provider, &["--handles", "100"]),
            "standard library: sees it",
            "{provider}"
        );
    }
}

#[test]
fn limits_that_the_standard_library_would_get_round_hide_the_scratch_directory() {
    for provider in PROVIDERS {
        for limit in ["--bytes", "--entries", "--file-size"] {
            assert_eq!(
                seen(provider, &[limit, "1000"]),
                "standard library: blind",
                "{provider} {limit}"
            );
        }
    }
}

/// Starts a tenant, and returns it with the path of the file in which it hides `canary`.
fn tenant(world: &World, provider: &str, canary: &str) -> (std::process::Child, String) {
    let mut child = world
        .run(&["--provider", provider], &["tenant", canary])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the command");
    let mut said = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    let mut path = String::new();
    loop {
        let mut line = String::new();
        assert!(said.read_line(&mut line).expect("read a line") > 0, "it is not ready yet");
        match line.trim_end().split_once(' ') {
            Some(("here", at)) if path.is_empty() => path = at.to_owned(),
            _ if line == "ready\n" => break,
            _ => {}
        }
    }
    child.stdout = Some(said.into_inner());
    (child, path)
}

/// Asks a tenant to open these paths in every way it knows, and returns all that it answers.
fn ask(mut tenant: std::process::Child, paths: &[&str]) -> String {
    let mut input = tenant.stdin.take().expect("standard input is a pipe");
    for path in paths {
        writeln!(input, "tell {path}").expect("ask the tenant");
    }
    drop(input);
    let ended = tenant.wait_with_output().expect("wait for the tenant");
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

#[test]
fn two_runs_at_once_see_their_own_scratch_directory_and_no_other() {
    for provider in PROVIDERS {
        let world = World::new();
        let (first, path_of_first) = tenant(&world, provider, "canary of the first");
        let (second, path_of_second) = tenant(&world, provider, "canary of the second");
        // The listing first: a tenant that tries the path of another persists a file of its own
        // there.
        let first = ask(first, &["/tmp", "/tmp/..", "/tmp/../tmp", &path_of_second]);
        let second = ask(second, &["/tmp", "/tmp/..", "/tmp/../tmp", &path_of_first]);
        // The error messages repeat the path that was asked for; a listing does not.
        let lists = |said: &str, path: &str| {
            said.lines().any(|line| line.starts_with("list: [") && line.contains(path))
        };
        assert!(lists(&first, &path_of_first), "{provider}: {first}");
        assert!(lists(&second, &path_of_second), "{provider}: {second}");
        assert!(!lists(&first, &path_of_second), "{provider}: {first}");
        assert!(!lists(&second, &path_of_first), "{provider}: {second}");
        assert!(!first.contains("canary of the second"), "{provider}: {first}");
        assert!(!second.contains("canary of the first"), "{provider}: {second}");
        assert!(first.ends_with("whole\n") && second.ends_with("whole\n"), "{first}{second}");
        world.assert_nothing_left();
    }
}

#[test]
fn a_hidden_scratch_directory_cannot_be_listed_under_any_name() {
    let world = World::new();
    let names = ["/tmp", "/", ".", "", "tmp", "/tmp/", "/tmp/.", "/data/../tmp"];
    for provider in PROVIDERS {
        let options = ["--provider", provider, "--bytes", "1M"];
        let ended = output(&mut world.run(&options, &[&["list"][..], &names].concat()));
        let blind: String = names.iter().map(|name| format!("{name}: blind\n")).collect();
        assert_eq!(ended.stdout, blind, "{provider}");
    }
}

#[test]
fn a_mount_is_seen_beside_the_hidden_scratch_directory() {
    let world = World::new();
    let data = world.directory("data");
    fs::write(data.join("greeting"), "hello").expect("write a file");
    let mount = format!("{}::/data", data.display());
    let other = format!("{}::/other", data.display());
    let options = ["--bytes", "1M", "--mount", &mount, "--mount", &other];

    let listed = output(&mut world.run(&options, &["list", "/data", "/other", "/tmp", "/"]));
    assert_eq!(listed.stdout, "/data: [greeting]\n/other: [greeting]\n/tmp: blind\n/: blind\n");
    let seen = output(&mut world.run(&options, &["see"]));
    assert!(seen.stdout.ends_with("standard library: blind\n"), "{}", seen.stdout);
    let written = output(&mut world.run(&options, &["write", "/data/new"]));
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    assert_eq!(fs::read_to_string(data.join("new")).expect("read it"), "written by the plugin");
}

#[test]
fn a_mount_of_everything_does_not_show_the_scratch_directory() {
    let world = World::new();
    let data = world.directory("data");
    let mount = format!("{}::/", data.display());
    let ended =
        output(&mut world.run(&["--mount", &mount, "--bytes", "1M"], &["list", "/", "/tmp"]));
    assert_eq!(ended.stdout, "/: []\n/tmp: blind\n", "{}", ended.stderr);
}

#[test]
fn a_read_only_mount_cannot_be_written_to() {
    let world = World::new();
    let data = world.directory("data");
    let mount = format!("{}::/data:ro", data.display());
    let written = output(&mut world.run(&["--mount", &mount], &["write", "/data/new"]));
    assert_eq!(written.code, Some(1));
    assert!(!data.join("new").exists());
}

#[test]
fn a_mount_does_not_reach_its_neighbours() {
    let world = World::new();
    let data = world.directory("data");
    world.file("secret", "secret");
    std::os::unix::fs::symlink("../secret", data.join("link")).expect("make a link");
    let mount = format!("{}::/data", data.display());
    for path in ["/data/../secret", "/data/link", "/data/./../secret"] {
        let read = output(&mut world.run(&["--mount", &mount], &["read", path]));
        assert_eq!((read.code, &*read.stdout), (Some(1), ""), "{path}");
    }
}

#[test]
fn the_environment_is_what_is_granted() {
    let world = World::new();
    let ended =
        output(world.run(&["--env", "A=1", "--env", "B=x=y"], &["env"]).env("SECRET", "secret"));
    assert_eq!(ended.stdout, "A=1\nB=x=y\n");
}

#[test]
fn arguments_are_the_plugins_even_when_they_look_like_options() {
    let world = World::new();
    let ended = output(&mut world.run(&[], &["args", "--root", "-x", "--", "--memory"]));
    let after_name: Vec<&str> = ended.stdout.lines().skip(1).collect();
    assert_eq!(after_name, ["args", "--root", "-x", "--", "--memory"]);
}

#[test]
fn two_dashes_end_the_options_of_the_command() {
    let world = World::new();
    let ended = output(&mut world.run(&[], &["--", "--keep", "--", "x"]));
    assert_eq!((ended.code, &*ended.stderr), (Some(1), "no such subcommand: --keep\n"));
    // Before the first plain argument they are the command's.
    let ended = output(&mut world.run(&[], &["--keep", "args", "--", "--keep"]));
    assert_eq!(ended.code, Some(0));
    let [line] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(line.starts_with("kept the scratch directory: "), "{line}");
    let after_name: Vec<&str> = ended.stdout.lines().skip(1).collect();
    assert_eq!(after_name, ["args", "--", "--keep"]);
}

#[test]
fn no_path_of_the_host_is_told_to_a_plugin() {
    let world = World::new();
    let data = world.directory("data");
    let mount = format!("{}::/data", data.display());
    let plugin = Path::new(PLUGIN).parent().expect("the plugin is in a directory");
    let root = world.root();
    let secrets = [&*root, &*data, plugin];
    let secrets = secrets.map(|path| path.to_str().expect("the test's path is text"));
    for arguments in [
        &["env"][..],
        &["args"],
        &["see"],
        &["list", "/tmp"],
        &["read", "/data/nothing"],
        &["panic"],
    ] {
        let ended = output(&mut world.run(&["--mount", &mount], arguments));
        for secret in secrets {
            assert!(!ended.stdout.contains(secret), "{arguments:?}: {}", ended.stdout);
            assert!(!ended.stderr.contains(secret), "{arguments:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn the_scratch_directory_is_private_and_its_name_is_new_every_time() {
    let world = World::new();
    let mut names = Vec::new();
    for umask in ["000", "022", "077"] {
        let mut shell = std::process::Command::new("sh");
        let run = world.run(&[], &["wait"]);
        shell.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\""));
        shell.arg(run.get_program()).args(run.get_args());
        let running = Running::until(&mut shell, "waiting");
        let [directory] = &world.scratch()[..] else { panic!("one private directory") };
        let metadata = fs::symlink_metadata(directory).expect("look at it");
        assert!(metadata.is_dir());
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o1700, "under umask {umask}");
        assert_eq!(metadata.uid(), rustix::process::geteuid().as_raw());
        names.push(directory.clone());
        assert_eq!(running.close_input().code, Some(0), "under umask {umask}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
    world.assert_nothing_left();
}

#[test]
fn a_missing_root_is_made_private() {
    let world = World::new();
    fs::remove_dir(world.root()).expect("remove the root");
    let ended = output(&mut world.run(&[], &["ok"]));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let mode = fs::metadata(world.root()).expect("look at it").permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

#[test]
fn what_else_lies_in_the_root_is_left_alone() {
    let world = World::new();
    fs::write(world.root().join("foreign"), "mine").expect("write a file");
    let ended = output(&mut world.run(&[], &["trap"]));
    assert_eq!(ended.code, Some(1));
    assert_eq!(world.scratch(), [world.root().join("foreign")]);
}
