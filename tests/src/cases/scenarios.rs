//! Typical uses: the longer programs of the tutorials.

use super::prelude::*;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use wasi_tempfile::{Builder, NamedTempFile, TempPath, tempdir, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(a_pipeline_of_stages),
    case!(an_early_return_cleans_up),
    case!(a_kept_json_file),
    case!(a_download_in_chunks),
    case!(an_atomic_write),
    case!(a_failed_atomic_write_leaves_the_old_file),
    case!(a_test_fixture),
    case!(a_file_with_content),
    case!(a_name_cannot_be_claimed_twice),
    case!(closed_reopened_and_kept),
    case!(unpacking_an_archive),
];

fn a_pipeline_of_stages(w: &World) {
    let mut first = tempfile().unwrap();
    for number in 1..=100 {
        writeln!(first, "{number}").unwrap();
    }
    first.rewind().unwrap();
    let mut text = String::new();
    first.read_to_string(&mut text).unwrap();
    let mut second = tempfile().unwrap();
    for line in text.lines() {
        writeln!(second, "{}", line.parse::<u32>().unwrap() * 2).unwrap();
    }
    second.rewind().unwrap();
    text.clear();
    second.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().map(|line| line.parse::<u32>().unwrap()).sum::<u32>(), 10_100);
    w.assert_only_unnamed("", 2);
}

fn an_early_return_cleans_up(w: &World) {
    let work = || -> io::Result<()> {
        let dir = tempdir()?;
        let mut file = NamedTempFile::new()?;
        file.write_all(b"half done")?;
        dir.create_file("half")?.write_all(b"done")?;
        Err(io::Error::other("something else went wrong"))
    };
    assert_eq!(work().unwrap_err().to_string(), "something else went wrong");
    w.assert_empty();
}

fn a_kept_json_file(w: &World) {
    let mut file = NamedTempFile::with_suffix(".json").unwrap();
    file.write_all(b"{\"key\": \"value\"}").unwrap();
    let kept = file.into_temp_path().keep().unwrap();
    assert_eq!(w.take(&w.inside(kept)), b"{\"key\": \"value\"}");
}

fn a_download_in_chunks(w: &World) {
    let body = pattern(100_000);
    let url = "https://example.org/files/archive.tar.gz?version=2";
    let name = url.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let suffix = Path::new(name)
        .extension()
        .map_or(".tmp".into(), |extension| format!(".{}", extension.display()));
    let mut file = NamedTempFile::with_suffix(&suffix).unwrap();
    for chunk in body.chunks(8192) {
        file.write_all(chunk).unwrap();
    }
    let (_, path) = file.keep().unwrap();
    let name = w.inside(path);
    assert!(name.ends_with(".gz"), "{name}");
    assert!(w.take(&name) == body, "the file is not what was downloaded");
}

/// The tutorial's `atomic_write`, with its three faults mended.
fn atomic_write(directory: &str, target: &str, content: &[u8]) -> io::Result<()> {
    let mut file = Builder::new().prefix(".tmp_").tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|failure| failure.error)?;
    Ok(())
}

fn an_atomic_write(w: &World) {
    w.plant_directory("config");
    w.write("config/settings", "old");
    atomic_write(&w.path("config"), &w.path("config/settings"), b"new").unwrap();
    assert_eq!(w.list("config"), ["settings"]);
    assert_eq!(w.take("config/settings"), b"new");
    w.remove("config");
}

fn a_failed_atomic_write_leaves_the_old_file(w: &World) {
    w.plant_directory("config");
    w.write("config/settings", "old");
    atomic_write(&w.path("config"), &w.path("config/missing/settings"), b"new").unwrap_err();
    assert_eq!(w.list("config"), ["settings"]);
    assert_eq!(w.take("config/settings"), b"old");
    w.remove("config");
}

fn a_test_fixture(w: &World) {
    let dir = tempdir().unwrap();
    dir.create_file("input.txt").unwrap().write_all(b"test data").unwrap();
    let mut input = String::new();
    dir.open_file("input.txt").unwrap().read_to_string(&mut input).unwrap();
    dir.create_file("output.txt")
        .unwrap()
        .write_all(format!("processed: {input}").as_bytes())
        .unwrap();
    let inside = w.inside(dir.path());
    assert_eq!(w.read(&format!("{inside}/output.txt")), b"processed: test data");
    dir.close().unwrap();
    w.assert_empty();
}

fn a_file_with_content(w: &World) {
    fn with_content(content: &str, suffix: &str) -> io::Result<TempPath> {
        let mut file = NamedTempFile::with_suffix(suffix)?;
        file.write_all(content.as_bytes())?;
        Ok(file.into_temp_path())
    }
    let path = with_content("some content", ".txt").unwrap();
    assert_eq!(w.read(&w.inside(&path)), b"some content");
    drop(path);
    w.assert_empty();
}

fn a_name_cannot_be_claimed_twice(w: &World) {
    let claim = || interface::named(&fixed("reservation"), Location::Scratch);
    let first = claim().unwrap();
    for _ in 0..10 {
        assert_code(claim(), ErrorCode::Exist);
    }
    drop(first);
    drop(claim().expect("it is free again"));
    w.assert_empty();
}

fn closed_reopened_and_kept(w: &World) {
    let (file, path) = data("read me later");
    file.close().unwrap();
    assert_eq!(contents(&path.reopen().unwrap()), b"read me later");
    let kept = path.keep().unwrap();
    assert_eq!(w.take(&w.inside(kept)), b"read me later");
}

fn unpacking_an_archive(w: &World) {
    let archive = [
        ("README", "read me"),
        ("src/main.rs", "fn main() {}"),
        ("src/deep/er/lib.rs", "//! nothing"),
        ("../../escape", "evil"),
        ("/etc/passwd", "evil"),
        ("src/../../up", "evil"),
    ];
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let mut refused = 0;
    for (path, content) in archive {
        let slashes = path.match_indices('/').map(|(at, _)| &path[..at]);
        let made = slashes
            .map(|parent| dir.create_directory(parent))
            .filter(|made| !matches!(made, Err(error) if error.code == ErrorCode::Exist))
            .collect::<Result<(), _>>();
        match made.and_then(|()| dir.create_file(path)) {
            Ok(file) => put(&file, 0, content),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::InvalidName, "{path}: {}", error.message);
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 3);
    assert_eq!(w.list(&w.inside(dir.path())), ["README", "src"]);
    assert_eq!(contents(&dir.open_file("src/deep/er/lib.rs").unwrap()), b"//! nothing");
    dir.close().unwrap();
    w.assert_empty();
}
