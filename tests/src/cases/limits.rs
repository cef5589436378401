//! Limits of a run: the ledger shows them, and what would exceed one fails with `quota`. Natively
//! nothing is limited.

use super::prelude::*;
use wasi_tempfile::interface::Limits;

pub(super) const CASES: &[Case] = &[
    case!(the_ledger_shows_the_limits, Setup::PLAIN.limits(ALL)),
    case!(without_limits_only_handles_are_limited),
    case!(bytes_up_to_the_limit, Setup::PLAIN.limits("bytes=1000")),
    case!(one_file_up_to_the_limit, Setup::PLAIN.limits("file-size=1000")),
    case!(entries_up_to_the_limit, Setup::PLAIN.limits("entries=3")),
    case!(handles_up_to_the_limit, Setup::PLAIN.limits("handles=3")),
    case!(memory_beyond_the_limit_moves_to_disk, Setup::PLAIN.limits("memory=1000")),
    case!(if_the_largest_cannot_move_the_next_one_does, Setup::PLAIN.limits("memory=1000")),
    case!(a_published_directory_goes_on_counting, Setup::PLAIN.limits("bytes=1000,entries=10")),
    case!(labels_with_limits, Setup::PLAIN.limits(ALL)),
    case!(a_message_says_which_limit_and_how_much, Setup::PLAIN.limits(SMALL)),
    case!(a_message_says_which_limit_of_a_file, Setup::PLAIN.limits("file-size=100")),
    case!(a_message_says_which_limit_on_memory, Setup::PLAIN.limits("memory=100")),
    case!(what_is_invalid_is_invalid_with_limits_too, Setup::PLAIN.limits(NOTHING)),
];

const SMALL: &str = "bytes=1000,entries=2,handles=3";
const NOTHING: &str = "bytes=1,entries=1,handles=2,memory=0,file-size=1";

const ALL: &str = "bytes=1000000,entries=100,handles=50,memory=10000,file-size=500000";

fn the_ledger_shows_the_limits(_: &World) {
    let set = Limits {
        bytes: Some(1_000_000),
        entries: Some(100),
        handles: Some(50),
        memory: Some(10_000),
        file_size: Some(500_000),
    };
    assert_eq!(interface::limits(), set);
}

fn without_limits_only_handles_are_limited(w: &World) {
    let handles = (w.placement() != Placement::Native).then_some(4096);
    assert_eq!(interface::limits(), Limits { handles, ..Limits::default() });
}

fn bytes_up_to_the_limit(_: &World) {
    let (first, path) = data([1; 600]);
    let second = interface::unnamed(Location::Scratch).unwrap();
    put(&second, 0, [2; 400]);
    assert_code(second.write(b"x", 400), ErrorCode::Quota);
    assert_code(first.set_size(601), ErrorCode::Quota);
    assert_eq!(interface::usage().live.bytes, 1000);
    assert_eq!((contents(&first).len(), contents(&second).len()), (600, 400));
    first.close().unwrap();
    path.close().unwrap();
    put(&second, 400, [3; 600]);
    assert_eq!(interface::usage().live.bytes, 1000);
}

fn one_file_up_to_the_limit(_: &World) {
    let (first, _path) = data([1; 1000]);
    assert_code(first.write(b"x", 1000), ErrorCode::Quota);
    assert_code(first.set_size(1001), ErrorCode::Quota);
    let second = interface::unnamed(Location::Scratch).unwrap();
    put(&second, 0, [2; 1000]);
    assert_eq!(contents(&first), [1; 1000]);
}

fn entries_up_to_the_limit(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.create_directory("sub").unwrap();
    dir.create_file("file").unwrap();
    assert_code(dir.create_file("one-more"), ErrorCode::Quota);
    assert_code(dir.create_directory("one-more"), ErrorCode::Quota);
    assert_code(interface::named(&fixed("one-more"), Location::Scratch), ErrorCode::Quota);
    assert_eq!(interface::usage().live.entries, 3);
    assert_eq!(w.list(&w.inside(dir.path())), ["file", "sub"]);
    dir.remove("sub").unwrap();
    dir.create_file("one-more").unwrap();
}

