//! Creators that draw from far too few names.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use getrandom::SysRng;
use rand_core::TryRng;
use rustix::fs::{CWD, FileType, Mode, inotify};
use tempfile_core::{
    ErrorCode, File, MAX_TRIES, OpenLocation, Options, Process, TempDir, TempPath, directory, named,
};

use crate::figure::{Scale, Tally, figure};
use crate::native;
use crate::support::World;

figure!(
    sixty_four_creators_share_thirty_two_names_and_none_twice,
    creators_that_do_not_insist_on_a_new_name
);

const CREATORS: usize = 64;

/// How many names one character makes.
const NAMES: usize = 32;

/// What stands in the way: a link to a file, a directory, and a fifo.
const PLANTED: [&str; 3] = ["n-a", "n-b", "n-c"];

/// The system's source, counting the names that are drawn from it.
struct Counted {
    drawn: u32,
}

impl TryRng for Counted {
    type Error = getrandom::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.drawn += 1;
        SysRng.try_next_u32()
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.drawn += 1;
        SysRng.try_next_u64()
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.drawn += 1;
        SysRng.try_fill_bytes(bytes)
    }
}

/// What a creator got: it is held until all have been looked at.
enum Owned {
    Ours(File<Process>, TempPath<Process>),
    Dir(TempDir<Process>),
    Naive(fs::File, String),
}

impl Owned {
    fn name(&self) -> String {
        let path = match self {
            Owned::Ours(_, path) => path.path().to_owned(),
            Owned::Dir(dir) => dir.path().to_owned(),
            Owned::Naive(_, name) => name.clone(),
        };
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Leaves the creator's number in what it owns.
    fn sign(&self, number: usize) {
        let bytes = number.to_string();
        match self {
            Owned::Ours(file, _) => file.write(bytes.as_bytes(), 0).map(drop).expect("it is mine"),
            Owned::Dir(dir) => dir.create_directory(&bytes).expect("it is mine"),
            Owned::Naive(file, _) => {
                let _ = std::io::Write::write_all(&mut &*file, bytes.as_bytes());
            }
        }
    }
}

type Create = fn(usize, &OpenLocation<Process>, &mut Counted) -> Result<Owned, ErrorCode>;

fn sixty_four_creators_share_thirty_two_names_and_none_twice(scale: Scale) -> Tally {
    race(scale.pick(5, 1000), |number, location, source| {
        let options = Options { prefix: "n-".into(), random_chars: Some(1), ..Options::default() };
        let made = if number % 2 == 0 {
            named(&Process, source, &options, location).map(|(file, path)| Owned::Ours(file, path))
        } else {
            directory(&Process, source, &options, location).map(Owned::Dir)
        };
        made.map_err(|error| error.code)
    })
}

/// It draws names as we do, and opens what it finds there.
fn creators_that_do_not_insist_on_a_new_name() -> Tally {
    race(1, |_, location, source| {
        for _ in 0..MAX_TRIES {
            let drawn = source.try_next_u32().expect("randomness") % NAMES as u32;
            let name =
                format!("n-{}", char::from(b"abcdefghijklmnopqrstuvwxyz234567"[drawn as usize]));
            let path = location.join(&name);
            let opened = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path);
            if let Ok(file) = opened {
                return Ok(Owned::Naive(file, name));
            }
        }
        Err(ErrorCode::Exhausted)
    })
}

fn race(rounds: u64, create: Create) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..rounds {
        round(create, &mut tally);
    }
    tally.count("rounds", rounds);
    tally
}

fn round(create: Create, tally: &mut Tally) {
    let world = World::in_memory();
    let victim = world.file("victim", "precious");
    let root = world.root();
    let [link, dir, fifo] = PLANTED.map(|name| root.join(name));
    symlink(&victim, &link).expect("plant a link");
    fs::create_dir(&dir).expect("plant a directory");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).expect("plant a fifo");
    let opened = Watch::of(&[&victim, &dir, &fifo]);

    let location = native::open(&root);
    let start = Barrier::new(CREATORS);
    let work = |number| {
        let mut source = Counted { drawn: 0 };
        start.wait();
        let made = create(number, &location, &mut source);
        if let Ok(owned) = &made {
            owned.sign(number);
        }
        (made, source.drawn)
    };
    let made: Vec<_> = thread::scope(|scope| {
        let creators: Vec<_> =
            (0..CREATORS).map(|number| scope.spawn(move || work(number))).collect();
        creators.into_iter().map(|creator| creator.join().expect("no panic")).collect()
    });

    let mut owners = HashMap::new();
    for (number, (made, drawn)) in made.iter().enumerate() {
        tally.count("names drawn", u64::from(*drawn));
        tally.expect(*drawn <= MAX_TRIES, || format!("{drawn} names drawn"));
        match made {
            Ok(owned) => {
                let name = owned.name();
                tally.count("names owned", 1);
                tally.expect(!PLANTED.contains(&&*name), || format!("{name} was planted"));
                tally.expect(is_signed(&root.join(&name), number), || {
                    format!("{name} is not {number}'s")
                });
                let before = owners.insert(name.clone(), number);
                tally.expect(before.is_none(), || format!("{name} is {number}'s and {before:?}'s"));
            }
            Err(code) => tally.expect(*code == ErrorCode::Exhausted, || format!("{code}")),
        }
    }
    // That a free name is never drawn, by any of those who went without, would take thousands of
    // draws that all miss it.
    tally.expect(owners.len() == NAMES - PLANTED.len(), || {
        format!("{} names are owned", owners.len())
    });
    let opened = opened.count();
    tally.expect(opened == 0, || format!("what was planted was opened {opened} times"));
    tally.expect(fs::read(victim).is_ok_and(|bytes| bytes == b"precious"), || {
        "the link was followed".into()
    });
    tally.expect(fs::read_dir(dir).is_ok_and(|mut dir| dir.next().is_none()), || {
        "the directory was entered".into()
    });
}

fn is_signed(path: &Path, number: usize) -> bool {
    // Reading a fifo would wait for somebody to write to it.
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => path.join(number.to_string()).is_dir(),
        Ok(found) => {
            found.is_file() && fs::read_to_string(path).is_ok_and(|text| text == number.to_string())
        }
        Err(_) => false,
    }
}

/// Sees files being opened, a fifo too, where opening it would wait for somebody at the other end.
struct Watch(std::os::fd::OwnedFd);

impl Watch {
    fn of(paths: &[&Path]) -> Self {
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)
            .expect("the system watches files");
        for path in paths {
            inotify::add_watch(&watch, *path, inotify::WatchFlags::OPEN).expect("watch a file");
        }
        Watch(watch)
    }

    fn count(&self) -> usize {
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 4096];
        let mut events = inotify::Reader::new(&self.0, &mut buffer);
        std::iter::from_fn(|| events.next().ok().map(drop)).count()
    }
}
