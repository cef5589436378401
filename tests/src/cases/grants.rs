//! Directories outside the scratch directory: in a sandbox, preopens of the plugin. A guest path
//! belongs to the longest preopen that is a prefix of it.

use super::prelude::*;
use crate::witness::{Witness, granted};
use std::io::Write;
use std::{env, fs};
use wasi_tempfile::{Builder, NamedTempFile, TempPath};

pub(super) const CASES: &[Case] = &[
    case!(persists_from_scratch_to_a_granted_directory, Setup::PLAIN.grants(DATA)),
    case!(to_a_directory_on_another_file_system, Setup::PLAIN.grants(OTHER)),
    case!(created_beside_the_target_it_persists, Setup::PLAIN.grants(OTHER)),
    case!(the_longest_prefix_is_meant, Setup::PLAIN.grants(DATA)),
    case!(a_prefix_ends_at_a_slash, Setup::PLAIN.grants(DATA)),
    case!(created_in_a_granted_directory, Setup::PLAIN.grants(DATA)),
    case!(a_file_saved_by_rename_there_is_persisted, Setup::PLAIN.grants(DATA)),
    case!(written_atomically_there, Setup::PLAIN.grants(DATA)),
    case!(relative_paths_begin_at_the_current_directory, Setup::PLAIN.grants(DATA)),
    case!(relative_paths_follow_a_change_of_directory, Setup::PLAIN.grants(DATA)),
    case!(a_relative_location_is_below_the_root, Setup::PLAIN.grants(DATA)),
    case!(a_directory_is_published_there, Setup::PLAIN.grants(DATA)),
    case!(a_path_from_elsewhere_is_removed_there, Setup::PLAIN.grants(DATA)),
    case!(made_by_the_caller_there, Setup::PLAIN.grants(DATA)),
    case!(created_where_nothing_may_be_listed, Setup::PLAIN.grants(DATA).unprivileged()),
];

const DATA: &[Grant] =
    &[Grant { path: "data", file_system: false }, Grant { path: "data/deep", file_system: false }];
const OTHER: &[Grant] = &[Grant { path: "other", file_system: true }];

fn names(path: &str) -> Vec<String> {
    let (granted, inside) = granted(path);
    granted.list(&inside).unwrap()
}

fn read(path: &str) -> Vec<u8> {
    let (granted, inside) = granted(path);
    granted.read(&inside).unwrap()
}

fn write(path: &str, bytes: &str) {
    let (granted, inside) = granted(path);
    granted.write(&inside, bytes.as_bytes()).unwrap();
}

fn rename(old: &str, new: &str) {
    let (place, old) = granted(old);
    place.rename(&old, &granted(new).1).unwrap();
}

fn remove(path: &str) {
    let (granted, inside) = granted(path);
    granted.remove(&inside).unwrap();
}

fn take(path: &str) -> Vec<u8> {
    let bytes = read(path);
    remove(path);
    bytes
}

fn persists_from_scratch_to_a_granted_directory(w: &World) {
    for durability in [Durability::None, Durability::Data, Durability::Full] {
        for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
            let target = w.granted("data/result");
            let (file, path) = data("finished");
            path.persist(&target, mode, durability).unwrap();
            w.assert_empty();
            drop(file);
            assert_eq!(take(&target), b"finished");
        }
    }
}

fn to_a_directory_on_another_file_system(w: &World) {
    let target = w.granted("other/result");
    let (file, path) = data("precious");
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        w.assert_differs(path.persist(&target, mode, Durability::Full), &differences::CROSS_DEVICE);
    }
    assert_eq!(contents(&path.reopen().unwrap()), b"precious", "nothing is lost");
    assert_eq!(names(&w.granted("other")), [""; 0]);
    file.close().unwrap();
}

