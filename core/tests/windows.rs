//! What only Windows has: read-only files, streams of a file, names that fold case, locks on open
//! files, junctions.
#![cfg(windows)]
#![allow(missing_docs)]

use std::ffi::OsString;
use std::fs;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use getrandom::SysRng;
use tempfile_core::{
    Durability, ErrorCode, Instance, Location, Options, Process, ReplaceMode, TempDir,
};

fn instance() -> Instance<Process, SysRng> {
    Instance::new(Process, SysRng)
}

fn directory() -> TempDir<Process> {
    instance().directory(&Options::default(), Location::Scratch).unwrap()
}

fn at(dir: &TempDir<Process>, name: &str) -> PathBuf {
    Path::new(dir.path()).join(name)
}

fn make_read_only(path: &Path) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn paths_are_absolute_and_have_the_systems_separator() {
    let dir = directory();
    assert!(Path::new(dir.path()).is_absolute(), "{}", dir.path());
    assert!(!dir.path().contains('/'), "{}", dir.path());
    assert!(Path::new(dir.path()).is_dir());
}

#[test]
fn read_only_files_are_removed_with_their_tree() {
    let mut dir = directory();
    dir.create_directory("sub").unwrap();
    for name in ["file", "sub/file"] {
        drop(dir.create_file(name).unwrap());
        make_read_only(&at(&dir, name));
    }
    dir.close().unwrap();
    assert!(!Path::new(dir.path()).exists());
}

#[test]
fn a_read_only_file_is_synced_and_stays_read_only() {
    let outer = directory();
    let mut dir = instance().directory(&Options::default(), Location::Within(&outer)).unwrap();
    dir.create_file("file").unwrap().write(b"bytes", 0).unwrap();
    make_read_only(&at(&dir, "file"));
    let target = at(&outer, "target");
    dir.persist(target.to_str().unwrap(), ReplaceMode::NoClobber, Durability::Full).unwrap();
    assert!(fs::metadata(target.join("file")).unwrap().permissions().readonly());
}

#[test]
fn a_name_in_another_case_is_taken() {
    let dir = directory();
    drop(dir.create_file("file").unwrap());
    assert_eq!(dir.create_file("FILE").err().map(|error| error.code), Some(ErrorCode::Exist));
}

#[test]
fn no_clobber_onto_its_own_name_in_any_case_is_exist() {
    let options = Options { prefix: "fixed".into(), random_chars: Some(0), ..Options::default() };
    let dir = directory();
    let (file, mut path) = instance().named(&options, Location::Within(&dir)).unwrap();
    drop(file);
    for name in ["fixed", "FIXED"] {
        let target = at(&dir, name);
        let persisted =
            path.persist(target.to_str().unwrap(), ReplaceMode::NoClobber, Durability::None);
        assert_eq!(persisted.map_err(|error| error.code), Err(ErrorCode::Exist), "{name}");
    }
}

#[test]
fn no_child_is_a_stream_or_leads_elsewhere() {
    let dir = directory();
    drop(dir.create_file("file").unwrap());
    dir.create_directory("sub").unwrap();
    for name in ["file:stream", "sub\\file", "..\\file", "C:file", "file::$DATA", "nul", "a.", "b "]
    {
        let created = dir.create_file(name).err().map(|error| error.code);
        assert_eq!(created, Some(ErrorCode::InvalidName), "{name}");
    }
    for name in ["file:stream", "sub\\file", "..\\file", "C:file", "file::$DATA"] {
        let opened = dir.open_file(name).err().map(|error| error.code);
        assert_eq!(opened, Some(ErrorCode::InvalidName), "{name}");
        assert_eq!(dir.remove(name).map_err(|error| error.code), Err(ErrorCode::InvalidName));
    }
    assert_eq!(dir.entries("").unwrap().len(), 2);
}

#[test]
fn a_file_that_is_open_without_sharing_is_busy() {
    let dir = directory();
    let (file, mut path) = instance().named(&Options::default(), Location::Within(&dir)).unwrap();
    drop(file);
    let alone = fs::OpenOptions::new().read(true).share_mode(0).open(path.path()).unwrap();
    assert_eq!(path.close().map_err(|error| error.code), Err(ErrorCode::Busy));
    assert_eq!(path.reopen().err().map(|error| error.code), Some(ErrorCode::Busy));
    drop(alone);
    path.close().unwrap();
}

#[test]
fn an_unnamed_file_goes_when_it_is_closed() {
    let dir = directory();
    let file = instance().unnamed(Location::Within(&dir)).unwrap();
    file.write(b"bytes", 0).unwrap();
    let names = || fs::read_dir(dir.path()).unwrap().count();
    assert_eq!((file.read(9, 0).unwrap(), names()), (b"bytes".to_vec(), 1));
    drop(file);
    assert_eq!(names(), 0);
}

#[test]
fn a_directory_deeper_than_260_characters_is_used_and_removed() {
    let mut dir = directory();
    let mut path = String::new();
    for _ in 0..6 {
        path.push_str(&"d".repeat(100));
        dir.create_directory(&path).unwrap();
        path.push('/');
    }
    let file = dir.create_file(&format!("{path}file")).unwrap();
    file.write(b"deep", 0).unwrap();
    drop(file);
    dir.close().unwrap();
    assert!(!Path::new(dir.path()).exists());
}

#[test]
fn a_name_that_is_not_unicode_is_removed_with_its_tree() {
    let mut dir = directory();
    let name = OsString::from_wide(&[u16::from(b'f'), 0xD800]);
    if let Err(error) = fs::write(Path::new(dir.path()).join(name), "bytes") {
        println!("skipped: {error}");
        return;
    }
    assert_eq!(dir.entries("").map_err(|error| error.code), Err(ErrorCode::InvalidName));
    dir.close().unwrap();
    assert!(!Path::new(dir.path()).exists());
}

#[test]
fn a_junction_is_removed_and_not_followed() {
    let outside = directory();
    drop(outside.create_file("thesis").unwrap());
    let mut dir = directory();
    let made = Command::new("cmd")
        .args(["/C", "mklink", "/J"])
        .args([at(&dir, "junction").as_path(), Path::new(outside.path())])
        .output();
    if !made.is_ok_and(|output| output.status.success()) || !at(&dir, "junction/thesis").exists() {
        println!("skipped: this system makes no junctions");
        return;
    }
    let opened = dir.open_file("junction/thesis").err().map(|error| error.code);
    assert_eq!(opened, Some(ErrorCode::NotDirectory));
    dir.close().unwrap();
    assert!(at(&outside, "thesis").exists());
}

#[test]
fn a_directory_does_not_move_into_itself() {
    let dir = directory();
    dir.create_directory("outer").unwrap();
    dir.create_directory("outer/inner").unwrap();
    for target in ["outer/inner/moved", "outer/moved"] {
        let renamed = dir.rename("outer", target).map_err(|error| error.code);
        assert_eq!(renamed, Err(ErrorCode::Invalid), "{target}");
    }
}
