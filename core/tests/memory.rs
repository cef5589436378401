//! The memory that handles, names, listings and spooled files take is part of a budget.
#![allow(missing_docs)]

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use tempfile_core::{
    AnyFile, Context, Durability, Entry, Error, ErrorCode, Limited, Limits, LiveHandle, Location,
    MAX_PATH, MemoryBudget, Options, ReplaceMode, SharedLedger, Storage, TempDir,
};

use getrandom::SysRng;

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir, TestInstance};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

type C = TestContext<Stepped>;

/// A user whose memory is part of a budget, and its directory.
struct User {
    dir: TestDir,
    instance: TestInstance<Stepped>,
    budget: MemoryBudget,
}

impl User {
    fn new(budget: u64) -> Self {
        Self::with_limits(Limits::default(), budget)
    }

    fn with_limits(limits: Limits, budget: u64) -> Self {
        let (dir, budget) = (TestDir::new(), MemoryBudget::new(budget));
        let platform = Stepped::new(|_| Ok(()));
        let ctx = TestContext::with_limits(&dir, platform, limits, Some(budget.clone()));
        User { instance: ctx.instance(), dir, budget }
    }

    fn spooled(&self, max_memory: Option<u64>) -> Result<AnyFile<C, SysRng>, Error> {
        self.instance.spooled(max_memory, Location::Scratch)
    }

    fn directory(&self) -> Result<TempDir<C>, Error> {
        self.instance.directory(&Options::default(), Location::Scratch)
    }
}

#[track_caller]
fn assert_code<T>(result: Result<T, Error>, code: ErrorCode) {
    assert_eq!(result.err().expect("refused").code, code);
}

#[test]
fn a_label_of_over_255_bytes_is_invalid() {
    let user = User::new(MIB);
    let options = |len| Options { label: Some("x".repeat(len)), ..Options::default() };
    let _named = user.instance.named(&options(255), Location::Scratch).unwrap();
    let _dir = user.instance.directory(&options(255), Location::Scratch).unwrap();
    let names = user.dir.names();
    for len in [256, 20 << 20] {
        let named = user.instance.named(&options(len), Location::Scratch);
        assert_code(named, ErrorCode::Invalid);
        let dir = user.instance.directory(&options(len), Location::Scratch);
        assert_code(dir, ErrorCode::Invalid);
    }
    assert_eq!(user.dir.names(), names);
}

#[test]
fn a_label_is_charged() {
    let user = User::new(MIB);
    let charged = |label: Option<String>| {
        let options = Options { label, ..Options::default() };
        let _named = user.instance.named(&options, Location::Scratch).unwrap();
        user.budget.used()
    };
    assert_eq!(charged(Some("x".repeat(255))), charged(None) + 255);
}

#[test]
fn nested_directories_have_paths_of_at_most_4096_bytes() {
    let user = User::new(64 * MIB);
    let options = Options { prefix: "x".repeat(200), ..Options::default() };
    let mut nested = vec![user.directory().unwrap()];
    let error = loop {
        let parent = Location::Within(&nested[nested.len() - 1]);
        match user.instance.directory(&options, parent) {
            Ok(dir) => nested.push(dir),
            Err(error) => break error,
        }
        assert!(nested.len() < 100, "no path was too long");
    };
    assert_eq!(error.code, ErrorCode::NameTooLong);
    let deepest = &nested[nested.len() - 1];
    assert!(deepest.path().len() <= MAX_PATH && deepest.path().len() + 217 > MAX_PATH);
    assert_code(user.instance.named(&options, Location::Within(deepest)), ErrorCode::NameTooLong);
    // From the inside out, since each removes everything in it.
    while let Some(mut dir) = nested.pop() {
        dir.close().unwrap();
    }
}

#[test]
fn handles_are_charged_until_they_are_dropped() {
    const HANDLE: u64 = KIB;
    let user = User::new(3 * HANDLE);
    user.instance.default_directory().unwrap();
    let mut files: Vec<_> =
        (0..3).map(|_| user.instance.unnamed(Location::Scratch).unwrap()).collect();
    assert_code(user.instance.unnamed(Location::Scratch), ErrorCode::Quota);
    assert_code(files[0].duplicate(0), ErrorCode::Quota);
    // A closed handle still takes memory.
    files.iter_mut().for_each(|file| file.close().unwrap());
    assert_eq!(user.budget.used(), 3 * HANDLE);
    assert_code(user.instance.unnamed(Location::Scratch), ErrorCode::Quota);
    files.pop();
    user.instance.unnamed(Location::Scratch).unwrap();
    drop(files);
    assert_eq!(user.budget.used(), 0);
}

