//! The examples of the tutorials and of Python's reference page, as a plugin would write them.

use super::prelude::*;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::MAIN_SEPARATOR;
use wasi_tempfile::{Builder, NamedTempFile, TempDir, env, spooled_tempfile, tempdir, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(nothing_to_install),
    case!(a_handle_and_a_path_to_clean_up_by_hand),
    case!(conflicting_names_in_the_default_directory),
    case!(a_cache_and_an_upload),
    case!(text_round_trip),
    case!(a_path_to_print),
    case!(a_directory_that_stays),
    case!(a_name_comes_with_its_file),
    case!(a_unique_name_is_reserved),
    case!(visible_then_deleted),
    case!(removed_unless_cleanup_is_disabled),
    case!(intermediate_results),
    case!(reopened_while_it_is_open),
    case!(explicit_text),
    case!(no_usable_name),
    case!(unique_names),
    case!(four_high_level_interfaces),
    case!(the_lower_level_removes_nothing),
    case!(safe_in_a_shared_directory, FIFO),
    case!(an_unnamed_file),
    case!(a_block),
    case!(a_directory),
    case!(closed_and_not_yet_deleted),
    case!(the_override_beats_the_environment),
    case!(a_program_for_the_tempfile_crate),
];

fn read_back(file: &mut (impl Read + Seek)) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn nothing_to_install(_: &World) {
    // The imports of the world are satisfied, or this would not run. Every function of the
    // interface answers.
    interface::default_directory().unwrap();
    let (file, path) = named();
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    interface::unnamed(Location::Within(&dir)).unwrap();
    interface::spooled(Some(1), Location::Scratch).unwrap();
    interface::link(&file, &path.path(), Durability::None).unwrap_err();
    assert_eq!(interface::live_handles().unwrap().len(), 3);
    assert_eq!(interface::usage().live.paths, 1);
    assert_eq!(interface::leftovers(), []);
}

fn a_handle_and_a_path_to_clean_up_by_hand(w: &World) {
    let options = Options { suffix: ".data".into(), ..Options::default() };
    let (handle, path) = interface::named(&options, Location::Scratch).unwrap();
    let name = w.inside(path.keep().unwrap());
    assert!(name.ends_with(".data"), "{name}");
    put(&handle, 0, "text");
    handle.close().unwrap();
    drop((handle, path));
    assert!(w.exists(&name), "nobody cleans it up");
    w.remove(&name);
}

fn conflicting_names_in_the_default_directory(w: &World) {
    // Thirty-two names in all: a file that took another's name would overwrite its bytes.
    let short = Options { random_chars: Some(1), ..Options::default() };
    let directory = interface::default_directory().unwrap();
    let prefix = child_path(directory.trim_end_matches(MAIN_SEPARATOR), "tmp");
    let files: Vec<_> = (0..16)
        .map(|number| {
            let (file, path) = interface::named(&short, Location::Scratch).unwrap();
            put(&file, 0, format!("file {number}"));
            assert!(path.path().starts_with(&prefix), "{}", path.path());
            (file, path)
        })
        .collect();
    for (number, (_, path)) in files.iter().enumerate() {
        assert_eq!(w.read(&w.inside(path.path())), format!("file {number}").as_bytes());
    }
    drop(files);
    w.assert_empty();
}

fn a_cache_and_an_upload(w: &World) {
    let cache = tempdir().unwrap();
    let mut computed = 0;
    for key in ["a", "b", "a", "a", "b"] {
        if cache.open_file(key).is_err() {
            computed += 1;
            cache.create_file(key).unwrap().write_all(key.as_bytes()).unwrap();
        }
        assert_eq!(read_back(&mut cache.open_file(key).unwrap()), key);
    }
    assert_eq!(computed, 2);
    // A file upload: what came in is kept aside until it is known to be good.
    let mut upload = cache.tempfile().unwrap();
    upload.write_all(&pattern(50_000)).unwrap();
    assert_eq!(upload.metadata().unwrap().len(), 50_000);
    drop(upload);
    cache.close().unwrap();
    w.assert_empty();
}

fn text_round_trip(_: &World) {
    let mut file = tempfile().unwrap();
    write!(file, "Temporary text: {}\näöü €", 42).unwrap();
    assert_eq!(read_back(&mut file), "Temporary text: 42\näöü €");
}

