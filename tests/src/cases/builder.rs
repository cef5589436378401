//! The client's `Builder`, and the constructors that build on it.

use super::prelude::*;
use std::io::{self, Read, Seek, SeekFrom, Write};
use wasi_tempfile::{Builder, NamedTempFile, TempDir, error_code};

pub(super) const CASES: &[Case] = &[
    case!(every_parameter_of_pythons_named_file),
    case!(prefix_suffix_and_directory_for_every_kind),
    case!(options_come_in_any_order),
    case!(prefix_random_part_and_suffix_in_this_order),
    case!(with_contents_creates_a_file_with_these_bytes),
    case!(with_contents_begins_at_the_start),
    case!(append_goes_to_the_end_whoever_else_writes),
    case!(labels_are_passed_on),
    case!(permissions_are_set_exactly, Setup::PLAIN.umask(0o077)),
    case!(make_tries_another_name),
    case!(make_gives_up_on_other_errors),
    case!(make_in_a_directory_of_the_callers),
    case!(a_path_is_reopened),
    case!(a_path_is_not_reopened_as_another_file),
    case!(a_builder_can_be_used_again),
];

fn every_parameter_of_pythons_named_file(w: &World) {
    w.plant_directory("dir");
    let dir = w.path("dir");
    // mode: always reading and writing, bytes.
    let mut file = Builder::new().prefix("pre-").suffix(".suf").tempfile_in(&dir).unwrap();
    file.write_all(b"w+b").unwrap();
    file.rewind().unwrap();
    let mut mode = [0; 3];
    file.read_exact(&mut mode).unwrap();
    assert_eq!(&mode, b"w+b");
    let name = w.inside(file.path());
    assert!(name.starts_with("dir/pre-") && name.ends_with(".suf"), "{name}");
    drop(file);
    assert_eq!(w.list("dir"), [""; 0], "delete: it goes unless told");
    let kept = Builder::new().disable_cleanup(true).tempfile_in(&dir).unwrap();
    let name = w.inside(kept.path());
    drop(kept);
    assert!(w.exists(&name));
    w.remove("dir");
}

fn prefix_suffix_and_directory_for_every_kind(w: &World) {
    w.plant_directory("place");
    let place = w.path("place");
    let options = Options { prefix: "a-".into(), suffix: "-z".into(), ..Options::default() };
    let (file, path) = interface::named(&options, Location::Directory(&place)).unwrap();
    let dir = interface::directory(&options, Location::Directory(&place)).unwrap();
    for path in [path.path(), dir.path()] {
        let name = w.inside(path);
        assert!(name.starts_with("place/a-") && name.ends_with("-z"), "{name}");
    }
    let unnamed = interface::unnamed(Location::Directory(&place)).unwrap();
    let spooled = interface::spooled(Some(0), Location::Directory(&place)).unwrap();
    let shown = 2 + w.shown_unnamed(2);
    assert_eq!(w.list("place").len(), shown, "these two have no name to choose");
    drop((unnamed, spooled, dir, file, path));
    w.remove("place");
}

fn options_come_in_any_order(w: &World) {
    // Suffix before prefix, as in Python's odd order, or the other way: a name can't be mistaken.
    let one = Builder::new().suffix("-s").prefix("p-").tempfile().unwrap();
    let other = Builder::new().prefix("p-").suffix("-s").tempdir().unwrap();
    for path in [one.path(), other.path()] {
        let name = w.inside(path);
        assert!(name.starts_with("p-") && name.ends_with("-s"), "{name}");
    }
}

fn prefix_random_part_and_suffix_in_this_order(w: &World) {
    for length in [1, 6, 16, 200] {
        let dir =
            Builder::new().prefix("before.").suffix(".after").rand_bytes(length).tempdir().unwrap();
        let name = w.inside(dir.path());
        let random = name.strip_prefix("before.").and_then(|rest| rest.strip_suffix(".after"));
        assert_eq!(random.map(str::len), Some(length), "{name}");
    }
    w.assert_empty();
}

fn with_contents_creates_a_file_with_these_bytes(w: &World) {
    let path = NamedTempFile::with_contents("some content").unwrap().into_temp_path();
    assert_eq!(w.read(&w.inside(&path)), b"some content");
    drop(path);
    w.assert_empty();
}

fn with_contents_begins_at_the_start(w: &World) {
    let mut file = NamedTempFile::with_contents(pattern(100_000)).unwrap();
    assert_eq!(file.stream_position().unwrap(), 0);
    let mut seen = Vec::new();
    file.read_to_end(&mut seen).unwrap();
    assert!(seen == pattern(100_000));
    assert_eq!(w.read(&w.inside(NamedTempFile::with_contents("").unwrap().keep().unwrap().1)), b"");
    drop(file);
    w.list("").iter().for_each(|name| w.remove(name));
}

