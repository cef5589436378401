//! The demo's sort in the sandbox and GNU sort, on a text larger than their memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::comparison::nanoseconds;
use crate::plugins::Runner;
use crate::processes::finish;

/// A text, and both ways to sort it.
pub(crate) struct Sorting {
    directory: PathBuf,
}

/// The memory of either sort.
const MEMORY: &str = "32M";

impl Sorting {
    pub(crate) fn of(directory: PathBuf, bytes: usize) -> Self {
        write_text(&directory.join("text"), bytes);
        Self { directory }
    }

    pub(crate) fn in_sandbox(&self, sort: &Runner, count: u64) -> u64 {
        (0..count)
            .map(|_| {
                let run = sort.run().args(["sort", "--memory", MEMORY]);
                let input = File::open(self.directory.join("text")).expect("open the text");
                let output = File::create(self.directory.join("ours")).expect("create the output");
                let start = Instant::now();
                sort.end(run.stdin(input).stdout(output));
                nanoseconds(start.elapsed())
            })
            .sum()
    }

    /// GNU's, or why not.
    pub(crate) fn gnu() -> Result<(), String> {
        let version = Command::new("sort")
            .arg("--version")
            .output()
            .map_err(|error| format!("sort: {error}"))?;
        let text = String::from_utf8_lossy(&version.stdout);
        if text.contains("GNU coreutils") { Ok(()) } else { Err("`sort` is not GNU's".to_owned()) }
    }

    pub(crate) fn with_gnu(&self, count: u64) -> u64 {
        (0..count)
            .map(|_| {
                let mut sort = Command::new("sort");
                sort.env("LC_ALL", "C").current_dir(&self.directory);
                sort.args(["-S", MEMORY, "--parallel=1", "-T", ".", "-o", "theirs", "text"]);
                let start = Instant::now();
                let (output, waited) = finish(&mut sort);
                let took = nanoseconds(start.elapsed()) - waited;
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                self.compare();
                took
            })
            .sum()
    }

    /// Both gave the same lines in the same order, if both have.
    fn compare(&self) {
        let read = |name: &str| fs::read(self.directory.join(name)).ok();
        let ours = read("ours");
        assert!(ours.is_none() || ours == read("theirs"), "the two do not agree");
    }
}

/// Lines of words, a few to a dozen: many begin alike, as the lines of a log do.
fn write_text(path: &Path, bytes: usize) {
    let mut text = BufWriter::new(File::create(path).expect("create the text"));
    let mut dice = 0x5eed_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 33) % sides
    };
    let mut written = 0;
    while written < bytes {
        let mut line = String::new();
        for _ in 0..3 + roll(10) {
            // A word of a small vocabulary, its length and letters decided by its number.
            let mut word = roll(2000) * 2_654_435_761;
            for _ in 0..3 + word % 6 {
                line.push(char::from(b'a' + (word % 26) as u8));
                word /= 7;
            }
            line.push(' ');
        }
        line.push('\n');
        text.write_all(line.as_bytes()).expect("write the text");
        written += line.len();
    }
    text.flush().expect("write the text");
}
