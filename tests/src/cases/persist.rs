//! Persisting: a temporary file is renamed to its final path.

use super::prelude::*;
use std::io::Write;
use wasi_tempfile::NamedTempFile;

pub(super) const CASES: &[Case] = &[
    case!(overwrites_in_every_durability),
    case!(to_a_free_name),
    case!(an_open_reader_keeps_the_old_file),
    case!(no_clobber_takes_a_free_name_in_every_durability),
    case!(no_clobber_leaves_the_target_alone),
    case!(no_clobber_leaves_a_dangling_link_alone),
    case!(only_the_first_no_clobber_succeeds),
    case!(a_failure_loses_nothing),
    case!(the_client_error_returns_the_file),
    case!(the_client_error_returns_the_path),
    case!(a_link_at_the_target_is_replaced_not_followed),
    case!(to_its_own_name),
    case!(onto_a_second_name_of_the_same_file),
    case!(a_file_that_may_not_be_written_is_synced, Setup::PLAIN.unprivileged()),
    case!(into_an_unwritable_directory, Setup::PLAIN.unprivileged()),
    case!(a_directory_is_in_the_way),
    case!(into_a_missing_directory),
    case!(through_a_file),
    case!(a_trailing_slash_is_refused),
    case!(dots_as_the_last_component_are_refused),
    case!(dots_on_the_way),
    case!(an_empty_target),
    case!(a_target_name_too_long),
    case!(into_a_temp_dir_goes_with_it),
    case!(out_of_a_temp_dir_outlives_it),
    case!(the_open_file_follows),
    case!(the_name_is_gone),
    case!(an_impostor_is_not_persisted),
    case!(a_private_file_saved_by_rename_is_persisted),
    case!(to_another_file_system, Setup::PLAIN.mounts(OTHER)),
    case!(onto_a_read_only_file_system, Setup::PLAIN.mounts(READ_ONLY)),
    case!(onto_a_mount_point, Setup::PLAIN.mounts(BUSY)),
];

const OTHER: &[Mount] = &[Mount::FileSystem { name: "other", size: 1 << 20, read_only: false }];
const READ_ONLY: &[Mount] = &[Mount::FileSystem { name: "fixed", size: 1 << 20, read_only: true }];

const BUSY: &[Mount] = &[Mount::BusyFile { name: "busy" }];

const DURABILITIES: [Durability; 3] = [Durability::None, Durability::Data, Durability::Full];

fn overwrites_in_every_durability(w: &World) {
    for durability in DURABILITIES {
        w.write("target", "old and longer");
        let (file, path) = data("new");
        path.persist(&w.path("target"), ReplaceMode::Overwrite, durability).unwrap();
        assert_eq!(w.list(""), ["target"]);
        drop(file);
        assert_eq!(w.take("target"), b"new");
    }
}

fn to_a_free_name(w: &World) {
    let (file, path) = data("new");
    path.persist(&w.path("free"), ReplaceMode::Overwrite, Durability::None).unwrap();
    drop((file, path));
    assert_eq!(w.take("free"), b"new");
}

fn an_open_reader_keeps_the_old_file(w: &World) {
    let old = interface::named(&fixed("target"), Location::Scratch).unwrap();
    put(&old.0, 0, "old");
    old.1.keep().unwrap();
    let (_file, path) = data("new");
    path.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_eq!(contents(&old.0), b"old");
    assert_eq!(w.take("target"), b"new");
}

fn no_clobber_takes_a_free_name_in_every_durability(w: &World) {
    for durability in DURABILITIES {
        let (file, path) = data("first");
        path.persist(&w.path("target"), ReplaceMode::NoClobber, durability).unwrap();
        assert_eq!(w.list(""), ["target"]);
        drop(file);
        assert_eq!(w.take("target"), b"first");
    }
}

