//! Bad input gives one clear line on standard error, and the right exit code.

mod support;

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::{chown, symlink};
use std::path::{MAIN_SEPARATOR, Path};
use std::process::Command;

use support::{PLUGIN, World, command, output};

/// The host could not do its part: code 3, nothing on standard output, one line that says these
/// words.
#[track_caller]
fn refused(command: &mut Command, words: &[&str]) {
    let ended = output(command);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let [line] = lines[..] else { panic!("expected one line:\n{}", ended.stderr) };
    assert!(line.starts_with("wasi-tempfile: "), "{line}");
    for word in words {
        assert!(line.contains(word), "`{word}` is missing in: {line}");
    }
}

/// Wrong usage: code 2.
#[track_caller]
fn misused(arguments: &[&str], word: &str) {
    let ended = output(command().args(arguments));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains(word), "`{word}` is missing in: {}", ended.stderr);
}

/// How messages end of which the system says that there is no such file.
const NO_SUCH_FILE: &str = "(os error 2)";

/// And that there is no such directory on the way to it.
const NO_WAY_THERE: &str = if cfg!(windows) { "(os error 3)" } else { NO_SUCH_FILE };

fn run(world: &World, plugin: &Path) -> Command {
    let mut command = command();
    command.arg("run").arg("--root").arg(world.root()).arg(plugin);
    command
}

/// A component made of this text.
fn component(world: &World, text: &str) -> std::path::PathBuf {
    world.file("plugin.wasm", wat::parse_str(text).expect("the test's text is a component"))
}

#[test]
fn no_such_plugin() {
    let world = World::new();
    refused(&mut run(&world, &world.path("nowhere.wasm")), &["nowhere.wasm", NO_SUCH_FILE]);
}

#[test]
fn a_directory_is_no_plugin() {
    let world = World::new();
    refused(&mut run(&world, &world.directory("plugins")), &["plugins", "directory"]);
}

#[test]
fn garbage_is_not_webassembly() {
    let world = World::new();
    for garbage in [&b""[..], b"\0asm", b"#!/bin/sh\n", &[0xff; 4096]] {
        let plugin = world.file("plugin.wasm", garbage);
        let words = ["plugin.wasm", "not WebAssembly", "build it for wasm32-wasip2"];
        refused(&mut run(&world, &plugin), &words);
        world.assert_nothing_left();
    }
}

#[test]
fn a_core_module_is_not_a_component() {
    let world = World::new();
    let plugin = component(&world, "(module)");
    refused(&mut run(&world, &plugin), &["not a component", "core module"]);
}

#[test]
fn half_a_component_is_invalid() {
    let world = World::new();
    let whole = fs::read(PLUGIN).expect("read the plugin");
    let plugin = world.file("plugin.wasm", &whole[..whole.len() / 2]);
    refused(&mut run(&world, &plugin), &["plugin.wasm", "not a valid component"]);
}

#[test]
fn a_component_with_nothing_to_run() {
    let world = World::new();
    let plugin = component(&world, "(component)");
    refused(&mut run(&world, &plugin), &["wasi:cli/run", "to its world"]);
}

#[test]
fn an_import_nobody_serves_is_named() {
    let world = World::new();
    let plugin = component(
        &world,
        r#"(component
            (import "wasi:http/outgoing-handler@0.2.4" (instance (export "handle" (func)))))"#,
    );
    refused(
        &mut run(&world, &plugin),
        &["imports `wasi:http/outgoing-handler@0.2.4`", "neither the host nor the provider"],
    );
}

#[test]
fn an_import_of_another_shape_is_named() {
    let world = World::new();
    let plugin = component(
        &world,
        r#"(component
            (import "wasi:random/random@0.2.0"
                (instance (export "get-random-u64" (func (result string))))))"#,
    );
    refused(&mut run(&world, &plugin), &["imports `wasi:random/random@0.2.0`", "does not fit"]);
}

