//! Limits are exact to the byte, whatever is done in whatever order.
//!
//! The accounting predicts; one test compares it with what is on disk after every step.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::fs;
use std::rc::Rc;

use getrandom::SysRng;
use rand_core::TryRng;
use tempfile_core::{
    AnyFile, Counts, Durability, ErrorCode, File, Limited, Limits, Location, Native, Options,
    Platform, ReplaceMode, SharedLedger, Storage, TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{SHARED, Stepped, TestContext, TestDir, TestInstance};

type P = Limited<Stepped>;
type C = TestContext<P>;

/// A named file: its open handle and its name, as long as they are kept.
type Pair = (Option<File<C>>, Option<TempPath<C>>);

/// A user with limits, and its directory.
struct User {
    dir: TestDir,
    instance: TestInstance<P>,
}

impl User {
    fn new(limits: Limits) -> Self {
        Self::on(Stepped::new(|_| Ok(())), limits)
    }

    fn on(platform: Stepped, limits: Limits) -> Self {
        let dir = TestDir::new();
        let ledger = SharedLedger::with_limits(limits, None);
        let platform = Limited::new(platform, &ledger);
        let path = dir.path().to_str().expect("UTF-8");
        let root = platform.base(dir.open(), path).unwrap().into();
        let ctx = TestContext {
            platform,
            root,
            path: path.into(),
            ledger,
            stopped: Rc::default(),
            descriptors: tempfile_core::Descriptors::All,
        };
        User { instance: ctx.instance(), dir }
    }

    fn live(&self) -> Counts {
        self.instance.context().ledger.usage().live
    }

    fn peak(&self) -> Counts {
        self.instance.context().ledger.usage().peak
    }

    /// The test's directory as a location. Unlike the default directory, it needs no probe.
    fn location(&self) -> Location<'_, C> {
        Location::Directory(&self.instance.context().path)
    }

    fn try_named(&self) -> Result<(File<C>, TempPath<C>), tempfile_core::Error> {
        self.instance.named(&Options::default(), self.location())
    }

    fn named(&self) -> (File<C>, TempPath<C>) {
        self.try_named().unwrap()
    }

    fn unnamed(&self) -> File<C> {
        self.instance.unnamed(self.location()).unwrap()
    }

    fn try_directory(&self) -> Result<TempDir<C>, tempfile_core::Error> {
        self.instance.directory(&Options::default(), self.location())
    }

    fn spooled(&self, max_memory: Option<u64>) -> AnyFile<C, SysRng> {
        self.instance.spooled(max_memory, self.location()).unwrap()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let live = self.live();
            assert_eq!((live.files, live.paths, live.directories, live.memory), (0, 0, 0, 0));
        }
    }
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
    let user = User::new(bytes(1000));
    let (first, _first) = user.named();
    let second = user.unnamed();
    assert_eq!(first.write(&[1; 600], 0).unwrap(), 600);
    assert_eq!(second.write(&[2; 600], 0).unwrap(), 400, "only these fit");
    assert_quota(second.write(&[2], 400));
    assert_eq!(first.write(&[3; 600], 0).unwrap(), 600, "nothing grows");
    assert_eq!((user.live().bytes, user.peak().bytes), (1000, 1000));
    first.set_size(599).unwrap();
    assert_eq!(second.write(&[2, 2], 400).unwrap(), 1);
    assert_eq!(second.size().unwrap(), 401);
}

#[test]
fn a_gap_counts_as_the_zeros_it_reads_as() {
    let user = User::new(bytes(1000));
    let file = user.unnamed();
    assert_quota(file.write(&[1], 1000));
    assert_eq!(file.write(&[], u64::MAX >> 1), Ok(0));
    assert_quota(file.write(&[1], (u64::MAX >> 1) - 1));
    assert_quota(file.set_size(1001));
    assert_quota(file.set_size(u64::MAX >> 1));
    assert_eq!(user.live().bytes, 0);
    assert_eq!(file.write(&[1, 1], 999).unwrap(), 1);
    assert_eq!(user.live().bytes, 1000);
    file.set_size(0).unwrap();
    file.set_size(1000).unwrap();
}

