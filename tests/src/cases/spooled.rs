//! Spooled files of the interface: in the provider's memory while they are small, without a cursor.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(in_memory_until_it_is_too_large),
    case!(exactly_at_the_threshold_it_stays),
    case!(one_byte_past_the_threshold_it_moves),
    case!(a_long_write_moves_it_first),
    case!(a_sparse_write_counts_its_gap),
    case!(set_size_counts_as_a_write),
    case!(truncation_does_not_move_it_back),
    case!(a_threshold_of_zero_is_disk_at_once),
    case!(without_a_threshold_it_stays_in_memory),
    case!(roll_over_keeps_the_bytes),
    case!(a_second_roll_over_changes_nothing),
    case!(a_full_disk_leaves_the_bytes_in_memory, Setup::PLAIN.mounts(SMALL)),
    case!(a_missing_directory_matters_when_it_moves),
    case!(its_directory_is_looked_up_when_it_moves),
    case!(a_roll_over_looks_its_directory_up),
    case!(its_directory_is_not_held_open),
    case!(memory_never_passes_the_threshold),
    case!(a_write_of_nothing_moves_nothing),
    case!(gaps_in_memory_read_as_zeros),
    case!(cut_and_grown_in_memory_reads_zeros),
    case!(reads_in_memory_are_short_then_empty),
    case!(one_read_in_memory_is_capped),
    case!(offsets_past_the_last_are_invalid),
    case!(offsets_that_no_memory_has),
    case!(a_write_past_everything_moves_nothing),
    case!(sync_in_memory_has_nothing_to_wait_for),
    case!(it_has_no_name_on_disk_either),
    case!(a_closed_one_in_memory),
    case!(a_closed_one_on_disk),
    case!(a_link_moves_it_to_disk),
    case!(within_a_temp_dir),
    case!(every_file_is_somewhere),
];

const ROOM: u64 = 64 * 1024;
const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM, read_only: false }];

fn spooled(max_memory: u64) -> interface::File {
    interface::spooled(Some(max_memory), Location::Scratch).unwrap()
}

fn in_memory(file: &interface::File) -> bool {
    file.storage().unwrap() == Storage::Memory
}

fn in_memory_until_it_is_too_large(w: &World) {
    let file = spooled(1024);
    put(&file, 0, "This is a spooled temporary file.");
    assert!(in_memory(&file));
    put(&file, 33, [b'.'; 991]);
    assert!(in_memory(&file), "1024 bytes are not more than 1024");
    put(&file, 1024, "!");
    assert!(!in_memory(&file));
    assert_eq!(file.size().unwrap(), 1025);
    assert!(contents(&file).starts_with(b"This is a spooled temporary file...."));
    w.assert_only_unnamed("", 1);
}

fn exactly_at_the_threshold_it_stays(_: &World) {
    let file = spooled(100);
    put(&file, 0, [1; 100]);
    assert!(in_memory(&file));
    put(&file, 50, [2; 50]);
    assert!(in_memory(&file), "overwriting makes nothing larger");
}

fn one_byte_past_the_threshold_it_moves(_: &World) {
    let file = spooled(100);
    put(&file, 0, [1; 100]);
    put(&file, 100, [2]);
    assert!(!in_memory(&file));
    assert_eq!(contents(&file)[98..], [1, 1, 2]);
}

fn a_long_write_moves_it_first(_: &World) {
    let file = spooled(100);
    put(&file, 0, "head");
    put(&file, 4, pattern(300_000));
    assert!(!in_memory(&file));
    assert_eq!(interface::usage().peak.memory, 4, "what does not fit never was in memory");
    let all = contents(&file);
    assert_eq!((&all[..4], all.len()), (&b"head"[..], 300_004));
    assert!(all[4..] == pattern(300_000));
}

fn a_sparse_write_counts_its_gap(_: &World) {
    let file = spooled(100);
    assert_eq!(file.write(b"x", 99).unwrap(), 1);
    assert!(in_memory(&file));
    assert_eq!(file.write(b"y", 100).unwrap(), 1);
    assert!(!in_memory(&file));
    let far = spooled(100);
    assert_eq!(far.write(b"z", 1 << 30).unwrap(), 1);
    assert!(!in_memory(&far));
    assert_eq!(far.read(10, (1 << 30) - 1).unwrap(), b"\0z");
}

