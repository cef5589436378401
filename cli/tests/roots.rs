//! Scratch roots: what a dead owner leaves is swept, and nothing else is touched, by any number of
//! processes at once.
#![cfg(unix)]

mod support;

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::{Mount, Running, World, command, command_of, output};

fn sweep(root: &Path, options: &[&str]) -> support::Ended {
    output(command().arg("sweep").args(options).arg(root))
}

/// A directory of the user's with content, in the root.
fn foreign(world: &World, name: &str) -> PathBuf {
    let path = world.root().join(name);
    fs::create_dir(&path).expect("make a directory");
    fs::write(path.join("thesis.csv"), "valuable").expect("write a file");
    path
}

#[test]
fn directories_of_killed_processes_are_swept_and_live_ones_are_not() {
    let world = World::new();
    for round in 0..2 {
        let provider = ["component", "host"][round % 2];
        let mut runs: Vec<Running> = (0..4)
            .map(|_| {
                Running::until(&mut world.run(&["--provider", provider], &["wait"]), "waiting")
            })
            .collect();
        let before: HashSet<PathBuf> = world.scratch().into_iter().collect();
        assert_eq!(before.len(), 4, "{before:?}");
        for killed in runs.drain(..2) {
            killed.signal(Signal::KILL);
            assert_eq!(killed.end().code, None);
        }
        // The next start sweeps.
        let next = output(&mut world.run(&[], &["ok"]));
        assert_eq!((next.code, &*next.stderr), (Some(0), ""));
        let after: HashSet<PathBuf> = world.scratch().into_iter().collect();
        assert_eq!(after.len(), 2, "{after:?}");
        assert!(after.is_subset(&before));
        for live in runs {
            assert_eq!(live.close_input().code, Some(0), "it was left alone");
        }
        world.assert_nothing_left();
    }
}

#[test]
fn sweepers_in_other_processes_share_a_root() {
    let world = World::new();
    for number in 0..64 {
        world.orphan(&letters(number));
    }
    let live = Running::until(&mut world.run(&[], &["wait"]), "waiting");
    let sweepers: Vec<_> = (0..4)
        .map(|_| {
            let mut sweeper = command();
            sweeper.arg("sweep").arg(world.root()).stdout(Stdio::piped()).stderr(Stdio::piped());
            sweeper.spawn().expect("start a sweep")
        })
        .collect();
    for sweeper in sweepers {
        let ended: support::Ended = sweeper.wait_with_output().expect("wait").into();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    }
    assert_eq!(world.scratch().len(), 1, "the live one: {:?}", world.scratch());
    assert_eq!(live.close_input().code, Some(0));
    world.assert_nothing_left();
}

/// Sixteen letters, as a name of ours has them.
fn letters(number: usize) -> String {
    "a".repeat(14)
        + &*[number / 26, number % 26]
            .map(|digit| char::from(b'a' + digit as u8))
            .iter()
            .collect::<String>()
}

#[test]
fn a_dry_run_says_what_a_sweep_would_do() {
    let world = World::new();
    let kept = foreign(&world, "kept-aaaabbbbccccdddd");
    let foreign = foreign(&world, "somebody-elses");
    let live = Running::until(&mut world.run(&[], &["wait"]), "waiting");
    let dead = world.orphan("aaaabbbbccccdddd");
    for dry in [true, true, false] {
        let ended = sweep(&world.root(), if dry { &["--dry-run"] } else { &[] });
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        let said: HashSet<&str> = ended.stdout.lines().collect();
        for (word, path) in [("removed", &dead), ("kept", &kept), ("foreign", &foreign)] {
            assert!(said.contains(&*format!("{word:8} {}", path.display())), "{said:?}");
        }
        assert_eq!(said.iter().filter(|line| line.starts_with("live")).count(), 1, "{said:?}");
        assert_eq!(dead.exists(), dry);
    }
    assert!(kept.join("thesis.csv").exists() && foreign.join("thesis.csv").exists());
    live.close_input();
}

