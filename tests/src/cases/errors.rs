//! Errors: the code for programs, and a message of one line that reveals nothing of the host.

use super::prelude::*;
use std::io::ErrorKind;
use wasi_tempfile::{NamedTempFile, error_code};

pub(super) const CASES: &[Case] = &[
    case!(messages_are_one_line_with_operation_and_name),
    case!(messages_stay_on_one_line_whatever_the_name),
    case!(messages_name_no_path_of_the_host),
    case!(codes_become_kinds_of_rust),
    case!(other_errors_have_no_code),
    case!(out_of_handles, Setup::PLAIN.open_files(64)),
    case!(handles_come_back, Setup::PLAIN.open_files(64)),
    case!(handles_come_back_after_failures, Setup::PLAIN.open_files(64)),
    case!(close_releases_the_descriptors_of_names, Setup::PLAIN.open_files(64)),
    case!(close_releases_the_descriptors_of_directories, Setup::PLAIN.open_files(64)),
    case!(close_releases_the_descriptors_of_files_without_a_name, Setup::PLAIN.open_files(64)),
    case!(keep_releases_every_descriptor, Setup::PLAIN.open_files(64)),
    case!(persist_releases_every_descriptor, Setup::PLAIN.open_files(64)),
];

fn messages_are_one_line_with_operation_and_name(w: &World) {
    let missing = w.path("missing");
    let error = interface::named(&Options::default(), Location::Directory(&missing)).err().unwrap();
    assert_eq!(error.message.lines().count(), 1, "{:?}", error.message);
    assert!(error.message.contains("missing"), "{}", error.message);
    assert!(error.message.contains("no-entry"), "{}", error.message);
    let (_file, path) = named();
    let target = w.path("missing/target");
    let error = path.persist(&target, ReplaceMode::Overwrite, Durability::None).unwrap_err();
    assert!(
        error.message.contains("persist") && error.message.contains(&quoted(&target)),
        "{}",
        error.message
    );
}

fn messages_stay_on_one_line_whatever_the_name(_: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    for name in ["a\nb\0", "\r\n/..", "\u{1b}[2J/", "\u{2028}\0", &"\n\0".repeat(10_000)] {
        let error = dir.create_file(name).err().unwrap();
        assert!(
            !error.message.contains(['\n', '\r', '\0', '\u{1b}', '\u{2028}']),
            "{:?}",
            error.message
        );
        assert!(error.message.len() < 4096, "a message of {} bytes", error.message.len());
    }
}

/// The runner searches everything that a component prints for the host's path of the scratch
/// directory.
fn messages_name_no_path_of_the_host(w: &World) {
    w.write("file", "");
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let (_file, path) = named();
    dir.create_file("child").unwrap();
    let missing = w.path("missing");
    let messages = [
        interface::unnamed(Location::Directory(&missing)).err(),
        interface::named(&fixed("a/b"), Location::Scratch).err(),
        interface::named(&fixed("file"), Location::Scratch).err(),
        interface::directory(&fixed("file"), Location::Scratch).err(),
        path.persist(dir.path().as_str(), ReplaceMode::Overwrite, Durability::None).err(),
        path.persist(&w.path("file/x"), ReplaceMode::NoClobber, Durability::Full).err(),
        dir.create_file("child").err(),
        dir.open_file("missing").err(),
        dir.rename("missing", "x").err(),
        dir.entries("child").err(),
        dir.remove("child/x").err(),
    ];
    for error in messages {
        println!("{}", error.expect("every one of these fails").message);
    }
    w.remove("file");
}

fn codes_become_kinds_of_rust(w: &World) {
    w.write("taken", "");
    w.plant_directory("directory");
    let persist =
        |target: &str| NamedTempFile::new().unwrap().persist(w.path(target)).unwrap_err().error;
    let noclobber = |target: &str| {
        NamedTempFile::new().unwrap().persist_noclobber(w.path(target)).unwrap_err().error
    };
    let expected = [
        (
            NamedTempFile::new_in(w.path("missing")).unwrap_err(),
            ErrorKind::NotFound,
            ErrorCode::NoEntry,
        ),
        (
            NamedTempFile::new_in(w.path("taken")).unwrap_err(),
            ErrorKind::NotADirectory,
            ErrorCode::NotDirectory,
        ),
        (
            NamedTempFile::with_prefix("a/b").unwrap_err(),
            ErrorKind::InvalidFilename,
            ErrorCode::InvalidName,
        ),
        (noclobber("taken"), ErrorKind::AlreadyExists, ErrorCode::Exist),
        (persist("directory"), ErrorKind::IsADirectory, ErrorCode::IsDirectory),
    ];
    for (error, kind, code) in expected {
        assert_eq!((error.kind(), error_code(&error)), (kind, Some(code)), "{error}");
        assert!(error.to_string().contains(code.as_str()), "{error}");
    }
    w.remove("taken");
    w.remove("directory");
}

