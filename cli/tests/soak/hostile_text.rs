//! Text of strangers with control characters, through every message of the command.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use crate::figure::{Scale, Tally, figure};
use crate::support::{PLUGIN, World, command};

figure!(no_control_character_of_a_stranger_is_printed, what_a_plugin_prints_itself);

/// A window's title, a clear screen, the same in one character of C1, a rubbed out name, a forged
/// line, text from right to left, and bytes that are no text.
const HOSTILE: [&[u8]; 8] = [
    b"\x1b]0;title\x07",
    b"\x1b[2J\x1b[H",
    "\u{9b}2J\u{90}q\u{9c}".as_bytes(),
    b"name\x08\x08\x08\x08\x7f",
    b"name\rremoved  all",
    b"name\nwasi-tempfile: all is well",
    "\u{202e}gpj.exe\u{2066}\u{2028}".as_bytes(),
    b"\xff\xfe\x9b2J\x1bc",
];

fn no_control_character_of_a_stranger_is_printed(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for hostile in &HOSTILE[..scale.pick(4, HOSTILE.len())] {
        let world = World::new();
        for (what, mut command) in commands(&world, OsStr::from_bytes(hostile)) {
            look(&what, &mut command, &mut tally);
        }
    }
    tally
}

fn what_a_plugin_prints_itself() -> Tally {
    let mut tally = Tally::default();
    let world = World::new();
    for hostile in &HOSTILE {
        let argument = String::from_utf8_lossy(hostile);
        look("its arguments", &mut world.run(&[], &["args", &argument]), &mut tally);
    }
    tally
}

/// Runs a command, and looks at what it printed.
fn look(what: &str, command: &mut Command, tally: &mut Tally) {
    let output = command.output().expect("start the command");
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    tally.count("commands", 1);
    tally.count("characters", printed.chars().count() as u64);
    tally.expect(!printed.is_empty(), || format!("{what}: it says nothing"));
    // A name's line breaks are escaped too, or it could forge a line.
    let forged = printed.lines().any(|line| line == "wasi-tempfile: all is well");
    let obeyed = printed.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    tally.expect(!forged && obeyed.is_none(), || format!("{what}: {obeyed:?} in {printed:?}"));
}

/// Every subcommand, with the text in every place where it can come from a stranger.
fn commands(world: &World, hostile: &OsStr) -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |what: &str, command: Command| all.push((what.to_owned(), command));
    let folder = world.directory("folder");
    let absent = folder.join(hostile);

    // Names on disk and paths.
    let named = |parent: &str| {
        let path = world.directory(parent).join(hostile);
        fs::write(&path, "text\n").expect("write a file");
        path
    };
    fs::write(world.root().join(hostile), "").expect("write a file");
    let mut foreign = b"run-".to_vec();
    foreign.extend(hostile.as_bytes());
    fs::create_dir(world.root().join(OsStr::from_bytes(&foreign))).expect("make a directory");
    add("a list", with(&["sweep"], &[&world.root()]));
    add("a root that is not there", with(&["sweep"], &[&absent]));
    add("a plugin that is not there", with(&["run"], &[&absent]));
    add("a plugin that is none", with(&["run"], &[&named("plugin")]));
    add("a provider that is not there", with(&["run", PLUGIN, "--provider"], &[&absent]));
    add(
        "a provider that is none",
        with(&["run", "--provider"], &[&named("provider"), PLUGIN.as_ref()]),
    );
    add("a file to compose", with(&["compose", "-o", "/dev/null"], &[&named("whole")]));
    add("a file to write", with(&["compose", PLUGIN, "-o"], &[&absent.join("no/where")]));
    add("a file for the component", with(&["component", "-o"], &[&absent.join("no/where")]));
    add("a folder that is a file", with(&["wit", "-o"], &[&named("wit")]));
    add("a folder for pages", with(&["manual", "-o"], &[&named("manual").join("deeper")]));
    let mut demo = with(&["demo", "--root"], &[&world.root()]);
    demo.arg(named("input")).arg("-o").arg(world.directory("output").join(hostile));
    add("a file to sort", demo);
    let contents = world.file("contents", [hostile.as_bytes(), b"\n"].concat());
    add("lines to sort", with(&["demo", "--root"], &[&world.root(), &contents]));
    let root = world.directory("roots").join(hostile);
    add("a root that is logged", {
        let mut run = with(&["run", "--log", "wasi_tempfile_host=trace", "--root"], &[&root]);
        run.arg(PLUGIN).arg("trap");
        run
    });
    let mut kept = with(&["run", "--keep", "--root"], &[&root]);
    kept.arg(PLUGIN).arg("trap");
    add("a directory that is kept", kept);

    // The command line.
    for arguments in
        [&["run", "--memory"][..], &["run", "--mount"], &["run", "--env"], &["fly"], &[]]
    {
        add("an argument", with(arguments, &[Path::new(hostile)]));
    }
    let mut mount = hostile.to_owned();
    mount.push("::/data");
    add("a mount", with(&["run", "--mount"], &[Path::new(&mount), PLUGIN.as_ref()]));

    // The environment.
    for variable in ["RUST_LOG", "TMPDIR"] {
        let mut run = command();
        run.env(variable, hostile).arg("run").arg(PLUGIN).arg("fail");
        add(variable, run);
    }

    // Components: a name in a type, in an export, in an import, in a core module.
    if let Some(text) = hostile.to_str() {
        let quoted: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let limits = format!("SCRATCH_LIMITS={text}");
        add("limits", with(&["run", "--env", &limits], &[PLUGIN.as_ref(), "ok".as_ref()]));
        for (number, component) in [
            format!(r#"(component (type (enum "{quoted}")))"#),
            format!(r#"(component (type (record (field "{quoted}" u8))))"#),
            format!(r#"(component (import "{quoted}" (func)))"#),
            format!(r#"(component (import "scratch:tempfile/{quoted}@0.1.0" (instance)))"#),
            format!(r#"(component (core module (import "{quoted}" "{quoted}" (func))))"#),
            format!(
                r#"(component
                    (core module $m (import "{quoted}" "f" (func)))
                    (core instance (instantiate $m)))"#
            ),
        ]
        .iter()
        .enumerate()
        {
            let bytes = wat::parse_str(component).expect("it can be written down");
            let path = world.file(&format!("{number}.wasm"), bytes);
            add(component, with(&["run"], &[&path]));
            add(component, with(&["run", "--provider", "component"], &[&path]));
            add(component, with(&["run", "--provider"], &[&path, PLUGIN.as_ref()]));
            add(component, with(&["compose", "-o", "/dev/null"], &[&path]));
            add(component, with(&["compose", PLUGIN, "-o", "/dev/null", "--provider"], &[&path]));
        }
    }
    all
}

fn with(arguments: &[&str], paths: &[&Path]) -> Command {
    let mut command = command();
    command.args(arguments).args(paths);
    command
}