#[test]
fn a_directory_without_the_mark_is_not_swept() {
    let world = World::new();
    // Every one with a name of ours: made by hand, opened to others, left before there were marks.
    let unmarked: Vec<PathBuf> = [0o700, 0o755, 0o1777, 0o1701, 0o1710, 0o500, 0o000]
        .into_iter()
        .enumerate()
        .map(|(number, mode)| {
            let path = foreign(&world, &format!("run-{}", letters(number)));
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set a mode");
            path
        })
        .chain([foreign(&world, "run-characterization"), foreign(&world, "trash-aaaabbbbccccdddd")])
        .collect();
    let modes = || -> Vec<u32> {
        unmarked
            .iter()
            .map(|path| path.metadata().expect("it is there").permissions().mode())
            .collect()
    };
    let before = modes();
    output(&mut world.run(&[], &["ok"]));
    let ended = sweep(&world.root(), &[]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    for path in &unmarked {
        assert!(
            ended.stdout.contains(&format!("foreign  {}\n", path.display())),
            "{}",
            ended.stdout
        );
    }
    assert_eq!(modes(), before);
    for path in unmarked {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("set a mode");
        assert!(path.join("thesis.csv").exists(), "{}", path.display());
    }
}

#[test]
fn a_directory_of_another_user_is_not_changed() {
    if !rustix::process::geteuid().is_root() {
        return println!("skipped: only the superuser can give a directory away");
    }
    let world = World::new();
    let path = world.orphan("aaaabbbbccccdddd");
    for mode in [0o2555, 0o1700, 0o1500] {
        std::os::unix::fs::chown(&path, Some(65534), None).expect("give it away");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set a mode");
        let ended = sweep(&world.root(), &[]);
        assert_eq!(ended.stdout, format!("foreign  {}\n", path.display()));
        assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o7777, mode);
    }
}

#[test]
fn a_mount_point_in_an_orphan_is_reported_and_nothing_behind_it_is_touched() {
    let world = World::new();
    let precious = world.directory("precious");
    fs::write(precious.join("thesis"), "valuable").expect("write a file");
    let dead = world.orphan("aaaabbbbccccdddd");
    let mounted = dead.join("deep/er");
    let Some(mount) = Mount::bind(&precious, &mounted) else { return };
    let busy = format!("remove \"{}\": in use (busy)", mounted.display());
    for options in [&["--dry-run"][..], &[]] {
        let ended = sweep(&world.root(), options);
        assert_eq!((ended.code, &*ended.stdout), (Some(3), ""));
        assert_eq!(ended.complaints(), [&*busy], "{options:?}");
    }
    // A run goes on, and says it.
    let ended = output(&mut world.run(&[], &["ok"]));
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.complaints(), [format!("left by an earlier run: {busy}")]);
    assert_eq!(fs::read(precious.join("thesis")).expect("it is there"), b"valuable");
    assert!(!dead.join("deep/file").exists(), "the rest is removed");
    drop(mount);
    assert_eq!(sweep(&world.root(), &[]).code, Some(0));
    world.assert_nothing_left();
}

#[test]
fn a_mount_point_in_the_directory_of_a_run_is_reported_at_its_end() {
    for (provider, signal) in [("component", None), ("host", None), ("host", Some(Signal::TERM))] {
        let world = World::new();
        let precious = world.directory("precious");
        fs::write(precious.join("thesis"), "valuable").expect("write a file");
        let run = Running::until(&mut world.run(&["--provider", provider], &["wait"]), "waiting");
        let [scratch] = &world.scratch()[..] else { panic!("{:?}", world.scratch()) };
        let mounted = scratch.join("mounted");
        fs::create_dir(&mounted).expect("make a directory");
        let Some(mount) = Mount::bind(&precious, &mounted) else { return };
        let ended = match signal {
            Some(signal) => {
                run.signal(signal);
                run.end()
            }
            None => run.close_input(),
        };
        assert_eq!(ended.code, Some(if signal.is_some() { 143 } else { 3 }), "{}", ended.stderr);
        let busy = format!("remove \"{}\": in use (busy)", mounted.display());
        assert_eq!(ended.complaints(), [busy], "{provider}, {signal:?}");
        assert_eq!(fs::read(precious.join("thesis")).expect("it is there"), b"valuable");
        drop(mount);
        assert_eq!(sweep(&world.root(), &[]).code, Some(0));
        world.assert_nothing_left();
    }
}

#[test]
fn a_sweep_follows_no_link_out_of_the_root() {
    let world = World::new();
    let elsewhere = world.directory("elsewhere");
    fs::write(elsewhere.join("precious"), "").expect("write a file");
    let dead = world.orphan("aaaabbbbccccdddd");
    symlink(&elsewhere, dead.join("deep/link")).expect("plant a link");
    assert_eq!(sweep(&world.root(), &[]).code, Some(0));
    world.assert_nothing_left();
    assert!(elsewhere.join("precious").exists());
}

