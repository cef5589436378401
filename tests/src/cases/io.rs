//! Reading and writing through the interface, never through a descriptor.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(a_gap_reads_as_zeros),
    case!(a_read_at_the_end_is_short_then_empty),
    case!(a_read_of_nothing_is_empty),
    case!(a_read_far_past_the_end_is_empty),
    case!(a_read_past_the_last_offset_is_invalid),
    case!(a_write_past_the_last_offset_is_invalid),
    case!(a_write_that_would_end_past_the_last_offset),
    case!(a_size_past_the_last_offset_is_invalid),
    case!(a_write_of_nothing_changes_nothing),
    case!(overwrites_in_the_middle),
    case!(appends_by_size),
    case!(a_mebibyte_in_and_out),
    case!(one_read_is_capped),
    case!(every_byte_value_survives),
    case!(size_follows_writes),
    case!(set_size_cuts),
    case!(set_size_grows_with_zeros),
    case!(cut_and_grown_again_reads_zeros),
    case!(sparse_growth_is_cheap),
    case!(sync_of_every_kind),
    case!(a_file_too_large),
    case!(a_full_file_system, Setup::PLAIN.mounts(SMALL)),
];

const LAST: u64 = i64::MAX as u64;

const ROOM: u64 = 256 * 1024;

const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM, read_only: false }];

fn a_gap_reads_as_zeros(_: &World) {
    let (file, _path) = data("abc");
    put(&file, 10, "xyz");
    assert_eq!(contents(&file), b"abc\0\0\0\0\0\0\0xyz");
}

fn a_read_at_the_end_is_short_then_empty(_: &World) {
    let (file, _path) = data("hello");
    assert_eq!(file.read(100, 3).unwrap(), b"lo");
    assert_eq!(file.read(100, 5).unwrap(), b"");
}

fn a_read_of_nothing_is_empty(_: &World) {
    let (file, _path) = data("hello");
    assert_eq!(file.read(0, 0).unwrap(), b"");
}

fn a_read_far_past_the_end_is_empty(_: &World) {
    let (file, _path) = data("hello");
    assert_eq!(file.read(1, 6).unwrap(), b"");
    assert_eq!(file.read(1, 1 << 40).unwrap(), b"");
    assert_eq!(file.read(1, LAST - 1).unwrap(), b"");
    assert_eq!(file.read(100, LAST - 1).unwrap(), b"");
    assert_eq!(file.read(1, LAST).unwrap(), b"");
}

fn a_read_past_the_last_offset_is_invalid(_: &World) {
    let (file, _path) = data("hello");
    assert_code(file.read(1, LAST + 1), ErrorCode::Invalid);
    assert_code(file.read(1, u64::MAX), ErrorCode::Invalid);
    assert_code(file.read(0, LAST + 1), ErrorCode::Invalid);
}

fn a_write_past_the_last_offset_is_invalid(_: &World) {
    let (file, _path) = data("hello");
    assert_code(file.write(b"x", LAST + 1), ErrorCode::Invalid);
    assert_code(file.write(b"x", u64::MAX), ErrorCode::Invalid);
    assert_eq!(contents(&file), b"hello");
}

fn a_write_that_would_end_past_the_last_offset(_: &World) {
    let (file, _path) = data("hello");
    assert_code(file.write(b"x", LAST), ErrorCode::FileTooLarge);
    assert_code(file.write(b"xy", LAST - 1), ErrorCode::FileTooLarge);
    assert_eq!(contents(&file), b"hello");
}

fn a_size_past_the_last_offset_is_invalid(_: &World) {
    let (file, _path) = data("hello");
    assert_code(file.set_size(LAST + 1), ErrorCode::Invalid);
    assert_code(file.set_size(u64::MAX), ErrorCode::Invalid);
    assert_eq!(file.size().unwrap(), 5);
}

fn a_write_of_nothing_changes_nothing(_: &World) {
    let (file, _path) = data("hello");
    assert_eq!(file.write(b"", 0).unwrap(), 0);
    assert_eq!(file.write(b"", 1000).unwrap(), 0);
    assert_eq!(contents(&file), b"hello");
}

fn overwrites_in_the_middle(_: &World) {
    let (file, _path) = data("hello world");
    put(&file, 4, "0 W");
    assert_eq!(contents(&file), b"hell0 World");
}

