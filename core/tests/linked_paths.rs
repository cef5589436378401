//! Directories for temporary files whose path leads through a link, as `/tmp` and `/var` do on
//! macOS: the path stays as the caller wrote it.
#![cfg(unix)]
#![allow(missing_docs)]

use std::os::unix::fs::symlink;
use std::process::Command;
use std::{env, fs};

use getrandom::SysRng;
use tempfile_core::{Durability, Instance, Location, Options, Process, ReplaceMode, Storage};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::TestDir;

fn instance() -> Instance<Process, SysRng> {
    Instance::new(Process, SysRng)
}

/// A directory `real` and a link to it.
fn linked() -> (TestDir, String) {
    let root = TestDir::new();
    fs::create_dir(root.join("real")).unwrap();
    symlink("real", root.join("link")).unwrap();
    let link = root.join("link");
    (root, link)
}

fn left(root: &TestDir) -> usize {
    fs::read_dir(root.join("real")).unwrap().count()
}

#[test]
fn everything_is_created_and_removed_behind_a_link() {
    let (root, link) = linked();
    let place = || Location::Directory(&link);
    let (file, path) = instance().named(&Options::default(), place()).unwrap();
    assert!(path.path().starts_with(&format!("{link}/")), "{}", path.path());
    assert!(fs::exists(path.path()).unwrap());
    let mut dir = instance().directory(&Options::default(), place()).unwrap();
    assert!(dir.path().starts_with(&format!("{link}/")), "{}", dir.path());
    dir.create_directory("sub").unwrap();
    drop(dir.create_file("sub/file").unwrap());
    let unnamed = instance().unnamed(place()).unwrap();
    let mut spooled = instance().spooled(Some(0), place()).unwrap();
    spooled.write(b"x", 0).unwrap();
    assert_eq!((left(&root), spooled.storage().unwrap()), (2, Storage::Disk));
    dir.close().unwrap();
    drop((file, path, unnamed, spooled));
    assert_eq!(left(&root), 0);
}

#[test]
fn targets_are_found_through_a_link_and_without_it() {
    let (root, link) = linked();
    for target in ["link/target", "real/target"] {
        let (file, mut path) =
            instance().named(&Options::default(), Location::Directory(&link)).unwrap();
        file.write(target.as_bytes(), 0).unwrap();
        let overwrite = ReplaceMode::Overwrite;
        path.persist(&root.join(target), overwrite, Durability::Full).unwrap();
        assert_eq!(fs::read_to_string(root.join("real/target")).unwrap(), target);
        assert_eq!(left(&root), 1);
    }
}

/// One directory, whatever its path: the file has a second name, and would lose the first.
#[test]
fn a_file_that_is_persisted_to_its_own_name_without_the_link_stays() {
    let (root, link) = linked();
    let (_file, mut path) =
        instance().named(&Options::default(), Location::Directory(&link)).unwrap();
    fs::hard_link(path.path(), root.join("other")).unwrap();
    let target = path.path().replace("/link/", "/real/");
    path.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap();
    drop(path);
    assert!(fs::exists(target).unwrap());
}

#[test]
fn the_default_directory_may_be_behind_a_link() {
    const LINK: &str = "LINKED_DEFAULT_DIRECTORY";
    if let Ok(link) = env::var(LINK) {
        let instance = instance();
        // As macOS has it, with a slash at its end.
        assert_eq!(instance.default_directory().unwrap(), link);
        let (_file, path) = instance.named(&Options::default(), Location::Scratch).unwrap();
        assert!(path.path().starts_with(&format!("{link}/")), "{}", path.path());
        return;
    }
    // In a process of its own, because the variable is the whole process's.
    let (root, link) = linked();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_default_directory_may_be_behind_a_link"])
        .env("TMPDIR", format!("{link}/"))
        .env(LINK, &link)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(left(&root), 0);
}
