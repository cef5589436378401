//! Unnamed files: no directory entry leads to them.

use super::prelude::*;
use std::io::{Read, Seek, Write};

pub(super) const CASES: &[Case] = &[
    case!(round_trip),
    case!(has_no_visible_name),
    case!(gone_after_drop),
    case!(round_trip_through_the_interface),
    case!(a_hundred_at_once_do_not_mix),
    case!(in_a_temp_dir_it_has_no_name_either),
    case!(in_a_directory_of_the_callers),
    case!(outlives_its_temp_dir),
    case!(in_a_missing_directory),
    case!(close_frees_it, Setup::PLAIN.mounts(SMALL)),
];

const ROOM: usize = 64 * 1024;
const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM as u64, read_only: false }];

fn round_trip(_: &World) {
    let mut file = wasi_tempfile::tempfile().unwrap();
    file.write_all(b"Hello, this is temporary data.").unwrap();
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "Hello, this is temporary data.");
}

fn has_no_visible_name(w: &World) {
    let mut file = wasi_tempfile::tempfile().unwrap();
    w.assert_only_unnamed("", 1);
    file.write_all(&pattern(100_000)).unwrap();
    file.sync_all().unwrap();
    w.assert_only_unnamed("", 1);
}

fn gone_after_drop(w: &World) {
    {
        let mut file = wasi_tempfile::tempfile().unwrap();
        file.write_all(b"in the block").unwrap();
    }
    w.assert_empty();
}

fn round_trip_through_the_interface(w: &World) {
    let file = interface::unnamed(Location::Scratch).unwrap();
    put(&file, 0, "This is a temporary file.");
    assert_eq!(contents(&file), b"This is a temporary file.");
    w.assert_only_unnamed("", 1);
}

fn a_hundred_at_once_do_not_mix(w: &World) {
    let files: Vec<_> = (0..100).map(|_| interface::unnamed(Location::Scratch).unwrap()).collect();
    for (number, file) in files.iter().enumerate() {
        put(file, 0, format!("I am file {number}"));
    }
    w.assert_only_unnamed("", 100);
    for (number, file) in files.iter().enumerate() {
        assert_eq!(contents(file), format!("I am file {number}").as_bytes());
    }
}

fn in_a_temp_dir_it_has_no_name_either(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let file = interface::unnamed(Location::Within(&dir)).unwrap();
    put(&file, 0, "inside");
    assert_eq!(dir.entries("").unwrap().len(), w.shown_unnamed(1));
    w.assert_only_unnamed(&w.inside(dir.path()), 1);
    assert_eq!(contents(&file), b"inside");
}

fn in_a_directory_of_the_callers(w: &World) {
    w.plant_directory("mine");
    let file = interface::unnamed(Location::Directory(&w.path("mine"))).unwrap();
    put(&file, 0, "there");
    w.assert_only_unnamed("mine", 1);
    assert_eq!(contents(&file), b"there");
    drop(file);
    w.remove("mine");
}

fn outlives_its_temp_dir(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let file = interface::unnamed(Location::Within(&dir)).unwrap();
    put(&file, 0, "before, ");
    let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
    assert_eq!(w.list("").is_empty(), closed.is_ok());
    w.assert_differs(closed, &differences::REMOVE_OPEN_FILE);
    put(&file, 8, "after");
    assert_eq!(contents(&file), b"before, after");
}

fn in_a_missing_directory(w: &World) {
    let error = wasi_tempfile::tempfile_in(w.path("missing")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(wasi_tempfile::error_code(&error), Some(ErrorCode::NoEntry));
}

fn close_frees_it(w: &World) {
    let small = w.path("small");
    for _ in 0..3 {
        let file = interface::unnamed(Location::Directory(&small)).unwrap();
        put(&file, 0, vec![1; ROOM]);
        file.close().unwrap();
        // The handle stays: what follows has room because of the close alone.
        std::mem::forget(file);
    }
}