fn set_size_counts_as_a_write(_: &World) {
    let file = spooled(100);
    file.set_size(100).unwrap();
    assert!(in_memory(&file));
    file.set_size(101).unwrap();
    assert!(!in_memory(&file));
    assert_eq!(contents(&file), [0; 101]);
}

fn truncation_does_not_move_it_back(_: &World) {
    let file = spooled(4);
    put(&file, 0, "hello");
    file.set_size(0).unwrap();
    put(&file, 0, "hi");
    assert!(!in_memory(&file));
    assert_eq!(contents(&file), b"hi");
}

fn a_threshold_of_zero_is_disk_at_once(w: &World) {
    let file = spooled(0);
    assert!(!in_memory(&file));
    put(&file, 0, "on disk");
    assert_eq!(contents(&file), b"on disk");
    w.assert_only_unnamed("", 1);
}

fn without_a_threshold_it_stays_in_memory(_: &World) {
    let file = interface::spooled(None, Location::Scratch).unwrap();
    put(&file, 0, pattern(1 << 20));
    assert!(in_memory(&file));
    assert_eq!(interface::usage().live.memory, 1 << 20);
    file.roll_over().unwrap();
    assert!(!in_memory(&file));
    assert!(contents(&file) == pattern(1 << 20));
}

fn roll_over_keeps_the_bytes(w: &World) {
    let file = spooled(1 << 20);
    put(&file, 0, "kept");
    file.write(b"with a gap", 8).unwrap();
    file.roll_over().unwrap();
    assert!(!in_memory(&file));
    assert_eq!(contents(&file), b"kept\0\0\0\0with a gap");
    assert_eq!(interface::usage().live.memory, 0);
    w.assert_only_unnamed("", 1);
}

fn a_second_roll_over_changes_nothing(_: &World) {
    let file = spooled(1 << 20);
    put(&file, 0, "once");
    file.roll_over().unwrap();
    file.roll_over().unwrap();
    assert_eq!(contents(&file), b"once");
    let (plain, _path) = data("there already");
    plain.roll_over().unwrap();
    assert_eq!(contents(&plain), b"there already");
}

fn a_full_disk_leaves_the_bytes_in_memory(w: &World) {
    let small = w.path("small");
    w.write("small/filler", vec![0; ROOM as usize]);
    let file = interface::spooled(Some(8192), Location::Directory(&small)).unwrap();
    put(&file, 0, pattern(8192));
    assert_code(file.write(b"too much", 8192), ErrorCode::NoSpace);
    assert_code(file.set_size(8193), ErrorCode::NoSpace);
    assert_code(file.roll_over(), ErrorCode::NoSpace);
    assert!(in_memory(&file));
    assert!(contents(&file) == pattern(8192), "a failed move changes nothing");
    put(&file, 0, "still writable");
    w.remove("small/filler");
    put(&file, 8192, "now it fits");
    assert!(!in_memory(&file));
    assert_eq!(contents(&file)[8192..], *b"now it fits");
    assert_eq!(w.list("small"), [""; 0]);
}

fn a_missing_directory_matters_when_it_moves(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let file = interface::spooled(Some(8), Location::Within(&dir)).unwrap();
    put(&file, 0, "safe");
    w.remove(&w.inside(dir.path()));
    assert_code(file.write(b" and sound", 4), ErrorCode::NoEntry);
    assert_eq!(contents(&file), b"safe");
    assert!(in_memory(&file));
}