fn append_goes_to_the_end_whoever_else_writes(w: &World) {
    let mut file = Builder::new().append(true).tempfile().unwrap();
    let mut other = file.reopen().unwrap();
    file.write_all(b"one ").unwrap();
    other.seek(SeekFrom::End(0)).unwrap();
    other.write_all(b"two ").unwrap();
    file.rewind().unwrap();
    file.write_all(b"three").unwrap();
    assert_eq!(w.read(&w.inside(file.path())), b"one two three");
}

fn labels_are_passed_on(_: &World) {
    let _file = Builder::new().label("index").tempfile().unwrap();
    let _dir = Builder::new().label("cache").tempdir().unwrap();
    let mut labels: Vec<_> =
        interface::live_handles().unwrap().into_iter().filter_map(|handle| handle.label).collect();
    labels.sort();
    assert_eq!(labels, ["cache", "index"]);
}

#[cfg(unix)]
fn permissions_are_set_exactly(w: &World) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode;
    let file = Builder::new().permissions(mode(0o640)).tempfile().unwrap();
    let dir = Builder::new().permissions(mode(0o755)).tempdir().unwrap();
    assert_eq!(w.mode(&w.inside(file.path())), 0o640);
    assert_eq!(w.mode(&w.inside(dir.path())), 0o755);
}

#[cfg(not(unix))]
fn permissions_are_set_exactly(_: &World) -> Outcome {
    skip("WASI has no modes, and a plugin without a file system no way to come by a `Permissions`")
}

/// Whether the standard library sees the scratch directory, so that `make`'s closure can work
/// there.
fn visible(w: &World) -> bool {
    std::fs::metadata(w.scratch()).is_ok()
}

fn make_tries_another_name(w: &World) {
    let mut tries = 0;
    let made = Builder::new().prefix("made-").make(|path| {
        tries += 1;
        if tries < 5 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        std::fs::write(path, "by the caller")
    });
    assert_eq!(tries, 5);
    if visible(w) {
        let name = w.inside(made.as_ref().unwrap().path());
        assert!(name.starts_with("made-"));
        assert_eq!(w.read(&name), b"by the caller");
    } else {
        assert_eq!(made.as_ref().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
    drop(made);
    w.assert_empty();
}

fn make_gives_up_on_other_errors(w: &World) {
    let mut tries = 0;
    let made: io::Result<NamedTempFile<()>> = Builder::new().make(|_| {
        tries += 1;
        Err(io::Error::other("not today"))
    });
    assert_eq!(made.unwrap_err().to_string(), "not today");
    assert_eq!(tries, 1);
    w.assert_empty();
}

fn make_in_a_directory_of_the_callers(w: &World) {
    w.plant_directory("mine");
    let made = Builder::new().make_in(w.path("mine"), |path| std::fs::create_dir(path));
    if visible(w) {
        // A directory is not what a name's removal removes: it says so, and the caller sees to it.
        let made = made.unwrap();
        w.remove(&w.inside(made.path()));
        made.close().unwrap();
    } else {
        made.unwrap_err();
    }
    assert_eq!(w.list("mine"), [""; 0]);
    w.remove("mine");
}

fn a_path_is_reopened(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"closed in between").unwrap();
    let path = file.into_temp_path();
    let mut again = path.reopen().unwrap();
    let mut seen = String::new();
    again.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "closed in between");
}

fn a_path_is_not_reopened_as_another_file(w: &World) {
    let (_held, path) = NamedTempFile::new_in(shared_directory(w)).unwrap().into_parts();
    let name = w.inside(&path);
    w.write("other", "other");
    w.rename("other", &name);
    let code = path.reopen().err().and_then(|error| error_code(&error));
    assert_eq!(code, w.declared(&differences::IMPOSTOR));
    w.remove(&name);
    assert_eq!(error_code(&path.reopen().unwrap_err()), Some(ErrorCode::NoEntry));
    w.remove("shared");
}

fn a_builder_can_be_used_again(w: &World) {
    let mut builder = Builder::new();
    builder.prefix("again-").rand_bytes(4);
    let files: Vec<_> = (0..10).map(|_| builder.tempfile().unwrap()).collect();
    let dirs: Vec<TempDir> = (0..10).map(|_| builder.tempdir().unwrap()).collect();
    assert_eq!(
        w.list("").iter().filter(|name| name.starts_with("again-") && name.len() == 10).count(),
        20
    );
    drop((files, dirs));
}
