//! `run --provider host`: what a plugin gets that the host itself serves.

mod support;

#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;

#[cfg(unix)]
use support::Running;
use support::{World, output};

const HOST: [&str; 2] = ["--provider", "host"];

#[test]
fn the_same_plugin_runs_with_either_provider() {
    let world = World::new();
    for provider in ["component", "host"] {
        let ended = output(&mut world.run(&["--provider", provider], &["ok"]));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
    }
    world.assert_nothing_left();
}

#[test]
fn the_standard_library_finds_no_scratch_directory_of_a_limited_run() {
    let world = World::new();
    let limited = [&HOST[..], &["--bytes", "1M"]].concat();
    let seen = output(&mut world.run(&limited, &["see"]));
    assert!(seen.stdout.starts_with("interface: /tmp/"), "{}", seen.stdout);
    assert!(seen.stdout.ends_with("standard library: blind\n"), "{}", seen.stdout);
    let data = world.directory("data");
    let mount = format!("{}::/data", data.display());
    let listed = output(
        &mut world
            .run(&[&limited[..], &["--mount", &mount]].concat(), &["list", "/data", "/tmp", "/"]),
    );
    assert_eq!(listed.stdout, "/data: []\n/tmp: blind\n/: blind\n", "{}", listed.stderr);
}

#[cfg(unix)]
#[test]
fn files_are_the_owners_alone_whatever_the_umask() {
    let world = World::new();
    let mut waiting = std::process::Command::new("sh");
    let command = "umask 000; exec \"$0\" run --root \"$1\" --provider host \"$2\" wait";
    waiting
        .args(["-c", command, env!("CARGO_BIN_EXE_wasi-tempfile")])
        .arg(world.root())
        .arg(support::PLUGIN);
    let running = Running::until(&mut waiting, "waiting");
    let [scratch] = &world.scratch()[..] else { panic!("one directory: {:?}", world.scratch()) };
    let mode = |path: &std::path::Path| {
        fs::metadata(path).expect("look at it").permissions().mode() & 0o7777
    };
    // With the mark of a scratch directory, the sticky bit.
    assert_eq!(mode(scratch), 0o1700);
    let modes =
        fs::read_dir(scratch).expect("list it").map(|entry| mode(&entry.expect("an entry").path()));
    let mut modes: Vec<u32> = modes.collect();
    modes.sort_unstable();
    assert_eq!(modes, [0o600, 0o700]);
    assert_eq!(running.close_input().code, Some(0));
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn a_file_is_persisted_to_a_mount_and_to_no_other_place() {
    let world = World::new();
    let (data, closed) = (world.directory("data"), world.directory("closed"));
    let mounts =
        [format!("{}::/data", data.display()), format!("{}::/data/closed:ro", closed.display())];
    let options = [&HOST[..], &["--mount", &mounts[0], "--mount", &mounts[1]]].concat();
    let persist = |target: &str| output(&mut world.run(&options, &["persist", target])).stdout;
    assert_eq!(persist("/data/found"), "ok\n");
    assert_eq!(fs::read_to_string(data.join("found")).expect("read it"), "persisted");
    assert_eq!(persist("/data/closed/x"), "access\n");
    assert_eq!(persist("/data/../x"), "invalid-name\n");
    assert_eq!(persist("/elsewhere/x"), "no-entry\n");
    assert_eq!(persist(&format!("{}/x", data.display())), "no-entry\n", "a path of the host's");
    std::os::unix::fs::symlink("/", data.join("way-out")).expect("plant a link");
    assert_eq!(persist("/data/way-out/x"), "not-directory\n");
    assert_eq!(fs::read_dir(&closed).expect("list it").count(), 0);
    world.assert_nothing_left();
}
