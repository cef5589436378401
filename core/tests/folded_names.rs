//! Names on a file system that keeps their case and ignores it to find them, as those of macOS and
//! Windows do.
#![allow(missing_docs)]

use std::fs;
use std::rc::Rc;

use tempfile_core::{
    Durability, Error, ErrorCode, Limited, Limits, Location, Options, ReplaceMode, SharedLedger,
    TempDir, TempPath,
};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir};

use ReplaceMode::{NoClobber, Overwrite};

type C = TestContext<Stepped>;

/// With a rename that does not replace, and without.
fn systems() -> [Stepped; 2] {
    let old = Stepped::failing("rename_no_replace", ErrorCode::Unsupported);
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

/// A directory with the name `report` and a file in it, of a user with limits.
fn limited(root: &TestDir, platform: Stepped) -> TempDir<TestContext<Limited<Stepped>>> {
    let limits = Limits { bytes: Some(100), ..Limits::default() };
    let ledger = SharedLedger::with_limits(limits, None);
    let platform = Limited::new(platform, &ledger);
    let path = root.join("").trim_end_matches('/').to_owned();
    let base = Rc::new(platform.base(root.open(), &path).unwrap());
    let stopped = Rc::default();
    let ctx = TestContext {
        platform,
        root: base,
        path: path.into(),
        ledger,
        stopped,
        descriptors: tempfile_core::Descriptors::All,
    };
    let dir = ctx.instance().directory(&fixed(), Location::Directory(&ctx.path)).unwrap();
    dir.create_file("AbC").unwrap();
    dir
}

#[track_caller]
fn assert_code<T>(result: Result<T, Error>, code: ErrorCode) {
    assert_eq!(result.map(drop).map_err(|error| error.code), Err(code));
}

/// What is written through another spelling would not be counted.
#[test]
fn under_limits_a_name_is_found_in_its_own_case_alone() {
    let root = TestDir::new();
    let dir = limited(&root, modern());
    dir.create_directory("Sub").unwrap();
    drop(dir.create_file("\u{e4}").unwrap());
    for other in ["abc", "ABC", "\u{c4}"] {
        assert_code(dir.open_file(other), ErrorCode::NoEntry);
        assert_code(dir.rename(other, "renamed"), ErrorCode::NoEntry);
    }
    assert_code(dir.rename("sub", "renamed"), ErrorCode::NoEntry);
    assert_code(dir.create_file("sub/file"), ErrorCode::NoEntry);
    assert_code(dir.create_file("abc"), ErrorCode::Exist);
    for name in ["AbC", "\u{e4}"] {
        dir.open_file(name).unwrap().write(b"new", 0).unwrap();
    }
    drop(dir.create_file("Sub/file").unwrap());
}

/// Windows finds a file by its short name, too.
#[test]
fn under_limits_a_short_name_finds_nothing() {
    let root = TestDir::new();
    let dir = limited(&root, modern());
    for (name, short) in [("longer name", "longer~1"), ("20260101", "202601~1")] {
        drop(dir.create_file(name).unwrap());
        assert_code(dir.open_file(short), ErrorCode::NoEntry);
        assert_code(dir.rename(short, "renamed"), ErrorCode::NoEntry);
        assert_code(dir.rename("AbC", short), ErrorCode::Exist);
        assert_code(dir.create_file(short), ErrorCode::Exist);
    }
}

#[test]
fn under_limits_a_rename_replaces_no_name_in_another_case_but_its_own() {
    let root = TestDir::new();
    let dir = limited(&root, modern());
    drop(dir.create_file("other").unwrap());
    assert_code(dir.rename("other", "abc"), ErrorCode::Exist);
    dir.rename("AbC", "ABC").unwrap();
    dir.open_file("ABC").unwrap();
    dir.rename("other", "ABC").unwrap();
    assert_eq!(dir.entries("").unwrap().len(), 1);
}

#[test]
fn under_limits_a_rename_changes_no_case_outside_of_ascii() {
    let root = TestDir::new();
    let dir = limited(&root, modern());
    drop(dir.create_file("\u{e4}").unwrap());
    assert_code(dir.rename("\u{e4}", "\u{c4}"), ErrorCode::Exist);
    dir.open_file("\u{e4}").unwrap();
}

#[test]
fn under_limits_the_files_of_others_are_found_in_their_own_case() {
    for platform in [modern(), Stepped::new(|_| Ok(()))] {
        let root = TestDir::new();
        let dir = limited(&root, platform);
        for name in ["theirs", "12", "\u{e4}"] {
            fs::write(root.join("report/").to_owned() + name, "old").unwrap();
            dir.open_file(name).unwrap();
            dir.rename(name, "mine").unwrap();
            dir.open_file("mine").unwrap();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn under_limits_names_that_differ_in_case_are_two_where_the_system_does_not_fold() {
    let root = TestDir::new();
    let dir = limited(&root, Stepped::new(|_| Ok(())));
    fs::write(root.join("report/abc"), "theirs").unwrap();
    assert_eq!(dir.open_file("abc").unwrap().read(9, 0).unwrap(), b"theirs");
    dir.rename("abc", "ABC").unwrap();
    assert_eq!(dir.open_file("ABC").unwrap().read(9, 0).unwrap(), b"theirs");
    assert_eq!(dir.open_file("AbC").unwrap().read(9, 0).unwrap(), b"");
}