fn no_clobber_leaves_the_target_alone(w: &World) {
    w.write("target", "first");
    for durability in DURABILITIES {
        let (_file, path) = data("second");
        assert_code(
            path.persist(&w.path("target"), ReplaceMode::NoClobber, durability),
            ErrorCode::Exist,
        );
        assert!(w.exists(&w.inside(path.path())), "the name is where it was");
    }
    assert_eq!(w.take("target"), b"first");
}

fn no_clobber_leaves_a_dangling_link_alone(w: &World) {
    w.plant_link("target", "/nothing");
    let (_file, path) = data("second");
    assert_code(
        path.persist(&w.path("target"), ReplaceMode::NoClobber, Durability::None),
        ErrorCode::Exist,
    );
    assert!(!w.exists("nothing"));
    w.remove("target");
}

fn only_the_first_no_clobber_succeeds(w: &World) {
    let racers: Vec<_> = (0..64).map(|number| data(format!("{number}"))).collect();
    let persist = |racer: &(_, interface::TempPath)| {
        racer.1.persist(&w.path("prize"), ReplaceMode::NoClobber, Durability::None)
    };
    let won: Vec<bool> = racers.iter().map(|racer| persist(racer).is_ok()).collect();
    assert_eq!(won.iter().filter(|&&won| won).count(), 1);
    drop(racers);
    assert_eq!(w.take("prize"), b"0");
}

fn a_failure_loses_nothing(w: &World) {
    w.plant_directory("in-the-way");
    let (file, path) = data("precious");
    for durability in DURABILITIES {
        path.persist(&w.path("in-the-way"), ReplaceMode::Overwrite, durability).unwrap_err();
        assert_eq!(contents(&file), b"precious");
        assert_eq!(w.read(&w.inside(path.path())), b"precious");
    }
    path.persist(&w.path("elsewhere"), ReplaceMode::Overwrite, Durability::None).unwrap();
    drop(file);
    assert_eq!(w.take("elsewhere"), b"precious");
    w.remove("in-the-way");
}

fn the_client_error_returns_the_file(w: &World) {
    w.plant_directory("in-the-way");
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"not lost").unwrap();
    let failure = file.persist(w.path("in-the-way")).unwrap_err();
    assert_eq!(wasi_tempfile::error_code(&failure.error), Some(ErrorCode::IsDirectory));
    let file = failure.file;
    assert_eq!(w.read(&w.inside(file.path())), b"not lost");
    drop(file);
    assert_eq!(w.list(""), ["in-the-way"], "it is still guarded");
    w.remove("in-the-way");
}

fn the_client_error_returns_the_path(w: &World) {
    w.write("taken", "first");
    let path = NamedTempFile::new().unwrap().into_temp_path();
    let failure = path.persist_noclobber(w.path("taken")).unwrap_err();
    assert_eq!(failure.error.kind(), std::io::ErrorKind::AlreadyExists);
    failure.path.persist(w.path("taken")).unwrap();
    assert_eq!(w.take("taken"), b"");
}

fn a_link_at_the_target_is_replaced_not_followed(w: &World) {
    w.write("victim", "precious");
    w.plant_link("target", "victim");
    let (file, path) = data("new");
    path.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::Full).unwrap();
    drop(file);
    assert_eq!(w.take("victim"), b"precious");
    assert_eq!(w.take("target"), b"new");
}

fn to_its_own_name(w: &World) {
    let (file, path) = data("here already");
    assert_code(
        path.persist(&path.path(), ReplaceMode::NoClobber, Durability::None),
        ErrorCode::Exist,
    );
    path.persist(&path.path(), ReplaceMode::Overwrite, Durability::None).unwrap();
    drop((file, path));
    let names = w.list("");
    assert_eq!(names.len(), 1);
    assert_eq!(w.take(&names[0]), b"here already");
}

fn onto_a_second_name_of_the_same_file(w: &World) {
    let (file, path) = data("one file");
    w.plant_second_name("second", &w.inside(path.path()));
    path.persist(&w.path("second"), ReplaceMode::Overwrite, Durability::None).unwrap();
    // The system's rename does nothing here, and calls it a success.
    assert_eq!(w.list(""), ["second"]);
    drop(file);
    assert_eq!(w.take("second"), b"one file");
}

