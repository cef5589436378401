//! Limits are exact, whatever is done in whatever order: an account kept by looking at the disk agrees with the one that is kept in
//! advance.
#![allow(missing_docs)]

use std::cell::Cell;
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use getrandom::SysRng;
use rand_core::TryRng;
use tempfile_core::{
    Anchor, Counts, Durability, ErrorCode, File, Ledger, Limited, Limits, Native, Now, Options,
    Place, Platform, ReplaceMode, Storage, Surroundings, TempDir, TempPath, default_place,
    directory, named, place_at, spooled, unnamed,
};

/// The operating system with a ledger of its own.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Ledger>>);

impl Surroundings for World {
    fn anchor(&self, path: &str) -> Result<Anchor<Arc<OwnedFd>>, ErrorCode> {
        Platform::anchor(&Native, path)
    }
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
    fn ledger<T>(&self, act: impl FnOnce(&mut Ledger, Now<'_>) -> T) -> Option<T> {
        Some(act(&mut self.0.lock().unwrap(), &|| 0))
    }
    fn last_resorts(&self) -> Vec<String> {
        Vec::new()
    }
}

type P = Limited<World>;

/// A named file, as far as its halves are still held.
type Pair = (Option<File<P>>, Option<TempPath<P>>);

/// A platform with these limits, and a directory of the test's own.
fn with(limits: Limits, test: impl FnOnce(&P, &Place<P>)) {
    let outside = default_place(&Native, &mut SysRng).unwrap();
    let mut dir = directory(&Native, &mut SysRng, &Options::default(), &outside).unwrap();
    let platform = Limited::new(World::default(), Some(limits));
    let place = place_at(&platform, dir.path()).unwrap();
    test(&platform, &place);
    let live = live(&platform);
    assert_eq!((live.files, live.paths, live.directories, live.memory), (0, 0, 0, 0));
    dir.close().unwrap();
}

fn live(platform: &P) -> Counts {
    platform.ledger(|ledger, _| ledger.usage().live).unwrap()
}

fn peak(platform: &P) -> Counts {
    platform.ledger(|ledger, _| ledger.usage().peak).unwrap()
}

fn create(platform: &P, place: &Place<P>) -> (File<P>, TempPath<P>) {
    named(platform, &mut SysRng, &Options::default(), place).unwrap()
}

#[track_caller]
fn assert_quota<T>(result: Result<T, tempfile_core::Error>) {
    assert_eq!(result.err().expect("refused").code, ErrorCode::Quota);
}

fn bytes(bytes: u64) -> Limits {
    Limits { bytes: Some(bytes), ..Limits::default() }
}

#[test]
fn bytes_are_counted_to_the_last_one() {
    with(bytes(1000), |platform, place| {
        let (first, _first) = create(platform, place);
        let second = unnamed(platform, &mut SysRng, place).unwrap();
        assert_eq!(first.write(0, &[1; 600]).unwrap(), 600);
        assert_eq!(second.write(0, &[2; 600]).unwrap(), 400, "what fits");
        assert_quota(second.write(400, &[2]));
        assert_eq!(first.write(0, &[3; 600]).unwrap(), 600, "nothing grows");
        assert_eq!((live(platform).bytes, peak(platform).bytes), (1000, 1000));
        first.set_size(599).unwrap();
        assert_eq!(second.write(400, &[2, 2]).unwrap(), 1);
        assert_eq!(second.size().unwrap(), 401);
    });
}

#[test]
fn a_gap_counts_as_the_zeros_it_reads_as() {
    with(bytes(1000), |platform, place| {
        let file = unnamed(platform, &mut SysRng, place).unwrap();
        assert_quota(file.write(1000, &[1]));
        assert_quota(
            file.write(u64::MAX >> 1, &[]).and_then(|_| file.write((u64::MAX >> 1) - 1, &[1])),
        );
        assert_quota(file.set_size(1001));
        assert_quota(file.set_size(u64::MAX >> 1));
        assert_eq!(live(platform).bytes, 0);
        assert_eq!(file.write(999, &[1, 1]).unwrap(), 1);
        assert_eq!(live(platform).bytes, 1000);
        file.set_size(0).unwrap();
        file.set_size(1000).unwrap();
    });
}

#[test]
fn bytes_are_free_when_name_and_handles_are_gone() {
    with(bytes(100), |platform, place| {
        let (file, path) = create(platform, place);
        file.write(0, &[1; 100]).unwrap();
        let again = path.reopen().unwrap();
        drop(path);
        assert_eq!(live(platform).entries, 0);
        drop(file);
        assert_eq!(live(platform).bytes, 100, "one handle is open");
        drop(again);
        assert_eq!(live(platform).bytes, 0);
    });
}

#[test]
fn what_is_persisted_and_kept_goes_on_counting() {
    with(bytes(100), |platform, place| {
        for (number, mode) in
            [ReplaceMode::NoClobber, ReplaceMode::Overwrite].into_iter().enumerate()
        {
            let (file, mut path) = create(platform, place);
            file.write(0, &[1; 60]).unwrap_or_else(|error| panic!("{number}: {error}"));
            let target = format!("{}/target", place.path());
            if number == 0 {
                path.persist(&target, mode, Durability::None).unwrap();
                drop(file);
                let (more, _more) = create(platform, place);
                assert_eq!(more.write(0, &[1; 60]).unwrap(), 40);
                drop((more, _more));
                let (other, mut other_path) = create(platform, place);
                other.write(0, &[1; 40]).unwrap();
                // The old target's 60 are free once it is replaced.
                other_path.persist(&target, ReplaceMode::Overwrite, Durability::Data).unwrap();
                assert_eq!((live(platform).bytes, live(platform).entries), (40, 1));
            }
        }
        assert_eq!(peak(platform).bytes, 100);
    });
}

#[test]
fn entries_are_names() {
    let limits = Limits { entries: Some(4), ..Limits::default() };
    with(limits, |platform, place| {
        let mut dir = directory(platform, &mut SysRng, &Options::default(), place).unwrap();
        dir.create_file("a").unwrap();
        dir.create_directory("b").unwrap();
        dir.create_file("b/c").unwrap();
        assert_quota(dir.create_file("d"));
        assert_quota(dir.create_directory("d"));
        assert_quota(named(platform, &mut SysRng, &Options::default(), place));
        let mut nameless = unnamed(platform, &mut SysRng, place).unwrap();
        if platform.ledger(|ledger, _| ledger.usage().live.entries) == Some(4) {
            let linked = nameless.link(&format!("{}/linked", place.path()), Durability::None);
            assert!(matches!(linked.unwrap_err().code, ErrorCode::Quota | ErrorCode::Unsupported));
        }
        dir.rename("a", "b/c").unwrap();
        assert_eq!(live(platform).entries, 3, "one replaced another");
        dir.remove("b").unwrap();
        assert_eq!(live(platform).entries, 1);
        dir.close().unwrap();
        assert_eq!((live(platform).entries, peak(platform).entries), (0, 4));
    });
}

#[test]
fn handles_are_counted_before_they_are_made() {
    let limits = Limits { handles: Some(5), ..Limits::default() };
    with(limits, |platform, place| {
        let pairs = [create(platform, place), create(platform, place)];
        let names = fs::read_dir(place.path()).unwrap().count();
        assert_quota(named(platform, &mut SysRng, &Options::default(), place));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), names);
        let dir: TempDir<P> = directory(platform, &mut SysRng, &Options::default(), place).unwrap();
        assert_quota(dir.create_file("x"));
        assert_quota(pairs[0].1.reopen());
        assert_quota(unnamed(platform, &mut SysRng, place));
        assert_quota(spooled(platform, SysRng, None, place));
        assert_quota(directory(platform, &mut SysRng, &Options::default(), place));
        let [(mut file, _path), second] = pairs;
        file.close().unwrap();
        dir.create_file("x").unwrap();
        // Syncing opens the file once more; that is nobody's handle.
        let (_, mut path) = second;
        let held = unnamed(platform, &mut SysRng, place).unwrap();
        path.persist(&format!("{}/target", place.path()), ReplaceMode::Overwrite, Durability::Full)
            .unwrap();
        drop(held);
    });
}

