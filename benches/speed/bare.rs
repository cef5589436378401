//! The baselines: the same system calls in the same order, and nothing else.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

use rustix::fs::{AtFlags, Mode, OFlags, fsync, mkdirat, openat, renameat, unlinkat};

use crate::comparison::nanoseconds;

const CREATE: OFlags = OFlags::RDWR
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const UNNAMED: OFlags = OFlags::RDWR.union(OFlags::TMPFILE).union(OFlags::CLOEXEC);
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

pub(crate) fn time(count: u64, mut once: impl FnMut() -> rustix::io::Result<()>) -> u64 {
    once().expect("make the system's calls");
    let start = Instant::now();
    for _ in 0..count {
        once().expect("make the system's calls");
    }
    nanoseconds(start.elapsed())
}

/// A name of 80 random bits.
fn name() -> [u8; 20] {
    let mut bits = [0; 10];
    getrandom::fill(&mut bits).expect("the system has randomness");
    let mut name = [0; 20];
    for (pair, byte) in name.chunks_exact_mut(2).zip(bits) {
        pair.copy_from_slice(&[b'a' + (byte & 15), b'a' + (byte >> 4)]);
    }
    name
}

pub(crate) fn named(dir: &OwnedFd, count: u64) -> u64 {
    time(count, || {
        let name = name();
        drop(openat(dir, &name[..], CREATE, PRIVATE)?);
        unlinkat(dir, &name[..], AtFlags::empty())
    })
}

/// One name that is known.
pub(crate) fn three_calls(dir: &OwnedFd, count: u64) -> u64 {
    time(count, || {
        drop(openat(dir, c"a-name-of-twenty-one", CREATE, PRIVATE)?);
        unlinkat(dir, c"a-name-of-twenty-one", AtFlags::empty())
    })
}

/// Names while so many others are there.
pub(crate) fn live(dir: &OwnedFd, others: u64, count: u64) -> u64 {
    let others: Vec<_> = (0..others).map(|_| name()).collect();
    for name in &others {
        openat(dir, &name[..], CREATE, PRIVATE).expect("create a file");
    }
    let took = named(dir, count);
    for name in &others {
        unlinkat(dir, &name[..], AtFlags::empty()).expect("remove a file");
    }
    took
}

pub(crate) fn unnamed(dir: &OwnedFd, count: u64) -> u64 {
    time(count, || openat(dir, c".", UNNAMED, PRIVATE).map(drop))
}

pub(crate) fn directory(dir: &OwnedFd, count: u64) -> u64 {
    time(count, || {
        let name = name();
        mkdirat(dir, &name[..], Mode::RWXU)?;
        drop(openat(dir, &name[..], DIRECTORY, Mode::empty())?);
        unlinkat(dir, &name[..], AtFlags::REMOVEDIR)
    })
}

pub(crate) fn persist(dir: &OwnedFd, durable: bool, count: u64) -> u64 {
    time(count, || {
        let name = name();
        let file = openat(dir, &name[..], CREATE, PRIVATE)?;
        if durable {
            fsync(&file)?;
        }
        renameat(dir, &name[..], dir, c"target")?;
        if durable { fsync(dir) } else { Ok(()) }
    })
}

fn file(dir: impl AsFd) -> OwnedFd {
    openat(dir, c".", UNNAMED, PRIVATE).expect("create an unnamed file")
}

pub(crate) fn write(dir: &OwnedFd, size: usize, count: u64) -> u64 {
    let (file, block) = (file(dir), vec![b'x'; size]);
    time(count, || rustix::io::pwrite(&file, &block, 0).map(|count| assert_eq!(count, size)))
}

pub(crate) fn read(dir: &OwnedFd, size: usize, count: u64) -> u64 {
    let (file, mut block) = (file(dir), vec![b'x'; size]);
    rustix::io::pwrite(&file, &block, 0).expect("write a block");
    time(count, || rustix::io::pread(&file, &mut block[..], 0).map(|count| assert_eq!(count, size)))
}

/// The loop that everybody writes.
pub(crate) fn copy(from: &Path, dir: &OwnedFd) -> u64 {
    let (mut from, mut to) = (File::open(from).expect("open the input"), File::from(file(dir)));
    let mut buffer = vec![0; 64 << 10];
    let start = Instant::now();
    loop {
        match from.read(&mut buffer).expect("read the input") {
            0 => return nanoseconds(start.elapsed()),
            count => to.write_all(&buffer[..count]).expect("write the output"),
        }
    }
}

/// Makes the tree that the work of the same name makes, and removes it.
pub(crate) fn remove(dir: &Path, make: impl Fn(&Path), count: u64) -> u64 {
    let mut took = 0;
    for _ in 0..count {
        let tree = dir.join("tree");
        fs::create_dir(&tree).expect("make a directory");
        make(&tree);
        let start = Instant::now();
        fs::remove_dir_all(&tree).expect("remove a tree");
        took += nanoseconds(start.elapsed());
    }
    took
}

pub(crate) fn wide(tree: &Path, entries: usize) {
    for directory in 0..entries / 1000 {
        let directory = tree.join(directory.to_string());
        fs::create_dir(&directory).expect("make a directory");
        for file in 1..1000 {
            File::create(directory.join(file.to_string())).expect("make a file");
        }
    }
}

pub(crate) fn deep(tree: &Path, depth: usize) {
    let path = tree.join("d/".repeat(depth));
    fs::create_dir_all(&path).expect("make directories");
    File::create(path.join("f")).expect("make a file");
}