#[test]
fn a_part_of_the_interface_the_provider_lacks_is_named() {
    let world = World::new();
    for (import, word) in [
        (
            r#""scratch:tempfile/telepathy@0.1.0" (instance (export "think" (func)))"#,
            "telepathy@0.1.0",
        ),
        (
            r#""scratch:tempfile/tempfile@9.0.0" (instance (export "think" (func)))"#,
            "tempfile@9.0.0",
        ),
        (r#""scratch:tempfile/tempfile@0.1.0" (instance (export "think" (func)))"#, "does not fit"),
    ] {
        let plugin = component(&world, &format!("(component (import {import}))"));
        refused(&mut run(&world, &plugin), &["imports `scratch:tempfile/", word]);
        let mut compose = command();
        compose.arg("compose").arg(&plugin).arg("-o").arg(world.path("whole.wasm"));
        refused(&mut compose, &["compose", "imports `scratch:tempfile/", word]);
        assert!(!world.path("whole.wasm").exists());
    }
}

#[test]
fn a_provider_that_is_none() {
    let world = World::new();
    let module = world.file("module.wasm", wat::parse_str("(module)").expect("a module"));
    let mut run = command();
    run.arg("run").arg("--root").arg(world.root()).arg("--provider").arg(module).arg(PLUGIN);
    refused(&mut run, &["provider", "core module"]);
    let empty = world.file("empty.wasm", wat::parse_str("(component)").expect("a component"));
    let mut run = command();
    run.arg("run").arg("--root").arg(world.root()).arg("--provider").arg(empty).arg(PLUGIN);
    refused(&mut run, &["imports `scratch:tempfile/"]);
}

#[test]
fn a_mount_of_a_directory_that_is_not_there() {
    let world = World::new();
    let mount = format!("{}::/data", world.path("nowhere").display());
    refused(
        &mut world.run(&["--mount", &mount], &["ok"]),
        &["mount /data", "nowhere", NO_SUCH_FILE],
    );
    world.assert_nothing_left();
}

#[test]
fn a_root_that_is_a_file() {
    let world = World::new();
    let root = world.file("file", "");
    refused(
        command().arg("run").arg("--root").arg(root).arg(PLUGIN),
        &["scratch root", "not a directory"],
    );
}

#[cfg(unix)]
#[test]
fn a_root_that_is_a_link() {
    let world = World::new();
    symlink(world.root(), world.path("link")).expect("make a link");
    let mut run = command();
    run.arg("run").arg("--root").arg(world.path("link")).arg(PLUGIN).arg("ok");
    refused(&mut run, &["scratch root", "symbolic link"]);
}

#[cfg(unix)]
#[test]
fn a_root_that_others_may_write_to() {
    for mode in [0o770, 0o702, 0o1777] {
        let world = World::new();
        world.set_mode("root", mode);
        refused(&mut world.run(&[], &["ok"]), &["scratch root", "written to by others"]);
        world.assert_nothing_left();
    }
}

#[cfg(unix)]
#[test]
fn a_root_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return refused(
            command().arg("run").arg("--root").arg("/").arg(PLUGIN),
            &["belongs to user 0"],
        );
    }
    let world = World::new();
    chown(world.root(), Some(12345), None).expect("give the root away");
    refused(&mut world.run(&[], &["ok"]), &["scratch root", "belongs to user 12345"]);
}

#[cfg(unix)]
#[test]
fn a_root_that_cannot_be_written_to() {
    let world = World::new();
    // For the superuser, modes mean nothing; a kernel's own file system still refuses.
    let root = if rustix::process::geteuid().is_root() {
        Path::new("/sys/kernel").to_owned()
    } else {
        world.set_mode("root", 0o500);
        world.root()
    };
    let mut run = command();
    run.arg("run").arg("--root").arg(&root).arg(PLUGIN).arg("ok");
    refused(&mut run, &["scratch root", "create a directory"]);
}

#[test]
fn a_root_below_nothing() {
    let world = World::new();
    let mut run = command();
    run.arg("run").arg("--root").arg(world.path("no/where")).arg(PLUGIN);
    refused(&mut run, &["scratch root", NO_WAY_THERE]);
}

#[cfg(unix)]
#[test]
fn a_full_disk() {
    refused(command().args(["component", "-o", "/dev/full"]), &["/dev/full", "No space left"]);
    refused(
        command().args(["compose", PLUGIN, "-o", "/dev/full"]),
        &["/dev/full", "No space left"],
    );
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("open /dev/full");
    refused(command().arg("wit").stdout(full), &["standard output", "No space left"]);
}