fn a_file_that_may_not_be_written_is_synced(w: &World) {
    for mode in [0o400, 0o200] {
        for durability in DURABILITIES {
            let (_file, path) = data("finished");
            w.set_mode(&w.inside(path.path()), mode);
            path.persist(&w.path("target"), ReplaceMode::NoClobber, durability).unwrap();
            w.set_mode("target", 0o600);
            assert_eq!(w.take("target"), b"finished");
        }
    }
}

fn into_an_unwritable_directory(w: &World) {
    w.plant_directory("locked");
    w.write("locked/target", "old");
    w.set_mode("locked", 0o500);
    let (_file, path) = data("new");
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        let free = path.persist(&w.path("locked/free"), mode, Durability::Full);
        assert_code(free, ErrorCode::Access);
    }
    assert_code(
        path.persist(&w.path("locked/target"), ReplaceMode::Overwrite, Durability::None),
        ErrorCode::Access,
    );
    assert_eq!(w.read(&w.inside(path.path())), b"new");
    w.set_mode("locked", 0o700);
    assert_eq!(w.take("locked/target"), b"old");
    w.remove("locked");
}

fn a_directory_is_in_the_way(w: &World) {
    w.plant_directory("empty");
    w.plant_directory("full");
    w.write("full/child", "");
    let (_file, path) = named();
    for target in ["empty", "full"] {
        let target = w.path(target);
        assert_code(
            path.persist(&target, ReplaceMode::Overwrite, Durability::None),
            ErrorCode::IsDirectory,
        );
        assert_code(
            path.persist(&target, ReplaceMode::NoClobber, Durability::None),
            ErrorCode::Exist,
        );
    }
    assert_eq!(w.list("full"), ["child"]);
    w.remove("empty");
    w.remove("full");
}

fn into_a_missing_directory(w: &World) {
    let (_file, path) = named();
    let target = w.path("missing/target");
    assert_code(
        path.persist(&target, ReplaceMode::Overwrite, Durability::None),
        ErrorCode::NoEntry,
    );
    assert_code(
        path.persist(&target, ReplaceMode::NoClobber, Durability::Full),
        ErrorCode::NoEntry,
    );
}

fn through_a_file(w: &World) {
    w.write("file", "no directory");
    let (_file, path) = named();
    let target = w.path("file/target");
    assert_code(
        path.persist(&target, ReplaceMode::Overwrite, Durability::None),
        ErrorCode::NotDirectory,
    );
    assert_eq!(w.take("file"), b"no directory");
}

fn a_trailing_slash_is_refused(w: &World) {
    w.plant_directory("dir");
    let (_file, path) = named();
    for target in ["new/", "dir/", "dir//"] {
        let target = w.path(target);
        assert_code(
            path.persist(&target, ReplaceMode::Overwrite, Durability::None),
            ErrorCode::InvalidName,
        );
    }
    assert_code(
        path.persist("/", ReplaceMode::Overwrite, Durability::None),
        ErrorCode::InvalidName,
    );
    assert_eq!(w.list("dir"), [""; 0]);
    w.remove("dir");
}

fn dots_as_the_last_component_are_refused(w: &World) {
    let (_file, path) = named();
    for target in [".", ".."] {
        let target = w.path(target);
        assert_code(
            path.persist(&target, ReplaceMode::Overwrite, Durability::None),
            ErrorCode::InvalidName,
        );
    }
}

fn dots_on_the_way(w: &World) {
    w.plant_directory("dir");
    let (file, path) = data("up and down");
    let persisted =
        path.persist(&w.path("dir/../target"), ReplaceMode::Overwrite, Durability::None);
    w.assert_differs(persisted, &differences::DOTS_IN_A_PATH);
    drop(file);
    if path.keep().is_err() {
        assert_eq!(w.take("target"), b"up and down");
    } else {
        w.remove(&w.inside(path.path()));
    }
    w.remove("dir");
}