fn created_beside_the_target_it_persists(w: &World) {
    let (other, target) = (w.granted("other"), w.granted("other/result"));
    let (file, path) = interface::named(&Options::default(), Location::Directory(&other)).unwrap();
    put(&file, 0, "same file system");
    path.persist(&target, ReplaceMode::NoClobber, Durability::Full).unwrap();
    assert_eq!(names(&other), ["result"]);
    assert_eq!(take(&target), b"same file system");
}

fn the_longest_prefix_is_meant(w: &World) {
    let deep = w.granted("data/deep");
    let (file, path) = data("deep down");
    path.persist(&format!("{deep}/x"), ReplaceMode::Overwrite, Durability::None).unwrap();
    drop(file);
    assert_eq!(take(&format!("{deep}/x")), b"deep down");
    let (_file, path) = interface::named(&Options::default(), Location::Directory(&deep)).unwrap();
    assert_eq!(names(&deep).len(), 1);
    assert!(path.path().starts_with(&child_path(&deep, "tmp")), "{}", path.path());
}

fn a_prefix_ends_at_a_slash(w: &World) {
    let (_file, path) = named();
    for target in ["database/x", "data/deeper/x", "dat/x", "data-x/x"] {
        let persisted = path.persist(&w.granted(target), ReplaceMode::Overwrite, Durability::None);
        assert_code(persisted, ErrorCode::NoEntry);
    }
    let made = interface::unnamed(Location::Directory(&w.granted("data/deeper")));
    assert_code(made, ErrorCode::NoEntry);
}

fn created_in_a_granted_directory(w: &World) {
    let place = w.granted("data");
    let before = names(&place);
    let location = Location::Directory(&place);
    let (file, path) = interface::named(&Options::default(), location).unwrap();
    let dir = interface::directory(&Options::default(), location).unwrap();
    let (unnamed, spooled) =
        (interface::unnamed(location).unwrap(), interface::spooled(Some(0), location).unwrap());
    put(&file, 0, "seen outside");
    dir.create_file("child").unwrap();
    assert_eq!(read(&path.path()), b"seen outside");
    assert_eq!(names(&dir.path()), ["child"]);
    let shown = before.len() + 2 + w.shown_unnamed(2);
    assert_eq!(names(&place).len(), shown, "the others have no names");
    drop((file, path, dir, unnamed, spooled));
    assert_eq!(names(&place), before);
    w.assert_empty();
}

