//! What an error tells a person besides its code: the path, the full name, and the rule.

use super::prelude::*;
use wasi_tempfile::interface::Error;

pub(super) const CASES: &[Case] = &[
    case!(an_operation_on_a_file_has_no_path),
    case!(a_location_is_the_path),
    case!(a_refused_name_has_its_directory_as_path),
    case!(a_name_that_was_tried_is_the_path),
    case!(a_random_name_that_was_tried_is_the_path, Setup::PLAIN.unprivileged()),
    case!(a_target_is_the_path),
    case!(a_child_has_its_full_path),
    case!(a_closed_name_or_directory_has_its_own_path),
    case!(a_failed_removal_has_the_path_that_is_left, Setup::PLAIN.unprivileged()),
    case!(no_default_directory_has_no_path, Setup::PLAIN.environment(NOTHING).nowhere()),
    case!(each_rule_for_names_is_named),
    case!(each_rule_for_paths_is_named),
    case!(a_path_in_no_preopen_is_named_as_that),
    case!(the_full_name_is_shown),
    case!(a_name_with_a_random_part_is_shown_as_a_pattern),
    case!(a_long_name_is_cut),
    case!(no_message_controls_a_terminal_or_the_order_of_text),
];

const NOTHING: &[(&str, &str)] = &[("TMPDIR", "{scratch}/missing")];

/// Asserts that the call failed, and that its error is about this path.
#[track_caller]
fn assert_path<T>(result: Result<T, Error>, path: Option<&str>) {
    let error = result.err().expect("it fails");
    assert_eq!(error.path.as_deref(), path, "{}", error.message);
}

fn directory() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

fn an_operation_on_a_file_has_no_path(_: &World) {
    let spooled = interface::spooled(Some(10), Location::Scratch).unwrap();
    let (named, _path) = named();
    for file in [named, spooled] {
        assert_path(file.read(1, u64::MAX), None);
        assert_path(file.write(b"x", u64::MAX), None);
        assert_path(file.write(b"x", i64::MAX as u64), None);
        assert_path(file.set_size(u64::MAX), None);
        file.close().unwrap();
        assert_path(file.read(1, 0), None);
        assert_path(file.write(b"x", 0), None);
        assert_path(file.size(), None);
        assert_path(file.set_size(0), None);
        assert_path(file.sync(Durability::Full), None);
        assert_path(file.storage(), None);
        assert_path(file.roll_over(), None);
    }
}

fn a_location_is_the_path(w: &World) {
    let missing = w.path("missing");
    let (at, options) = (Location::Directory(&missing), Options::default());
    assert_path(interface::unnamed(at), Some(&missing));
    assert_path(interface::named(&options, at), Some(&missing));
    assert_path(interface::directory(&options, at), Some(&missing));
    assert_path(interface::spooled(Some(0), at), Some(&missing));
    let spooled = interface::spooled(Some(10), at).unwrap();
    assert_path(spooled.roll_over(), Some(&missing));
    let dir = directory();
    dir.close().unwrap();
    assert_path(interface::unnamed(Location::Within(&dir)), Some(&dir.path()));
    assert_path(interface::named(&options, Location::Within(&dir)), Some(&dir.path()));
}

fn a_refused_name_has_its_directory_as_path(w: &World) {
    let dir = directory();
    for name in ["a/b", "con"] {
        assert_path(interface::named(&fixed(name), Location::Scratch), Some(w.scratch()));
        assert_path(interface::directory(&fixed(name), Location::Scratch), Some(w.scratch()));
    }
    assert_path(interface::named(&fixed("a:b"), Location::Within(&dir)), Some(&dir.path()));
}

fn a_name_that_was_tried_is_the_path(w: &World) {
    w.write("taken", "");
    let taken = w.path("taken");
    assert_path(interface::named(&fixed("taken"), Location::Scratch), Some(&taken));
    assert_path(interface::directory(&fixed("taken"), Location::Scratch), Some(&taken));
    w.remove("taken");
}

fn a_random_name_that_was_tried_is_the_path(w: &World) {
    w.plant_directory("mine");
    w.set_mode("mine", 0o500);
    let mine = w.path("mine");
    let options = Options { prefix: "begin-".into(), suffix: ".end".into(), ..Options::default() };
    let at = Location::Directory(&mine);
    let errors = [interface::named(&options, at).err(), interface::directory(&options, at).err()];
    for error in errors.map(|error| error.expect("it may not be written to")) {
        assert_eq!(error.code, ErrorCode::Access, "{error}");
        let path = error.path.clone().expect("a path");
        let name = path.strip_prefix(&mine).expect("a path in the directory");
        assert!(name.starts_with("/begin-") && name.ends_with(".end"), "{path}");
        assert_eq!(name.len(), "/begin-.end".len() + 16, "{path}");
        assert!(error.message.contains(&path), "{error}");
    }
    w.set_mode("mine", 0o700);
    w.remove("mine");
}