/// What docs/semantics.md says to do for a composed plugin on another host. Here this command is
/// that host, and the directory is only a mount to it.
#[test]
fn what_another_host_left_in_a_directory_with_mark_and_lock_is_swept() {
    if Command::new("flock").arg("--version").output().is_err() {
        return println!("skipped: there is no flock");
    }
    let world = World::new();
    let root = world.directory("root-of-another");
    world.set_mode("root-of-another", 0o700);
    let directory = root.join("run-aaaabbbbccccdddd");
    let made = Command::new("mkdir").args(["-m", "1700"]).arg(&directory).status();
    assert!(made.expect("run mkdir").success());
    let whole = world.path("whole.wasm");
    let composed = output(command().arg("compose").arg(support::PLUGIN).arg("-o").arg(&whole));
    assert_eq!((composed.code, &*composed.stderr), (Some(0), ""));

    let mount = format!("{}::/granted", directory.display());
    let mut locked = command_of("flock");
    locked.args(["--nonblock", "--no-fork"]).arg(&directory);
    locked.arg(env!("CARGO_BIN_EXE_wasi-tempfile")).args(["run", "--mount", &mount]);
    locked.args(["--env", "TMPDIR=/granted", "--root"]).arg(world.root()).arg(&whole).arg("wait");
    let host = Running::until(&mut locked, "waiting");
    let live = format!("live     {}\n", directory.display());
    assert_eq!(sweep(&root, &[]).stdout, live);
    host.signal(Signal::KILL);
    host.end();
    let left = fs::read_dir(&directory).expect("it is still there").count();
    assert_eq!(left, 2, "the plugin's file and its directory");
    assert_eq!(sweep(&root, &[]).stdout, live.replace("live   ", "removed"));
    assert_eq!(fs::read_dir(&root).expect("list the root").count(), 0);
}

