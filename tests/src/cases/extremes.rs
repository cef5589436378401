//! Extreme arguments: each call returns a result or a typed error, in every state of its handle,
//! and nothing traps.

use super::prelude::*;
use std::io::{Read, Seek, SeekFrom, Write};
use wasi_tempfile::{Builder, error_code, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(offsets_of_every_kind_of_file),
    case!(lengths_of_every_kind_of_file),
    case!(four_mebibytes_in_one_write),
    case!(thirty_two_mebibytes_through_the_client),
    case!(paths_of_five_thousand_bytes),
    case!(names_at_every_length),
    case!(random_characters_at_every_length),
    case!(strings_that_are_no_names),
    case!(labels_of_every_kind),
    case!(a_label_of_over_255_bytes_is_invalid),
    case!(nested_directories_have_paths_of_at_most_4096_bytes),
    case!(closed_handles_and_extreme_arguments),
    case!(locations_of_every_kind),
    case!(thresholds_of_every_kind),
    case!(a_thousand_open_files),
    case!(seeks_to_the_ends_of_the_world),
];

const LAST: u64 = i64::MAX as u64;
const OFFSETS: [u64; 9] =
    [0, 1, u32::MAX as u64, u32::MAX as u64 + 1, LAST - 1, LAST, LAST + 1, u64::MAX - 1, u64::MAX];

/// An unnamed file, a named one, one in memory, and one that has rolled over.
fn files() -> Vec<interface::File> {
    let (named, path) = named();
    drop(path);
    let rolled = interface::spooled(Some(0), Location::Scratch).unwrap();
    let in_memory = interface::spooled(Some(64), Location::Scratch).unwrap();
    let files = vec![interface::unnamed(Location::Scratch).unwrap(), named, rolled, in_memory];
    files.iter().for_each(|file| put(file, 0, "hello"));
    files
}

/// A typed error, one line for people; any code will do.
fn typed<T>(result: Result<T, interface::Error>) -> Option<T> {
    result.map_err(|error| assert_eq!(error.message.lines().count(), 1, "{}", error.message)).ok()
}

fn offsets_of_every_kind_of_file(_: &World) {
    for file in files() {
        for offset in OFFSETS {
            let read = typed(file.read(10, offset));
            assert_eq!(read.is_some(), offset <= LAST, "read at {offset}");
            assert_eq!(
                typed(file.write(b"", offset)),
                (offset <= LAST).then_some(0),
                "write nothing at {offset}"
            );
            if offset >= LAST {
                assert_eq!(typed(file.write(b"x", offset)), None, "write at {offset}");
            }
            if offset > LAST {
                assert_code(file.set_size(offset), ErrorCode::Invalid);
            }
        }
        assert_eq!(contents(&file), b"hello");
    }
}

fn lengths_of_every_kind_of_file(_: &World) {
    for file in files() {
        for max in [0, 1, 4, 5, 6, u32::MAX - 1, u32::MAX] {
            assert_eq!(file.read(max, 0).unwrap(), b"hello"[..5.min(max as usize)], "{max}");
        }
        file.set_size(3 << 20).unwrap();
        let got = file.read(u32::MAX, 1).unwrap();
        assert!((1..=1 << 20).contains(&got.len()), "{} bytes in one answer", got.len());
        assert_eq!(file.read(6, 0).unwrap(), b"hello\0");
    }
}

fn four_mebibytes_in_one_write(_: &World) {
    let bytes = pattern(4 << 20);
    for file in files() {
        let count = file.write(&bytes, 1).unwrap();
        assert!((1..=4 << 20).contains(&count), "{count} of 4 MiB went in");
        assert_eq!(file.size().unwrap(), 1 + count);
        assert_eq!(file.read(8, count - 7).unwrap(), bytes[count as usize - 8..count as usize]);
    }
}

fn thirty_two_mebibytes_through_the_client(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(&vec![9; 32 << 20]).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 32 << 20);
    file.seek(SeekFrom::End(-3)).unwrap();
    let mut end = Vec::new();
    file.read_to_end(&mut end).unwrap();
    assert_eq!(end, [9; 3]);
}