fn a_file_saved_by_rename_there_is_persisted(w: &World) {
    let place = w.granted("data");
    let path = interface::named(&Options::default(), Location::Directory(&place)).unwrap().1;
    write(&w.granted("data/edited"), "edited");
    rename(&w.granted("data/edited"), &path.path());
    // The granted directory is the user's own: nobody else may write there.
    path.persist(&w.granted("data/target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_eq!(take(&w.granted("data/target")), b"edited");
}

fn written_atomically_there(w: &World) {
    let target = w.granted("data/settings");
    write(&target, "old");
    wasi_tempfile::write_atomically(&target, |file| std::io::Write::write_all(file, b"new"))
        .unwrap();
    assert_eq!(take(&target), b"new");
}

fn relative_paths_begin_at_the_current_directory(w: &World) {
    // A plugin begins in `/`, below which its preopens are.
    if w.placement() == Placement::Native {
        env::set_current_dir(w.granted("")).unwrap();
    }
    let place = w.granted("data");
    let before = names(&place);
    let file = NamedTempFile::new_in("data").unwrap();
    assert_eq!(file.path().parent(), Some(place.as_ref()));
    file.persist("data/result").unwrap();
    wasi_tempfile::write_atomically("data/settings", |file| file.write_all(b"new")).unwrap();
    assert_eq!(take(&w.granted("data/result")), b"");
    assert_eq!(take(&w.granted("data/settings")), b"new");
    wasi_tempfile::tempfile_in("./data").unwrap();
    wasi_tempfile::tempdir_in("data/").unwrap();
    let mut spooled = wasi_tempfile::spooled_tempfile_in(0, "data");
    spooled.roll().unwrap();
    assert_eq!(names(&place).len(), before.len() + w.shown_unnamed(1));
    drop(spooled);
    assert_eq!(names(&place), before);
}

fn relative_paths_follow_a_change_of_directory(w: &World) {
    let place = w.granted("data");
    let before = names(&place);
    env::set_current_dir(&place).unwrap();
    let file = NamedTempFile::new_in(".").unwrap();
    assert_eq!(file.path().parent(), Some(place.as_ref()));
    wasi_tempfile::write_atomically("settings", |file| file.write_all(b"new")).unwrap();
    assert_eq!(take(&w.granted("data/settings")), b"new");
    env::set_current_dir(w.granted("data/deep")).unwrap();
    drop(file);
    assert_eq!(names(&place), before, "a name stays where it was made");
}

fn a_relative_location_is_below_the_root(w: &World) {
    // Natively a relative path is the system's; the current directory stands for the root.
    if w.placement() == Placement::Native {
        env::set_current_dir(w.granted("")).unwrap();
    }
    for (relative, absolute) in [("data", "data"), ("./data/", "data"), ("data/deep", "data/deep")]
    {
        let place = w.granted(absolute);
        let before = names(&place);
        let location = Location::Directory(relative);
        let (file, path) = interface::named(&Options::default(), location).unwrap();
        put(&file, 0, "below the root");
        let created: Vec<String> =
            names(&place).into_iter().filter(|name| !before.contains(name)).collect();
        assert_eq!(created.len(), 1, "{relative} is {place}");
        let target = format!("{relative}/target");
        path.persist(&target, ReplaceMode::NoClobber, Durability::Full).unwrap();
        drop(file);
        assert_eq!(take(&format!("{place}/target")), b"below the root");
        assert_eq!(names(&place), before);
    }
}

fn a_directory_is_published_there(w: &World) {
    let target = w.granted("data/finished");
    for durability in [Durability::None, Durability::Data, Durability::Full] {
        for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
            let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
            dir.create_directory("sub").unwrap();
            put(&dir.create_file("sub/child").unwrap(), 0, "finished");
            dir.persist(&target, mode, durability).unwrap();
            w.assert_empty();
            assert_eq!(take(&w.granted("data/finished/sub/child")), b"finished");
            remove(&target);
        }
    }
}

fn a_path_from_elsewhere_is_removed_there(w: &World) {
    let made = w.granted("data/made");
    write(&made, "elsewhere");
    drop(TempPath::try_from_path(&made).unwrap());
    assert!(!names(&w.granted("data")).contains(&"made".to_owned()), "the name is free");
    write(&made, "elsewhere");
    TempPath::try_from_path(&made).unwrap().persist(w.granted("data/kept")).unwrap();
    assert_eq!(take(&w.granted("data/kept")), b"elsewhere");
}

fn made_by_the_caller_there(w: &World) {
    let place = w.granted("data");
    let before = names(&place);
    let made = Builder::new().prefix("made-").make_in(&place, |path| fs::File::create_new(path));
    let made = made.unwrap();
    made.as_file().write_all(b"by the caller").unwrap();
    assert_eq!(fs::read(made.path()).unwrap(), b"by the caller");
    drop(made);
    assert_eq!(names(&place), before);
}

fn created_where_nothing_may_be_listed(w: &World) {
    let (place, target) = (w.granted("data"), w.granted("data/target"));
    let at = Location::Directory(&place);
    let (file, path) = interface::named(&Options::default(), at).unwrap();
    put(&file, 0, "dropped");
    assert_eq!(read(&path.path()), b"dropped");
    path.persist(&target, ReplaceMode::NoClobber, Durability::Data).unwrap();
    assert_eq!(take(&target), b"dropped");
    let dir = interface::directory(&Options::default(), at).unwrap();
    dir.create_file("child").unwrap();
    dir.close().unwrap();
    put(&interface::unnamed(at).unwrap(), 0, "no name");
    let spooled = interface::spooled(Some(0), at).unwrap();
    put(&spooled, 0, "moved there");
}
