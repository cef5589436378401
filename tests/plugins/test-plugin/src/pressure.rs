//! Makes the host keep as much as it can, in each way that the interface has, and in mixtures.
//!
//! Between two ways of a mixture it prints `more`, and when it can get no more it prints `full`.
//! After each it waits for a line, so that the host is looked at while everything is still held.

use std::any::Any;
use std::fs;
use std::io::stdin;

use wasi_tempfile::interface::{
    self, Durability, Error, File, Location, Options, ReplaceMode, TempDir, TempPath,
};

use super::say;

/// What is held. The room in the vectors is taken at once, since memory is what runs out.
struct Held {
    files: Vec<File>,
    paths: Vec<TempPath>,
    dirs: Vec<TempDir>,
    streams: Vec<Box<dyn Any>>,
    numbers: u32,
}

/// One step of a way to make the host keep something.
type Step = fn(&mut Held) -> Result<(), Error>;

/// The ways: a name, how many steps there are at most, and a step.
const WAYS: &[(&str, u32, Step)] = &[
    ("labels-of-6-mib", 20, |held| {
        let label = Some("x".repeat(3 << 20));
        let options = Options { label, ..Options::default() };
        let (file, path) = interface::named(&options, Location::Scratch)?;
        held.files.push(file);
        held.paths.push(path);
        Ok(())
    }),
    ("labels-and-long-names", HANDLES, |held| {
        let (label, prefix) = (Some("x".repeat(255)), "x".repeat(200));
        let options = Options { label, prefix, ..Options::default() };
        let (file, path) = interface::named(&options, Location::Scratch)?;
        held.files.push(file);
        held.paths.push(path);
        Ok(())
    }),
    ("directories-within-each-other", HANDLES, |held| {
        let dir = match held.dirs.last() {
            Some(last) => interface::directory(&Options::default(), Location::Within(last)),
            None => interface::directory(&Options::default(), Location::Scratch),
        }?;
        held.dirs.push(dir);
        Ok(())
    }),
    ("names-in-a-deep-directory", HANDLES, |held| {
        held.go_deep()?;
        let Some(deep) = held.dirs.last() else { return Ok(()) };
        let options = Options { label: Some("x".repeat(255)), ..Options::default() };
        let (file, path) = interface::named(&options, Location::Within(deep))?;
        drop(file);
        held.paths.push(path);
        Ok(())
    }),
    ("shrunk-spooled-files", 14_000, |held| {
        let file = interface::spooled(None, Location::Scratch)?;
        let shrunk = file.set_size(32_768).and_then(|()| file.set_size(1));
        held.files.push(file);
        shrunk
    }),
    ("spooled-files-that-may-not-move", 3_000, |held| {
        let file = interface::spooled(None, Location::Scratch)?;
        let written = file.set_size(1 << 20);
        held.files.push(file);
        written
    }),
    ("spooled-files-that-may-move", 3_000, |held| {
        let file = interface::spooled(Some(1 << 30), Location::Scratch)?;
        let written = file.set_size(1 << 20);
        held.files.push(file);
        written
    }),
    ("spooled-files-that-are-dropped", 20_000, |_| {
        let file = interface::spooled(None, Location::Scratch)?;
        file.write(b"dropped", 0).map(drop)
    }),
    ("spooled-files-with-a-long-location", HANDLES, |held| {
        let path = format!("/tmp/{}", "x".repeat(4_000));
        held.files.push(interface::spooled(None, Location::Directory(&path))?);
        Ok(())
    }),
    ("input-streams", 20_000, |held| {
        let stream = interface::read_via_stream(held.file()?, 0)?;
        held.streams.push(Box::new(stream));
        Ok(())
    }),
    ("output-streams", 20_000, |held| {
        let stream = interface::write_via_stream(held.file()?, 0)?;
        held.streams.push(Box::new(stream));
        Ok(())
    }),
    ("unnamed-files", 20_000, |held| {
        held.files.push(interface::unnamed(Location::Scratch)?);
        Ok(())
    }),
    ("closed-files", 20_000, |held| {
        let file = interface::unnamed(Location::Scratch)?;
        let closed = file.close();
        held.files.push(file);
        closed
    }),
    ("closed-spooled-files", 20_000, |held| {
        let file = interface::spooled(None, Location::Scratch)?;
        let closed = file.write(&[7; 5_000], 0).and_then(|_| file.close());
        held.files.push(file);
        closed
    }),
    ("closed-directories", 20_000, |held| {
        let dir = interface::directory(&Options::default(), Location::Scratch)?;
        let _ = dir.close();
        held.dirs.push(dir);
        Ok(())
    }),
    ("kept-names", 20_000, |held| {
        let (file, path) = interface::named(&Options::default(), Location::Scratch)?;
        let kept = path.keep().and_then(|kept| {
            let _ = fs::remove_file(kept);
            file.close()
        });
        held.files.push(file);
        held.paths.push(path);
        kept
    }),
    ("reopened-files", 20_000, |held| {
        if held.paths.is_empty() {
            let (file, path) = interface::named(&Options::default(), Location::Scratch)?;
            held.files.push(file);
            held.paths.push(path);
        }
        if let Some(path) = held.paths.last() {
            held.files.push(path.reopen()?);
        }
        Ok(())
    }),
    ("a-long-listing", 20_000, |held| {
        let name = format!("{}{}", "x".repeat(200), held.number());
        let dir = held.dir()?;
        dir.create_directory(&name)?;
        // A listing takes as long as it is, so not every step asks for one.
        if name.ends_with("999") {
            dir.entries("").map(drop)?;
        }
        Ok(())
    }),
    ("a-wide-deep-tree", 20_000, |held| {
        let path = format!("{}{}", "d/".repeat(11), held.number());
        let dir = held.dir()?;
        if dir.create_directory(&path).is_ok() {
            return Ok(());
        }
        let mut parent = String::from("d");
        for _ in 0..11 {
            let _ = dir.create_directory(&parent);
            parent.push_str("/d");
        }
        Ok(())
    }),
    ("what-cannot-be-removed", 2_000, |held| {
        held.go_deep()?;
        let Some(deep) = held.dirs.last() else { return Ok(()) };
        let (file, path) = interface::named(&Options::default(), Location::Within(deep))?;
        drop(file);
        // A directory in the place of the file: its guard does not remove what is not a file.
        let swapped = path.path();
        let _ = fs::remove_file(&swapped).and_then(|()| fs::create_dir(&swapped));
        drop(path);
        Ok(())
    }),
    ("long-paths", 20, |held| {
        let path = "x".repeat(3 << 20);
        held.files.push(interface::unnamed(Location::Directory(&path))?);
        Ok(())
    }),
    ("long-prefixes", 20, |held| {
        let prefix = "x".repeat(3 << 20);
        let options = Options { prefix, ..Options::default() };
        held.dirs.push(interface::directory(&options, Location::Scratch)?);
        Ok(())
    }),
    ("long-paths-of-children", 20, |held| {
        let path = "x".repeat(3 << 20).replace("xx", "\u{1b}/");
        held.dir()?.create_directory(&path)
    }),
    ("long-targets", 20, |held| {
        let target = "x".repeat(3 << 20);
        let (file, path) = interface::named(&Options::default(), Location::Scratch)?;
        let persisted = path.persist(&target, ReplaceMode::Overwrite, Durability::None);
        held.files.push(file);
        persisted
    }),
    ("large-reads", 40, |held| {
        let file = held.file()?;
        file.set_size(64 << 20)?;
        file.read(u32::MAX, 0).map(drop)
    }),
    ("sparse-files", HANDLES, |held| {
        let file = interface::unnamed(Location::Scratch)?;
        let grown = file.set_size(1 << 40);
        held.files.push(file);
        grown
    }),
];

