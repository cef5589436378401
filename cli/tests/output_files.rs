//! Files of the user: each is written completely or not at all.
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{Ended, PLUGIN, World, command, output};

/// Each subcommand that writes a file, to this path.
fn writers(world: &World, path: &Path) -> Vec<(&'static str, Command)> {
    let mut demo = command();
    demo.args(["demo", "--root"]).arg(world.root()).arg("-o").arg(path);
    let mut compose = command();
    compose.args(["compose", PLUGIN, "-o"]).arg(path);
    let mut component = command();
    component.args(["component", "-o"]).arg(path);
    vec![("demo", demo), ("compose", compose), ("component", component)]
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("look at it").permissions().mode() & 0o7777
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("list the directory").flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let ended = output(command);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_leaves() {
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let world = World::new();
        let folder = world.directory("folder");
        for (writer, command) in writers(&world, &folder.join("file")) {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("umask {umask}; exec \"$@\"")).arg("sh");
            shell.arg(command.get_program()).args(command.get_args());
            succeeds(shell.env("XDG_CACHE_HOME", world.path("cache")));
            assert_eq!(mode(&folder.join("file")), expected, "{writer}");
            fs::remove_file(folder.join("file")).expect("remove it");
        }
    }
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_its_owner() {
    let world = World::new();
    let folder = world.directory("folder");
    let file = folder.join("file");
    for (writer, mut command) in writers(&world, &file) {
        fs::write(&file, "old").expect("write the old file");
        let owner = if rustix::process::geteuid().is_root() { 12345 } else { 0 };
        if owner != 0 {
            chown(&file, Some(owner), Some(owner)).expect("give it away");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set its mode");
        let old = fs::metadata(&file).expect("look at it");
        succeeds(&mut command);
        let new = fs::metadata(&file).expect("look at it");
        assert_eq!(mode(&file), 0o640, "{writer}");
        assert_eq!((old.uid(), old.gid()), (new.uid(), new.gid()), "{writer}");
        assert_ne!(old.ino(), new.ino(), "{writer}: written in place");
        assert_eq!(names(&folder), ["file"], "{writer}");
    }
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let world = World::new();
    let folder = world.directory("folder");
    let (link, target) = (folder.join("link"), folder.join("target"));
    for old in [true, false] {
        for (writer, mut command) in writers(&world, &link) {
            let _ = (fs::remove_file(&link), fs::remove_file(&target));
            if old {
                fs::write(&target, "old").expect("write the old file");
            }
            symlink("target", &link).expect("make a link");
            succeeds(&mut command);
            assert!(fs::symlink_metadata(&link).expect("look at it").is_symlink(), "{writer}");
            assert!(fs::metadata(&target).expect("look at it").len() > 1000, "{writer}");
            assert_eq!(names(&folder), ["link", "target"], "{writer}");
        }
    }
}

/// The files of a folder are written as a single one is.
#[test]
fn a_link_or_a_mode_in_a_folder_stays() {
    for (arguments, name) in [
        (&["manual", "-o"][..], "wasi-tempfile.1"),
        (&["wit", "--force", "-o"], "deps/scratch-tempfile/tempfile.wit"),
    ] {
        for old in [true, false] {
            let world = World::new();
            let folder = world.directory("folder");
            let link = folder.join(name);
            let target = world.path("target");
            fs::create_dir_all(link.parent().expect("a folder")).expect("make the folder");
            if old {
                fs::write(&target, "old").expect("write the old file");
                fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("set it");
            }
            symlink(&target, &link).expect("make a link");
            let before = old.then(|| fs::metadata(&target).expect("look at it").ino());
            succeeds(command().args(arguments).arg(&folder));
            assert!(fs::symlink_metadata(&link).expect("look at it").is_symlink(), "{name}");
            let new = fs::metadata(&target).expect("look at it");
            assert!(new.len() > 1000, "{name}");
            assert_ne!(before, Some(new.ino()), "{name}: written in place");
            if old {
                assert_eq!(mode(&target), 0o640, "{name}");
            }
            assert_eq!(names(folder.parent().expect("the world")).len(), 3, "a file beside it");
        }
    }
}

#[test]
fn a_device_or_a_pipe_is_written_to() {
    let world = World::new();
    for (writer, mut command) in writers(&world, Path::new("/dev/stdout")) {
        let ended = command.output().expect("start the command");
        assert!(ended.status.success() && ended.stdout.len() > 1000, "{writer}");
    }
}

#[test]
fn a_write_that_fails_on_the_way_leaves_the_old_file_and_nothing_beside_it() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return eprintln!("not looked at: no prlimit");
    }
    let world = World::new();
    let folder = world.directory("folder");
    let file = folder.join("file");
    for (writer, command) in writers(&world, &file) {
        fs::write(&file, "old").expect("write the old file");
        if writer == "demo" {
            // It copies its input to a temporary file too, and the compiler writes to a cache.
            continue;
        }
        let mut limited = Command::new("prlimit");
        limited.arg("--fsize=20000").arg(command.get_program()).args(command.get_args());
        let ended = output(&mut limited);
        assert_eq!(ended.code, Some(3), "{writer}: {}", ended.stderr);
        assert!(ended.stderr.contains("File too large"), "{writer}: {}", ended.stderr);
        assert_eq!(fs::read(&file).expect("read it"), b"old", "{writer}");
        assert_eq!(names(&folder), ["file"], "{writer}");
    }
}

#[test]
fn a_file_that_is_its_own_output_is_whole_whenever_the_demo_is_ended() {
    let world = World::new();
    let folder = world.directory("folder");
    let file = folder.join("file");
    let lines: String = (0..400_000_u32).rev().map(|number| format!("{number:08}\n")).collect();
    let mut sorted: Vec<&str> = lines.lines().collect();
    sorted.sort_unstable();
    let sorted = sorted.join("\n") + "\n";
    fs::write(&file, &lines).expect("write the file");
    let mut demo = command();
    demo.args(["demo", "--root"]).arg(world.root()).arg(&file).arg("-o").arg(&file);
    let child = demo.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start the demo");
    // The new file is beside it while it is written.
    let started = Instant::now();
    while names(&folder).len() < 2 && fs::read(&file).expect("read it").len() == lines.len() {
        if fs::read_to_string(&file).expect("read it") == sorted {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "the demo writes nothing");
    }
    let _ = kill_process(Pid::from_child(&child), Signal::TERM);
    let ended: Ended = child.wait_with_output().expect("wait for the demo").into();
    assert!(matches!(ended.code, Some(0 | 143)), "{:?}: {}", ended.code, ended.stderr);
    let now = fs::read_to_string(&file).expect("read it");
    assert!(now == lines || now == sorted, "{} of {} bytes", now.len(), lines.len());
    assert_eq!(names(&folder), ["file"]);
    world.assert_nothing_left();
}