fn handles_up_to_the_limit(_: &World) {
    let (file, path) = named();
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    assert_code(interface::unnamed(Location::Scratch), ErrorCode::Quota);
    assert_code(interface::spooled(None, Location::Scratch), ErrorCode::Quota);
    assert_code(dir.create_file("x"), ErrorCode::Quota);
    assert_code(path.reopen(), ErrorCode::Quota);
    assert_eq!(dir.entries("").unwrap(), []);
    file.close().unwrap();
    path.reopen().unwrap();
}

fn memory_beyond_the_limit_moves_to_disk(_: &World) {
    let (small, large) = (
        interface::spooled(Some(10_000), Location::Scratch).unwrap(),
        interface::spooled(Some(10_000), Location::Scratch).unwrap(),
    );
    put(&small, 0, [1; 300]);
    put(&large, 0, [2; 600]);
    put(&small, 300, [1; 200]);
    assert_eq!(large.storage().unwrap(), Storage::Disk, "the largest moves first");
    assert_eq!(small.storage().unwrap(), Storage::Memory);
    assert!(interface::usage().peak.memory <= 1000);
    assert_eq!((contents(&small), contents(&large)), (vec![1; 500], vec![2; 600]));
}

fn if_the_largest_cannot_move_the_next_one_does(_: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let largest = interface::spooled(Some(10_000), Location::Within(&dir)).unwrap();
    let next = interface::spooled(Some(10_000), Location::Scratch).unwrap();
    let never = interface::spooled(None, Location::Scratch).unwrap();
    put(&largest, 0, [1; 500]);
    put(&next, 0, [2; 400]);
    dir.close().unwrap();
    put(&never, 0, [3; 300]);
    assert_eq!(next.storage().unwrap(), Storage::Disk);
    assert_code(never.write(&[3; 300], 300), ErrorCode::Quota);
    assert_code(largest.write(&[1; 300], 500), ErrorCode::NoEntry);
    assert_eq!((contents(&largest), contents(&next)), (vec![1; 500], vec![2; 400]));
}

fn a_published_directory_goes_on_counting(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    put(&dir.create_file("child").unwrap(), 0, [1; 800]);
    dir.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    let live = interface::usage().live;
    assert_eq!((live.bytes, live.entries, live.directories), (800, 2, 0));
    let file = interface::unnamed(Location::Scratch).unwrap();
    put(&file, 0, [2; 200]);
    assert_code(file.write(b"x", 200), ErrorCode::Quota);
    w.remove("target");
}

fn labels_with_limits(_: &World) {
    let options = Options { label: Some("labelled".into()), ..Options::default() };
    let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
    let live = interface::live_handles().unwrap();
    let listed = live.into_iter().find(|handle| handle.kind == HandleKind::Path).expect("a line");
    assert_eq!((listed.label.as_deref(), listed.path), (Some("labelled"), Some(path.path())));
}

/// Asserts that the call failed with `quota`, and that the message says this.
#[track_caller]
fn assert_refused<T>(result: Result<T, interface::Error>, by: &str) {
    let message = assert_code(result, ErrorCode::Quota);
    assert!(message.contains(by), "{message}");
}

