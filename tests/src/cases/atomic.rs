//! The client's `write_atomically`: a file appears as a whole or not at all.

use super::prelude::*;
use std::io::{self, Write};
use wasi_tempfile::{NamedTempFile, error_code, write_atomically};

pub(super) const CASES: &[Case] = &[
    case!(persists_in_every_durability),
    case!(replaces_the_old_file),
    case!(takes_a_free_name),
    case!(a_failing_writer_leaves_the_old_file),
    case!(a_reader_never_sees_half),
    case!(a_target_without_a_name),
    case!(a_target_that_ends_in_a_separator),
    case!(into_a_missing_directory),
    case!(onto_a_directory),
    case!(onto_a_full_file_system, Setup::PLAIN.mounts(SMALL)),
];

const ROOM: u64 = 64 * 1024;
const SMALL: &[Mount] = &[Mount::FileSystem { name: "small", size: ROOM, read_only: false }];

fn persists_in_every_durability(w: &World) {
    for (durability, bytes) in [(Durability::Data, "data"), (Durability::Full, "full")] {
        let (file, path) = data(bytes);
        file.sync(durability).unwrap();
        path.persist(&w.path("target"), ReplaceMode::Overwrite, durability).unwrap();
        assert_eq!(w.read("target"), bytes.as_bytes());
    }
    write_atomically(w.path("target"), |file| file.write_all(b"in one call")).unwrap();
    assert_eq!(w.list(""), ["target"]);
    assert_eq!(w.take("target"), b"in one call");
}

fn replaces_the_old_file(w: &World) {
    w.plant_directory("config");
    w.write("config/settings", "old and longer");
    write_atomically(w.path("config/settings"), |file| file.write_all(b"new")).unwrap();
    assert_eq!(w.list("config"), ["settings"]);
    assert_eq!(w.take("config/settings"), b"new");
    w.remove("config");
}

fn takes_a_free_name(w: &World) {
    write_atomically(w.path("fresh"), |file| file.write_all(&pattern(200_000))).unwrap();
    assert!(w.take("fresh") == pattern(200_000));
    write_atomically(w.path("empty"), |_| Ok(())).unwrap();
    assert_eq!(w.take("empty"), b"");
}

fn a_failing_writer_leaves_the_old_file(w: &World) {
    w.write("target", "old");
    let error = write_atomically(w.path("target"), |file| {
        file.write_all(b"half of the new")?;
        Err(io::Error::other("interrupted"))
    });
    assert_eq!(error.unwrap_err().to_string(), "interrupted");
    assert_eq!(w.list(""), ["target"]);
    assert_eq!(w.take("target"), b"old");
}

fn a_reader_never_sees_half(w: &World) {
    w.write("target", vec![0; 70_000]);
    for round in 1..20_u8 {
        write_atomically(w.path("target"), |file| {
            for _ in 0..7 {
                file.write_all(&[round; 10_000])?;
                let seen = w.read("target");
                assert!(seen == [round - 1; 70_000], "round {round} is seen too early, or in part");
            }
            Ok(())
        })
        .unwrap();
        assert!(w.read("target") == [round; 70_000]);
    }
    w.remove("target");
}

fn a_target_without_a_name(w: &World) {
    for target in [w.path(".."), w.path("x/.."), "/".to_owned(), String::new()] {
        let error =
            write_atomically(&target, |_| panic!("there is nothing to write to")).unwrap_err();
        assert_eq!(error_code(&error), Some(ErrorCode::InvalidName), "{target}: {error}");
    }
    w.assert_empty();
}

fn a_target_that_ends_in_a_separator(w: &World) {
    let targets = ["x/", "x//", "x/.", "x/./", "x/./."].map(|target| w.path(target));
    for target in targets.into_iter().chain(["no such/x/.".to_owned(), "x/.".to_owned()]) {
        let refused =
            write_atomically(&target, |_| panic!("there is nothing to write to")).unwrap_err();
        assert_eq!(error_code(&refused), Some(ErrorCode::InvalidName), "{target}: {refused}");
        let refused = NamedTempFile::new().unwrap().persist(&target).unwrap_err().error;
        assert_eq!(error_code(&refused), Some(ErrorCode::InvalidName), "{target}: {refused}");
    }
    w.assert_empty();
}

fn into_a_missing_directory(w: &World) {
    let error = write_atomically(w.path("missing/target"), |_| Ok(())).unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::NoEntry), "{error}");
    w.assert_empty();
}

fn onto_a_directory(w: &World) {
    w.plant_directory("target");
    let error = write_atomically(w.path("target"), |file| file.write_all(b"x")).unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::IsDirectory), "{error}");
    assert_eq!(w.list(""), ["target"]);
    w.remove("target");
}

fn onto_a_full_file_system(w: &World) {
    w.write("small/target", "old");
    let bytes = vec![1; ROOM as usize + 1];
    let error =
        write_atomically(w.path("small/target"), |file| file.write_all(&bytes)).unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::NoSpace), "{error}");
    assert_eq!(w.list("small"), ["target"]);
    assert_eq!(w.take("small/target"), b"old");
}
