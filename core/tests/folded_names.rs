//! Names on a file system that keeps their case and ignores it to find them, as those of macOS and
//! Windows do.
#![allow(missing_docs)]

use std::fs;

use tempfile_core::{
    Durability, Error, ErrorCode, Location, Options, ReplaceMode, TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir};

use ReplaceMode::{NoClobber, Overwrite};

type C = TestContext<Stepped>;

/// With a rename that does not replace, and without.
fn systems() -> [Stepped; 2] {
    let old = Stepped::failing("rename_new", ErrorCode::Unsupported);
    [Stepped::new(|_| Ok(())).folding(), old.folding()]
}

fn modern() -> Stepped {
    let [modern, _] = systems();
    modern
}

fn fixed() -> Options {
    Options { prefix: "report".into(), random_chars: Some(0), ..Options::default() }
}

/// A file with the name `report`.
fn report(root: &TestDir, platform: Stepped) -> TempPath<C> {
    let instance = TestContext::new(root, platform).instance();
    let (file, path) = instance.named(&fixed(), Location::Scratch).unwrap();
    file.write(b"new", 0).unwrap();
    path
}

/// A directory with the name `report` and a file in it.
fn reports(root: &TestDir, platform: Stepped) -> TempDir<C> {
    let instance = TestContext::new(root, platform).instance();
    let dir = instance.directory(&fixed(), Location::Scratch).unwrap();
    dir.create_file("AbC").unwrap().write(b"new", 0).unwrap();
    dir
}

#[track_caller]
fn assert_exist<T>(result: Result<T, Error>) {
    assert_eq!(result.map(drop).map_err(|error| error.code), Err(ErrorCode::Exist));
}

#[test]
fn a_name_in_another_case_is_taken() {
    let root = TestDir::new();
    fs::write(root.join("REPORT"), "old").unwrap();
    let instance = TestContext::new(&root, modern()).instance();
    assert_exist(instance.named(&fixed(), Location::Scratch));
    assert_exist(instance.directory(&fixed(), Location::Scratch));
    assert_eq!(fs::read(root.join("REPORT")).unwrap(), b"old");
    assert_eq!(root.names(), ["REPORT"]);
}

#[test]
fn a_child_is_found_in_any_case() {
    let root = TestDir::new();
    let dir = reports(&root, modern());
    assert_exist(dir.create_file("abc"));
    assert_exist(dir.create_directory("ABC"));
    assert_eq!(dir.metadata("abc").unwrap().size, 3);
    assert_eq!(dir.open_file("ABC").unwrap().read(3, 0).unwrap(), b"new");
    dir.remove("aBC").unwrap();
    assert_eq!(dir.entries("").unwrap(), []);
}

#[test]
fn the_case_of_a_child_is_changed_by_a_rename() {
    let root = TestDir::new();
    let dir = reports(&root, modern());
    dir.rename("abc", "ABC").unwrap();
    let names: Vec<_> = dir.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["ABC"]);
    assert_eq!(fs::read(root.join("report/ABC")).unwrap(), b"new");
}

#[test]
fn a_file_is_persisted_to_its_own_name_in_another_case() {
    let root = TestDir::new();
    let mut path = report(&root, modern());
    path.persist(&root.join("REPORT"), Overwrite, Durability::None).unwrap();
    drop(path);
    assert_eq!(fs::read(root.join("REPORT")).unwrap(), b"new");
    assert_eq!(root.names(), ["REPORT"]);
}

/// The old name finds a file with two names, and one of them is the target.
#[test]
fn a_file_with_another_name_is_persisted_to_its_own_name_in_another_case() {
    let root = TestDir::new();
    let mut path = report(&root, modern());
    fs::hard_link(path.path(), root.join("other")).unwrap();
    path.persist(&root.join("REPORT"), Overwrite, Durability::None).unwrap();
    drop(path);
    assert_eq!(root.names(), ["REPORT", "other"]);
}

#[test]
fn no_clobber_onto_its_own_name_in_another_case_is_exist() {
    for system in systems() {
        let root = TestDir::new();
        let mut path = report(&root, system);
        assert_exist(path.persist(&root.join("REPORT"), NoClobber, Durability::None));
        assert_eq!(root.names(), ["report"]);
        path.close().unwrap();
        assert_eq!(root.names(), [""; 0]);
    }
}

#[test]
fn a_directory_is_persisted_to_its_own_name_in_another_case_unless_that_must_be_free() {
    for system in systems() {
        let root = TestDir::new();
        let mut dir = reports(&root, system);
        assert_exist(dir.persist(&root.join("REPORT"), NoClobber, Durability::None));
        assert_eq!(root.names(), ["report"]);
        dir.persist(&root.join("REPORT"), Overwrite, Durability::None).unwrap();
        drop(dir);
        assert_eq!(fs::read(root.join("REPORT/AbC")).unwrap(), b"new");
        assert_eq!(root.names(), ["REPORT"]);
    }
}

#[test]
fn a_tree_of_names_in_any_case_is_removed() {
    let root = TestDir::new();
    let mut dir = reports(&root, modern());
    dir.create_directory("Sub").unwrap();
    drop(dir.create_file("sub/File").unwrap());
    fs::rename(root.join("report"), root.join("Report")).unwrap();
    dir.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
}