#[test]
fn bytes_are_free_when_the_name_and_all_handles_are_gone() {
    let user = User::new(bytes(100));
    let (file, path) = user.named();
    file.write(&[1; 100], 0).unwrap();
    let again = path.reopen().unwrap();
    let stream = again.duplicate(0).unwrap();
    drop(path);
    assert_eq!(user.live().entries, 0);
    drop(file);
    drop(again);
    assert_eq!(user.live().bytes, 100, "a stream is open");
    drop(stream);
    assert_eq!(user.live().bytes, 0);
}

#[test]
fn persisted_files_go_on_counting_until_they_are_replaced() {
    let user = User::new(bytes(100));
    let target = user.dir.join("target");
    let (file, mut path) = user.named();
    file.write(&[1; 60], 0).unwrap();
    path.persist(&target, ReplaceMode::NoClobber, Durability::None).unwrap();
    drop(file);
    let (more, more_path) = user.named();
    assert_eq!(more.write(&[1; 60], 0).unwrap(), 40);
    drop((more, more_path));
    let (other, mut path) = user.named();
    other.write(&[1; 40], 0).unwrap();
    path.persist(&target, ReplaceMode::Overwrite, Durability::Data).unwrap();
    assert_eq!((user.live().bytes, user.live().entries), (40, 1));
    assert_eq!(user.peak().bytes, 100);
}

#[test]
fn kept_files_go_on_counting() {
    let user = User::new(bytes(100));
    let (file, mut path) = user.named();
    file.write(&[1; 60], 0).unwrap();
    path.keep().unwrap();
    drop((file, path));
    assert_eq!((user.live().bytes, user.live().entries), (60, 1));
}

#[test]
fn every_name_is_an_entry() {
    let user = User::new(Limits { entries: Some(4), ..Limits::default() });
    let mut dir = user.try_directory().unwrap();
    dir.create_file("a").unwrap();
    dir.create_directory("b").unwrap();
    dir.create_file("b/c").unwrap();
    assert_quota(dir.create_file("d"));
    assert_quota(dir.create_directory("d"));
    assert_quota(user.try_named());
    dir.rename("a", "b/c").unwrap();
    assert_eq!(user.live().entries, 3, "one replaced another");
    dir.remove("b").unwrap();
    assert_eq!(user.live().entries, 1);
    dir.close().unwrap();
    assert_eq!((user.live().entries, user.peak().entries), (0, 4));
}

/// As in a component: WASI has neither unnamed files nor a rename that replaces nothing.
#[test]
fn at_the_limit_of_entries_what_takes_a_second_name_for_a_moment_is_refused() {
    let lacks = ["create_unnamed", "create_delete_on_close", "rename_no_replace"];
    let component = Stepped::new(move |call| match lacks.contains(&call) {
        true => Err(ErrorCode::Unsupported),
        false => Ok(()),
    });
    for (platform, code) in [(component, Some(ErrorCode::Quota)), (Stepped::new(|_| Ok(())), None)]
    {
        let user = User::on(platform, Limits { entries: Some(2), ..Limits::default() });
        let (_file, mut path) = user.named();
        let mut dir = user.try_directory().unwrap();
        let target = |name: &str| user.dir.join(name);
        let codes = [
            user.instance.unnamed(user.location()).err(),
            user.spooled(Some(1)).roll_over().err(),
            path.persist(&target("file"), ReplaceMode::NoClobber, Durability::None).err(),
            dir.persist(&target("dir"), ReplaceMode::NoClobber, Durability::None).err(),
        ];
        assert_eq!(codes.map(|error| error.map(|error| error.code)), [code; 4]);
    }
}

#[test]
fn a_name_by_link_is_an_entry() {
    let user = User::new(Limits { entries: Some(1), ..Limits::default() });
    let mut file = user.unnamed();
    // Without unnamed files the system has no such link.
    if matches!(file.link(&user.dir.join("linked"), Durability::None), Ok(())) {
        assert_eq!(user.live().entries, 1);
        let mut second = user.unnamed();
        assert_quota(second.link(&user.dir.join("second"), Durability::None));
    }
}

