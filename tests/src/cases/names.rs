//! Names: their parts, their length, and the ones that are refused.

use super::prelude::*;
use std::collections::HashSet;

pub(super) const CASES: &[Case] = &[
    case!(random_part_is_16_characters_of_base32),
    case!(a_thousand_files_have_a_thousand_names),
    case!(a_thousand_directories_have_a_thousand_names),
    case!(random_chars_is_the_length_of_the_random_part),
    case!(without_a_random_part_the_name_is_exact),
    case!(every_character_of_the_alphabet_occurs),
    case!(a_name_of_255_bytes),
    case!(a_name_of_256_bytes_is_refused),
    case!(the_whole_name_counts_not_its_parts),
    case!(hostile_file_names_are_refused),
    case!(hostile_directory_names_are_refused),
    case!(hostile_prefixes_are_refused),
    case!(hostile_suffixes_are_refused),
    case!(harmless_names_are_taken),
];

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// Names that are separators, climb, hide, fold to devices or can't exist somewhere.
const HOSTILE: &[&str] = &[
    "",
    ".",
    "..",
    "...",
    "/",
    "//",
    "/etc/passwd",
    "a/b",
    "a/",
    "/a",
    "./a",
    "../a",
    "a/..",
    "a/../b",
    "../../../../etc/passwd",
    "\\",
    "a\\b",
    "..\\a",
    "C:\\Windows",
    "\\\\server\\share",
    "\\\\?\\C:",
    ":",
    "C:",
    "C:a",
    "file:stream",
    "file::$DATA",
    "*",
    "?",
    "\"",
    "<",
    ">",
    "|",
    "a*b",
    "what?",
    "\0",
    "a\0",
    "a\0b",
    "\0.txt",
    "\n",
    "a\nb",
    "a\r\n",
    "\r",
    "\t",
    "a\tb",
    "\u{1}",
    "\u{7}",
    "\u{8}",
    "\u{1b}[2J",
    "\u{1f}",
    "\u{7f}",
    "\u{80}",
    "\u{9b}0m",
    "a.",
    "a..",
    "a ",
    "a. ",
    "a .",
    " ",
    ". .",
    "con",
    "CON",
    "Con",
    "prn",
    "PRN.txt",
    "aux",
    "aux.tar.gz",
    "nul",
    "NUL.",
    "nul.txt",
    "com0",
    "com1",
    "COM9",
    "com1.log",
    "lpt0",
    "LPT1",
    "lpt9.txt",
    "com¹",
    "COM².txt",
    "lpt³",
    "conin$",
    "CONOUT$",
    "con .txt",
    "nul  .a.b",
];

fn random_part_is_16_characters_of_base32(w: &World) {
    let options = Options {
        prefix: "p-".into(),
        suffix: "-s".into(),
        random_chars: None,
        ..Options::default()
    };
    let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
    let name = w.inside(path.path());
    let random = name.strip_prefix("p-").unwrap().strip_suffix("-s").unwrap();
    assert_eq!(random.len(), 16, "{name}");
    assert!(random.chars().all(|c| ALPHABET.contains(c)), "{name}");
}

fn a_thousand_files_have_a_thousand_names(_: &World) {
    let mut names = HashSet::new();
    for _ in 0..1000 {
        let (_file, path) = named();
        assert!(names.insert(path.path()), "{} was given twice", path.path());
    }
}

fn a_thousand_directories_have_a_thousand_names(w: &World) {
    let make = |_| interface::directory(&Options::default(), Location::Scratch).unwrap();
    let dirs: Vec<_> = (0..1000).map(make).collect();
    let names: HashSet<_> = dirs.iter().map(interface::TempDir::path).collect();
    assert_eq!(names.len(), 1000);
    assert_eq!(w.list("").len(), 1000);
}

fn random_chars_is_the_length_of_the_random_part(w: &World) {
    for length in [1, 8, 100, 252] {
        let options = Options { random_chars: Some(length), ..Options::default() };
        let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
        assert_eq!(w.inside(path.path()).len(), 3 + usize::from(length));
    }
}

fn without_a_random_part_the_name_is_exact(w: &World) {
    let options = Options {
        prefix: "exactly".into(),
        suffix: ".this".into(),
        random_chars: Some(0),
        ..Options::default()
    };
    let path = interface::named(&options, Location::Scratch).unwrap().1;
    assert_eq!(w.list(""), ["exactly.this"]);
    assert_code(interface::named(&options, Location::Scratch), ErrorCode::Exist);
    assert_code(interface::directory(&options, Location::Scratch), ErrorCode::Exist);
    assert_eq!(w.list(""), ["exactly.this"]);
    path.close().unwrap();
}

