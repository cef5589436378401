//! The demo: it sorts, it checks the result, and leaves nothing, however it ends.

mod support;

use std::fs;
#[cfg(unix)]
use std::io::Write;
use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::process::{Child, Stdio};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use support::{Ended, World, command, output};

/// The demo, with its scratch directory in this world's root.
fn demo(world: &World) -> Command {
    let mut command = command();
    command.arg("demo").arg("--root").arg(world.root());
    command
}

/// Lines of 0 to 119 bytes of any kind but a newline, the last one without an end: about `size`
/// bytes of them.
fn random_lines(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 20
    };
    let mut text = Vec::with_capacity(size + 128);
    while text.len() < size {
        for _ in 0..random() % 120 {
            let byte = random() as u8;
            text.push(if byte == b'\n' { b' ' } else { byte });
        }
        text.push(b'\n');
    }
    text.extend_from_slice(b"no newline");
    text
}

/// What `LC_ALL=C sort` makes of it.
fn sorted(text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.sort_unstable();
    let mut sorted = lines.join(&b'\n');
    sorted.push(b'\n');
    sorted
}

/// The row of the report that has this head.
#[track_caller]
fn row<'a>(ended: &'a Ended, head: &str) -> &'a str {
    let row = ended.stdout.lines().find_map(|line| line.strip_prefix(head));
    row.unwrap_or_else(|| panic!("no `{head}` in:\n{}{}", ended.stdout, ended.stderr)).trim_start()
}

/// The number at the beginning of a row.
fn number(row: &str) -> u64 {
    let digits: String = row.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number begins {row}"))
}

#[test]
fn the_tour() {
    let world = World::new();
    let ended = output(&mut demo(&world));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert_eq!(number(row(&ended, "sorted")), 60_000);
    assert!(row(&ended, "sorted").ends_with("in order, and those of the input"));
    assert!(row(&ended, "memory").ends_with(" MiB at most"), "{}", ended.stdout);
    assert!(number(row(&ended, "spilled")) > 4, "{}", ended.stdout);
    assert!(row(&ended, "left").starts_with("nothing; "), "{}", ended.stdout);
    world.assert_nothing_left();
}

#[test]
fn a_file_is_sorted_as_it_should_be() {
    let world = World::new();
    let text = random_lines(4 << 20);
    let (file, out) = (world.file("lines", &text), world.path("out"));
    let ended = output(demo(&world).arg(file).arg("-o").arg(&out));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        fs::read(out).expect("read the output") == sorted(&text),
        "the output is in another order"
    );
    assert!(number(row(&ended, "spilled")) > 4, "{}", ended.stdout);
    assert!(row(&ended, "left").starts_with("nothing; "), "{}", ended.stdout);
    world.assert_nothing_left();
}

#[test]
fn little_memory_will_do() {
    let world = World::new();
    let text = random_lines(6 << 20);
    let (file, out) = (world.file("lines", &text), world.path("out"));
    let ended = output(demo(&world).args(["--memory", "5MiB"]).arg(file).arg("-o").arg(&out));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        fs::read(out).expect("read the output") == sorted(&text),
        "the output is in another order"
    );
    world.assert_nothing_left();
}

#[test]
fn edges() {
    let world = World::new();
    for text in [&b""[..], b"\n", b"a", b"b\na", b"\0\n\n\xff\n", b"same\nsame"] {
        let (file, out) = (world.file("lines", text), world.path("out"));
        let ended = output(demo(&world).arg(file).arg("-o").arg(&out));
        assert_eq!(ended.code, Some(0), "{text:?}: {}", ended.stderr);
        let expected = if text.is_empty() { Vec::new() } else { sorted(text) };
        assert_eq!(fs::read(out).expect("read the output"), expected, "{text:?}");
        world.assert_nothing_left();
    }
}

#[test]
fn a_file_is_sorted_onto_itself() {
    let world = World::new();
    let text = random_lines(1 << 20);
    let file = world.file("lines", &text);
    let ended = output(demo(&world).arg(&file).arg("-o").arg(&file));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        fs::read(&file).expect("read the output") == sorted(&text),
        "the output is in another order"
    );
}

#[test]
fn a_trap_half_way_leaves_nothing() {
    let world = World::new();
    let file = world.file("lines", random_lines(4 << 20));
    let out = world.path("out");
    let ended = output(demo(&world).args(["--fail-after-runs", "3"]).arg(file).arg("-o").arg(&out));
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin trapped: wasm `unreachable` instruction executed"]);
    let left = row(&ended, "left");
    assert!(
        left.starts_with("sort-") && left.contains(" by the plugin, which the host removed; "),
        "{left}"
    );
    world.assert_nothing_left();
    assert!(!out.exists(), "half of an output");
}