fn a_target_is_the_path(w: &World) {
    let (_file, path) = named();
    let dir = directory();
    let unnamed = interface::unnamed(Location::Scratch).unwrap();
    for target in [w.path("missing/x"), w.path("x/"), "..".to_owned(), String::new()] {
        let mode = ReplaceMode::Overwrite;
        assert_path(path.persist(&target, mode, Durability::None), Some(&target));
        assert_path(dir.persist(&target, mode, Durability::None), Some(&target));
        assert_path(interface::link(&unnamed, &target, Durability::None), Some(&target));
    }
}

fn a_child_has_its_full_path(w: &World) {
    let dir = directory();
    dir.create_file("file").unwrap();
    for child in ["missing/x", "file/x", "../x", "a\0b"] {
        let full = child_path(&dir.path(), child);
        assert_path(dir.create_file(child), Some(&full));
        assert_path(dir.open_file(child), Some(&full));
        assert_path(dir.create_directory(child), Some(&full));
        assert_path(dir.metadata(child), Some(&full));
        assert_path(dir.entries(child), Some(&full));
        assert_path(dir.rename(child, "new"), Some(&full));
        assert_path(dir.rename("file", child), Some(&full));
    }
    assert_path(dir.remove("file/x"), Some(&child_path(&dir.path(), "file/x")));
    assert_eq!(w.list(&w.inside(dir.path())), ["file"]);
}

fn a_closed_name_or_directory_has_its_own_path(_: &World) {
    let (path, dir) = (named().1, directory());
    path.close().unwrap();
    dir.close().unwrap();
    assert_path(path.reopen(), Some(&path.path()));
    assert_path(path.keep(), Some(&path.path()));
    assert_path(dir.keep(), Some(&dir.path()));
    assert_path(dir.create_file("x"), Some(&child_path(&dir.path(), "x")));
}

fn a_failed_removal_has_the_path_that_is_left(w: &World) {
    w.plant_directory("mine");
    let mine = w.path("mine");
    let at = Location::Directory(&mine);
    let (_file, path) = interface::named(&Options::default(), at).unwrap();
    let dir = interface::directory(&Options::default(), at).unwrap();
    w.set_mode("mine", 0o500);
    assert_path(path.close(), Some(&path.path()));
    let failures = dir.close().unwrap_err();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].path, dir.path());
    assert_eq!(failures[0].error.path.as_ref(), Some(&failures[0].path));
    w.set_mode("mine", 0o700);
    path.close().unwrap();
    dir.close().unwrap();
    w.remove("mine");
}

fn no_default_directory_has_no_path(w: &World) -> Outcome {
    if w.placement() != Placement::Native {
        return skip("in a sandbox the scratch directory is a candidate too");
    }
    assert_path(interface::default_directory(), None);
    assert_path(interface::unnamed(Location::Scratch), None);
    Outcome::Passed
}

/// The messages of a file and of a directory with these options, which are refused.
fn refused(options: &Options, code: ErrorCode) -> [String; 2] {
    [
        assert_code(interface::named(options, Location::Scratch), code),
        assert_code(interface::directory(options, Location::Scratch), code),
    ]
}

fn each_rule_for_names_is_named(_: &World) {
    let long = "x".repeat(256);
    let rules = [
        ("a/b", "slash"),
        ("a\\b", "backslash"),
        ("C:", "colon"),
        ("a\nb", "control character"),
        ("a\u{9b}b", "control character"),
        ("a.", "end in a dot"),
        ("a ", "end in a space"),
        ("nul.txt", "device name"),
        ("COM1", "device name"),
        ("a\u{7f}", "control character"),
        (".", "not names"),
        ("..", "not names"),
        ("", "empty"),
        (&long, "255 bytes"),
    ];
    for (name, rule) in rules {
        let too_long = name.len() > 255;
        let code = if too_long { ErrorCode::NameTooLong } else { ErrorCode::InvalidName };
        for message in refused(&fixed(name), code) {
            assert!(message.contains(rule), "{name:?} {rule}: {message}");
            let others = rules.iter().filter(|(_, other)| !rule.contains(other));
            for (_, other) in others {
                assert!(!message.contains(other), "{name:?} is not refused by {other}: {message}");
            }
        }
    }
    for (prefix, suffix, rule) in
        [("a/", "", "slash"), ("", ":b", "colon"), ("", ".", "dot"), ("", "\0", "control")]
    {
        let options =
            Options { prefix: prefix.into(), suffix: suffix.into(), ..Options::default() };
        for message in refused(&options, ErrorCode::InvalidName) {
            assert!(message.contains(rule), "{prefix:?} {suffix:?} {rule}: {message}");
        }
    }
}

/// Asserts that the call failed with a message that says this rule and shows this path.
#[track_caller]
fn assert_rule<T>(result: Result<T, Error>, rule: &str, path: &str) {
    let message = result.err().expect("it is refused").message;
    let beginning: String = path.chars().take(200).collect();
    assert!(message.contains(rule) && message.contains(&quoted(&beginning)), "{rule}: {message}");
}