fn every_character_of_the_alphabet_occurs(w: &World) {
    let options = Options {
        prefix: String::new(),
        suffix: String::new(),
        random_chars: Some(255),
        ..Options::default()
    };
    let mut seen = HashSet::new();
    // 32 × (31/32)^2550: one run in 10^33 misses a character.
    for _ in 0..10 {
        let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
        seen.extend(w.inside(path.path()).chars());
    }
    assert_eq!(seen, ALPHABET.chars().collect());
}

fn a_name_of_255_bytes(w: &World) {
    let options = Options { suffix: "!".into(), ..fixed(&"é".repeat(127)) };
    let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
    assert_eq!(w.inside(path.path()).len(), 255);
}

fn a_name_of_256_bytes_is_refused(w: &World) {
    assert_code(
        interface::named(&fixed(&"x".repeat(256)), Location::Scratch),
        ErrorCode::NameTooLong,
    );
    assert_code(
        interface::directory(&fixed(&"é".repeat(128)), Location::Scratch),
        ErrorCode::NameTooLong,
    );
    assert_code(
        interface::named(&fixed(&"x".repeat(100_000)), Location::Scratch),
        ErrorCode::NameTooLong,
    );
    w.assert_empty();
}

fn the_whole_name_counts_not_its_parts(w: &World) {
    let long = Options {
        prefix: "x".repeat(200),
        suffix: "y".repeat(39),
        random_chars: None,
        ..Options::default()
    };
    drop(interface::named(&long, Location::Scratch).unwrap());
    let too_long = Options { suffix: "y".repeat(40), ..long };
    assert_code(interface::named(&too_long, Location::Scratch), ErrorCode::NameTooLong);
    let device = Options {
        prefix: "co".into(),
        suffix: "n.txt".into(),
        random_chars: Some(0),
        ..Options::default()
    };
    assert_code(interface::named(&device, Location::Scratch), ErrorCode::InvalidName);
    w.assert_empty();
}

fn hostile_file_names_are_refused(w: &World) {
    w.write("innocent", b"untouched");
    for name in HOSTILE {
        match interface::named(&fixed(name), Location::Scratch) {
            Ok((_, path)) => panic!("{name:?} was created as {:?}", path.path()),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::InvalidName, "{name:?}: {}", error.message)
            }
        }
        assert_eq!(w.list(""), ["innocent"], "after {name:?}");
    }
    assert_eq!(w.take("innocent"), b"untouched");
}

fn hostile_directory_names_are_refused(w: &World) {
    for name in HOSTILE {
        match interface::directory(&fixed(name), Location::Scratch) {
            Ok(dir) => panic!("{name:?} was created as {:?}", dir.path()),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::InvalidName, "{name:?}: {}", error.message)
            }
        }
        w.assert_empty();
    }
}

fn hostile_prefixes_are_refused(w: &World) {
    for prefix in ["/", "../", "a/", "a\\", "C:", "a\0", "\n", "con.", "nul.txt."] {
        let options = Options { prefix: prefix.into(), ..Options::default() };
        let result = interface::named(&options, Location::Scratch);
        assert_eq!(
            result.err().map(|error| error.code),
            Some(ErrorCode::InvalidName),
            "{prefix:?}"
        );
    }
    w.assert_empty();
}

fn hostile_suffixes_are_refused(w: &World) {
    for suffix in
        ["/", "/..", "/../../x", "\\x", ":stream", "?", "\0", "\0.txt", "\u{7f}", ".", " ", ". "]
    {
        let options = Options { suffix: suffix.into(), ..Options::default() };
        let result = interface::named(&options, Location::Scratch);
        assert_eq!(
            result.err().map(|error| error.code),
            Some(ErrorCode::InvalidName),
            "{suffix:?}"
        );
    }
    w.assert_empty();
}

fn harmless_names_are_taken(w: &World) {
    let names = [
        "x",
        "-rf",
        "--help",
        "~",
        "$HOME",
        "`id`",
        "a b",
        " a",
        ".hidden",
        "..x",
        "'",
        "&",
        ";",
        "con1",
        "console",
        "com10",
        "lpt",
        "null",
        "日本語",
        "é",
        "👋",
        "a\u{301}",
        "name.tar.gz",
        "#",
        "%2e%2e",
        "[1]",
        "@",
    ];
    for name in names {
        let (file, path) = interface::named(&fixed(name), Location::Scratch)
            .unwrap_or_else(|error| panic!("{name:?} was refused: {}", error.message));
        assert_eq!(w.list(""), [name]);
        drop((file, path));
    }
}