#[cfg(unix)]
#[test]
fn an_interruption_half_way_leaves_nothing() {
    let text = random_lines(32 << 20);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let world = World::new();
        let (file, out) = (world.file("lines", &text), world.path("out"));
        let child = start(demo(&world).args(["--memory", "8MiB"]).arg(file).arg("-o").arg(&out));
        wait_until("two files are spilled", || files_below(&world.root()) >= 2);
        kill_process(Pid::from_child(&child), signal).expect("send a signal");
        let ended: Ended = child.wait_with_output().expect("wait for the demo").into();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert_eq!(ended.stderr, "");
        world.assert_nothing_left();
        assert!(!out.exists(), "half of an output");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_while_the_output_is_written_leaves_the_old_file_or_the_new_one() {
    let world = World::new();
    let text = random_lines(8 << 20);
    let directory = world.directory("output");
    let file = directory.join("lines");
    fs::write(&file, &text).expect("write the input");
    let mut child = start(demo(&world).arg(&file).arg("-o").arg(&file));
    // Written in place, the file changes its size; written beside it, there are two.
    wait_until("the output is written", || {
        let size = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        let ended = child.try_wait().expect("look at the demo").is_some();
        ended || size != text.len() as u64 || files_below(&directory) > 1
    });
    kill_process(Pid::from_child(&child), Signal::TERM).expect("send a signal");
    child.wait().expect("wait for the demo");
    let now = fs::read(&file).expect("read the output");
    assert!(now == text || now == sorted(&text), "{} bytes of neither", now.len());
    world.assert_nothing_left();
}

#[cfg(unix)]
#[test]
fn an_output_keeps_its_mode_and_its_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::new();
    let (file, link) = (world.file("lines", "b\na\n"), world.path("link"));
    world.set_mode("lines", 0o640);
    symlink(&file, &link).expect("make a link");
    let ended = output(demo(&world).arg(&file).arg("-o").arg(&link));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(fs::read(&file).expect("read the output"), b"a\nb\n");
    let mode = fs::metadata(&file).expect("look at the output").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(fs::symlink_metadata(&link).expect("look at the link").is_symlink());
}

#[cfg(unix)]
fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("start the demo")
}

#[cfg(unix)]
#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[cfg(unix)]
fn files_below(directory: &Path) -> usize {
    // What goes while one looks is not there.
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

#[cfg(unix)]
#[test]
fn an_input_that_hangs_can_be_interrupted() {
    let world = World::new();
    let out = world.path("out");
    let mut child = start(demo(&world).arg("/dev/stdin").arg("-o").arg(&out).stdin(Stdio::piped()));
    // More than the pipe holds: once it is written, the demo is reading.
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(&random_lines(1 << 20)).expect("the demo reads");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("send a signal");
    // The second signal skips the grace period.
    kill_process(pid, Signal::INT).expect("send a signal");
    let ended: Ended = child.wait_with_output().expect("wait for the demo").into();
    drop(stdin);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    world.assert_nothing_left();
    assert!(!out.exists(), "an output without an input");
}

#[test]
fn too_little_memory_is_a_failure_of_the_plugin() {
    let world = World::new();
    let ended = output(demo(&world).args(["--memory", "1MiB"]));
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.complaints(), ["the plugin ran out of memory: its limit is 1MiB"]);
    world.assert_nothing_left();
}

#[test]
fn a_line_that_does_not_fit_is_a_failure_of_the_plugin() {
    let world = World::new();
    let file = world.file("lines", vec![b'x'; 2 << 20]);
    let ended = output(demo(&world).arg(&file));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("sort: line 1 is longer than "), "{}", ended.stderr);
    let more = output(demo(&world).args(["--memory", "32MiB"]).arg(&file));
    assert_eq!(more.code, Some(0), "{}", more.stderr);
    world.assert_nothing_left();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let world = World::new();
    let (directory, file) = (world.directory("directory"), world.file("file", "text"));
    let nowhere = world.path("nowhere");
    for (arguments, word) in [
        (vec![nowhere.as_path()], "nowhere"),
        (vec![&directory], "directory"),
        (vec![&file, Path::new("-o"), &directory], "directory"),
        (vec![&file, Path::new("-o"), Path::new("/dev/full")], "/dev/full"),
    ] {
        let ended = output(demo(&world).args(&arguments));
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(
            ended.stderr.starts_with("wasi-tempfile: ") && ended.stderr.contains(word),
            "{}",
            ended.stderr
        );
        world.assert_nothing_left();
    }
    let out = world.path("out");
    assert_eq!(output(demo(&world).arg(&nowhere).arg("-o").arg(&out)).code, Some(3));
    assert!(!out.exists(), "an output without an input");
}

#[test]
fn what_is_shown_of_a_line_is_harmless() {
    let world = World::new();
    let file = world.file("lines", "\x1b[2J\n");
    let ended = output(demo(&world).arg(file));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stdout.contains('\x1b') && ended.stdout.contains("[2J"), "{}", ended.stdout);
}