#[test]
fn handles_are_counted_before_they_are_created() {
    let user = User::new(Limits { handles: Some(5), ..Limits::default() });
    let pairs = [user.named(), user.named()];
    let names = user.dir.names();
    assert_quota(user.try_named());
    assert_eq!(user.dir.names(), names);
    let dir = user.try_directory().unwrap();
    assert_quota(dir.create_file("x"));
    assert_quota(pairs[0].1.reopen());
    assert_quota(user.instance.unnamed(user.location()));
    assert_quota(user.instance.spooled(None, user.location()));
    assert_quota(user.try_directory());
    let [(mut file, _path), second] = pairs;
    file.close().unwrap();
    dir.create_file("x").unwrap();
    // Syncing opens the file once more, which is not a handle of the user.
    let (_, mut path) = second;
    let held = user.unnamed();
    path.persist(&user.dir.join("target"), ReplaceMode::Overwrite, Durability::Full).unwrap();
    drop(held);
}

#[test]
fn streams_are_handles() {
    let user = User::new(Limits { handles: Some(3), ..Limits::default() });
    let file = user.unnamed();
    let mut streams = [file.duplicate(0).unwrap(), file.duplicate(7).unwrap()];
    assert_quota(file.duplicate(0));
    assert_quota(streams[0].duplicate(0));
    assert_eq!((user.live().files, user.peak().files), (3, 3));
    streams[0].close().unwrap();
    drop(file);
    assert_eq!(user.live().files, 1);
    assert_eq!(streams[1].write(b"the stream outlives the file", 0), Ok(28));
}

#[test]
fn a_file_has_a_limit_of_its_own() {
    let user = User::new(Limits { file_size: Some(10), ..Limits::default() });
    let file = user.unnamed();
    assert_eq!(file.write(&[1; 10], 5).unwrap(), 5);
    assert_quota(file.write(&[1], 10));
    assert_quota(file.set_size(11));
    assert_eq!(user.unnamed().write(&[1; 10], 0).unwrap(), 10);
}

#[test]
fn spooled_files_share_the_memory_and_move_to_disk_within_its_limits() {
    let limits = Limits { memory: Some(100), bytes: Some(150), ..Limits::default() };
    let user = User::new(limits);
    let (mut first, mut second, mut never) =
        (user.spooled(Some(1000)), user.spooled(Some(1000)), user.spooled(None));
    first.write(&[1; 60], 0).unwrap();
    never.write(&[3; 20], 0).unwrap();
    // The first is the largest.
    second.write(&[2; 21], 0).unwrap();
    assert_eq!(
        (first.storage().unwrap(), second.storage().unwrap()),
        (Storage::Disk, Storage::Memory)
    );
    assert_eq!((user.live().memory, user.live().bytes), (41, 60));
    // On disk there is room for 90 more, and in memory for 59.
    second.write(&[2; 59], 21).unwrap();
    assert_eq!(second.write(&[2; 71], 80), Ok(10), "it moves, and only these fit");
    assert_quota(second.write(&[2], 90));
    assert_eq!(second.read(100, 0).unwrap(), [2; 90]);
    assert_eq!((user.live().memory, user.live().bytes, user.peak().bytes), (20, 150, 150));
    // One that never moves has what is left of the memory.
    assert_quota(never.write(&[3; 81], 20));
    never.write(&[3; 80], 20).unwrap();
}

#[test]
fn a_refusal_says_which_limit_it_was_and_no_other_error_does() {
    let user = User::new(Limits { handles: Some(2), ..Limits::default() });
    let dir = user.try_directory().unwrap();
    let file = dir.create_file("file").unwrap();
    let refused = dir.open_file("file").err().expect("refused");
    let limit = "the limit on handles is 2; 2 in use, 1 more asked for";
    assert!(refused.message.contains(limit), "{refused}");
    let missing = dir.metadata("missing").unwrap_err();
    assert_eq!(missing.code, ErrorCode::NoEntry);
    assert!(!missing.message.contains("limit"), "{missing}");
    drop(file);
}