fn a_path_to_print(w: &World) {
    let mut file = NamedTempFile::with_suffix(".txt").unwrap();
    file.write_all(b"Temporary content").unwrap();
    let printed = file.path().display().to_string();
    assert!(printed.starts_with(w.scratch()) && printed.ends_with(".txt"), "{printed}");
    drop(file);
    assert!(!w.exists(&w.inside(printed)));
}

fn a_directory_that_stays(w: &World) {
    let kept = TempDir::with_prefix("myapp_").unwrap().keep();
    let name = w.inside(kept);
    assert!(name.starts_with("myapp_"), "{name}");
    assert_eq!(w.list(""), [name.as_str()], "it stays until the host removes it");
    w.remove(&name);
}

fn a_name_comes_with_its_file(w: &World) {
    // `mktemp` returns a name that is free now and may be taken a moment later. Here a name comes
    // with its file.
    let (_file, path) = named();
    assert!(w.exists(&w.inside(path.path())));
    let name = w.inside(path.path());
    assert_code(interface::named(&fixed(&name), Location::Scratch), ErrorCode::Exist);
}

fn a_unique_name_is_reserved(w: &World) {
    // Sixteen hexadecimal digits have 64 bits, sixteen characters of base32 have 80; and the name
    // is reserved.
    let file = Builder::new().prefix("").tempfile().unwrap();
    let name = w.inside(file.path());
    assert_eq!(name.len(), 16, "{name}");
    assert_code(interface::named(&fixed(&name), Location::Scratch), ErrorCode::Exist);
}

fn visible_then_deleted(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"This is a named temporary file.").unwrap();
    let name = w.inside(file.path());
    assert_eq!(w.read(&name), b"This is a named temporary file.");
    file.close().unwrap();
    assert!(!w.exists(&name));
}

fn removed_unless_cleanup_is_disabled(w: &World) {
    let names: Vec<String> = [false, true]
        .map(|stays| {
            let file = Builder::new().disable_cleanup(stays).tempfile().unwrap();
            w.inside(file.path())
        })
        .into();
    assert_eq!(w.list(""), [names[1].as_str()]);
    w.remove(&names[1]);
}

fn intermediate_results(w: &World) {
    let words = ["pear", "apple", "fig", "date", "cherry", "banana"];
    let runs: Vec<_> = words
        .chunks(2)
        .map(|chunk| {
            let mut sorted = chunk.to_vec();
            sorted.sort_unstable();
            let mut run = tempfile().unwrap();
            writeln!(run, "{}", sorted.join("\n")).unwrap();
            run.rewind().unwrap();
            BufReader::new(run)
        })
        .collect();
    let mut merged: Vec<String> =
        runs.into_iter().flat_map(|run| run.lines().map(Result::unwrap)).collect();
    merged.sort_unstable();
    assert_eq!(merged.join(" "), "apple banana cherry date fig pear");
    w.assert_empty();
}

fn reopened_while_it_is_open(_: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"still open").unwrap();
    let mut second = file.reopen().expect("on every system");
    assert_eq!(read_back(&mut second), "still open");
    second.write_all(b", twice").unwrap();
    assert_eq!(read_back(&mut file), "still open, twice");
}

fn explicit_text(_: &World) {
    let mut file = tempfile().unwrap();
    file.write_all("Hello Shravan this is shravan".as_bytes()).unwrap();
    assert_eq!(read_back(&mut file), "Hello Shravan this is shravan");
}

fn no_usable_name(w: &World) {
    let file = interface::unnamed(Location::Scratch).unwrap();
    put(&file, 0, "nameless");
    let live = interface::live_handles().unwrap();
    assert_eq!((live.len(), &live[0].path), (1, &None));
    w.assert_only_unnamed("", 1);
    file.close().unwrap();
    assert_eq!(interface::live_handles().unwrap(), []);
}

fn unique_names(w: &World) {
    let dirs: Vec<TempDir> = (0..100).map(|_| tempdir().unwrap()).collect();
    let files: Vec<NamedTempFile> = (0..100).map(|_| NamedTempFile::new().unwrap()).collect();
    assert_eq!(w.list("").len(), 200);
    drop((dirs, files));
    w.assert_empty();
}