fn an_empty_target(_: &World) {
    let (_file, path) = named();
    assert_code(path.persist("", ReplaceMode::Overwrite, Durability::None), ErrorCode::NoEntry);
}

fn a_target_name_too_long(w: &World) {
    let (_file, path) = named();
    let target = w.path(&"x".repeat(256));
    assert_code(
        path.persist(&target, ReplaceMode::Overwrite, Durability::None),
        ErrorCode::NameTooLong,
    );
    let target = w.path(&"deep/".repeat(1000)) + "x";
    assert_code(
        path.persist(&target, ReplaceMode::Overwrite, Durability::None),
        ErrorCode::NameTooLong,
    );
}

fn into_a_temp_dir_goes_with_it(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let (file, path) = data("moved in");
    let target = format!("{}/moved", dir.path());
    path.persist(&target, ReplaceMode::Overwrite, Durability::Full).unwrap();
    assert_eq!(contents(&dir.open_file("moved").unwrap()), b"moved in");
    drop(file);
    dir.close().unwrap();
    w.assert_empty();
}

fn out_of_a_temp_dir_outlives_it(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let (file, path) = interface::named(&Options::default(), Location::Within(&dir)).unwrap();
    put(&file, 0, "moved out");
    path.persist(&w.path("result"), ReplaceMode::NoClobber, Durability::Data).unwrap();
    dir.close().unwrap();
    drop(file);
    assert_eq!(w.take("result"), b"moved out");
}

fn the_open_file_follows(w: &World) {
    let (file, path) = data("before");
    path.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    put(&file, 6, " and after");
    drop(file);
    assert_eq!(w.take("target"), b"before and after");
}

fn the_name_is_gone(w: &World) {
    let path = named().1;
    w.remove(&w.inside(path.path()));
    for durability in DURABILITIES {
        let persisted = path.persist(&w.path("target"), ReplaceMode::Overwrite, durability);
        assert_code(persisted, ErrorCode::NoEntry);
    }
    w.assert_empty();
}

fn an_impostor_is_not_persisted(w: &World) {
    let shared = shared_directory(w);
    for durability in DURABILITIES {
        let (_file, path) =
            interface::named(&Options::default(), Location::Directory(&shared)).unwrap();
        let name = w.inside(path.path());
        w.write("impostor", "theirs");
        w.rename("impostor", &name);
        let persisted = path.persist(&w.path("target"), ReplaceMode::Overwrite, durability);
        let there = if persisted.is_ok() { "target" } else { &name };
        w.assert_differs(persisted, &differences::IMPOSTOR);
        assert_eq!(w.take(there), b"theirs");
        assert!(!w.exists("target"));
    }
    w.remove("shared");
}

fn a_private_file_saved_by_rename_is_persisted(w: &World) {
    let path = data("mine").1;
    w.write("edited", "edited");
    w.rename("edited", &w.inside(path.path()));
    path.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_eq!(w.take("target"), b"edited");
}

fn to_another_file_system(w: &World) {
    let (file, path) = data("stays here");
    for mode in [ReplaceMode::Overwrite, ReplaceMode::NoClobber] {
        let persisted = path.persist(&w.path("other/target"), mode, Durability::None);
        w.assert_differs(persisted, &differences::CROSS_DEVICE);
    }
    assert_eq!(w.list("other"), [""; 0]);
    assert_eq!(contents(&file), b"stays here");
    assert!(w.exists(&w.inside(path.path())), "the name is where it was");
}

fn onto_a_read_only_file_system(w: &World) {
    let (_file, path) = data("stays here");
    path.persist(&w.path("fixed/target"), ReplaceMode::Overwrite, Durability::None).unwrap_err();
    assert_eq!(w.read(&w.inside(path.path())), b"stays here");
}

fn onto_a_mount_point(w: &World) {
    let (_file, path) = data("stays here");
    let persisted = path.persist(&w.path("busy"), ReplaceMode::Overwrite, Durability::None);
    assert_code(persisted, ErrorCode::Busy);
    assert_eq!(w.read(&w.inside(path.path())), b"stays here");
}