#[test]
fn what_stays_for_good_is_counted() {
    let user = User::new(Limits::default());
    let (_kept, mut kept) = user.named();
    let (_persisted, mut persisted) = user.named();
    let mut dir = user.try_directory().unwrap();
    kept.keep().unwrap();
    let target = user.dir.join("target");
    persisted.persist(&target, ReplaceMode::NoClobber, Durability::None).unwrap();
    dir.keep().unwrap();
    assert_eq!(user.instance.context().ledger.usage().kept, 3);
}

#[test]
fn a_probe_that_exceeds_a_limit_is_not_a_missing_directory() {
    for none in [bytes(0), Limits { entries: Some(0), ..Limits::default() }] {
        assert_quota(User::new(none).instance.default_directory());
    }
}

#[test]
fn without_limits_on_disk_nothing_on_disk_is_counted() {
    let user = User::new(Limits::default());
    let (file, _path) = user.named();
    file.write(&[1; 100], 0).unwrap();
    let live = user.live();
    assert_eq!((live.bytes, live.entries, live.files), (0, 0, 1));
}

#[test]
fn a_limited_file_gets_a_free_name_by_a_link() {
    let user = User::on(Stepped::failing("rename_no_replace", ErrorCode::Unsupported), bytes(1000));
    let (file, mut path) = user.named();
    file.write(b"new", 0).unwrap();
    let target = user.dir.join("target");
    path.persist(&target, ReplaceMode::NoClobber, Durability::None).unwrap();
    drop((file, path));
    assert_eq!(fs::read(target).unwrap(), b"new");
    assert_eq!((user.live().bytes, user.live().entries), (3, 1));
}

#[test]
fn limits_do_not_hide_whose_a_file_is() {
    for &shared in SHARED {
        let user = User::new(bytes(1000));
        if shared {
            user.dir.share();
        }
        let (_file, mut path) = user.named();
        let saved = user.dir.join("saved");
        fs::write(&saved, "edited").unwrap();
        fs::rename(saved, path.path()).unwrap();
        let closed = path.close().map_err(|error| error.code);
        assert_eq!(closed, if shared { Err(ErrorCode::Replaced) } else { Ok(()) });
        let (_file, mut path) = user.named();
        path.close().unwrap();
        user.try_directory().unwrap().close().unwrap();
    }
}

#[test]
fn files_of_one_name_in_two_directories_count_both() {
    let user = User::new(bytes(100));
    let dirs = [user.try_directory().unwrap(), user.try_directory().unwrap()];
    let files = dirs.each_ref().map(|dir| dir.create_file("same").unwrap());
    assert_eq!(files.each_ref().map(|file| file.write(&[1; 60], 0).unwrap()), [60, 40]);
}

#[test]
fn a_limited_file_is_synced_as_any_other() {
    let synced = Rc::new(RefCell::new(Vec::new()));
    let calls = synced.clone();
    let platform = Stepped::new(move |call| {
        if call.starts_with("sync") {
            calls.borrow_mut().push(call);
        }
        Ok(())
    });
    let user = User::on(platform, bytes(1000));
    let (file, mut path) = user.named();
    file.sync(Durability::Data).unwrap();
    path.persist(&user.dir.join("target"), ReplaceMode::Overwrite, Durability::Full).unwrap();
    assert_eq!(*synced.borrow(), ["sync_data", "sync_all", "sync_directory"]);
}

#[test]
fn a_limited_file_that_is_renamed_onto_its_other_name_loses_the_old_one() {
    let user = User::new(bytes(1000));
    let (_file, mut path) = user.named();
    let target = user.dir.join("target");
    fs::hard_link(path.path(), &target).unwrap();
    path.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_eq!(user.dir.names(), ["target"]);
}

#[test]
fn files_are_counted_if_anything_on_disk_is_limited() {
    let none = Limits::default;
    for (limits, counts) in [
        (none(), false),
        (Limits { handles: Some(1), memory: Some(1), ..none() }, false),
        (Limits { bytes: Some(1), ..none() }, true),
        (Limits { entries: Some(1), ..none() }, true),
        (Limits { file_size: Some(1), ..none() }, true),
    ] {
        let user = User::new(limits);
        assert_eq!(user.instance.context().platform.is_counting(), counts, "{limits:?}");
    }
}

