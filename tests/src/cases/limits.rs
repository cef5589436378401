//! Limits of a run: the ledger shows them, and what would exceed one fails with `quota`. Natively
//! nothing is limited.

use std::time::{Duration, Instant};

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(the_ledger_shows_the_limits, Setup::PLAIN.limits(ALL)),
    case!(without_limits_only_handles_are_limited),
    case!(bytes_up_to_the_limit, Setup::PLAIN.limits("bytes=1000")),
    case!(one_file_up_to_the_limit, Setup::PLAIN.limits("file-size=1000")),
    case!(entries_up_to_the_limit, Setup::PLAIN.limits("entries=3")),
    case!(handles_up_to_the_limit, Setup::PLAIN.limits("handles=3")),
    case!(memory_beyond_the_limit_moves_to_disk, Setup::PLAIN.limits("memory=1000")),
    case!(a_published_directory_goes_on_counting, Setup::PLAIN.limits("bytes=1000,entries=10")),
    case!(labels_and_ages_with_limits, Setup::PLAIN.limits(ALL)),
];

const ALL: &str = "bytes=1000000,entries=100,handles=50,memory=10000,file-size=500000";

/// The limits that the ledger shows, a field each: bytes, entries, handles, memory, file-size.
#[cfg(target_arch = "wasm32")]
fn shown() -> [Option<u64>; 5] {
    let limits = super::descriptors::bindings::scratch::tempfile::ledger::get_limits();
    [limits.bytes, limits.entries, limits.handles, limits.memory, limits.file_size]
}

#[cfg(target_arch = "wasm32")]
fn the_ledger_shows_the_limits(_: &World) {
    let set = [1_000_000, 100, 50, 10_000, 500_000];
    assert_eq!(shown(), set.map(Some));
}

#[cfg(target_arch = "wasm32")]
fn without_limits_only_handles_are_limited(_: &World) {
    let [bytes, entries, handles, memory, file_size] = shown();
    assert_eq!([bytes, entries, memory, file_size], [None; 4]);
    assert!(handles.is_some_and(|handles| handles >= 1000), "{handles:?}");
}

#[cfg(not(target_arch = "wasm32"))]
fn the_ledger_shows_the_limits(_: &World) -> Outcome {
    skip("natively nothing is limited")
}

#[cfg(not(target_arch = "wasm32"))]
fn without_limits_only_handles_are_limited(_: &World) -> Outcome {
    skip("natively nothing is limited")
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

fn labels_and_ages_with_limits(_: &World) {
    let options = Options { label: Some("labelled".into()), ..Options::default() };
    let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
    let listed = || {
        let live = interface::live_handles();
        live.into_iter().find(|handle| handle.kind == HandleKind::Path).expect("it is listed")
    };
    let first = listed();
    assert_eq!((first.label.as_deref(), first.path), (Some("labelled"), Some(path.path())));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2) {
        listed();
    }
    assert!(listed().age >= first.age + 2_000_000, "in nanoseconds");
}
