//! The guards of names: their sizes, the order in which they let go, and paths from elsewhere.
#![allow(missing_docs)]

use std::cell::Cell;
use std::io::ErrorKind;
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::{fs, io};

use wasi_tempfile::interface::{Durability, ReplaceMode};
use wasi_tempfile::{
    Builder, DirPersistError, NamedTempFile, PathPersistError, PersistError, TempPath, tempdir,
};

#[test]
fn errors_and_guards_are_no_larger_than_those_of_tempfile() {
    // Our file has a flag and, on Windows, a lock for its cursor.
    let file = size_of::<wasi_tempfile::File>() - size_of::<fs::File>();
    assert!(size_of::<NamedTempFile>() <= size_of::<tempfile::NamedTempFile>() + file);
    assert!(size_of::<PersistError>() <= size_of::<tempfile::PersistError>() + file);
    assert!(size_of::<DirPersistError>() <= size_of::<tempfile::PersistError>());
    assert!(size_of::<PathPersistError>() <= size_of::<tempfile::PathPersistError>());
}

/// Stands for an open file: when dropped, it notes whether its name is still there.
#[derive(Debug)]
struct Probe<'a> {
    path: PathBuf,
    named_at_drop: &'a Cell<Option<bool>>,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.named_at_drop.set(Some(self.path.exists()));
    }
}

/// Gives a file whose handle is a probe to `end`, and says whether the handle was closed before the
/// name went.
fn closed_before_removed(end: impl FnOnce(NamedTempFile<Probe<'_>>)) -> bool {
    let named_at_drop = Cell::new(None);
    let path = NamedTempFile::new().unwrap().into_temp_path();
    let at = path.to_path_buf();
    let probe = Probe { path: at.clone(), named_at_drop: &named_at_drop };
    end(NamedTempFile::from_parts(probe, path));
    assert!(!at.exists(), "the name is gone");
    named_at_drop.get().expect("the handle is closed")
}

#[test]
fn a_dropped_file_is_closed_before_its_name_goes() {
    assert!(closed_before_removed(|file| drop(file)));
}

#[test]
fn a_closed_file_is_closed_before_its_name_goes() {
    assert!(closed_before_removed(|file| file.close().unwrap()));
}

#[test]
fn the_error_of_a_persist_closes_the_file_before_its_name_goes() {
    assert!(closed_before_removed(|file| drop(file.persist("/no/such/directory/x").unwrap_err())));
}

#[test]
fn a_path_from_elsewhere_is_removed() {
    let dir = tempdir().unwrap();
    let made = dir.path().join("made");
    fs::write(&made, "elsewhere").unwrap();
    let path = TempPath::try_from_path(&made).unwrap();
    assert_eq!(&*path, made);
    path.close().unwrap();
    assert!(!made.exists());
    TempPath::try_from_path(&made).unwrap().close().expect("a name that is gone is a success");
}

#[test]
fn a_path_from_elsewhere_is_kept() {
    let dir = tempdir().unwrap();
    let made = dir.path().join("made");
    fs::write(&made, "elsewhere").unwrap();
    assert_eq!(TempPath::try_from_path(&made).unwrap().keep().unwrap(), made);
    let mut path = TempPath::try_from_path(&made).unwrap();
    path.disable_cleanup(true);
    drop(path);
    assert!(made.exists());
}

#[test]
fn a_path_from_elsewhere_is_persisted() {
    let dir = tempdir().unwrap();
    let (made, target) = (dir.path().join("made"), dir.path().join("target"));
    for mode in [ReplaceMode::NoClobber, ReplaceMode::Overwrite] {
        fs::write(&made, "elsewhere").unwrap();
        let path = TempPath::try_from_path(&made).unwrap();
        path.persist_with(&target, mode, Durability::Full).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"elsewhere");
        assert!(!made.exists());
    }
}