/// More than a run may have.
const HANDLES: u32 = 20_000;

impl Held {
    fn new() -> Self {
        const ROOM: usize = 20_000;
        Held {
            files: Vec::with_capacity(ROOM),
            paths: Vec::with_capacity(ROOM),
            dirs: Vec::with_capacity(ROOM),
            streams: Vec::with_capacity(ROOM),
            numbers: 0,
        }
    }

    /// A number that differs from the last.
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    fn file(&mut self) -> Result<&File, Error> {
        if self.files.is_empty() {
            self.files.push(interface::unnamed(Location::Scratch)?);
        }
        Ok(&self.files[0])
    }

    fn dir(&mut self) -> Result<&TempDir, Error> {
        if self.dirs.is_empty() {
            self.dirs.push(interface::directory(&Options::default(), Location::Scratch)?);
        }
        Ok(&self.dirs[0])
    }

    /// Makes directories within each other until their path is nearly as long as a path may be.
    fn go_deep(&mut self) -> Result<(), Error> {
        let options = Options { prefix: "x".repeat(230), ..Options::default() };
        while self.dirs.last().is_none_or(|last| last.path().len() < 3_700) {
            let within = self.dirs.last().map_or(Location::Scratch, Location::Within);
            self.dirs.push(interface::directory(&options, within)?);
        }
        Ok(())
    }