#[test]
fn every_kind_of_handle_is_charged_and_given_back() {
    let user = User::new(MIB);
    let scratch = || Location::Scratch;
    user.instance.default_directory().unwrap();
    let mut used = 0;
    let mut grows = || {
        let before = std::mem::replace(&mut used, user.budget.used());
        assert!(used >= before + KIB, "{before} bytes, then {used}");
    };
    let (mut file, mut path) = user.instance.named(&Options::default(), scratch()).unwrap();
    grows();
    let reopened = path.reopen().unwrap();
    grows();
    let stream = file.duplicate(0).unwrap();
    grows();
    let mut dir = user.directory().unwrap();
    grows();
    let mut child = dir.create_file("child").unwrap();
    grows();
    let mut spooled = user.spooled(None).unwrap();
    grows();
    child.close().unwrap();
    spooled.close().unwrap();
    file.close().unwrap();
    path.close().unwrap();
    dir.close().unwrap();
    assert_eq!(user.budget.used(), used, "closed handles are charged");
    drop((file, path, reopened, stream, dir, child, spooled));
    assert_eq!(user.budget.used(), 0);
}

#[test]
fn a_refused_creation_gives_its_memory_back() {
    let user = User::new(MIB);
    let options = Options { prefix: "a/b".into(), ..Options::default() };
    assert_code(user.instance.named(&options, Location::Scratch), ErrorCode::InvalidName);
    assert_code(user.instance.directory(&options, Location::Scratch), ErrorCode::InvalidName);
    assert_code(
        user.instance.named(&Options::default(), Location::Directory("/missing")),
        ErrorCode::NoEntry,
    );
    assert_eq!(user.budget.used(), 0);
}

#[test]
fn a_listing_larger_than_the_budget_is_refused() {
    let user = User::new(64 * KIB);
    let dir = user.directory().unwrap();
    for number in 0..2000 {
        drop(dir.create_file(&format!("{number:0200}")).unwrap());
    }
    assert_code(dir.entries(""), ErrorCode::Quota);
    let used = user.budget.used();
    dir.create_directory("small").unwrap();
    drop(dir.create_file("small/file").unwrap());
    assert_eq!(dir.entries("small").unwrap().len(), 1);
    assert_eq!(user.budget.used(), used);
}

#[test]
fn a_listing_is_charged_for_itself_and_for_the_copy_of_the_caller() {
    let (count, len) = (100, 200);
    let takes = 2 * count * (size_of::<Entry>() as u64 + len);
    let list_with = |room: u64| {
        let used = {
            let user = User::new(MIB);
            let _dir = user.directory().unwrap();
            user.budget.used()
        };
        let user = User::new(used + room);
        let dir = user.directory().unwrap();
        for number in 0..count {
            fs::write(format!("{}/{number:0200}", dir.path()), "").unwrap();
        }
        dir.entries("").map(|entries| entries.len())
    };
    assert_code(list_with(takes), ErrorCode::Quota);
    assert_eq!(list_with(2 * takes), Ok(100));
}

#[test]
fn cut_spooled_files_stay_within_the_budget() {
    let budget = 16 * MIB;
    let user = User::new(budget);
    let mut files = Vec::new();
    let end = (0..14_000).find_map(|_| {
        let mut file = match user.spooled(Some(MIB)) {
            Ok(file) => file,
            Err(error) => return Some(error.code),
        };
        file.set_size(32_768).unwrap();
        file.set_size(1).unwrap();
        files.push(file);
        assert!(user.budget.used() <= budget);
        None
    });
    // 14,000 handles of 1 KiB fit, and so does one byte of each, but not 32 KiB of each.
    assert_eq!(end, None, "after {} files", files.len());
    assert!(files.iter().all(|file| file.storage() == Ok(Storage::Memory)));
    let bytes = user.budget.used() - files.len() as u64 * KIB;
    assert!(bytes <= files.len() as u64 * 64, "{bytes} bytes for {} files", files.len());
}

#[test]
fn cut_spooled_files_stay_within_the_limit_on_spooled_files() {
    let limits = Limits { memory: Some(MIB), ..Limits::default() };
    let user = User::with_limits(limits, 64 * MIB);
    let mut files = Vec::new();
    for _ in 0..1000 {
        let mut file = user.spooled(Some(MIB)).unwrap();
        file.set_size(32_768).unwrap();
        file.set_size(1).unwrap();
        files.push(file);
    }
    assert_eq!(user.instance.context().ledger.usage().live.memory, 1000);
    assert!(user.budget.used() <= 1000 * KIB + MIB, "{}", user.budget.used());
}

