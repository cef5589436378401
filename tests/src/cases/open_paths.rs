//! Paths handed to code that knows nothing of the interface: it opens them with the standard
//! library. In a sandbox that needs a scratch directory that the plugin sees, which it does not
//! where bytes or names are limited.

use super::prelude::*;
use configparser::ini::Ini;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use wasi_tempfile::{NamedTempFile, TempDir};

pub(super) const CASES: &[Case] = &[
    case!(the_standard_library_opens_a_named_file, OPEN),
    case!(the_standard_library_works_in_a_temporary_directory, OPEN),
    case!(the_standard_library_sees_what_the_interface_made, OPEN),
    case!(the_interface_sees_what_the_standard_library_made, OPEN),
    case!(what_the_standard_library_made_is_removed, OPEN),
    case!(what_the_standard_library_made_is_published, OPEN),
    case!(another_crate_reads_and_writes_a_named_file, OPEN),
    case!(another_crate_writes_into_a_temporary_directory, OPEN),
    case!(with_limits_no_path_is_there, LIMITED),
    case!(with_limits_another_crate_finds_nothing, LIMITED),
];

const OPEN: Setup = Setup::PLAIN.scratch(ScratchAccess::UnlessLimited);
const LIMITED: Setup = OPEN.limits("bytes=1048576");

fn the_standard_library_opens_a_named_file(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"by the interface").unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), b"by the interface");
    fs::write(file.path(), "by the standard library").unwrap();
    let mut text = String::new();
    file.reopen().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "by the standard library");
    file.close().unwrap();
    w.assert_empty();
}

fn the_standard_library_works_in_a_temporary_directory(w: &World) {
    let dir = TempDir::new().unwrap();
    let (sub, child) = (dir.path().join("sub"), dir.path().join("sub/child"));
    fs::create_dir(&sub).unwrap();
    fs::write(&child, "child").unwrap();
    fs::rename(&child, sub.join("renamed")).unwrap();
    let names: Vec<_> = fs::read_dir(&sub).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names, [sub.join("renamed")]);
    fs::remove_dir_all(&sub).unwrap();
    assert_eq!(w.list(&w.inside(dir.path())), [""; 0]);
}

fn the_standard_library_sees_what_the_interface_made(w: &World) {
    let path = data("visible").1;
    let mut seen: Vec<_> = fs::read_dir(w.scratch()).unwrap().map(Result::unwrap).collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen.remove(0).path().to_str(), Some(&*path.path()));
    assert_eq!(fs::metadata(path.path()).unwrap().len(), 7);
    path.close().unwrap();
    assert_eq!(fs::read(path.path()).unwrap_err().kind(), ErrorKind::NotFound);
}

fn the_interface_sees_what_the_standard_library_made(_: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    fs::create_dir(format!("{}/sub", dir.path())).unwrap();
    fs::write(format!("{}/sub/child", dir.path()), "child").unwrap();
    assert_eq!(contents(&dir.open_file("sub/child").unwrap()), b"child");
    assert_eq!(dir.metadata("sub/child").unwrap().size, 5);
    assert_eq!(dir.entries("sub").unwrap().len(), 1);
}

fn what_the_standard_library_made_is_removed(w: &World) {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
    fs::write(dir.path().join("a/b/c/child"), "child").unwrap();
    dir.close().unwrap();
    w.assert_empty();
}

fn what_the_standard_library_made_is_published(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    fs::write(format!("{}/child", dir.path()), "child").unwrap();
    let target = w.path("target");
    dir.persist(&target, ReplaceMode::NoClobber, Durability::Full).unwrap();
    assert_eq!(fs::read(format!("{target}/child")).unwrap(), b"child");
    w.remove("target");
}

fn another_crate_reads_and_writes_a_named_file(_: &World) {
    let mut file = NamedTempFile::with_suffix(".ini").unwrap();
    file.write_all(b"[place]\nname = Warsaw\n").unwrap();
    let mut settings = Ini::new();
    settings.load(file.path()).unwrap();
    assert_eq!(settings.get("place", "name").as_deref(), Some("Warsaw"));
    settings.set("place", "name", Some("Gdansk".to_owned()));
    settings.write(file.path()).unwrap();
    let mut text = String::new();
    file.reopen().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.contains("Gdansk"), "{text}");
}

fn another_crate_writes_into_a_temporary_directory(w: &World) {
    let dir = TempDir::new().unwrap();
    let mut settings = Ini::new();
    settings.set("place", "name", Some("Warsaw".to_owned()));
    settings.write(dir.path().join("settings.ini")).unwrap();
    let name = w.inside(dir.path());
    let text = w.read(&format!("{name}/settings.ini"));
    assert!(String::from_utf8_lossy(&text).contains("Warsaw"));
}

fn with_limits_no_path_is_there(w: &World) {
    let (_file, path) = data("hidden");
    let dir = TempDir::new().unwrap();
    for refused in [
        fs::read(path.path()).err(),
        fs::write(path.path(), "uncounted").err(),
        fs::write(dir.path().join("child"), "uncounted").err(),
        fs::create_dir(dir.path().join("sub")).err(),
        fs::read_dir(dir.path()).err(),
        fs::read_dir(w.scratch()).err(),
        fs::write(w.path("beside"), "uncounted").err(),
    ] {
        let refused = refused.expect("nothing passes by the interface");
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
    }
    assert_eq!(w.read(&w.inside(path.path())), b"hidden");
    assert_eq!(w.list(&w.inside(dir.path())), [""; 0]);
}

fn with_limits_another_crate_finds_nothing(_: &World) {
    let mut file = NamedTempFile::with_suffix(".ini").unwrap();
    file.write_all(b"[place]\nname = Warsaw\n").unwrap();
    assert!(Ini::new().load(file.path()).is_err());
    assert_eq!(Ini::new().write(file.path()).unwrap_err().kind(), ErrorKind::NotFound);
}
