//! Reopening a file by its path.

use super::prelude::*;
use std::io::{Read, Seek, Write};
use wasi_tempfile::NamedTempFile;

pub(super) const CASES: &[Case] = &[
    case!(has_its_own_cursor),
    case!(sees_the_same_bytes),
    case!(works_after_the_first_handle_is_closed),
    case!(a_replaced_file_is_detected),
    case!(a_private_file_saved_by_rename_is_reopened),
    case!(a_planted_link_is_not_followed),
    case!(a_planted_fifo_is_not_opened, FIFO),
    case!(a_name_that_is_gone),
    case!(a_reopened_file_can_be_written),
];

fn has_its_own_cursor(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"abcdef").unwrap();
    let mut other = file.reopen().unwrap();
    assert_eq!(other.stream_position().unwrap(), 0);
    let mut two = [0; 2];
    other.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"ab");
    assert_eq!(file.stream_position().unwrap(), 6);
}

fn sees_the_same_bytes(_: &World) {
    let (file, path) = data("first");
    let other = path.reopen().unwrap();
    assert_eq!(contents(&other), b"first");
    put(&other, 5, " second");
    assert_eq!(contents(&file), b"first second");
}

fn works_after_the_first_handle_is_closed(_: &World) {
    let (file, path) = data("still there");
    file.close().unwrap();
    assert_eq!(contents(&path.reopen().unwrap()), b"still there");
}

fn a_replaced_file_is_detected(w: &World) {
    let (file, path) = in_shared_directory(w);
    put(&file, 0, "mine");
    w.write("impostor", "theirs");
    w.rename("impostor", &w.inside(path.path()));
    w.assert_differs(path.reopen(), &differences::IMPOSTOR);
    assert_eq!(contents(&file), b"mine");
    w.remove("shared");
}

fn a_private_file_saved_by_rename_is_reopened(w: &World) {
    let path = data("mine").1;
    w.write("edited", "edited");
    w.rename("edited", &w.inside(path.path()));
    assert_eq!(contents(&path.reopen().unwrap()), b"edited");
}

fn in_shared_directory(w: &World) -> (interface::File, interface::TempPath) {
    let shared = shared_directory(w);
    interface::named(&Options::default(), Location::Directory(&shared)).unwrap()
}

fn a_planted_link_is_not_followed(w: &World) {
    let (_file, path) = in_shared_directory(w);
    w.rename(&w.inside(path.path()), "shared/moved");
    // The link leads to the very file, but the name is not the file's.
    w.plant_link(&w.inside(path.path()), "moved");
    w.assert_differs(path.reopen(), &differences::PLANTED_ENTRY);
    w.remove("shared");
}

fn a_planted_fifo_is_not_opened(w: &World) {
    let (_file, path) = in_shared_directory(w);
    let name = w.inside(path.path());
    w.rename("fifo", &name);
    w.assert_differs(path.reopen(), &differences::PLANTED_ENTRY);
    w.remove("shared");
}

fn a_name_that_is_gone(w: &World) {
    let path = named().1;
    w.remove(&w.inside(path.path()));
    assert_code(path.reopen(), ErrorCode::NoEntry);
}

fn a_reopened_file_can_be_written(w: &World) {
    let (_file, path) = data("xxxx");
    let other = path.reopen().unwrap();
    put(&other, 1, "yy");
    other.set_size(3).unwrap();
    assert_eq!(w.read(&w.inside(path.path())), b"xyy");
}