/// What a buffer occupies is more than its size, and known before it grows.
#[test]
fn a_spooled_file_is_admitted_by_what_it_would_occupy() {
    let user = User::new(MIB);
    let mut file = user.spooled(None).unwrap();
    let handle = user.budget.used();
    file.set_size(20_000).unwrap();
    assert_eq!(user.budget.used(), handle + 32 * KIB);
    let user = User::new(handle + 32 * KIB - 1);
    let mut file = user.spooled(None).unwrap();
    assert_code(file.set_size(20_000), ErrorCode::Quota);
    assert_code(file.write(&[7; 20_000], 0), ErrorCode::Quota);
    file.set_size(16_000).unwrap();
}

/// A cut file occupies less than it did, so what it occupied before must not be asked for again.
#[test]
fn what_makes_no_file_larger_is_not_refused() {
    for max_memory in [None, Some(MIB)] {
        let user = User::new(MIB);
        let mut file = user.spooled(max_memory).unwrap();
        file.write(&[1; 30_000], 0).unwrap();
        file.set_size(17_000).unwrap();
        let rest = MIB - user.budget.used();
        assert!(user.budget.reserve(rest));
        file.write(b"x", 0).unwrap();
        file.write(&[2; 17_000], 0).unwrap();
        file.set_size(17_000).unwrap();
        file.set_size(16_900).unwrap();
        assert_eq!(file.storage(), Ok(Storage::Memory), "{max_memory:?}");
        assert_eq!(file.size(), Ok(16_900));
        user.budget.release(rest);
    }
}

#[test]
fn what_grows_a_file_within_the_memory_it_occupies_is_not_refused() {
    let user = User::new(MIB);
    let mut file = user.spooled(None).unwrap();
    file.set_size(20_000).unwrap();
    let rest = MIB - user.budget.used();
    assert!(user.budget.reserve(rest));
    file.write(b"x", 30_000).unwrap();
    file.set_size(32 * KIB).unwrap();
    assert_code(file.write(b"x", 32 * KIB), ErrorCode::Quota);
    user.budget.release(rest);
}

#[test]
fn spooled_files_larger_than_the_budget_move_to_disk() {
    let budget = 8 * MIB;
    let user = User::new(budget);
    let bytes = vec![7; MIB as usize];
    let mut files = Vec::new();
    // As many handles as there are descriptors: a moved file has one.
    for _ in 0..200 {
        let mut file = user.spooled(Some(2 * MIB)).unwrap();
        file.write(&bytes, 0).unwrap();
        assert!(user.budget.used() <= budget);
        files.push(file);
    }
    let on_disk = files.iter().filter(|file| file.storage() == Ok(Storage::Disk)).count();
    assert!((192..200).contains(&on_disk), "{on_disk} files are on disk");
    assert!(files.iter().all(|file| file.size() == Ok(MIB)));
}

#[test]
fn three_thousand_spooled_files_that_never_move_stay_within_the_budget() {
    let budget = 8 * MIB;
    let user = User::new(budget);
    let bytes = vec![7; MIB as usize];
    let mut files = Vec::new();
    let mut refused = 0;
    for _ in 0..3000 {
        let Ok(mut file) = user.spooled(None) else { continue };
        match file.write(&bytes, 0) {
            Ok(count) => assert_eq!(count, MIB),
            Err(error) => {
                assert_eq!((error.code, file.size()), (ErrorCode::Quota, Ok(0)));
                refused += 1;
            }
        }
        assert!(user.budget.used() <= budget);
        files.push(file);
    }
    assert_eq!(files.iter().filter(|file| file.size() == Ok(MIB)).count(), 7);
    assert!(refused > 900, "{refused} were refused");
}

/// A user with a limit on bytes and a budget of 64 KiB, and its directory.
fn on_a_limited_disk(platform: Stepped) -> (TestDir, TestInstance<Limited<Stepped>>, MemoryBudget) {
    let dir = TestDir::new();
    let budget = MemoryBudget::new(64 * KIB);
    let limits = Limits { bytes: Some(MIB), ..Limits::default() };
    let ledger = SharedLedger::with_limits(limits, Some(budget.clone()));
    let platform = Limited::new(platform, &ledger);
    let path = dir.path().to_str().expect("UTF-8");
    let root = platform.base(dir.open(), path).unwrap().into();
    let stopped = Rc::default();
    let context = TestContext {
        platform,
        root,
        path: path.into(),
        ledger,
        stopped,
        descriptors: tempfile_core::Descriptors::All,
    };
    (dir, context.instance(), budget)
}

