//! Temporary directories as a whole.

use super::prelude::*;
use std::io::{Read, Seek, Write};
use wasi_tempfile::{Builder, TempDir, tempdir, tempdir_in};

pub(super) const CASES: &[Case] = &[
    case!(a_child_is_listed_and_removed_with_its_directory),
    case!(kept_with_a_prefix),
    case!(two_files_inside),
    case!(drop_removes_the_contents),
    case!(path_is_known_after_close),
    case!(the_life_cycle_step_by_step),
    case!(keep_returns_the_path_and_nothing_is_removed),
    case!(close_twice_is_no_error),
    case!(removed_by_hand),
    case!(prefix_suffix_and_length),
    case!(one_within_another),
    case!(in_a_directory_of_the_callers),
    case!(named_files_within),
    case!(a_name_within_a_closed_directory_is_gone),
    case!(an_open_file_outlives_it),
    case!(a_thousand_children_without_ambient_paths),
];

fn new() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

fn a_child_is_listed_and_removed_with_its_directory(w: &World) {
    let dir = tempdir().unwrap();
    let mut log = dir.create_file("log.txt").unwrap();
    log.write_all(b"Log entry").unwrap();
    let names: Vec<String> = dir.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["log.txt"]);
    assert_eq!(w.read(&format!("{}/log.txt", w.inside(dir.path()))), b"Log entry");
    drop(log);
    dir.close().unwrap();
    w.assert_empty();
}

fn kept_with_a_prefix(w: &World) {
    let dir = TempDir::with_prefix("myapp_").unwrap();
    let path = dir.keep();
    let name = w.inside(path);
    assert!(name.starts_with("myapp_"), "{name}");
    assert_eq!(w.list(&name), [""; 0]);
    w.remove(&name);
}

fn two_files_inside(w: &World) {
    let dir = tempdir().unwrap();
    for name in ["file1.txt", "file2.txt"] {
        dir.create_file(name).unwrap().write_all(name.as_bytes()).unwrap();
    }
    assert_eq!(w.list(&w.inside(dir.path())), ["file1.txt", "file2.txt"]);
    drop(dir);
    w.assert_empty();
}

fn drop_removes_the_contents(w: &World) {
    {
        let dir = new();
        put(
            &dir.create_file("temp_file.txt").unwrap(),
            0,
            "This is a file in a temporary directory.",
        );
        dir.create_directory("sub").unwrap();
        dir.create_file("sub/deeper").unwrap();
    }
    w.assert_empty();
}

fn path_is_known_after_close(w: &World) {
    let dir = new();
    put(&dir.create_file("data.txt").unwrap(), 0, "some data");
    assert_eq!(contents(&dir.open_file("data.txt").unwrap()), b"some data");
    let before = dir.path();
    dir.close().unwrap();
    assert_eq!(dir.path(), before);
    assert!(!w.exists(&w.inside(before)));
}

fn the_life_cycle_step_by_step(w: &World) {
    // 1: the directory is created.
    let dir = tempdir().unwrap();
    let inside = w.inside(dir.path());
    assert_eq!(w.list(&inside), [""; 0]);
    // 2: a path is only a string.
    let path = format!("{inside}/notes.txt");
    assert!(!w.exists(&path));
    // 3: a file is opened.
    let mut file = dir.create_file("notes.txt").unwrap();
    file.write_all(b"first line\n").unwrap();
    assert_eq!(w.read(&path), b"first line\n");
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "first line\n");
    // 4: it is closed, and stays.
    drop(file);
    assert!(w.exists(&path));
    // 5: the directory goes, and the file with it.
    dir.close().unwrap();
    assert!(!w.exists(&path));
    w.assert_empty();
    // 6: the path is only a string again, and no later directory makes it valid.
    assert_ne!(w.inside(tempdir().unwrap().path()), inside);
}

fn keep_returns_the_path_and_nothing_is_removed(w: &World) {
    let dir = new();
    dir.create_file("child").unwrap();
    let kept = dir.keep().unwrap();
    assert_eq!(kept, dir.path());
    drop(dir);
    assert_eq!(w.list(&w.inside(&kept)), ["child"]);
    w.remove(&w.inside(&kept));
}

fn close_twice_is_no_error(w: &World) {
    let dir = new();
    dir.close().unwrap();
    dir.close().unwrap();
    w.assert_empty();
}

fn removed_by_hand(w: &World) {
    let dir = new();
    dir.create_file("child").unwrap();
    w.remove(&w.inside(dir.path()));
    dir.close().expect("a directory that is already gone is a success");
}

fn prefix_suffix_and_length(w: &World) {
    let dir = Builder::new().prefix("a-").suffix("-z").rand_bytes(5).tempdir().unwrap();
    let name = w.inside(dir.path());
    assert!(name.starts_with("a-") && name.ends_with("-z") && name.len() == 9, "{name}");
}

fn one_within_another(w: &World) {
    let outer = new();
    let inner = interface::directory(&Options::default(), Location::Within(&outer)).unwrap();
    let innermost = interface::directory(&Options::default(), Location::Within(&inner)).unwrap();
    innermost.create_file("deep").unwrap();
    assert!(innermost.path().starts_with(&outer.path()));
    let closed = outer.close().map_err(|mut failures| failures.remove(0).error);
    assert_eq!(w.list("").is_empty(), closed.is_ok());
    w.assert_differs(closed, &differences::REMOVE_OPEN_DIRECTORY);
    innermost.close().unwrap();
    inner.close().unwrap();
}

fn in_a_directory_of_the_callers(w: &World) {
    w.plant_directory("mine");
    let dir = tempdir_in(w.path("mine")).unwrap();
    assert!(w.inside(dir.path()).starts_with("mine/"));
    dir.close().unwrap();
    assert_eq!(w.list("mine"), [""; 0]);
    w.remove("mine");
}

fn named_files_within(w: &World) {
    let dir = new();
    let (file, path) = interface::named(&Options::default(), Location::Within(&dir)).unwrap();
    put(&file, 0, "within");
    assert_eq!(w.read(&w.inside(path.path())), b"within");
    assert!(path.path().starts_with(&child_path(&dir.path(), "")));
    drop(file);
    path.close().unwrap();
    assert_eq!(dir.entries("").unwrap(), []);
}

fn a_name_within_a_closed_directory_is_gone(w: &World) {
    let dir = new();
    let path = interface::named(&Options::default(), Location::Within(&dir)).unwrap().1;
    let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
    w.assert_differs(closed, &differences::REMOVE_OPEN_DIRECTORY);
    assert_code(path.reopen(), ErrorCode::NoEntry);
    path.close().expect("a name that is already gone is a success");
}

fn an_open_file_outlives_it(w: &World) {
    let dir = new();
    let file = dir.create_file("child").unwrap();
    put(&file, 0, "before, ");
    let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
    assert_eq!(w.list("").is_empty(), closed.is_ok());
    w.assert_differs(closed, &differences::REMOVE_OPEN_FILE);
    put(&file, 8, "after");
    assert_eq!(contents(&file), b"before, after");
}

fn a_thousand_children_without_ambient_paths(w: &World) {
    let dir = new();
    for number in 0..1000 {
        put(&dir.create_file(&format!("{number}")).unwrap(), 0, format!("{number}"));
    }
    assert_eq!(dir.entries("").unwrap().len(), 1000);
    assert_eq!(contents(&dir.open_file("777").unwrap()), b"777");
    dir.close().unwrap();
    w.assert_empty();
}