#[test]
fn a_root_that_is_not_there_is_not_made_by_a_sweep() {
    let world = World::new();
    let ended = sweep(&world.path("nowhere"), &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(!world.path("nowhere").exists());
}

#[test]
fn a_link_to_a_root_is_refused_in_every_spelling() {
    let world = World::new();
    let dead = world.orphan("aaaabbbbccccdddd");
    world.directory("other");
    symlink(world.root(), world.path("link")).expect("plant a link");
    for spelling in [
        "link",
        "link/",
        "link//",
        "link/.",
        "link/./",
        "./link/",
        "other/../link/",
        "link/run-aaaabbbbccccdddd/..",
        "link/run-aaaabbbbccccdddd/../",
        "link/run-aaaabbbbccccdddd/../.",
        "link/run-aaaabbbbccccdddd/deep/../..",
    ] {
        let ended = sweep(&world.path("").join(spelling), &[]);
        assert_eq!((ended.code, &*ended.stdout), (Some(3), ""), "{spelling}");
        let mut relative = command();
        let ended = output(relative.current_dir(world.path("")).args(["sweep", spelling]));
        assert_eq!((ended.code, &*ended.stdout), (Some(3), ""), "{spelling}");
        let mut run = command();
        run.arg("run").arg("--root").arg(world.path("").join(spelling)).arg(support::PLUGIN);
        assert_eq!(output(run.arg("ok")).code, Some(3), "{spelling}");
        assert!(dead.exists(), "{spelling}");
    }
    for spelling in ["root/", "root/.", "./root", "other/../root"] {
        world.orphan("aaaabbbbccccdddd");
        assert_eq!(sweep(&world.path("").join(spelling), &[]).code, Some(0), "{spelling}");
        assert!(!dead.exists(), "{spelling}");
    }
}

#[test]
fn messages_about_roots_name_the_root_and_the_reason() {
    let world = World::new();
    let file = world.file("file", "");
    let missing = world.path("missing");
    for (root, message) in [
        (&file, format!("{} cannot be a scratch root: it is not a directory", file.display())),
        (
            &missing,
            format!(
                "cannot examine the scratch root {}: No such file or directory (os error 2)",
                missing.display()
            ),
        ),
    ] {
        assert_eq!(sweep(root, &[]).complaints(), [message]);
    }
}

/// A file system without locks, as some of a network are.
#[test]
fn a_root_without_locks_is_refused_before_a_plugin_is_loaded() {
    let world = World::new();
    let mut run = Command::new("strace");
    run.args(["-f", "-qq", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK", "-o"]);
    run.arg(world.path("trace")).arg(env!("CARGO_BIN_EXE_wasi-tempfile"));
    // It would not load.
    run.args(["run", "--root"]).arg(world.root()).arg(world.file("plugin", "not wasm"));
    let ended = match run.output() {
        Ok(ended) => support::Ended::from(ended),
        Err(error) => return println!("skipped: strace: {error}"),
    };
    assert_eq!(ended.code, Some(3));
    let [complaint] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
    assert!(complaint.contains("its file system has no locks (flock)"), "{complaint}");
}

#[test]
fn a_kept_directory_stays_where_the_run_says() {
    let world = World::new();
    for provider in ["component", "host"] {
        let ended = output(&mut world.run(&["--keep", "--provider", provider], &["keep"]));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let [kept] = ended.complaints()[..] else { panic!("{}", ended.stderr) };
        let kept =
            Path::new(kept.strip_prefix("kept the scratch directory: ").expect("it says where"));
        let file = kept.join(Path::new(ended.stdout.trim()).file_name().expect("a name"));
        assert_eq!(fs::read_to_string(&file).expect("the plugin kept it"), "kept");
        assert_eq!(sweep(&world.root(), &[]).code, Some(0));
        output(&mut world.run(&[], &["ok"]));
        assert!(file.exists(), "later sweeps and runs leave it");
        fs::remove_dir_all(kept).expect("it is the caller's now");
    }
    world.assert_nothing_left();
}

#[test]
fn statistics_are_text_or_json() {
    let world = World::new();
    let text = output(&mut world.run(&["--stats", "--provider", "host"], &["ok"])).stderr;
    assert!(text.lines().any(|line| line.trim() == "ending  \"the plugin returned\""), "{text}");
    let json = output(&mut world.run(&["--stats=json", "--provider", "host"], &["ok"])).stderr;
    let figures: serde_json::Value = serde_json::from_str(&json).expect("one object");
    assert_eq!(figures["peak-files"], 2, "{figures}");
    assert_eq!(figures["kept"], 1, "{figures}");
    assert!(figures["memory"].as_u64().is_some_and(|bytes| bytes > 1 << 16), "{figures}");
}

#[test]
fn unreadable_directories_of_an_ordinary_user_are_swept() {
    let world = World::new();
    // The build directory may be out of an ordinary user's reach.
    let place = std::env::temp_dir().join(format!("roots-{}", std::process::id()));
    let root = place.join("root");
    let dead = root.join("run-aaaabbbbccccdddd");
    fs::create_dir(&place).expect("make a directory");
    let program = place.join("wasi-tempfile");
    fs::copy(env!("CARGO_BIN_EXE_wasi-tempfile"), &program).expect("copy the command");
    for mode in [0o000, 0o100, 0o200, 0o400, 0o500, 0o600] {
        fs::create_dir_all(dead.join("closed/deep/er")).expect("make directories");
        fs::write(dead.join("closed/deep/file"), "").expect("write a file");
        fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).expect("set a mode");
        for closed in ["closed/deep", "closed", ""] {
            // The sticky bit is the mark.
            let mode = if closed.is_empty() { 0o1000 | mode } else { mode };
            fs::set_permissions(dead.join(closed), fs::Permissions::from_mode(mode))
                .expect("set a mode");
        }
        if rustix::process::geteuid().is_root() {
            let given = Command::new("chown").args(["-R", "65534:65534"]).arg(&root).status();
            assert!(given.expect("run chown").success());
        }
        for options in [&["--dry-run"][..], &[]] {
            let mut ordinary = Command::new(&program);
            ordinary.arg("sweep").args(options).arg(&root);
            if rustix::process::geteuid().is_root() {
                use std::os::unix::process::CommandExt;
                ordinary.uid(65534).gid(65534);
            }
            let ended = output(&mut ordinary);
            assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "mode {mode:03o}");
            assert_eq!(ended.stdout, format!("removed  {}\n", dead.display()), "mode {mode:03o}");
        }
        assert!(!dead.exists(), "mode {mode:03o}");
    }
    fs::remove_dir_all(place).expect("remove the directory");
    drop(world);
}