fn four_high_level_interfaces(w: &World) {
    let mut unnamed = tempfile().unwrap();
    let mut named = NamedTempFile::new().unwrap();
    let dir = tempdir().unwrap();
    let mut inside = dir.create_file("inside").unwrap();
    let mut spooled = spooled_tempfile(1);
    for file in [&mut unnamed as &mut dyn Write, &mut named, &mut inside, &mut spooled] {
        file.write_all(b"each of the four").unwrap();
    }
    assert_eq!(w.list("").len(), 2 + w.shown_unnamed(2));
    for text in [
        read_back(&mut unnamed),
        read_back(&mut named),
        read_back(&mut inside),
        read_back(&mut spooled),
    ] {
        assert_eq!(text, "each of the four");
    }
}

fn the_lower_level_removes_nothing(w: &World) {
    let (file, path) = named();
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let kept = [w.inside(path.keep().unwrap()), w.inside(dir.keep().unwrap())];
    drop((file, path, dir));
    kept.iter().for_each(|name| {
        assert!(w.exists(name));
        w.remove(name);
    });
}

fn safe_in_a_shared_directory(w: &World) {
    const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";
    w.plant_directory("shared");
    w.write("victim", "precious");
    let names =
        |range: std::ops::Range<usize>| ALPHABET[range].chars().map(|c| format!("shared/n-{c}"));
    names(0..8).for_each(|name| w.plant_link(&name, "/victim"));
    names(8..16).for_each(|name| w.plant_link(&name, "/nowhere"));
    names(16..24).for_each(|name| w.plant_second_name(&name, "fifo"));
    let (shared, options) = (
        w.path("shared"),
        Options { prefix: "n-".into(), random_chars: Some(1), ..Options::default() },
    );
    let mine: Vec<_> =
        (0..4).map(|_| interface::named(&options, Location::Directory(&shared)).unwrap()).collect();
    mine.iter().for_each(|(file, _)| put(file, 0, "mine"));
    assert_eq!(w.take("victim"), b"precious");
    assert!(!w.exists("nowhere"));
    drop(mine);
    assert_eq!(w.list("shared").len(), 24, "what was planted is left alone");
    w.remove("shared");
}

fn an_unnamed_file(w: &World) {
    let mut file = tempfile().unwrap();
    file.write_all(b"Hello world!").unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"Hello world!");
    drop(file);
    w.assert_empty();
}

fn a_block(w: &World) {
    let text = {
        let mut file = tempfile().unwrap();
        file.write_all(b"Hello world!").unwrap();
        read_back(&mut file)
    };
    assert_eq!(text, "Hello world!");
    w.assert_empty();
}

fn a_directory(w: &World) {
    let name = {
        let dir = tempdir().unwrap();
        w.inside(dir.path())
    };
    assert!(!w.exists(&name), "directory and contents have been removed");
}

fn closed_and_not_yet_deleted(w: &World) {
    let path = NamedTempFile::with_contents(b"Hello world!").unwrap().into_temp_path();
    assert_eq!(w.read(&w.inside(&path)), b"Hello world!", "the file is closed, and not removed");
    assert_eq!(read_back(&mut path.reopen().unwrap()), "Hello world!");
    drop(path);
    w.assert_empty();
}

fn the_override_beats_the_environment(w: &World) {
    assert_eq!(env::temp_dir().to_str(), Some(w.scratch()));
    w.plant_directory("chosen");
    env::override_temp_dir(w.path("chosen").as_ref()).unwrap();
    let (file, dir) = (NamedTempFile::new().unwrap(), tempdir().unwrap());
    let mut spooled = spooled_tempfile(0);
    spooled.write_all(b"there too").unwrap();
    tempfile().unwrap().write_all(b"and here").unwrap();
    assert_eq!(w.list("chosen").len(), 2 + w.shown_unnamed(1));
    assert_eq!(w.list(""), ["chosen"]);
    drop((file, dir, spooled));
    w.remove("chosen");
}

fn a_program_for_the_tempfile_crate(w: &World) {
    // On WASI `std::env::temp_dir` panics. This program does without it.
    let dir = Builder::new().prefix("build-").tempdir().unwrap();
    let mut log = NamedTempFile::new_in(dir.path()).unwrap();
    writeln!(log, "line 1").unwrap();
    writeln!(log, "line 2").unwrap();
    let lines: Vec<_> = BufReader::new(log.reopen().unwrap()).lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["line 1", "line 2"]);
    log.persist(dir.path().join("log.txt")).unwrap();
    assert_eq!(w.list(&w.inside(dir.path())), ["log.txt"]);
    dir.close().unwrap();
    w.assert_empty();
}