    /// Lets go of some of it.
    fn release(&mut self, draw: &mut impl FnMut() -> u64) {
        let mut half = |length: usize| (draw() as usize) % (length + 1);
        let kept = half(self.files.len());
        self.files.truncate(kept);
        let kept = half(self.paths.len());
        self.paths.truncate(kept);
        // The innermost first, as they were made.
        let kept = half(self.dirs.len());
        while self.dirs.len() > kept {
            self.dirs.pop();
        }
        let kept = half(self.streams.len());
        self.streams.truncate(kept);
    }
}

/// Takes all that one way gives, or what a mixture gives that is drawn from a seed. Without a name
/// it prints the names of the ways.
pub(crate) fn run(way: &str, seed: u64) {
    if way.is_empty() {
        return WAYS.iter().for_each(|(name, ..)| say(name));
    }
    let mut held = Held::new();
    let refused = match WAYS.iter().find(|(name, ..)| *name == way) {
        Some((_, steps, step)) => repeat(&mut held, *steps, *step),
        None => mix(&mut held, seed),
    };
    pause(&format!("full {refused}"));
    // What the host lists it copies. There may be no memory left for the list.
    match interface::live_handles() {
        Ok(live) => say(&format!("{} live", live.len())),
        Err(error) => say(&format!("not listed: {error}")),
    }
    say(&format!("{} left", interface::leftovers().len()));
}

/// Prints a line, and waits until the host has looked.
fn pause(line: &str) {
    say(line);
    stdin().read_line(&mut String::new()).expect("read standard input");
}

/// Makes the steps, until they have been refused often enough, and returns how many were.
fn repeat(held: &mut Held, steps: u32, step: Step) -> u32 {
    const ENOUGH: u32 = 20;
    let mut refused = 0;
    for _ in 0..steps {
        refused += u32::from(step(held).is_err());
        if refused == ENOUGH {
            break;
        }
    }
    refused
}

/// Makes some steps of a way, then of another, and lets go of something now and then.
fn mix(held: &mut Held, seed: u64) -> u32 {
    let mut state = seed;
    // SplitMix64: a seed replays everything.
    let mut draw = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let mut refused = 0;
    for _ in 0..30 {
        pause("more");
        let (_, steps, step) = WAYS[(draw() % WAYS.len() as u64) as usize];
        let steps = 1 + draw() % u64::from(steps).min(1_000);
        refused += repeat(held, steps as u32, step);
        if draw() % 4 == 0 {
            held.release(&mut draw);
        }
    }
    refused
}