fn paths_of_five_thousand_bytes(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let (file, path) = named();
    for long in [
        "x".repeat(5000),
        "x/".repeat(2500) + "x",
        "../".repeat(1700),
        "\0".repeat(5000),
        "/".repeat(5000),
    ] {
        assert!(typed(dir.create_file(&long)).is_none(), "{:.20}… was created", long);
        assert!(typed(dir.open_file(&long)).is_none(), "{:.20}… was opened", long);
        assert!(typed(dir.create_directory(&long)).is_none());
        assert!(typed(dir.rename(&long, "x")).is_none());
        assert!(typed(dir.rename("x", &long)).is_none());
        assert!(typed(dir.entries(&long)).is_none());
        assert!(typed(dir.metadata(&long)).is_none());
        typed(dir.remove(&long));
        for target in [long.clone(), w.path(&long)] {
            assert!(
                typed(path.persist(&target, ReplaceMode::Overwrite, Durability::Full)).is_none()
            );
            assert!(
                typed(dir.persist(&target, ReplaceMode::Overwrite, Durability::Full)).is_none()
            );
            assert!(typed(interface::link(&file, &target, Durability::Full)).is_none());
        }
    }
    assert_eq!(dir.entries("").unwrap(), []);
    assert!(w.exists(&w.inside(path.path())));
}

fn names_at_every_length(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    for length in [1, 2, 127, 128, 254, 255] {
        let name = "é".repeat(length / 2) + &"n".repeat(length % 2);
        drop(dir.create_file(&name).unwrap());
        assert_eq!(dir.entries("").unwrap()[0].name, name);
        dir.remove(&name).unwrap();
    }
    for length in [256, 257, 4095, 4096] {
        assert_code(dir.create_file(&"n".repeat(length)), ErrorCode::NameTooLong);
    }
    assert_eq!(w.list(&w.inside(dir.path())), [""; 0]);
}

fn random_characters_at_every_length(w: &World) {
    for random_chars in [1, 2, 15, 17, 254, 255] {
        let options = Options {
            prefix: String::new(),
            random_chars: Some(random_chars),
            ..Options::default()
        };
        let (_file, path) = interface::named(&options, Location::Scratch).unwrap();
        assert_eq!(w.inside(path.path()).len(), usize::from(random_chars));
        interface::directory(&options, Location::Scratch).unwrap();
        let longer = Options { prefix: "x".into(), random_chars: Some(255), ..Options::default() };
        assert_code(interface::named(&longer, Location::Scratch), ErrorCode::NameTooLong);
    }
    let nothing = Options { prefix: String::new(), random_chars: Some(0), ..Options::default() };
    assert_code(interface::named(&nothing, Location::Scratch), ErrorCode::InvalidName);
    assert_code(interface::directory(&nothing, Location::Scratch), ErrorCode::InvalidName);
}

fn strings_that_are_no_names(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let long = "é".repeat(40_000);
    for name in ["", ".", "..", "/", "//", "a//b", "a/", "/a", "./a", "a/.", "\0", "a\0b", &long] {
        assert!(typed(dir.create_file(name)).is_none(), "{name:?} was created");
        assert!(typed(dir.create_directory(name)).is_none(), "{name:?}");
        assert!(typed(dir.rename(name, "b")).is_none(), "{name:?}");
        let refused = Options { prefix: name.into(), suffix: long.clone(), ..Options::default() };
        assert!(
            typed(interface::named(&refused, Location::Scratch)).is_none(),
            "{name:?} was created"
        );
        assert!(
            typed(interface::directory(&refused, Location::Scratch)).is_none(),
            "{name:?} was created"
        );
    }
    assert_eq!(dir.entries("").unwrap(), []);
    assert_eq!(w.list("").len(), 1);
}

fn labels_of_every_kind(_: &World) {
    for label in [String::new(), "\0".to_owned(), "é\n".repeat(85), "x".repeat(255)] {
        let options = Options { label: Some(label.clone()), ..Options::default() };
        let (_file, _path) = interface::named(&options, Location::Scratch).unwrap();
        let live = interface::live_handles().unwrap();
        assert!(live.iter().any(|handle| handle.label.as_ref() == Some(&label)));
    }
}

fn a_label_of_over_255_bytes_is_invalid(w: &World) {
    for label in ["x".repeat(256), "é\n".repeat(86), "x".repeat(1 << 20)] {
        let options = Options { label: Some(label), ..Options::default() };
        assert_code(interface::named(&options, Location::Scratch), ErrorCode::Invalid);
        assert_code(interface::directory(&options, Location::Scratch), ErrorCode::Invalid);
    }
    w.assert_empty();
}

fn nested_directories_have_paths_of_at_most_4096_bytes(w: &World) {
    let longest = Options { prefix: String::new(), random_chars: Some(255), ..Options::default() };
    let mut nested = vec![interface::directory(&longest, Location::Scratch).unwrap()];
    let refused = loop {
        let inner = nested.last().unwrap();
        match interface::directory(&longest, Location::Within(inner)) {
            Ok(dir) => nested.push(dir),
            Err(error) => break error,
        }
        assert!(nested.len() <= 16, "16 names of 255 bytes are more than 4096 bytes");
    };
    assert_eq!(refused.code, ErrorCode::NameTooLong, "{}", refused.message);
    let inner = nested.last().unwrap();
    assert_code(interface::named(&longest, Location::Within(inner)), ErrorCode::NameTooLong);
    // What is left of the path is enough for a shorter name.
    let length = 4096 - inner.path().len() - 1;
    let fits = Options { random_chars: Some(length as u8), ..longest.clone() };
    let (_file, path) = interface::named(&fits, Location::Within(inner)).unwrap();
    assert_eq!(path.path().len(), 4096);
    let outermost = nested.swap_remove(0);
    outermost.close().unwrap();
    w.assert_empty();
}