#[test]
fn a_name_that_is_not_made_takes_no_memory() {
    for (failing, optional) in [
        ("create_directory", ""),
        ("create_file", ""),
        ("rename", ""),
        ("link", "rename_no_replace"),
    ] {
        let fails = Rc::new(Cell::new(false));
        let failing_now = fails.clone();
        let (_dir, instance, budget) = on_a_limited_disk(Stepped::new(move |call| match call {
            call if call == optional => Err(ErrorCode::Unsupported),
            call if call == failing && failing_now.get() => Err(ErrorCode::NoSpace),
            _ => Ok(()),
        }));
        let dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
        dir.create_directory("there").unwrap();
        let (_file, mut path) =
            instance.named(&Options::default(), Location::Within(&dir)).unwrap();
        let used = budget.used();
        fails.set(true);
        let failed = match failing {
            "create_directory" => dir.create_directory("new"),
            "create_file" => dir.create_file("new").map(drop),
            "rename" => dir.rename("there", &"x".repeat(255)),
            _ => {
                let target = format!("{}/{}", dir.path(), "x".repeat(255));
                path.persist(&target, ReplaceMode::NoClobber, Durability::None)
            }
        };
        assert_code(failed, ErrorCode::NoSpace);
        assert_eq!(budget.used(), used, "{failing}");
    }
}

#[test]
fn names_on_a_limited_disk_are_charged() {
    let (_dir, instance, budget) = on_a_limited_disk(Stepped::new(|_| Ok(())));
    let mut temp = instance.directory(&Options::default(), Location::Scratch).unwrap();
    let before = budget.used();
    let create = |number: u32| temp.create_directory(&number.to_string());
    let refused = (0..1000).find_map(|number| create(number).err()).expect("a full budget");
    assert_eq!(refused.code, ErrorCode::Quota);
    assert!(temp.entries("").is_err(), "no memory for a listing either");
    temp.close().unwrap();
    assert!(budget.used() < before, "{} bytes, {before} before", budget.used());
}

/// Renaming must not turn charged names into uncharged ones: a plugin could repeat it.
#[test]
fn a_rename_that_needs_more_memory_than_there_is_changes_nothing() {
    let (_dir, instance, budget) = on_a_limited_disk(Stepped::new(|_| Ok(())));
    let temp = instance.directory(&Options::default(), Location::Scratch).unwrap();
    temp.create_directory("short").unwrap();
    let used = budget.used();
    let rest = budget.limit() - used;
    assert!(budget.reserve(rest));
    let long = "x".repeat(255);
    assert_code(temp.rename("short", &long), ErrorCode::Quota);
    assert!(temp.metadata("short").is_ok());
    budget.release(rest);
    assert_eq!(budget.used(), used);
    temp.rename("short", &long).unwrap();
    assert_eq!(budget.used(), used + 2 * 250);
    temp.rename(&long, "short").unwrap();
    assert_eq!(budget.used(), used);
}

#[test]
fn the_path_of_a_spooled_files_location_is_charged() {
    let user = User::new(MIB);
    let charged = |location| {
        let _file = user.instance.spooled(None, location).unwrap();
        user.budget.used()
    };
    let long = "x".repeat(4000);
    assert_eq!(charged(Location::Directory(&long)) - charged(Location::Scratch), 4000);
}

#[test]
fn live_handles_are_listed_only_while_there_is_memory_for_the_list() {
    let user = User::new(8 * KIB);
    let ledger = user.instance.context().ledger().clone();
    let options = || Options { label: Some("x".repeat(255)), ..Options::default() };
    let mut held = Vec::new();
    ledger.live_handles(0).unwrap();
    while let Ok(named) = user.instance.named(&options(), Location::Scratch) {
        held.push(named);
    }
    let error = ledger.live_handles(0).unwrap_err();
    assert_eq!(error.code, ErrorCode::Quota);
    assert!(error.message.contains("the limit on the instance's memory is 8192"), "{error}");
    held.truncate(1);
    ledger.live_handles(0).unwrap();
}

#[test]
fn a_list_of_live_handles_needs_room_for_itself_and_for_the_copy_of_the_caller() {
    let user = User::new(MIB);
    let ledger = user.instance.context().ledger().clone();
    let options = Options { label: Some("x".repeat(255)), ..Options::default() };
    let held = [0; 10].map(|_| user.instance.named(&options, Location::Scratch).unwrap());
    let names = held.iter().map(|(_, path)| path.path().len() + 255).sum::<usize>();
    let list = (2 * held.len() * size_of::<LiveHandle>() + names) as u64;
    let rest = MIB - user.budget.used();
    assert!(user.budget.reserve(rest - (2 * list - 1)));
    assert_code(ledger.live_handles(0), ErrorCode::Quota);
    user.budget.release(1);
    assert_eq!(ledger.live_handles(0).unwrap().len(), 2 * held.len());
    user.budget.release(rest - 2 * list);
}
