//! What the command writes to a terminal only: colours, and how far it is.
#![cfg(unix)]

mod support;

use std::collections::HashSet;
use std::fs::{self, File};
use std::process::Command;

use support::{Terminal, World, command, output};

/// Erases a line.
const ERASE: &str = "\r\x1b[K";

fn on_terminal(arguments: &[&str]) -> Command {
    let mut command = command();
    command.env("TERM", "xterm").args(arguments);
    command
}

/// The cases of one filter, natively, where they are quick.
fn conformance(options: &[&str]) -> Command {
    let mut command = on_terminal(&["conformance", "--placement", "native"]);
    command.args(["--filter", "named::removed_on"]).args(options);
    command
}

fn lines(text: &str) -> HashSet<&str> {
    text.lines().collect()
}

#[test]
fn progress_is_shown_on_a_terminal_and_erased() {
    let world = World::new();
    let plain = output(&mut conformance(&[]));
    assert_eq!((plain.code, &*plain.stderr), (Some(0), ""));
    let cases = plain.stdout.matches("native::").count();

    let path = world.path("results");
    let file = File::create(&path).expect("create a file");
    let (code, shown) = Terminal::new().run(conformance(&[]).stdout(file));
    assert_eq!(code, Some(0));
    assert!(shown.starts_with(&format!("{ERASE}0 of {cases} cases{ERASE}")), "{shown:?}");
    assert!(shown.ends_with(ERASE), "{shown:?}");
    assert!(!shown.contains('\n'), "one line: {shown:?}");
    // Cases end in any order.
    let results = fs::read_to_string(path).expect("read the results");
    assert_eq!(lines(&results), lines(&plain.stdout));
}

#[test]
fn progress_is_erased_before_a_report_on_the_same_terminal() {
    let terminal = Terminal::new();
    let stdout = terminal.stream();
    let (code, shown) = terminal.run(conformance(&["--format", "junit"]).stdout(stdout));
    assert_eq!(code, Some(0));
    let (progress, report) = shown.rsplit_once(ERASE).expect("there is progress");
    assert!(progress.contains(" cases"), "{shown:?}");
    assert!(report.starts_with("<?xml") && report.ends_with("</testsuite>\n"), "{shown:?}");
}

#[test]
fn progress_stays_out_of_other_output() {
    // The results themselves are on the terminal.
    let terminal = Terminal::new();
    let stdout = terminal.stream();
    let (_, shown) = terminal.run(conformance(&[]).stdout(stdout));
    assert!(shown.contains("native::") && !shown.contains(ERASE), "{shown:?}");
    // What reads them may write to it.
    let (reader, writer) = std::io::pipe().expect("make a pipe");
    let (_, shown) = Terminal::new().run(conformance(&[]).stdout(writer));
    assert_eq!(shown, "");
    drop(reader);
    // So may events.
    let null = || File::create("/dev/null").expect("open /dev/null");
    let (_, shown) = Terminal::new().run(conformance(&["--log", "error"]).stdout(null()));
    assert_eq!(shown, "");
    // A pipe is no terminal.
    assert_eq!(output(conformance(&[]).stdout(null())).stderr, "");
    // And this terminal cannot erase it.
    let (_, shown) = Terminal::new().run(conformance(&[]).stdout(null()).env("TERM", "dumb"));
    assert_eq!(shown, "");
}

#[test]
fn a_sweep_shows_how_far_it_is() {
    let world = World::new();
    for name in ["aaaabbbbccccdddd", "bbbbccccddddeeee"] {
        world.orphan(name);
    }
    let path = world.path("lines");
    let file = File::create(&path).expect("create a file");
    let mut sweep = on_terminal(&["sweep"]);
    let (code, shown) = Terminal::new().run(sweep.arg(world.root()).stdout(file));
    assert_eq!(code, Some(0));
    assert!(shown.starts_with(&format!("{ERASE}0 directories removed{ERASE}")), "{shown:?}");
    assert!(shown.ends_with(ERASE) && !shown.contains('\n'), "{shown:?}");
    let printed = fs::read_to_string(path).expect("read the lines");
    assert_eq!(printed.matches("removed ").count(), 2, "{printed}");
    assert!(!printed.contains('\x1b'), "{printed:?}");
}

/// What the command prints on a terminal, and through a pipe, with these variables.
fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> [String; 2] {
    let terminal = Terminal::new();
    let stdout = terminal.stream();
    let of = || {
        let mut command = on_terminal(arguments);
        command.envs(variables.iter().copied());
        command
    };
    let (_, shown) = terminal.run(of().stdout(stdout));
    let piped = output(&mut of());
    [shown, piped.stdout + &piped.stderr]
}

#[test]
fn colours_are_where_they_are_wanted() {
    let case = ["conformance", "--placement", "native", "--filter", "named::removed_on_close"];
    for arguments in [&case[..], &["--help"], &["run", "--help"]] {
        for (variables, expected) in [
            (&[][..], [true, false]),
            (&[("NO_COLOR", "1")], [false, false]),
            (&[("CLICOLOR", "0")], [false, false]),
            (&[("TERM", "dumb")], [false, false]),
            (&[("CLICOLOR_FORCE", "1")], [true, true]),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], [false, false]),
        ] {
            let texts = printed(arguments, variables);
            let coloured = texts.each_ref().map(|text| text.contains("\x1b["));
            assert_eq!(coloured, expected, "{arguments:?} {variables:?}: {texts:?}");
        }
    }
}

#[test]
fn colours_change_no_letter() {
    let case = ["conformance", "--placement", "native", "--filter", "named::removed_on_close"];
    let [coloured, _] = printed(&case, &[]);
    let [plain, _] = printed(&case, &[("NO_COLOR", "1")]);
    assert!(coloured.contains("\x1b[32mpassed\x1b[0m "), "{coloured:?}");
    assert_eq!(coloured.replace("\x1b[32m", "").replace("\x1b[0m", ""), plain);
}

#[test]
fn a_report_in_a_file_and_an_error_have_no_colours() {
    let world = World::new();
    let path = world.path("results");
    let mut to_file = conformance(&["-o"]);
    let ended = output(to_file.arg(&path).env("CLICOLOR_FORCE", "1"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!fs::read_to_string(path).expect("read the results").contains('\x1b'));
    // They quote what may be a stranger's text.
    for arguments in [&["fly"][..], &["run", "no-such-plugin.wasm"]] {
        for text in printed(arguments, &[("CLICOLOR_FORCE", "1")]) {
            assert!(!text.is_empty() && !text.contains('\x1b'), "{text:?}");
        }
    }
}