fn each_rule_for_paths_is_named(w: &World) {
    let dir = directory();
    let (_file, path) = named();
    let (mode, none) = (ReplaceMode::Overwrite, Durability::None);
    let (long, component) = ("x/".repeat(3000) + "x", "x".repeat(256));
    for (child, rule) in [
        ("a//b", "cannot be empty"),
        ("a/", "cannot be empty"),
        ("../a", "cannot contain `.` or `..`"),
        ("a/.", "cannot contain `.` or `..`"),
        (&component, "at most 255 bytes"),
        (&long, "at most 4096 bytes"),
    ] {
        let full = child_path(&dir.path(), child);
        assert_rule(dir.create_file(child), rule, &full);
        assert_rule(dir.open_file(child), rule, &full);
        assert_rule(dir.create_directory(child), rule, &full);
        assert_rule(dir.metadata(child), rule, &full);
        assert_rule(dir.entries(child), rule, &full);
        assert_rule(dir.rename("x", child), rule, &full);
        assert_rule(dir.rename(child, "x"), rule, &full);
        assert_rule(dir.remove(child), rule, &full);
    }
    for (target, rule) in [
        (String::new(), "is empty"),
        (w.path("a/"), "cannot be empty"),
        (w.path(".."), "cannot contain `.` or `..`"),
        (w.path(&component), "at most 255 bytes"),
        (w.path(&long), "at most 4096 bytes"),
    ] {
        assert_rule(path.persist(&target, mode, none), rule, &target);
        assert_rule(dir.persist(&target, mode, none), rule, &target);
    }
    let (nul, long) = (w.path("a"), w.path(&long));
    for (place, rule) in
        [("", "is empty"), (&*(nul.clone() + "\0"), "NUL"), (&long, "at most 4096 bytes")]
    {
        let (at, shown) = (Location::Directory(place), place.trim_end_matches('\0'));
        assert_rule(interface::unnamed(at), rule, shown);
        assert_rule(interface::named(&Options::default(), at), rule, shown);
        assert_rule(interface::directory(&Options::default(), at), rule, shown);
        assert_rule(interface::spooled(Some(0), at), rule, shown);
    }
}

fn a_path_in_no_preopen_is_named_as_that(w: &World) -> Outcome {
    if w.placement() == Placement::Native {
        return skip("natively there are no preopens");
    }
    let (_file, path) = named();
    let rule = "no preopen contains the path";
    assert_rule(interface::unnamed(Location::Directory("/elsewhere")), rule, "/elsewhere");
    let persisted = path.persist("/elsewhere/x", ReplaceMode::Overwrite, Durability::None);
    assert_rule(persisted, rule, "/elsewhere/x");
    Outcome::Passed
}

fn the_full_name_is_shown(w: &World) {
    w.write("taken", "");
    let shown = |name: &str| format!("\"{}\"", quoted(&w.path(name)));
    for name in ["a:b", "a.", "nul.txt"] {
        for message in refused(&fixed(name), ErrorCode::InvalidName) {
            assert!(message.contains(&shown(name)), "{message}");
        }
    }
    let message =
        assert_code(interface::named(&fixed("taken"), Location::Scratch), ErrorCode::Exist);
    assert!(message.contains(&shown("taken")), "{message}");
    w.remove("taken");
}

fn a_name_with_a_random_part_is_shown_as_a_pattern(w: &World) {
    let options =
        Options { prefix: "re:port-".into(), suffix: ".txt".into(), ..Options::default() };
    for message in refused(&options, ErrorCode::InvalidName) {
        assert!(message.contains(&quoted(&w.path("re:port-*.txt"))), "{message}");
    }
}

fn a_long_name_is_cut(w: &World) {
    let name = "x".repeat(100_000);
    for message in refused(&fixed(&name), ErrorCode::NameTooLong) {
        assert!(message.contains(&quoted(&w.path("xxxxxxxx"))), "{message}");
        assert!(message.len() < 1024, "a message of {} bytes", message.len());
    }
}

/// Control characters, separators of lines, and what changes the order of text.
fn controls() -> impl Iterator<Item = char> {
    let ranges = [
        '\0'..='\u{1f}',
        '\u{7f}'..='\u{9f}',
        '\u{61c}'..='\u{61c}',
        '\u{200e}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
    ];
    ranges.into_iter().flatten()
}

fn no_message_controls_a_terminal_or_the_order_of_text(w: &World) {
    let dir = directory();
    let (_file, path) = named();
    for control in controls() {
        let child = format!("missing/{control}txt.exe");
        let place = w.path(&child);
        let (at, none) = (Location::Directory(&place), Durability::None);
        let name = fixed(&format!("a:{control}b"));
        let errors = [
            interface::named(&name, Location::Scratch).err(),
            interface::directory(&name, Location::Scratch).err(),
            interface::unnamed(at).err(),
            interface::named(&Options::default(), at).err(),
            dir.create_file(&child).err(),
            dir.metadata(&child).err(),
            dir.rename(&child, "x").err(),
            dir.entries(&child).err(),
            path.persist(&place, ReplaceMode::Overwrite, none).err(),
            dir.persist(&place, ReplaceMode::NoClobber, none).err(),
        ];
        for error in errors {
            let message = error.expect("every one of these fails").message;
            let found = message.chars().find(|c| controls().any(|control| control == *c));
            assert_eq!(found, None, "{message:?}");
        }
    }
}
