//! Named files: an open file and its path, each with its own lifetime.

use super::prelude::*;
use std::io::{Read, Seek, Write};
use std::path::MAIN_SEPARATOR;
use wasi_tempfile::{Builder, NamedTempFile};

pub(super) const CASES: &[Case] = &[
    case!(kept_with_a_suffix),
    case!(removed_by_hand),
    case!(another_program_reads_and_writes_it),
    case!(the_default_prefix_is_tmp),
    case!(prefix_suffix_and_content),
    case!(prefix_suffix_and_directory),
    case!(write_seek_read),
    case!(removed_on_drop),
    case!(removed_on_close),
    case!(close_twice_is_no_error),
    case!(the_name_outlives_the_file),
    case!(the_file_outlives_the_name),
    case!(split_into_parts_and_joined_again),
    case!(keep_returns_the_path_and_nothing_is_removed),
    case!(path_is_known_after_close),
    case!(path_is_in_the_default_directory),
    case!(created_empty),
    case!(with_prefix_and_with_suffix),
    case!(into_file_removes_the_name),
    case!(removal_by_drop_forgives),
];

fn kept_with_a_suffix(w: &World) {
    let mut file = NamedTempFile::with_suffix(".txt").unwrap();
    file.write_all(b"This will be kept.").unwrap();
    let (file, path) = file.keep().unwrap();
    drop(file);
    let name = w.inside(&path);
    assert!(name.ends_with(".txt"), "{name}");
    assert_eq!(w.take(&name), b"This will be kept.");
}

fn removed_by_hand(w: &World) {
    let path = NamedTempFile::new().unwrap().into_temp_path();
    let name = w.inside(&path);
    assert!(w.exists(&name));
    w.remove(&name);
    path.close().expect("a name that is already gone is a success");
}

fn another_program_reads_and_writes_it(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"for you").unwrap();
    let name = w.inside(file.path());
    assert_eq!(w.read(&name), b"for you");
    w.write(&name, b"and for you");
    let mut seen = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "and for you");
    file.close().unwrap();
    w.assert_empty();
}

fn the_default_prefix_is_tmp(w: &World) {
    let (_file, path) = named();
    assert!(w.inside(path.path()).starts_with("tmp"), "{}", path.path());
}

fn prefix_suffix_and_content(w: &World) {
    let mut file = Builder::new().prefix("secret_").suffix(".key").tempfile().unwrap();
    file.write_all(b"secret data").unwrap();
    let name = w.inside(file.path());
    assert!(name.starts_with("secret_") && name.ends_with(".key"), "{name}");
    assert_eq!(w.read(&name), b"secret data");
}

fn prefix_suffix_and_directory(w: &World) {
    w.plant_directory("mine");
    let file =
        Builder::new().prefix("my_temp_").suffix(".txt").tempfile_in(w.path("mine")).unwrap();
    let name = w.inside(file.path());
    assert!(name.starts_with("mine/my_temp_") && name.ends_with(".txt"), "{name}");
    file.close().unwrap();
    w.remove("mine");
}

fn write_seek_read(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"Hello Shravan").unwrap();
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "Hello Shravan");
}

fn removed_on_drop(w: &World) {
    let (file, path) = named();
    assert_eq!(w.list("").len(), 1);
    drop((file, path));
    w.assert_empty();
}

fn removed_on_close(w: &World) {
    let path = named().1;
    path.close().unwrap();
    w.assert_empty();
}

fn close_twice_is_no_error(_: &World) {
    let (file, path) = named();
    file.close().unwrap();
    file.close().unwrap();
    path.close().unwrap();
    path.close().unwrap();
}

fn the_name_outlives_the_file(w: &World) {
    let (file, path) = data("closed, but still there");
    file.close().unwrap();
    assert_eq!(w.read(&w.inside(path.path())), b"closed, but still there");
    path.close().unwrap();
    w.assert_empty();
}

fn the_file_outlives_the_name(w: &World) {
    let (file, path) = data("no name, ");
    let closed = path.close();
    assert_eq!(w.exists(&w.inside(path.path())), closed.is_err());
    w.assert_differs(closed, &differences::REMOVE_OPEN_FILE);
    put(&file, 9, "no matter");
    assert_eq!(contents(&file), b"no name, no matter");
}

fn split_into_parts_and_joined_again(w: &World) {
    let (mut file, path) = NamedTempFile::new().unwrap().into_parts();
    file.write_all(b"in ").unwrap();
    let mut whole = NamedTempFile::from_parts(file, path);
    whole.write_all(b"parts").unwrap();
    let name = w.inside(whole.path());
    let path = whole.into_temp_path();
    assert_eq!(w.read(&name), b"in parts");
    path.close().unwrap();
    w.assert_empty();
}

fn keep_returns_the_path_and_nothing_is_removed(w: &World) {
    let (file, path) = data("kept");
    let kept = path.keep().unwrap();
    assert_eq!(kept, path.path());
    drop((file, path));
    assert_eq!(w.take(&w.inside(kept)), b"kept");
}

fn path_is_known_after_close(_: &World) {
    let path = named().1;
    let before = path.path();
    path.close().unwrap();
    assert_eq!(path.path(), before);
}

fn path_is_in_the_default_directory(_: &World) {
    let (_file, path) = named();
    let directory = interface::default_directory().unwrap();
    let path = path.path();
    let (parent, _) = path.rsplit_once(MAIN_SEPARATOR).unwrap();
    assert_eq!(parent, directory.trim_end_matches(MAIN_SEPARATOR));
}

fn created_empty(w: &World) {
    let (file, path) = named();
    assert_eq!(file.size().unwrap(), 0);
    assert_eq!(w.read(&w.inside(path.path())), b"");
}

fn with_prefix_and_with_suffix(w: &World) {
    let before = NamedTempFile::with_prefix("before-").unwrap();
    let after = NamedTempFile::with_suffix("-after").unwrap();
    assert!(w.inside(before.path()).starts_with("before-"));
    assert!(w.inside(after.path()).ends_with("-after"));
}

fn into_file_removes_the_name(w: &World) {
    let mut file = NamedTempFile::new().unwrap().into_file();
    assert_eq!(w.list("").is_empty(), w.declared(&differences::REMOVE_OPEN_FILE).is_none());
    file.write_all(b"still a file").unwrap();
    assert_eq!(file.stream_position().unwrap(), 12);
}

fn removal_by_drop_forgives(w: &World) {
    let path = named().1;
    w.remove(&w.inside(path.path()));
    drop(path);
    w.assert_empty();
}