/// The system renames a name onto another name of the same file by doing nothing.
#[cfg(unix)]
#[test]
fn a_path_from_elsewhere_goes_if_its_target_is_another_name_of_its_file() {
    let dir = tempdir().unwrap();
    let (made, target) = (dir.path().join("made"), dir.path().join("target"));
    fs::write(&made, "elsewhere").unwrap();
    fs::hard_link(&made, &target).unwrap();
    TempPath::try_from_path(&made).unwrap().persist(&target).unwrap();
    assert!(!made.exists());
    assert_eq!(fs::read(&target).unwrap(), b"elsewhere");
}

#[cfg(unix)]
#[test]
fn a_path_from_elsewhere_stays_if_its_target_is_its_own_name() {
    let dir = tempdir().unwrap();
    dir.create_dir("sub").unwrap();
    std::os::unix::fs::symlink(".", dir.path().join("link")).unwrap();
    let made = dir.path().join("made");
    fs::write(&made, "elsewhere").unwrap();
    fs::hard_link(&made, dir.path().join("second")).unwrap();
    for target in ["made", "./made", "sub/../made", "link/made"] {
        let path = TempPath::try_from_path(&made).unwrap();
        path.persist(dir.path().join(target)).unwrap();
        assert_eq!(fs::read(&made).unwrap(), b"elsewhere", "{target}");
    }
}

#[test]
fn a_path_from_elsewhere_is_not_persisted_to_a_directory() {
    let dir = tempdir().unwrap();
    let made = dir.path().join("made");
    fs::write(&made, "elsewhere").unwrap();
    for target in ["x/", "x/."] {
        let target = format!("{}/{target}", dir.path().display());
        TempPath::try_from_path(&made).unwrap().persist(target).unwrap_err().path.keep().unwrap();
    }
    assert_eq!(dir.entries("").unwrap().len(), 1);
}

#[test]
fn a_path_from_elsewhere_replaces_nothing_unasked() {
    let dir = tempdir().unwrap();
    let (made, target) = (dir.path().join("made"), dir.path().join("target"));
    fs::write(&made, "elsewhere").unwrap();
    fs::write(&target, "first").unwrap();
    let refused = TempPath::try_from_path(&made).unwrap().persist_noclobber(&target).unwrap_err();
    assert_eq!(refused.error.kind(), ErrorKind::AlreadyExists);
    assert!(made.exists());
    drop(refused);
    assert!(!made.exists());
    assert_eq!(fs::read(&target).unwrap(), b"first");
}

#[test]
fn a_path_from_elsewhere_is_reopened() {
    let dir = tempdir().unwrap();
    let made = dir.path().join("made");
    fs::write(&made, "elsewhere").unwrap();
    let file = TempPath::try_from_path(&made).unwrap().reopen().unwrap();
    assert_eq!(io::read_to_string(file).unwrap(), "elsewhere");
}

#[test]
fn an_empty_path_is_not_guarded() {
    assert_eq!(TempPath::try_from_path("").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_relative_path_is_made_absolute() {
    let absolute = std::env::current_dir().unwrap().join("no such file");
    assert_eq!(&*TempPath::try_from_path("no such file").unwrap(), absolute);
    #[allow(deprecated)]
    let deprecated = TempPath::from_path("no such file");
    assert_eq!(&*deprecated, absolute);
}

#[test]
fn what_was_made_outlives_a_guard_that_is_told_so() {
    let dir = tempdir().unwrap();
    let make = |path: &Path| fs::File::create_new(path);
    drop(Builder::new().disable_cleanup(true).make_in(&dir, make).unwrap());
    drop(Builder::new().make_in(&dir, make).unwrap());
    assert_eq!(dir.entries("").unwrap().len(), 1);
}

#[test]
fn the_former_names_still_work() {
    let dir = tempdir().unwrap();
    #[allow(deprecated)]
    let kept = wasi_tempfile::tempdir_in(&dir).unwrap().into_path();
    assert!(kept.exists());
    #[allow(deprecated)]
    drop(Builder::new().prefix("kept").keep(true).tempfile_in(&kept).unwrap());
    assert_eq!(fs::read_dir(kept).unwrap().count(), 1);
}
