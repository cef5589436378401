//! Functions of the Rust client that the interface does not have, named as in the `tempfile` crate.

use super::prelude::*;
use std::io::{Read, Seek, SeekFrom, Write};
use wasi_tempfile::{Builder, NamedTempFile, TempDir, env, error_code, tempdir, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(disable_cleanup_keeps_a_file),
    case!(disable_cleanup_keeps_a_directory),
    case!(close_removes_in_spite_of_disable_cleanup),
    case!(append_writes_at_the_end),
    case!(append_ignores_the_offset_of_a_write),
    case!(too_many_random_characters),
    case!(persist_with_durability),
    case!(a_path_persists_by_itself),
    case!(a_path_is_a_path),
    case!(children_by_path),
    case!(a_failed_close_says_what_stayed, STUCK),
    case!(the_override_is_set_once),
    case!(a_link_of_a_named_file_is_refused),
    case!(offsets_past_the_last),
];

fn disable_cleanup_keeps_a_file(w: &World) {
    let mut file = Builder::new().prefix("kept").disable_cleanup(true).tempfile().unwrap();
    file.write_all(b"kept").unwrap();
    let name = w.inside(file.path());
    drop(file);
    assert_eq!(w.take(&name), b"kept");
    let mut file = NamedTempFile::new().unwrap();
    file.disable_cleanup(true);
    file.disable_cleanup(false);
    drop(file);
    w.assert_empty();
}

fn disable_cleanup_keeps_a_directory(w: &World) {
    let mut dir = TempDir::with_prefix("kept").unwrap();
    dir.create_dir("inside").unwrap();
    dir.disable_cleanup(true);
    let name = w.inside(dir.path());
    drop(dir);
    assert_eq!(w.list(&name), ["inside"]);
    w.remove(&name);
}

fn close_removes_in_spite_of_disable_cleanup(w: &World) {
    Builder::new().disable_cleanup(true).tempfile().unwrap().close().unwrap();
    Builder::new().disable_cleanup(true).tempdir().unwrap().close().unwrap();
    w.assert_empty();
}

fn append_writes_at_the_end(w: &World) {
    let mut file = Builder::new().append(true).tempfile().unwrap();
    file.write_all(b"one ").unwrap();
    file.rewind().unwrap();
    file.write_all(b"two").unwrap();
    assert_eq!(w.read(&w.inside(file.path())), b"one two");
    file.seek(SeekFrom::Start(4)).unwrap();
    let mut rest = String::new();
    file.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "two");
}

fn append_ignores_the_offset_of_a_write(w: &World) {
    let mut named = Builder::new().append(true).tempfile().unwrap();
    named.write_all(b"one").unwrap();
    let file = named.as_file();
    assert_eq!(file.write_at(b" two", 0).unwrap(), 4);
    assert_eq!(file.try_clone().unwrap().write_at(b" three", 100).unwrap(), 6);
    let mut writer = file.writer(1).unwrap();
    writer.write_all(b" four").unwrap();
    writer.write_all(b" five").unwrap();
    writer.flush().unwrap();
    let past = i64::MAX as u64 + 1;
    assert_eq!(error_code(&file.write_at(b"x", past).unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!(error_code(&file.writer(past).err().unwrap()), Some(ErrorCode::Invalid));
    assert_eq!(w.read(&w.inside(named.path())), b"one two three four five");
    assert_eq!(named.stream_position().unwrap(), 3);
}

fn too_many_random_characters(w: &World) {
    for rand in [253, 256, 100_000, usize::MAX] {
        let error = Builder::new().prefix("tmp").rand_bytes(rand).tempfile().unwrap_err();
        assert_eq!(error_code(&error), Some(ErrorCode::NameTooLong), "{rand}: {error}");
    }
    w.assert_empty();
}

fn persist_with_durability(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"durable").unwrap();
    let mut file =
        file.persist_with(w.path("target"), ReplaceMode::NoClobber, Durability::Full).unwrap();
    file.write_all(b" and open").unwrap();
    drop(file);
    assert_eq!(w.take("target"), b"durable and open");
}

fn a_path_persists_by_itself(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"closed before").unwrap();
    file.into_temp_path().persist(w.path("target")).unwrap();
    assert_eq!(w.take("target"), b"closed before");
}

fn a_path_is_a_path(w: &World) {
    let path = NamedTempFile::with_suffix(".txt").unwrap().into_temp_path();
    assert!(path.starts_with(w.scratch()));
    assert_eq!(path.extension().unwrap(), "txt");
    path.close().unwrap();
}

fn children_by_path(w: &World) {
    let dir = tempdir().unwrap();
    dir.create_dir("sub").unwrap();
    dir.create_file("sub/file").unwrap().write_all(b"child").unwrap();
    dir.rename("sub/file", "moved").unwrap();
    let mut text = String::new();
    dir.open_file("moved").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "child");
    dir.remove("sub").unwrap();
    let names: Vec<_> = dir.entries("").unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["moved"]);
    let mut unnamed = dir.tempfile().unwrap();
    unnamed.write_all(b"no entry").unwrap();
    let listed = w.list(&w.inside(dir.path()));
    assert_eq!((&*listed[0], listed.len()), ("moved", 1 + w.shown_unnamed(1)));
    let error = dir.open_file("../escape").unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::InvalidName), "{error}");
}

fn a_failed_close_says_what_stayed(w: &World) {
    let dir = tempdir().unwrap();
    let directory = w.inside(dir.path());
    let stuck = stick(w, &directory);
    let failures = dir.remove_all().unwrap_err();
    assert!(failures[0].path.ends_with("stuck/child"), "{}", failures[0].path);
    let error = dir.close().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy);
    assert!(error.to_string().contains("stuck/child"), "{error}");
    unstick(w, &stuck);
    w.remove(&directory);
}

fn the_override_is_set_once(w: &World) {
    let first = w.path("not-probed");
    env::override_temp_dir(first.as_ref()).unwrap();
    assert_eq!(
        env::override_temp_dir(w.scratch().as_ref()).unwrap_err().to_str(),
        Some(first.as_str())
    );
    assert_eq!(env::temp_dir().to_str(), Some(first.as_str()));
    let error = tempfile().unwrap_err();
    assert_eq!(error_code(&error), Some(ErrorCode::NoEntry), "{error}");
}

fn a_link_of_a_named_file_is_refused(w: &World) {
    let (mut file, _path) = NamedTempFile::new().unwrap().into_parts();
    let code = error_code(&file.link(w.path("second")).unwrap_err());
    assert!(matches!(code, Some(ErrorCode::Invalid | ErrorCode::Unsupported)), "{code:?}");
    assert!(!w.exists("second"));
}

fn offsets_past_the_last(_: &World) {
    let mut file = tempfile().unwrap();
    let past = i64::MAX as u64 + 1;
    assert_eq!(error_code(&file.set_len(past).unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!(error_code(&file.write_at(b"x", past).unwrap_err()), Some(ErrorCode::Invalid));
    assert_eq!(error_code(&file.read_at(&mut [0], past).unwrap_err()), Some(ErrorCode::Invalid));
    // As with any file, the cursor may stand there: what is done there then fails.
    if file.seek(SeekFrom::Start(past)).is_ok() {
        file.write(b"x").unwrap_err();
    }
    assert_eq!(file.metadata().unwrap().len(), 0);
}