#[test]
fn a_file_has_a_size_of_its_own() {
    let limits = Limits { file_size: Some(10), ..Limits::default() };
    with(limits, |platform, place| {
        let file = unnamed(platform, &mut SysRng, place).unwrap();
        assert_eq!(file.write(5, &[1; 10]).unwrap(), 5);
        assert_quota(file.write(10, &[1]));
        assert_quota(file.set_size(11));
        let other = unnamed(platform, &mut SysRng, place).unwrap();
        assert_eq!(other.write(0, &[1; 10]).unwrap(), 10);
    });
}

#[test]
fn spooled_files_share_the_memory_and_move_to_the_disk_they_may_use() {
    let limits = Limits { memory: Some(100), bytes: Some(150), ..Limits::default() };
    with(limits, |platform, place| {
        let spool = |max| spooled(platform, SysRng, max, place).unwrap();
        let (mut first, mut second, mut never) =
            (spool(Some(1000)), spool(Some(1000)), spool(None));
        first.write(0, &[1; 60]).unwrap();
        never.write(0, &[3; 20]).unwrap();
        second.write(0, &[2; 21]).unwrap();
        assert_eq!(
            (first.storage().unwrap(), second.storage().unwrap()),
            (Storage::Memory, Storage::Disk)
        );
        assert_quota(never.write(20, &[3; 21]));
        assert_eq!(never.size().unwrap(), 20);
        assert_eq!((live(platform).memory, live(platform).bytes), (80, 21));
        // What moves counts on disk: 21 and 120 fit there, 21 and 130 do not, and the bytes stay where they are.
        assert_quota(first.write(60, &[1; 70]).and_then(|_| first.write(130, &[1])));
        assert_eq!(peak(platform).bytes, 150);
        assert_eq!(first.read(0, 60).unwrap(), [1; 60]);
        first.close().unwrap();
        never.write(20, &[3; 80]).unwrap();
        assert_eq!(live(platform).memory, 100);
    });
}

