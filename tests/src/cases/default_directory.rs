//! The default directory: the search for it, and its override.

use super::prelude::*;
use wasi_tempfile::{NamedTempFile, env};

pub(super) const CASES: &[Case] = &[
    case!(is_usable),
    case!(the_probe_leaves_nothing),
    case!(tmpdir_comes_first, Setup::PLAIN.environment(ALL_THREE)),
    case!(temp_comes_second, Setup::PLAIN.environment(TEMP_AND_TMP)),
    case!(tmp_comes_third, Setup::PLAIN.environment(ONLY_TMP)),
    case!(a_missing_candidate_is_skipped, Setup::PLAIN.environment(ALL_THREE)),
    case!(a_file_is_skipped, Setup::PLAIN.environment(ALL_THREE)),
    case!(an_unwritable_candidate_is_skipped, Setup::PLAIN.environment(ALL_THREE).unprivileged()),
    case!(one_that_may_not_be_listed, Setup::PLAIN.environment(ALL_THREE).unprivileged()),
    case!(a_full_candidate_is_skipped, Setup::PLAIN.environment(ALL_THREE).mounts(FULL)),
    case!(an_empty_variable_is_skipped, Setup::PLAIN.environment(EMPTY_FIRST)),
    case!(the_search_runs_once, Setup::PLAIN.environment(ALL_THREE)),
    case!(no_usable_candidate_is_no_scratch, Setup::PLAIN.environment(NOTHING).nowhere()),
    case!(an_override_applies_to_everything_created_later),
];

const ALL_THREE: &[(&str, &str)] =
    &[("TMPDIR", "{scratch}/first"), ("TEMP", "{scratch}/second"), ("TMP", "{scratch}/third")];
const TEMP_AND_TMP: &[(&str, &str)] = &[("TEMP", "{scratch}/second"), ("TMP", "{scratch}/third")];
const ONLY_TMP: &[(&str, &str)] = &[("TMP", "{scratch}/third")];
const EMPTY_FIRST: &[(&str, &str)] = &[("TMPDIR", ""), ("TEMP", "{scratch}/second")];
const NOTHING: &[(&str, &str)] = &[("TMPDIR", "{scratch}/missing")];

const ROOM: u64 = 64 * 1024;
const FULL: &[Mount] = &[Mount::FileSystem { name: "first", size: ROOM, read_only: false }];

fn plant(w: &World, names: &[&str]) {
    names.iter().for_each(|name| w.plant_directory(name));
}

/// Asserts that this directory was found and is used, and removes it with the others.
fn assert_found(w: &World, name: &str) {
    assert_eq!(interface::default_directory().unwrap(), w.path(name));
    let path = named().1;
    assert_eq!(w.list(name).len(), 1, "{} is not in {name}", path.path());
    path.close().unwrap();
    w.list("").iter().for_each(|name| w.remove(name));
}

fn is_usable(w: &World) {
    let directory = interface::default_directory().unwrap();
    assert_eq!(directory, w.scratch());
    drop(interface::named(&Options::default(), Location::Directory(&directory)).unwrap());
}

fn the_probe_leaves_nothing(w: &World) {
    interface::default_directory().unwrap();
    w.assert_empty();
}

fn tmpdir_comes_first(w: &World) {
    plant(w, &["first", "second", "third"]);
    assert_found(w, "first");
}

fn temp_comes_second(w: &World) {
    plant(w, &["first", "second", "third"]);
    assert_found(w, "second");
}

fn tmp_comes_third(w: &World) {
    plant(w, &["first", "second", "third"]);
    assert_found(w, "third");
}

fn a_missing_candidate_is_skipped(w: &World) {
    plant(w, &["second"]);
    assert_found(w, "second");
}

fn a_file_is_skipped(w: &World) {
    w.write("first", "a file");
    w.write("second", "another");
    plant(w, &["third"]);
    assert_found(w, "third");
}

fn an_unwritable_candidate_is_skipped(w: &World) {
    plant(w, &["first", "second"]);
    w.set_mode("first", 0o500);
    assert_found(w, "second");
}

fn one_that_may_not_be_listed(w: &World) {
    plant(w, &["first", "second"]);
    w.set_mode("first", 0o300);
    let used = w.declared(&differences::UNLISTABLE).is_none();
    let found = interface::default_directory().unwrap();
    let created = named();
    w.set_mode("first", 0o700);
    assert_eq!(found, w.path(if used { "first" } else { "second" }));
    drop(created);
    assert_found(w, if used { "first" } else { "second" });
}

fn a_full_candidate_is_skipped(w: &World) {
    w.write("first/filler", vec![0; ROOM as usize]);
    plant(w, &["second"]);
    assert_eq!(interface::default_directory().unwrap(), w.path("second"));
    assert_eq!(w.list("first"), ["filler"], "the probe leaves nothing");
    w.remove("first/filler");
    w.remove("second");
}

fn an_empty_variable_is_skipped(w: &World) {
    plant(w, &["second"]);
    assert_found(w, "second");
}

fn the_search_runs_once(w: &World) {
    plant(w, &["second"]);
    assert_eq!(interface::default_directory().unwrap(), w.path("second"));
    plant(w, &["first"]);
    assert_eq!(interface::default_directory().unwrap(), w.path("second"));
    w.remove("first");
    w.remove("second");
}

fn no_usable_candidate_is_no_scratch(w: &World) {
    if w.placement() != Placement::Native {
        // The only directory that an instance has.
        w.remove("");
    }
    assert_code(interface::default_directory(), ErrorCode::NoScratch);
    assert_code(interface::unnamed(Location::Scratch), ErrorCode::NoScratch);
    assert_code(interface::named(&Options::default(), Location::Scratch), ErrorCode::NoScratch);
    assert_code(interface::directory(&Options::default(), Location::Scratch), ErrorCode::NoScratch);
}

fn an_override_applies_to_everything_created_later(w: &World) {
    w.plant_directory("my-temp-location");
    let location = w.path("my-temp-location");
    env::override_temp_dir(location.as_ref()).unwrap();
    assert_eq!(env::temp_dir(), std::path::Path::new(&location));
    let file = NamedTempFile::new().unwrap();
    let dir = wasi_tempfile::tempdir().unwrap();
    assert!(file.path().starts_with(&location), "{}", file.path().display());
    assert!(dir.path().starts_with(&location), "{}", dir.path().display());
    drop((file, dir));
    w.remove("my-temp-location");
}