fn its_directory_is_looked_up_when_it_moves(w: &World) {
    let place = w.path("place");
    let file = interface::spooled(Some(8), Location::Directory(&place)).unwrap();
    put(&file, 0, "safe");
    assert_code(file.write(b" and sound", 4), ErrorCode::NoEntry);
    assert_code(file.set_size(9), ErrorCode::NoEntry);
    w.write("place", "");
    assert_code(file.write(b" and sound", 4), ErrorCode::NotDirectory);
    assert!(in_memory(&file));
    assert_eq!(contents(&file), b"safe");
    w.remove("place");
    w.plant_directory("place");
    put(&file, 4, " and sound");
    assert!(!in_memory(&file));
    assert_eq!(contents(&file), b"safe and sound");
    w.assert_only_unnamed("place", 1);
    drop(file);
    w.remove("place");
}

fn a_roll_over_looks_its_directory_up(w: &World) {
    let place = w.path("place");
    let file = interface::spooled(None, Location::Directory(&place)).unwrap();
    put(&file, 0, "bytes");
    assert_code(file.roll_over(), ErrorCode::NoEntry);
    assert!(in_memory(&file));
    w.plant_directory("place");
    file.roll_over().unwrap();
    assert!(!in_memory(&file));
    assert_eq!(contents(&file), b"bytes");
    drop(file);
    w.remove("place");
}

fn its_directory_is_not_held_open(w: &World) {
    w.plant_directory("first");
    let first = w.path("first");
    let file = interface::spooled(Some(1), Location::Directory(&first)).unwrap();
    w.rename("first", "second");
    assert_code(file.write(b"more than one", 0), ErrorCode::NoEntry);
    w.rename("second", "first");
    put(&file, 0, "more than one");
    assert_eq!(contents(&file), b"more than one");
    drop(file);
    w.remove("first");
}

fn memory_never_passes_the_threshold(_: &World) {
    let file = spooled(10_000);
    for at in 0..200 {
        put(&file, at * 100, [1; 100]);
    }
    assert!(!in_memory(&file));
    assert_eq!(interface::usage().peak.memory, 10_000);
    assert_eq!(interface::usage().live.memory, 0);
}

fn a_write_of_nothing_moves_nothing(_: &World) {
    let file = spooled(10);
    assert_eq!(file.write(b"", 1000).unwrap(), 0);
    assert!(in_memory(&file));
    assert_eq!(file.size().unwrap(), 0);
}

fn gaps_in_memory_read_as_zeros(_: &World) {
    let file = spooled(100);
    put(&file, 0, "abc");
    put(&file, 6, "xyz");
    assert_eq!(contents(&file), b"abc\0\0\0xyz");
}

fn cut_and_grown_in_memory_reads_zeros(_: &World) {
    let file = spooled(100);
    put(&file, 0, "secret");
    file.set_size(1).unwrap();
    file.set_size(6).unwrap();
    assert!(in_memory(&file));
    assert_eq!(contents(&file), b"s\0\0\0\0\0");
}

fn reads_in_memory_are_short_then_empty(_: &World) {
    let file = spooled(100);
    put(&file, 0, "hello");
    assert_eq!(file.read(100, 3).unwrap(), b"lo");
    assert_eq!(file.read(100, 5).unwrap(), b"");
    assert_eq!(file.read(100, LAST).unwrap(), b"");
    assert_eq!(file.read(0, 0).unwrap(), b"");
}

fn one_read_in_memory_is_capped(_: &World) {
    let file = interface::spooled(None, Location::Scratch).unwrap();
    file.set_size(4 << 20).unwrap();
    let got = file.read(u32::MAX, 0).unwrap().len();
    assert!((1..=1 << 20).contains(&got), "{got} bytes in one answer");
}

const LAST: u64 = i64::MAX as u64;

fn offsets_past_the_last_are_invalid(_: &World) {
    let file = spooled(100);
    for offset in [LAST + 1, u64::MAX] {
        assert_code(file.read(1, offset), ErrorCode::Invalid);
        assert_code(file.write(b"x", offset), ErrorCode::Invalid);
        assert_code(file.write(b"", offset), ErrorCode::Invalid);
        assert_code(file.set_size(offset), ErrorCode::Invalid);
    }
    assert!(in_memory(&file));
}