fn closed_handles_and_extreme_arguments(w: &World) {
    let long = "x".repeat(5000);
    for file in files() {
        file.close().unwrap();
        for offset in OFFSETS {
            assert_code(file.read(u32::MAX, offset), ErrorCode::Closed);
            assert_code(file.write(&[0; 100], offset), ErrorCode::Closed);
            assert_code(file.set_size(offset), ErrorCode::Closed);
        }
        assert_code(interface::link(&file, &long, Durability::Full), ErrorCode::Closed);
    }
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let path = named().1;
    dir.close().unwrap();
    path.close().unwrap();
    for name in ["", "..", "\0", &long] {
        assert_code(dir.create_file(name), ErrorCode::Closed);
        assert_code(dir.open_file(name), ErrorCode::Closed);
        assert_code(dir.rename(name, name), ErrorCode::Closed);
        assert_code(dir.entries(name), ErrorCode::Closed);
        assert_code(
            path.persist(name, ReplaceMode::NoClobber, Durability::Full),
            ErrorCode::Closed,
        );
    }
    w.assert_empty();
}

fn locations_of_every_kind(w: &World) {
    let long = "/x".repeat(2500);
    let deep = w.scratch().to_owned() + &"/x".repeat(2500);
    for path in ["", "\0", "/\0", "no/such", &long, &deep, "//////no", "\u{fffd}"] {
        let location = Location::Directory(path);
        assert!(typed(interface::unnamed(location)).is_none(), "{path:.20} is a place");
        assert!(
            typed(interface::named(&Options::default(), location)).is_none(),
            "{path:.20} is a place"
        );
        assert!(
            typed(interface::directory(&Options::default(), location)).is_none(),
            "{path:.20} is a place"
        );
        let moved = interface::spooled(None, location).and_then(|file| file.roll_over());
        assert!(typed(moved).is_none(), "{path:.20} is a place");
    }
    w.assert_empty();
}

fn thresholds_of_every_kind(_: &World) {
    for max_memory in [Some(0), Some(1), Some(LAST), Some(u64::MAX), None] {
        let file = interface::spooled(max_memory, Location::Scratch).unwrap();
        put(&file, 0, "two");
        let expected =
            if matches!(max_memory, Some(0 | 1)) { Storage::Disk } else { Storage::Memory };
        assert_eq!(file.storage().unwrap(), expected, "{max_memory:?}");
        assert_eq!(contents(&file), b"two");
        assert_eq!(typed(file.write(b"x", LAST)), None);
        assert_eq!(contents(&file), b"two");
    }
}

fn a_thousand_open_files(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let mut open = Vec::new();
    for number in 0..1000 {
        match dir.create_file(&number.to_string()) {
            Ok(file) => open.push(file),
            // The host's limit, or the system's: a typed error, and what is open goes on.
            Err(error) => {
                assert!(
                    matches!(error.code, ErrorCode::OutOfHandles | ErrorCode::Io),
                    "{}",
                    error.message
                );
                break;
            }
        }
    }
    assert!(open.len() >= 200, "{}", open.len());
    put(&open[0], 0, "still there");
    drop(open);
    dir.close().unwrap();
    w.assert_empty();
}

fn seeks_to_the_ends_of_the_world(w: &World) {
    let mut file = Builder::new().tempfile().unwrap();
    for to in [
        SeekFrom::Current(i64::MIN),
        SeekFrom::End(i64::MIN),
        SeekFrom::Start(u64::MAX),
        SeekFrom::Current(-1),
    ] {
        assert_eq!(error_code(&file.seek(to).unwrap_err()), Some(ErrorCode::Invalid), "{to:?}");
    }
    match file.seek(SeekFrom::Current(i64::MAX)) {
        Ok(position) => assert_eq!(position, LAST),
        // Natively a file system refuses positions where it can have no bytes.
        Err(error) => {
            assert_eq!(w.placement(), Placement::Native, "{error}");
            assert_eq!(error_code(&error), Some(ErrorCode::Invalid), "{error}");
            return;
        }
    }
    assert_eq!(error_code(&file.seek(SeekFrom::Current(1)).unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!(file.read(&mut [0; 8]).unwrap(), 0);
    file.write(b"x").unwrap_err();
    assert_eq!(file.as_file().metadata().unwrap().len(), 0);
}