fn other_errors_have_no_code(_: &World) {
    assert_eq!(error_code(&std::io::Error::other("mine")), None);
    assert_eq!(error_code(&std::io::Error::from(ErrorKind::NotFound)), None);
}

fn out_of_handles(w: &World) {
    let mut files = Vec::new();
    let error = loop {
        match interface::named(&Options::default(), Location::Scratch) {
            Ok(file) => files.push(file),
            Err(error) => break error,
        }
        assert!(files.len() < 100, "64 handles were allowed");
    };
    let before = files.len();
    w.assert_differs(Err::<(), _>(error), &differences::OUT_OF_HANDLES);
    files.pop();
    files.push(
        interface::named(&Options::default(), Location::Scratch).expect("a handle is free again"),
    );
    assert_eq!(files.len(), before);
    drop(files);
}

/// Each round opens more than a sixty-fourth of the limit, so a leaked handle shows after a few.
fn handles_come_back(w: &World) {
    for _ in 0..100 {
        let (file, path) = named();
        let unnamed = interface::unnamed(Location::Scratch).unwrap();
        let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
        dir.create_directory("sub").unwrap();
        dir.create_file("sub/child").unwrap();
        dir.open_file("sub/child").unwrap().close().unwrap();
        assert_eq!(dir.entries("sub").unwrap().len(), 1);
        drop(path.reopen().unwrap());
        path.persist(
            &format!("{}/persisted", dir.path()),
            ReplaceMode::NoClobber,
            Durability::Full,
        )
        .unwrap();
        file.close().unwrap();
        drop(unnamed);
        dir.close().unwrap();
    }
    w.assert_empty();
}

fn handles_come_back_after_failures(w: &World) {
    w.write("file", "");
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    for _ in 0..100 {
        let (_file, path) = named();
        path.persist(&w.path("missing/x"), ReplaceMode::Overwrite, Durability::Full).unwrap_err();
        path.persist(dir.path().as_str(), ReplaceMode::Overwrite, Durability::Data).unwrap_err();
        interface::named(&fixed("file"), Location::Scratch).err().unwrap();
        interface::unnamed(Location::Directory(&w.path("file"))).err().unwrap();
        dir.open_file("missing").err().unwrap();
        dir.create_directory("a/b").unwrap_err();
        dir.entries("missing").unwrap_err();
        w.remove(&w.inside(path.path()));
        path.reopen().err().unwrap();
    }
    w.remove("file");
}

/// Many more than there are descriptors.
const MANY: usize = 2000;

/// Calls this many times, in the scratch directory and in one given by its path. The call is meant
/// to keep its handles, since many hosts never drop one.
fn in_two_places<T>(w: &World, times: usize, create: impl Fn(Location<'_>) -> T) {
    w.plant_directory("place");
    let place = w.path("place");
    for location in [Location::Scratch, Location::Directory(&place)] {
        (0..times).for_each(|_| std::mem::forget(create(location)));
    }
    assert_eq!(interface::live_handles().unwrap(), []);
    w.remove("place");
}

fn close_releases_the_descriptors_of_names(w: &World) {
    in_two_places(w, MANY, |location| {
        let (file, path) = interface::named(&Options::default(), location).unwrap();
        file.close().unwrap();
        path.close().unwrap();
        (file, path)
    });
}

fn close_releases_the_descriptors_of_directories(w: &World) {
    in_two_places(w, MANY, |location| {
        let dir = interface::directory(&Options::default(), location).unwrap();
        let child = dir.create_file("child").unwrap();
        child.close().unwrap();
        dir.close().unwrap();
        (dir, child)
    });
}

fn close_releases_the_descriptors_of_files_without_a_name(w: &World) {
    in_two_places(w, MANY, |location| {
        let unnamed = interface::unnamed(location).unwrap();
        let spooled = interface::spooled(Some(0), location).unwrap();
        unnamed.close().unwrap();
        spooled.close().unwrap();
        (unnamed, spooled)
    });
}

fn keep_releases_every_descriptor(w: &World) {
    in_two_places(w, MANY / 2, |location| {
        let (file, path) = interface::named(&Options::default(), location).unwrap();
        let dir = interface::directory(&Options::default(), location).unwrap();
        file.close().unwrap();
        let kept = [path.keep().unwrap(), dir.keep().unwrap()];
        kept.iter().for_each(|kept| w.remove(&w.inside(kept)));
        (file, path, dir)
    });
}

fn persist_releases_every_descriptor(w: &World) {
    let (mode, durability) = (ReplaceMode::Overwrite, Durability::None);
    in_two_places(w, MANY / 2, |location| {
        let (file, path) = interface::named(&Options::default(), location).unwrap();
        let dir = interface::directory(&Options::default(), location).unwrap();
        file.close().unwrap();
        path.persist(&w.path("file"), mode, durability).unwrap();
        dir.persist(&w.path("directory"), mode, durability).unwrap();
        (file, path, dir)
    });
    assert_eq!(w.list(""), ["directory", "file"]);
    w.list("").iter().for_each(|name| w.remove(name));
}