fn offsets_that_no_memory_has(w: &World) {
    let file = interface::spooled(None, Location::Scratch).unwrap();
    put(&file, 0, "small");
    for size in [1 << 50, LAST - 1] {
        w.assert_differs(file.set_size(size), &differences::MORE_THAN_ALL_MEMORY);
        w.assert_differs(file.write(b"x", size), &differences::MORE_THAN_ALL_MEMORY);
    }
    w.assert_differs(file.set_size(LAST), &differences::MORE_THAN_ALL_MEMORY);
    assert_code(file.write(b"x", LAST), ErrorCode::FileTooLarge);
    assert_eq!(contents(&file), b"small");
}

fn a_write_past_everything_moves_nothing(_: &World) {
    let file = spooled(100);
    put(&file, 0, "small");
    assert_code(file.write(b"two", LAST - 1), ErrorCode::FileTooLarge);
    assert!(in_memory(&file));
    assert_eq!(contents(&file), b"small");
}

fn sync_in_memory_has_nothing_to_wait_for(_: &World) {
    let file = spooled(5);
    put(&file, 0, "12345");
    for durability in [Durability::None, Durability::Data, Durability::Full] {
        file.sync(durability).unwrap();
    }
    assert!(in_memory(&file));
    put(&file, 5, "6");
    file.sync(Durability::Full).unwrap();
}

fn it_has_no_name_on_disk_either(w: &World) {
    let files: Vec<_> = (0..20).map(|_| spooled(1)).collect();
    for (number, file) in files.iter().enumerate() {
        put(file, 0, format!("number {number}"));
    }
    w.assert_only_unnamed("", 20);
    for (number, file) in files.iter().enumerate() {
        assert_eq!(contents(file), format!("number {number}").as_bytes());
    }
}

fn assert_closed(w: &World, file: &interface::File) {
    file.close().unwrap();
    assert_code(file.read(1, 0), ErrorCode::Closed);
    assert_code(file.write(b"x", 0), ErrorCode::Closed);
    assert_code(file.write(b"", u64::MAX), ErrorCode::Closed);
    assert_code(file.size(), ErrorCode::Closed);
    assert_code(file.set_size(0), ErrorCode::Closed);
    assert_code(file.sync(Durability::None), ErrorCode::Closed);
    assert_code(file.storage(), ErrorCode::Closed);
    assert_code(file.roll_over(), ErrorCode::Closed);
    assert_code(interface::link(file, &w.path("x"), Durability::None), ErrorCode::Closed);
    file.close().unwrap();
    assert_eq!(interface::usage().live, interface::Counts::default());
}

fn a_closed_one_in_memory(w: &World) {
    let file = spooled(100);
    put(&file, 0, "memory");
    assert_closed(w, &file);
}

fn a_closed_one_on_disk(w: &World) {
    let file = spooled(1);
    put(&file, 0, "disk");
    assert_closed(w, &file);
}

fn a_link_moves_it_to_disk(w: &World) {
    let file = spooled(100);
    put(&file, 0, "linked");
    let linked = interface::link(&file, &w.path("target"), Durability::None);
    assert!(!in_memory(&file), "it moves first, whatever comes then");
    assert_eq!(interface::usage().live.memory, 0);
    let made = linked.is_ok();
    w.assert_differs(linked, &differences::LINK_UNNAMED);
    assert_eq!(contents(&file), b"linked");
    if made {
        assert_eq!(w.take("target"), b"linked");
    }
}

fn within_a_temp_dir(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let file = interface::spooled(Some(4), Location::Within(&dir)).unwrap();
    put(&file, 0, "more than four");
    assert!(!in_memory(&file));
    w.assert_only_unnamed(&w.inside(dir.path()), 1);
    let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
    w.assert_differs(closed, &differences::REMOVE_OPEN_FILE);
    assert_eq!(contents(&file), b"more than four");
}

fn every_file_is_somewhere(_: &World) {
    let (file, _path) = data("x");
    assert!(!in_memory(&file));
    assert!(!in_memory(&interface::unnamed(Location::Scratch).unwrap()));
    file.close().unwrap();
    assert_code(file.storage(), ErrorCode::Closed);
    assert_code(file.roll_over(), ErrorCode::Closed);
}
