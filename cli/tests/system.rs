//! What the system sees of a run: which files it touches, and what happens when the disk is full.
//! These need tools or rights that a machine may not have; a test that can't look says so on
//! standard error and shows nothing.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Mount, World, output};

/// The paths, by absolute name or below the directory of a descriptor, that a system call may
/// change.
fn changed_paths(log: &str) -> Vec<String> {
    let changes = |line: &str| {
        let opens = line.contains("open")
            && ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TMPFILE"]
                .iter()
                .any(|flag| line.contains(flag));
        opens
            || ["mkdir", "unlink", "rmdir", "rename", "link", "mknod", "truncate("]
                .iter()
                .any(|call| line.contains(call))
    };
    let lines = log.lines().filter(|line| changes(line) && !line.contains("resumed>"));
    lines.filter_map(path_of).collect()
}

/// With `-y`, strace writes a descriptor as `7</its/path>`; a name follows in quotes.
fn path_of(line: &str) -> Option<String> {
    let (_, arguments) = line.split_once('(')?;
    let (_, quoted) = arguments.split_once('"')?;
    let (name, _) = quoted.split_once('"')?;
    if name.starts_with('/') {
        return Some(name.to_owned());
    }
    let (_, directory) = arguments.split_once('<')?;
    let (directory, _) = directory.split_once('>')?;
    Some(format!("{directory}/{name}"))
}

#[test]
fn no_file_is_changed_outside_the_scratch_root() {
    let world = World::new();
    let log = world.path("log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=%file,openat2", "-o"]).arg(&log);
    let run = world.run(&["--no-cache"], &["ok"]);
    strace.arg(run.get_program()).args(run.get_args()).stdin(Stdio::null());
    match strace.output() {
        Ok(traced) if traced.status.success() => {}
        Ok(traced) => {
            return eprintln!("not looked at: {}", String::from_utf8_lossy(&traced.stderr));
        }
        Err(error) => return eprintln!("not looked at: strace: {error}"),
    }
    let paths = changed_paths(&fs::read_to_string(log).expect("read the log"));
    let root = world.root();
    let inside = |path: &&String| Path::new(path).starts_with(&root);
    assert!(
        paths.iter().filter(inside).count() >= 8,
        "the plugin makes and removes files: {paths:?}"
    );
    // What a process does before its `main`, and what is nobody's file.
    let harmless = |path: &&String| path.starts_with("/dev/") || path.starts_with("/proc/");
    let outside: Vec<_> = paths.iter().filter(|path| !inside(path) && !harmless(path)).collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn a_full_disk_ends_the_demo_with_one_line_and_leaves_nothing() {
    let world = World::new();
    // The file system is mounted for this one command, and gone with it.
    let script = "mount -t tmpfs -o size=256k,mode=700 scratch \"$1\" || exit 77
        \"$2\" demo --root \"$1\"; code=$?
        [ -z \"$(ls -A \"$1\")\" ] || echo 'wasi-tempfile: left something' >&2
        exit $code";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(world.root());
    command.arg(env!("CARGO_BIN_EXE_wasi-tempfile")).stdin(Stdio::null());
    if Command::new("unshare").arg("--version").output().is_err() {
        return eprintln!("not looked at: there is no unshare");
    }
    let ended = output(&mut command);
    if ended.code == Some(77) || ended.stderr.starts_with("unshare:") {
        return eprintln!("not looked at: {}", ended.stderr);
    }
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    // The plugin's own line, by the interface's code; the host has nothing to add, and nothing was
    // left.
    let lines: Vec<&str> = ended.stderr.lines().filter(|line| !line.is_empty()).collect();
    assert!(matches!(lines[..], [line] if line.ends_with("(no-space)")), "{lines:?}");
}

#[test]
fn a_mount_does_not_stand_in_for_a_full_scratch_root() {
    for provider in ["host", "component"] {
        let world = World::new();
        let data = world.directory("data");
        let Some(_mount) = Mount::in_memory_of(&world.root(), "size=64k,mode=700") else { return };
        fs::write(world.root().join("filler"), [0; 1 << 17]).expect_err("it is full");
        let mount = format!("{}::/data", data.display());
        let ended = output(&mut world.run(&["--provider", provider, "--mount", &mount], &["ok"]));
        assert_eq!(ended.code, Some(1), "{provider}: {}", ended.stderr);
        assert!(ended.stderr.contains("(no-space)"), "{provider}: {}", ended.stderr);
        assert_eq!(fs::read_dir(&data).expect("list it").count(), 0, "{provider}");
    }
}

#[test]
fn a_file_over_the_limit_of_the_process_is_too_large() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        return eprintln!("not looked at: there is no prlimit");
    }
    for provider in ["host", "component"] {
        let world = World::new();
        // The compiler's cache is over the limit too, and its failure is nobody's.
        let run = world.run(&["--no-cache", "--provider", provider], &["fill", "3000000"]);
        let mut limited = Command::new("prlimit");
        limited.arg("--fsize=100000").arg(run.get_program()).args(run.get_args());
        let ended = output(limited.stdin(Stdio::null()));
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{provider}");
        let said = "100000 file-too-large, then ok\nafterwards ok\n";
        assert_eq!(ended.stdout, said, "{provider}");
        world.assert_nothing_left();
    }
}
