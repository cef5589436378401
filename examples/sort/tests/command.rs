//! The command, run as a process.

mod text;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use wasi_tempfile::TempDir;

/// A sort whose temporary files go to `scratch`.
fn sort(scratch: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sort"))
        .args(args)
        .env("TMPDIR", scratch)
        .current_dir(scratch.parent().unwrap_or(scratch))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    std::thread::scope(|scope| {
        // A sort that fails early does not read its input to the end.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().expect("it ends")
    })
}

/// A directory with an empty one, `scratch`, in it.
fn world() -> TempDir {
    let world = wasi_tempfile::tempdir().expect("a directory can be made");
    fs::create_dir(world.path().join("scratch")).expect("it is ours");
    world
}

#[track_caller]
fn nothing_left(world: &TempDir) {
    let left: Vec<_> = fs::read_dir(world.path().join("scratch")).expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn sorts_standard_input() {
    let world = world();
    let text = text::random(300_000, 1);
    let done = sort(&world.path().join("scratch"), &["--memory", "16K", "--stats"], &text);
    assert!(done.status.success());
    assert!(done.stdout == text::sorted(&text));
    let stats = String::from_utf8(done.stderr).expect("it is ASCII");
    assert!(
        stats.starts_with("sort: lines=") && stats.contains(" files=") && stats.lines().count() == 1,
        "{stats}"
    );
    nothing_left(&world);
}

#[test]
fn sorts_a_file_onto_itself() {
    let world = world();
    let text = text::random(100_000, 2);
    fs::write(world.path().join("text"), &text).expect("it is ours");
    let done = sort(&world.path().join("scratch"), &["--memory", "8K", "text", "-o", "text"], b"");
    assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
    assert!(fs::read(world.path().join("text")).expect("it is there") == text::sorted(&text));
    nothing_left(&world);
}

#[test]
fn failures_are_one_line() {
    let world = world();
    let text = text::random(100_000, 3);
    let scratch = world.path().join("scratch");
    for args in [
        &["no such file"][..],
        &["--memory", "1"],
        &["--memory", "4K", "one", "two"],
        &["--memory", "4K", "-o", "no such directory/file"],
        &["--memory", "4K", "scratch"],
    ] {
        let done = sort(&scratch, args, &text);
        assert_eq!(done.status.code(), Some(1), "{args:?}");
        assert!(done.stdout.is_empty(), "{args:?}");
        let said = String::from_utf8(done.stderr).expect("it is ASCII");
        assert!(said.starts_with("sort: ") && said.lines().count() == 1, "{args:?}: {said}");
    }
    let done = sort(&scratch, &["--memory", "4K"], &[&text[..], &[b'x'; 9000]].concat());
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("is longer than 1023 bytes"), "{done:?}");
    nothing_left(&world);
}