fn appends_by_size(_: &World) {
    let (file, _path) = named();
    for piece in ["a", "bc", "def"] {
        put(&file, file.size().unwrap(), piece);
    }
    assert_eq!(contents(&file), b"abcdef");
}

fn a_mebibyte_in_and_out(w: &World) {
    let bytes = pattern(1 << 20);
    let (file, path) = data(&bytes);
    assert_eq!(file.size().unwrap(), 1 << 20);
    assert!(contents(&file) == bytes, "the bytes read are not the bytes written");
    assert!(w.read(&w.inside(path.path())) == bytes, "an outsider sees other bytes");
}

fn one_read_is_capped(_: &World) {
    let (file, _path) = named();
    file.set_size(4 << 20).unwrap();
    let got = file.read(u32::MAX, 0).unwrap().len();
    assert!((1..=1 << 20).contains(&got), "{got} bytes in one answer");
}

fn every_byte_value_survives(_: &World) {
    let bytes: Vec<u8> = (0..=255).collect();
    let (file, _path) = data(&bytes);
    assert_eq!(contents(&file), bytes);
}

fn size_follows_writes(_: &World) {
    let (file, _path) = named();
    assert_eq!(file.size().unwrap(), 0);
    put(&file, 0, "12345");
    assert_eq!(file.size().unwrap(), 5);
    put(&file, 2, "x");
    assert_eq!(file.size().unwrap(), 5);
    put(&file, 99, "x");
    assert_eq!(file.size().unwrap(), 100);
}

fn set_size_cuts(w: &World) {
    let (file, path) = data("hello world");
    file.set_size(5).unwrap();
    assert_eq!(contents(&file), b"hello");
    assert_eq!(w.read(&w.inside(path.path())), b"hello");
    file.set_size(0).unwrap();
    assert_eq!(contents(&file), b"");
}

fn set_size_grows_with_zeros(_: &World) {
    let (file, _path) = data("hi");
    file.set_size(5).unwrap();
    assert_eq!(contents(&file), b"hi\0\0\0");
}

fn cut_and_grown_again_reads_zeros(_: &World) {
    let (file, _path) = data("secret");
    file.set_size(1).unwrap();
    file.set_size(6).unwrap();
    assert_eq!(contents(&file), b"s\0\0\0\0\0");
}

fn sparse_growth_is_cheap(_: &World) {
    let (file, _path) = named();
    file.set_size(1 << 33).unwrap();
    put(&file, (1 << 33) - 3, "end");
    assert_eq!(file.size().unwrap(), 1 << 33);
    assert_eq!(file.read(10, (1 << 33) - 5).unwrap(), b"\0\0end");
}

fn sync_of_every_kind(_: &World) {
    let (file, _path) = data("stable");
    for durability in [Durability::None, Durability::Data, Durability::Full] {
        file.sync(durability).unwrap();
    }
    assert_eq!(contents(&file), b"stable");
}

fn a_file_too_large(_: &World) -> Outcome {
    let (file, _path) = data("hello");
    match file.set_size(LAST) {
        Ok(()) => skip("this file system holds files of 2^63-1 bytes"),
        Err(error) => {
            assert_eq!(error.code, ErrorCode::FileTooLarge, "{}", error.message);
            assert_code(file.write(b"xyz", LAST - 5), ErrorCode::FileTooLarge);
            assert_eq!(contents(&file), b"hello");
            Outcome::Passed
        }
    }
}

fn a_full_file_system(w: &World) {
    let small = w.path("small");
    let (file, path) = interface::named(&Options::default(), Location::Directory(&small)).unwrap();
    let block = pattern(4096);
    let mut written = 0;
    let error = loop {
        match file.write(&block, written) {
            Ok(count) => written += count,
            Err(error) => break error,
        }
        assert!(written <= ROOM, "more went in than there is room");
    };
    assert_eq!(error.code, ErrorCode::NoSpace, "{}", error.message);
    assert_eq!(file.read(4096, 0).unwrap(), block, "what went in stays");
    path.close().unwrap();
    file.close().unwrap();
    drop(
        interface::named(&Options::default(), Location::Directory(&small))
            .expect("the room is free again"),
    );
}
