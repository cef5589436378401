//! Kind and size of an entry of a temporary directory, which is not opened for it.

use super::prelude::*;
use wasi_tempfile::interface::Metadata;

pub(super) const CASES: &[Case] = &[
    case!(a_file_has_its_size),
    case!(a_directory_has_no_size),
    case!(a_link_or_a_fifo_is_neither, FIFO),
    case!(what_is_not_there),
    case!(through_a_link_or_a_file),
    case!(the_path_has_to_be_a_name),
    case!(an_unreadable_file, Setup::PLAIN.unprivileged()),
    case!(it_leaves_nothing_open, Setup::PLAIN.open_files(64)),
];

fn new() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

fn file(size: u64) -> Metadata {
    Metadata { kind: EntryKind::File, size }
}

fn a_file_has_its_size(w: &World) {
    let dir = new();
    let child = dir.create_file("child").unwrap();
    assert_eq!(dir.metadata("child").unwrap(), file(0));
    put(&child, 0, pattern(100_000));
    assert_eq!(dir.metadata("child").unwrap(), file(100_000));
    child.set_size(1 << 40).unwrap();
    assert_eq!(dir.metadata("child").unwrap(), file(1 << 40));
    w.write(&format!("{}/child", w.inside(dir.path())), "eleven bytes");
    assert_eq!(dir.metadata("child").unwrap(), file(12), "changed from outside");
}

fn a_directory_has_no_size(_: &World) {
    let dir = new();
    dir.create_directory("sub").unwrap();
    dir.create_file("sub/child").unwrap();
    let metadata = Metadata { kind: EntryKind::Directory, size: 0 };
    assert_eq!(dir.metadata("sub").unwrap(), metadata);
    assert_eq!(dir.metadata("sub/child").unwrap(), file(0));
}

fn a_link_or_a_fifo_is_neither(w: &World) {
    let dir = new();
    let name = w.inside(dir.path());
    put(&dir.create_file("file").unwrap(), 0, "bytes");
    dir.create_directory("sub").unwrap();
    w.plant_link(&format!("{name}/to-file"), "file");
    w.plant_link(&format!("{name}/to-directory"), "sub");
    w.plant_link(&format!("{name}/dangling"), "/nothing");
    w.rename("fifo", &format!("{name}/fifo"));
    for other in ["to-file", "to-directory", "dangling", "fifo"] {
        let metadata = Metadata { kind: EntryKind::Other, size: 0 };
        assert_eq!(dir.metadata(other).unwrap(), metadata, "{other}");
    }
}

fn what_is_not_there(w: &World) {
    let dir = new();
    dir.create_directory("sub").unwrap();
    for missing in ["missing", "sub/missing", "missing/deeper"] {
        assert_code(dir.metadata(missing), ErrorCode::NoEntry);
    }
    w.remove(&w.inside(dir.path()));
    assert_code(dir.metadata("sub"), ErrorCode::NoEntry);
}

fn through_a_link_or_a_file(w: &World) {
    let dir = new();
    let name = w.inside(dir.path());
    dir.create_directory("sub").unwrap();
    dir.create_file("sub/child").unwrap();
    w.plant_link(&format!("{name}/in"), "sub");
    w.plant_link(&format!("{name}/out"), "/");
    for path in ["in/child", "out/child", "in/missing", "sub/child/x"] {
        assert_code(dir.metadata(path), ErrorCode::NotDirectory);
    }
}

fn the_path_has_to_be_a_name(_: &World) {
    let dir = new();
    dir.create_directory("sub").unwrap();
    for path in ["", ".", "..", "/", "/sub", "sub/", "sub/.", "sub/..", "a//b", "../x", "a\0b"] {
        assert_code(dir.metadata(path), ErrorCode::InvalidName);
    }
    for path in ["x".repeat(256), "d/".repeat(2048) + "x"] {
        assert_code(dir.metadata(&path), ErrorCode::NameTooLong);
    }
}

fn an_unreadable_file(w: &World) {
    let dir = new();
    put(&dir.create_file("locked").unwrap(), 0, "bytes");
    w.set_mode(&format!("{}/locked", w.inside(dir.path())), 0o000);
    assert_code(dir.open_file("locked"), ErrorCode::Access);
    assert_eq!(dir.metadata("locked").unwrap(), file(5));
}

fn it_leaves_nothing_open(_: &World) {
    let dir = new();
    dir.create_directory("sub").unwrap();
    dir.create_file("sub/child").unwrap();
    for _ in 0..1000 {
        assert_eq!(dir.metadata("sub/child").unwrap(), file(0));
        assert_code(dir.metadata("sub/missing"), ErrorCode::NoEntry);
    }
    assert_eq!(interface::usage().live.files, 0);
}
