//! Scratch roots: what a dead owner leaves is swept, and nothing else is touched, by any number of
//! processes at once.

mod support;

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use support::{Running, World, command, output};

fn sweep(root: &Path, options: &[&str]) -> support::Ended {
    output(command().arg("sweep").args(options).arg(root))
}

/// What a process that was killed leaves: a directory with something in it, and nobody who holds
/// it.
fn orphan(world: &World, name: &str) -> PathBuf {
    let path = world.root().join(name);
    fs::create_dir_all(path.join("deep/er")).expect("make directories");
    fs::write(path.join("deep/file"), "left").expect("write a file");
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
        orphan(&world, &format!("run-{}", letters(number)));
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
    let dead = orphan(&world, "run-aaaabbbbccccdddd");
    let trash = orphan(&world, "trash-aaaabbbbccccdddd");
    let kept = orphan(&world, "kept-aaaabbbbccccdddd");
    let foreign = orphan(&world, "somebody-elses");
    let live = Running::until(&mut world.run(&[], &["wait"]), "waiting");
    // That start has swept.
    assert!(!dead.exists() && !trash.exists());
    let dead = orphan(&world, "run-aaaabbbbccccdddd");
    let trash = orphan(&world, "trash-aaaabbbbccccdddd");
    for dry in [true, true, false] {
        let ended = sweep(&world.root(), if dry { &["--dry-run"] } else { &[] });
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        let said: HashSet<&str> = ended.stdout.lines().collect();
        for (word, path) in
            [("removed", &dead), ("removed", &trash), ("kept", &kept), ("foreign", &foreign)]
        {
            assert!(said.contains(&*format!("{word:8} {}", path.display())), "{said:?}");
        }
        assert_eq!(said.iter().filter(|line| line.starts_with("live")).count(), 1, "{said:?}");
        assert_eq!((dead.exists(), trash.exists()), (dry, dry));
    }
    assert!(kept.join("deep/file").exists() && foreign.join("deep/file").exists());
    live.close_input();
}

#[test]
fn a_sweep_follows_no_link_out_of_the_root() {
    let world = World::new();
    let elsewhere = world.directory("elsewhere");
    fs::write(elsewhere.join("precious"), "").expect("write a file");
    let dead = orphan(&world, "run-aaaabbbbccccdddd");
    symlink(&elsewhere, dead.join("deep/link")).expect("plant a link");
    assert_eq!(sweep(&world.root(), &[]).code, Some(0));
    world.assert_nothing_left();
    assert!(elsewhere.join("precious").exists());
}

#[test]
fn a_root_that_is_not_there_is_not_made_by_a_sweep() {
    let world = World::new();
    let ended = sweep(&world.path("nowhere"), &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(!world.path("nowhere").exists());
    symlink(world.root(), world.path("link")).expect("plant a link");
    assert_eq!(sweep(&world.path("link"), &[]).code, Some(3));
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
            fs::set_permissions(dead.join(closed), fs::Permissions::from_mode(mode))
                .expect("set a mode");
        }
        let mut ordinary = Command::new(&program);
        ordinary.arg("sweep").arg(&root);
        if rustix::process::geteuid().is_root() {
            use std::os::unix::process::CommandExt;
            let given = Command::new("chown").args(["-R", "65534:65534"]).arg(&root).status();
            assert!(given.expect("run chown").success());
            ordinary.uid(65534).gid(65534);
        }
        let ended = output(&mut ordinary);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "mode {mode:03o}");
        assert!(!dead.exists(), "mode {mode:03o}");
    }
    fs::remove_dir_all(place).expect("remove the directory");
    drop(world);
}
