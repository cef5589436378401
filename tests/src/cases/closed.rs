//! Closed, kept and persisted handles: every method but `close` and `path` answers `closed`.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(a_closed_file),
    case!(a_closed_name),
    case!(a_kept_name),
    case!(a_persisted_name),
    case!(a_closed_directory),
    case!(a_kept_directory),
    case!(a_persisted_directory),
    case!(closing_a_kept_name_removes_nothing),
    case!(closing_a_persisted_name_removes_nothing),
    case!(closing_a_kept_directory_removes_nothing),
    case!(closing_a_persisted_directory_removes_nothing),
    case!(each_handle_of_a_file_is_closed_by_itself),
];

fn a_closed_file(w: &World) {
    let (file, path) = data("closed");
    file.close().unwrap();
    assert_code(file.read(1, 0), ErrorCode::Closed);
    assert_code(file.read(0, u64::MAX), ErrorCode::Closed);
    assert_code(file.write(b"x", 0), ErrorCode::Closed);
    assert_code(file.write(b"", 0), ErrorCode::Closed);
    assert_code(file.size(), ErrorCode::Closed);
    assert_code(file.set_size(0), ErrorCode::Closed);
    assert_code(file.sync(Durability::None), ErrorCode::Closed);
    assert_code(file.sync(Durability::Full), ErrorCode::Closed);
    assert_code(file.storage(), ErrorCode::Closed);
    assert_code(file.roll_over(), ErrorCode::Closed);
    assert_code(interface::link(&file, &w.path("x"), Durability::None), ErrorCode::Closed);
    file.close().unwrap();
    assert_eq!(w.read(&w.inside(path.path())), b"closed");
}

/// Everything but `close` and `path` is refused.
fn assert_name_closed(w: &World, path: &interface::TempPath) {
    assert_code(path.reopen(), ErrorCode::Closed);
    assert_code(path.keep(), ErrorCode::Closed);
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        assert_code(path.persist(&w.path("x"), mode, Durability::None), ErrorCode::Closed);
        assert_code(path.persist("..", mode, Durability::Full), ErrorCode::Closed);
    }
    assert!(path.path().starts_with(w.scratch()));
    path.close().unwrap();
    path.close().unwrap();
    assert!(!w.exists("x"));
}

fn a_closed_name(w: &World) {
    let path = named().1;
    path.close().unwrap();
    assert_name_closed(w, &path);
}

fn a_kept_name(w: &World) {
    let path = named().1;
    let kept = path.keep().unwrap();
    assert_name_closed(w, &path);
    w.remove(&w.inside(kept));
}

fn a_persisted_name(w: &World) {
    let path = named().1;
    path.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_name_closed(w, &path);
    w.remove("target");
}

/// Everything but `close` and `path` is refused.
fn assert_directory_closed(w: &World, dir: &interface::TempDir) {
    assert_code(dir.create_file("x"), ErrorCode::Closed);
    assert_code(dir.open_file("x"), ErrorCode::Closed);
    assert_code(dir.create_directory("x"), ErrorCode::Closed);
    assert_code(dir.metadata("x"), ErrorCode::Closed);
    assert_code(dir.metadata(".."), ErrorCode::Closed);
    assert_code(dir.rename("x", "y"), ErrorCode::Closed);
    assert_code(dir.remove("x"), ErrorCode::Closed);
    assert_code(dir.entries(""), ErrorCode::Closed);
    assert_code(dir.create_file("../x"), ErrorCode::Closed);
    assert_code(dir.keep(), ErrorCode::Closed);
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        assert_code(dir.persist(&w.path("x"), mode, Durability::None), ErrorCode::Closed);
        assert_code(dir.persist("..", mode, Durability::Full), ErrorCode::Closed);
    }
    assert_code(interface::unnamed(Location::Within(dir)), ErrorCode::Closed);
    assert_code(interface::named(&fixed("x"), Location::Within(dir)), ErrorCode::Closed);
    assert_code(interface::directory(&fixed("x"), Location::Within(dir)), ErrorCode::Closed);
    assert_code(interface::spooled(Some(0), Location::Within(dir)), ErrorCode::Closed);
    assert!(dir.path().starts_with(w.scratch()));
    dir.close().unwrap();
    dir.close().unwrap();
}

fn a_closed_directory(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.close().unwrap();
    assert_directory_closed(w, &dir);
    w.assert_empty();
}

fn a_kept_directory(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let kept = dir.keep().unwrap();
    assert_directory_closed(w, &dir);
    w.remove(&w.inside(kept));
}

fn a_persisted_directory(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_directory_closed(w, &dir);
    assert_eq!(w.list(""), ["target"]);
    w.remove("target");
}

fn closing_a_kept_name_removes_nothing(w: &World) {
    let path = data("kept").1;
    let kept = path.keep().unwrap();
    path.close().unwrap();
    drop(path);
    assert_eq!(w.take(&w.inside(kept)), b"kept");
}

fn closing_a_persisted_name_removes_nothing(w: &World) {
    let path = data("persisted").1;
    let before = w.inside(path.path());
    path.persist(&w.path("target"), ReplaceMode::NoClobber, Durability::None).unwrap();
    w.write(&before, "somebody else's, by now");
    path.close().unwrap();
    drop(path);
    assert_eq!(w.take(&before), b"somebody else's, by now");
    assert_eq!(w.take("target"), b"persisted");
}

fn closing_a_kept_directory_removes_nothing(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let kept = dir.keep().unwrap();
    dir.close().unwrap();
    drop(dir);
    assert!(w.exists(&w.inside(&kept)));
    w.remove(&w.inside(kept));
}

fn closing_a_persisted_directory_removes_nothing(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.create_file("child").unwrap();
    let before = w.inside(dir.path());
    dir.persist(&w.path("target"), ReplaceMode::NoClobber, Durability::None).unwrap();
    w.plant_directory(&before);
    dir.close().unwrap();
    drop(dir);
    assert_eq!(w.list("target"), ["child"]);
    w.remove(&before);
    w.remove("target");
}

fn each_handle_of_a_file_is_closed_by_itself(_: &World) {
    let (file, path) = data("two handles");
    let other = path.reopen().unwrap();
    file.close().unwrap();
    assert_eq!(contents(&other), b"two handles");
    other.close().unwrap();
    assert_eq!(contents(&path.reopen().unwrap()), b"two handles");
}