#[test]
fn a_renamed_directory_takes_its_contents_along() {
    let user = User::new(Limits { entries: Some(10), bytes: Some(100), ..Limits::default() });
    let mut dir = user.try_directory().unwrap();
    dir.create_file("file").unwrap().write(&[1; 60], 0).unwrap();
    let target = user.dir.join("target");
    dir.persist(&target, ReplaceMode::NoClobber, Durability::None).unwrap();
    assert_eq!((user.live().bytes, user.live().entries), (60, 2));
    let parent = TempDir::adopt(
        user.instance.context(),
        &user.instance.open(user.location()).unwrap(),
        "target",
    );
    parent.unwrap().close().unwrap();
    assert_eq!((user.live().bytes, user.live().entries), (0, 0));
}

#[test]
fn a_directory_that_is_adopted_is_a_handle() {
    let user = User::new(Limits { handles: Some(2), ..Limits::default() });
    let location = user.instance.open(user.location()).unwrap();
    for name in ["a", "b"] {
        fs::create_dir(user.dir.path().join(name)).expect("a directory");
    }
    let adopt = |name| TempDir::adopt(user.instance.context(), &location, name);
    let first = adopt("a").unwrap();
    let second = user.try_directory().unwrap();
    assert_quota(adopt("b"));
    assert_eq!(user.live().directories, 2);
    drop((first, second));
    adopt("b").unwrap();
}

/// Performs operations of all kinds in a random order. The accounting is what is on disk, and never
/// more than the limits.
#[test]
fn the_accounting_agrees_with_the_disk() {
    const BYTES: u64 = 5000;
    const ENTRIES: u64 = 12;
    let limits = Limits { bytes: Some(BYTES), entries: Some(ENTRIES), ..Limits::default() };
    let user = User::new(limits);
    let mut pairs: Vec<Pair> = Vec::new();
    let dir = user.try_directory().unwrap();
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
            0 => user.try_named().map(|(file, path)| pairs.push((Some(file), Some(path)))),
            // On Windows an unnamed file has a name until it is closed, which does not count.
            1 if cfg!(windows) => Ok(()),
            1 => user.instance.unnamed(user.location()).map(|file| pairs.push((Some(file), None))),
            2 => dir.create_file(child).map(|file| pairs.push((Some(file), None))),
            3 => dir.open_file(child).map(|file| pairs.push((Some(file), None))),
            4 => dir.create_directory("d"),
            5 => dir.remove(child),
            6 => dir.rename(child, ["a", "b", "d/e"][draw(3) as usize]),
            7 | 8 => match pairs.get(at) {
                Some((Some(file), _)) => file.write(&[7; 500], draw(2000)).map(drop),
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
        let live = user.live();
        assert!(
            live.bytes <= BYTES && live.entries <= ENTRIES,
            "seed {seed}, step {step}: {live:?}"
        );
        let (bytes, entries) = on_disk(&user.dir.join(""), &pairs);
        assert_eq!((live.bytes, live.entries), (bytes, entries), "seed {seed}, step {step}");
    }
    drop(pairs);
    assert_eq!((user.peak().bytes <= BYTES, user.peak().entries), (true, ENTRIES));
}

/// The bytes and names that the system shows: each file once, with a name or only with a handle.
fn on_disk(path: &str, pairs: &[Pair]) -> (u64, u64) {
    use std::collections::HashMap;
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
                let file = fs::File::open(entry.path()).unwrap();
                files.insert(Native.identity(&file).unwrap(), metadata.len());
            }
        }
    }
    for file in pairs.iter().filter_map(|pair| pair.0.as_ref()) {
        let file = file.get_ref().unwrap().get_ref();
        files.insert(Native.identity(file).unwrap(), file.metadata().unwrap().len());
    }
    (files.values().sum(), entries)
}
