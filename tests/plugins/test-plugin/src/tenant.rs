//! One of many plugins that run side by side: it hides a canary, and tries to reach those of the
//! others.

use std::fs;
use std::io::{BufRead, Read};

use wasi_tempfile::{NamedTempFile, TempDir};

use super::say;

/// Hides `canary` in a file and in a directory, prints `here` with their paths, and then `ready`.
/// For each line of standard input it tries to open the path after the first word in every way it
/// knows: with `tell` it prints all answers, with `try` only successes.
pub(super) fn run(canary: &str) {
    let file = NamedTempFile::with_contents(canary).expect("make a file");
    let dir = wasi_tempfile::tempdir().expect("make a directory");
    std::io::Write::write_all(
        &mut dir.create_file("canary").expect("make a child"),
        canary.as_bytes(),
    )
    .expect("write to the child");
    say(&format!("here {}", file.path().display()));
    say(&format!("here {}", dir.path().join("canary").display()));
    for text in
        std::env::args().chain(std::env::vars().map(|(name, value)| format!("{name}={value}")))
    {
        say(&format!("told {text}"));
    }
    say("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("read a line");
        let (word, path) = line.split_once(' ').expect("a word and a path");
        for (door, open) in DOORS {
            match open(&dir, path) {
                Ok(seen) => say(&format!("{door}: {seen}")),
                Err(error) if word == "tell" => say(&format!("{door}: {error}")),
                Err(_) => {}
            }
        }
    }
    let whole = [file.reopen(), dir.open_file("canary")]
        .map(|file| text(file).is_ok_and(|text| text == canary));
    say(if whole == [true; 2] { "whole" } else { "torn" });
}

type Door = fn(&TempDir, &str) -> std::io::Result<String>;

const DOORS: &[(&str, Door)] = &[
    ("read", |_, path| fs::read_to_string(path)),
    ("list", |_, path| Ok(format!("{:?}", fs::read_dir(path)?.collect::<Vec<_>>()))),
    ("child", |dir, path| text(dir.open_file(path))),
    ("children", |dir, path| Ok(format!("{:?}", dir.entries(path)?))),
    ("new child", |dir, path| dir.create_file(path).map(|_| "created".to_owned())),
    ("removed child", |dir, path| dir.remove(path).map(|()| "removed".to_owned())),
    ("beside", |_, path| text(wasi_tempfile::tempfile_in(path))),
    ("persisted", |_, path| {
        let persisted = NamedTempFile::new()?.persist(path);
        persisted.map(|_| "persisted".to_owned()).map_err(|refused| refused.error)
    }),
];

fn text(file: std::io::Result<wasi_tempfile::File>) -> std::io::Result<String> {
    let mut text = String::new();
    file?.read_to_string(&mut text)?;
    Ok(text)
}