fn a_message_says_which_limit_and_how_much(_: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let file = dir.create_file("file").unwrap();
    put(&file, 0, [1; 600]);
    let bytes = "the limit on bytes is 1000; 600 in use, 401 more asked for";
    assert_refused(file.set_size(1001), bytes);
    let gap = "the limit on bytes is 1000; 600 in use, 9401 more asked for";
    assert_refused(file.write(b"x", 10_000), gap);

    let entries = "the limit on entries is 2; 2 in use, 1 more asked for";
    assert_refused(dir.create_file("x"), entries);
    assert_refused(dir.create_directory("x"), entries);
    assert_refused(interface::directory(&fixed("x"), Location::Scratch), entries);

    let handles = "the limit on handles is 3; 2 in use, 2 more asked for";
    assert_refused(interface::named(&Options::default(), Location::Scratch), handles);
    let _third = dir.open_file("file").unwrap();
    let handles = "the limit on handles is 3; 3 in use, 1 more asked for";
    assert_refused(interface::unnamed(Location::Scratch), handles);
    assert_refused(interface::spooled(Some(1), Location::Scratch), handles);
    assert_refused(interface::directory(&Options::default(), Location::Scratch), handles);
    assert_refused(dir.create_file("x"), handles);
    assert_refused(dir.open_file("file"), handles);
}

fn a_message_says_which_limit_of_a_file(_: &World) {
    let (file, _path) = data([1; 60]);
    let size = "the limit on the size of a file is 100; 60 in use, 41 more asked for";
    assert_refused(file.set_size(101), size);
    let spooled = interface::spooled(Some(1000), Location::Scratch).unwrap();
    put(&spooled, 0, [1; 101]);
    let size = "the limit on the size of a file is 100; 100 in use, 1 more asked for";
    assert_refused(spooled.roll_over(), size);
}

fn a_message_says_which_limit_on_memory(_: &World) {
    let spooled = interface::spooled(None, Location::Scratch).unwrap();
    put(&spooled, 0, [1; 60]);
    let memory = "the limit on the memory of spooled files is 100; 60 in use, 41 more asked for";
    assert_refused(spooled.set_size(101), memory);
    assert_refused(spooled.write(&[1; 41], 60), memory);
}

/// Every limit is used up, so that a call which looks at the limits first would say `quota`.
fn what_is_invalid_is_invalid_with_limits_too(w: &World) {
    const PAST: u64 = 1 << 63;
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let spooled = interface::spooled(None, Location::Scratch).unwrap();
    let never = interface::spooled(Some(10), Location::Scratch);
    assert_code(never, ErrorCode::Quota);
    assert_code(spooled.write(b"x", PAST), ErrorCode::Invalid);
    assert_code(spooled.set_size(PAST), ErrorCode::Invalid);
    assert_code(spooled.read(1, PAST), ErrorCode::Invalid);
    assert_code(spooled.write(b"xx", PAST - 2), ErrorCode::FileTooLarge);
    assert_code(spooled.write(b"x", PAST - 2), ErrorCode::Quota);
    assert_code(spooled.set_size(PAST - 1), ErrorCode::Quota);

    let label = Options { label: Some("x".repeat(256)), ..Options::default() };
    for (options, code) in [
        (&label, ErrorCode::Invalid),
        (&fixed("a/b"), ErrorCode::InvalidName),
        (&fixed("x"), ErrorCode::Quota),
    ] {
        assert_code(interface::named(options, Location::Scratch), code);
        assert_code(interface::directory(options, Location::Within(&dir)), code);
    }
    let long = "x/".repeat(2049);
    assert_code(interface::spooled(None, Location::Directory(&long)), ErrorCode::NameTooLong);
    assert_code(dir.create_file("../x"), ErrorCode::InvalidName);
    assert_code(dir.create_directory(&long), ErrorCode::NameTooLong);

    // A file on disk that is over its limits already.
    drop(spooled);
    w.write(&format!("{}/file", w.inside(dir.path())), "planted");
    let file = dir.open_file("file").unwrap();
    assert_code(file.write(b"x", PAST), ErrorCode::Invalid);
    assert_code(file.set_size(PAST), ErrorCode::Invalid);
    assert_code(file.write(b"xx", PAST - 2), ErrorCode::FileTooLarge);
    assert_code(file.write(b"x", 7), ErrorCode::Quota);
    assert_eq!(file.write(b"P", 0).unwrap(), 1, "it does not grow");
}