#[test]
fn a_closed_standard_output_is_no_panic() {
    for arguments in [&["wit"][..], &["--help"], &["--version"]] {
        let (reader, writer) = std::io::pipe().expect("make a pipe");
        drop(reader);
        let ended = output(command().args(arguments).stdout(writer));
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn wrong_usage() {
    misused(&[], "Usage");
    misused(&["fly"], "fly");
    misused(&["run"], "PLUGIN.wasm");
    misused(&["run", "--memory", "much", PLUGIN], "--memory");
    misused(&["run", "--memory", "0", PLUGIN], "a plugin cannot begin without memory");
    misused(&["demo", "--memory", "0"], "a plugin cannot begin without memory");
    misused(&["run", "--timeout", "0s", PLUGIN], "a plugin cannot end in no time");
    misused(&["run", "--entries", "1KiB", PLUGIN], "a number without a unit");
    misused(&["run", "--handles", "many", PLUGIN], "a number without a unit");
    misused(&["run", "--provider", "nope", PLUGIN], "expected `host`, `component` or a component");
    misused(&["run", "--log", "loud", PLUGIN], "expected a level");
    misused(&["wit", "-o", PLUGIN], "has to name a folder");
    misused(&["wit", "-o", "text.wit"], "has to name a folder");
    misused(&["run", "--timeout", "soon", PLUGIN], "--timeout");
    misused(&["run", "--mount", "here", PLUGIN], "--mount");
    misused(
        &["run", "--mount", "here::/tmp", PLUGIN],
        "/tmp is the place of the scratch directory",
    );
    misused(&["run", "--env", "NAME", PLUGIN], "--env");
    misused(&["compose", PLUGIN], "--output");
    misused(&["component"], "--output");
}

#[test]
fn two_mounts_of_one_path_are_wrong_usage() {
    let world = World::new();
    let mount = |name: &str| format!("{}::/data", world.directory(name).display());
    let (first, second) = (mount("first"), mount("second"));
    for provider in ["host", "component"] {
        let options = ["--provider", provider, "--mount", &first, "--mount", &second];
        let ended = output(&mut world.run(&options, &["ok"]));
        assert_eq!(ended.code, Some(2));
        let line = "the mount /data: another mount has the same path in the plugin";
        assert_eq!(ended.complaints(), [line]);
        world.assert_nothing_left();
    }
}

#[test]
fn names_on_disk_are_escaped_in_lists() {
    let world = World::new();
    // Windows has no names with the first 32 control characters.
    let (name, escaped) = if cfg!(windows) {
        ("\u{9b}31m", r"\u{9b}31m")
    } else {
        ("\x1b]0;title\x07\n\u{9b}31m", r"\u{1b}]0;title\u{7}\n\u{9b}31m")
    };
    fs::write(world.root().join(name), "").expect("write a file");
    let ended = output(command().arg("sweep").arg(world.root()));
    let [line] = ended.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{}", ended.stdout) };
    assert!(line.starts_with("foreign "), "{line}");
    assert!(line.ends_with(&format!("{MAIN_SEPARATOR}{escaped}")), "{line}");
}

#[test]
fn what_is_quoted_of_the_command_line_is_escaped() {
    for arguments in
        [&["\x1b[2J\x07"][..], &["run", "--memory", "\x1b[2J\x07"], &["sweep", "a", "\x07"]]
    {
        let ended = output(command().args(arguments));
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
        assert!(!ended.stderr.chars().any(|c| c.is_control() && c != '\n'), "{:?}", ended.stderr);
    }
}

#[test]
fn control_characters_of_a_strangers_text_are_escaped() {
    let world = World::new();
    let plugin = component(&world, r#"(component (type (enum "\1b]0;title\07")))"#);
    let mut compose = command();
    compose.arg("compose").arg(&plugin).arg("-o").arg(world.path("whole.wasm"));
    let absent = world.path("no\x1b[2Jplugin.wasm");
    let escape = r"\u{1b}";
    refused(&mut run(&world, &plugin), &[escape, "title", r"\u{7}"]);
    refused(&mut compose, &[escape, "title", r"\u{7}"]);
    refused(&mut run(&world, &absent), &[escape, "[2Jplugin.wasm"]);
}
