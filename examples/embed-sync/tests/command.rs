//! The program, run as a process.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct World(PathBuf);

impl World {
    fn new(name: &str) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("make the test's directory");
        fs::copy(test_plugins::SORT, directory.join("sort.wasm")).expect("copy the plugin");
        fs::copy(test_plugins::UPLOAD, directory.join("upload.wasm")).expect("copy the plugin");
        Self(directory)
    }

    fn run(&self, plugin: &str, argument: &str, input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_embed-sync"))
            .args([self.0.join("root"), self.0.join(plugin)])
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the program");
        let mut stdin = child.stdin.take().expect("it was asked for");
        std::thread::scope(|scope| {
            // A plugin that ends early does not read its input to the end.
            scope.spawn(move || stdin.write_all(input).ok());
            child.wait_with_output().expect("it ends")
        })
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        let left: Vec<_> = fs::read_dir(self.0.join("root")).expect("list the root").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_plugin_returns_and_its_usage_is_told() {
    let world = World::new("returns");
    let done = world.run("upload.wasm", "", &vec![b'\n'; 100_000]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(said.starts_with("100000 bytes, 100000 lines, sha256 "), "{said}");
    let report = String::from_utf8_lossy(&done.stderr);
    assert!(report.starts_with("the plugin returned\n"), "{report}");
    assert!(report.contains("\nat most 100000 bytes in "), "{report}");
    assert!(done.status.success());
    world.assert_nothing_left();
}

#[test]
fn a_plugin_that_spills_gets_the_scratch_space_it_needs() {
    let world = World::new("spills");
    let input: Vec<u8> =
        (0..200_000_u32).rev().flat_map(|number| format!("{number:06}\n").into_bytes()).collect();
    let done = world.run("sort.wasm", "--memory=64K", &input);
    let report = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{report}");
    let expected: Vec<u8> =
        (0..200_000_u32).flat_map(|number| format!("{number:06}\n").into_bytes()).collect();
    assert!(done.stdout == expected, "{report}");
    world.assert_nothing_left();
}

#[test]
fn a_trap_is_told_and_leaves_nothing() {
    let world = World::new("traps");
    let done = world.run("upload.wasm", "defect", b"");
    let report = String::from_utf8_lossy(&done.stderr);
    assert!(
        report.contains("the plugin trapped: wasm `unreachable` instruction executed\n"),
        "{report}"
    );
    assert!(!done.status.success());
    world.assert_nothing_left();
}