#[test]
fn no_room_for_a_probe_is_a_limit_and_not_a_missing_directory() {
    for none in [bytes(0), Limits { entries: Some(0), ..Limits::default() }] {
        with(none, |platform, _| assert_quota(default_place(platform, &mut SysRng)));
    }
}

#[test]
fn without_limits_nothing_is_counted() {
    let outside = default_place(&Native, &mut SysRng).unwrap();
    let mut dir = directory(&Native, &mut SysRng, &Options::default(), &outside).unwrap();
    let platform = Limited::new(World::default(), None);
    let place = place_at(&platform, dir.path()).unwrap();
    let (file, _path) = create(&platform, &place);
    file.write(0, &[1; 100]).unwrap();
    assert_eq!((live(&platform).bytes, live(&platform).entries, live(&platform).files), (0, 0, 1));
    dir.close().unwrap();
}

/// Many operations of all kinds in a random order: what was counted is what lies on the disk, and never more than the limit.
#[test]
fn the_account_agrees_with_the_disk() {
    const BYTES: u64 = 5000;
    const ENTRIES: u64 = 12;
    let limits = Limits { bytes: Some(BYTES), entries: Some(ENTRIES), ..Limits::default() };
    with(limits, |platform, place| {
        let mut pairs: Vec<Pair> = Vec::new();
        let dir = directory(platform, &mut SysRng, &Options::default(), place).unwrap();
        let seed = SysRng.try_next_u64().unwrap();
        let state = Cell::new(seed | 1);
        // Xorshift: good enough to choose, and its seed replays a run.
        let draw = |below: u64| {
            let mut x = state.get();
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            state.set(x);
            (x >> 33) % below
        };
        for step in 0..4000 {
            let child = ["a", "b", "c", "d/e", "d"][draw(5) as usize];
            let at = draw(pairs.len() as u64 + 1) as usize;
            let result = match draw(12) {
                0 => named(platform, &mut SysRng, &Options::default(), place)
                    .map(|(file, path)| pairs.push((Some(file), Some(path)))),
                1 => {
                    unnamed(platform, &mut SysRng, place).map(|file| pairs.push((Some(file), None)))
                }
                2 => dir.create_file(child).map(|file| pairs.push((Some(file), None))),
                3 => dir.open_file(child).map(|file| pairs.push((Some(file), None))),
                4 => dir.create_directory("d"),
                5 => dir.remove(child),
                6 => dir.rename(child, ["a", "b", "d/e"][draw(3) as usize]),
                7 | 8 => match pairs.get(at) {
                    Some((Some(file), _)) => file.write(draw(2000), &[7; 500]).map(drop),
                    _ => Ok(()),
                },
                9 => match pairs.get(at) {
                    Some((Some(file), _)) => file.set_size(draw(3000)),
                    _ => Ok(()),
                },
                10 => match pairs.get_mut(at) {
                    Some((_, Some(path))) => {
                        let target = format!("{}/{}", dir.path(), ["a", "b"][draw(2) as usize]);
                        path.persist(&target, ReplaceMode::Overwrite, Durability::None)
                    }
                    _ => Ok(()),
                },
                _ => {
                    if at < pairs.len() {
                        let mut pair = pairs.swap_remove(at);
                        if draw(2) == 0 {
                            pair.0 = None;
                        } else {
                            pair.1 = None;
                        }
                        pairs.push(pair);
                    }
                    pairs.retain(|pair| pair.0.is_some() || pair.1.is_some());
                    Ok(())
                }
            };
            drop(result);
            let live = live(platform);
            assert!(
                live.bytes <= BYTES && live.entries <= ENTRIES,
                "seed {seed}, step {step}: {live:?}"
            );
            let (bytes, entries) = on_disk(place.path(), &pairs);
            assert_eq!((live.bytes, live.entries), (bytes, entries), "seed {seed}, step {step}");
        }
        drop(pairs);
        assert_eq!((peak(platform).bytes <= BYTES, peak(platform).entries), (true, ENTRIES));
    });
}

/// What a look at the system shows: each file once, whether it has a name or only a handle.
fn on_disk(path: &str, pairs: &[Pair]) -> (u64, u64) {
    use std::collections::HashMap;
    use std::os::unix::fs::MetadataExt;
    let mut files = HashMap::new();
    let mut entries = 0;
    let mut pending = vec![std::path::PathBuf::from(path)];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            entries += 1;
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                pending.push(entry.path());
            } else {
                files.insert(metadata.ino(), metadata.len());
            }
        }
    }
    for file in pairs.iter().filter_map(|pair| pair.0.as_ref()) {
        let metadata = file.get_ref().unwrap().get_ref().metadata().unwrap();
        files.insert(metadata.ino(), metadata.len());
    }
    (files.values().sum(), entries)
}
