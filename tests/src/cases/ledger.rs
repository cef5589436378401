//! The ledger: open handles with label and age, counts of kept names, and failed removals.

use super::prelude::*;
use std::time::{Duration, Instant};

pub(super) const CASES: &[Case] = &[
    case!(open_handles_are_listed),
    case!(a_drop_that_could_not_remove_is_listed, STUCK),
    case!(forgotten_handles_are_listed),
    case!(nothing_is_listed_after_every_close),
    case!(kept_and_persisted_names_are_counted),
    case!(a_published_directory_counts_as_kept),
    case!(counts_follow_each_kind),
    case!(the_peak_stays),
    case!(labels_show_on_names),
    case!(ages_are_nanoseconds_since_the_creation),
    case!(memory_of_spooled_files_is_counted),
    case!(a_failed_creation_leaves_no_line),
    case!(a_failed_close_leaves_its_line, Setup::PLAIN.unprivileged()),
    case!(a_replaced_name_is_left_over),
    case!(a_linked_file_counts_as_kept),
];

fn directory() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

fn counted() -> (u32, u32, u32) {
    let live = interface::usage().live;
    (live.files, live.paths, live.directories)
}

fn open_handles_are_listed(_: &World) {
    assert_eq!(interface::live_handles().unwrap(), []);
    let (_file, path) = named();
    let dir = directory();
    let live = interface::live_handles().unwrap();
    let of = |kind| live.iter().find(|handle| handle.kind == kind).expect("a line of each kind");
    assert_eq!(live.len(), 3);
    assert_eq!(of(HandleKind::File).path, None, "a file knows no name");
    assert_eq!(of(HandleKind::Path).path, Some(path.path()));
    assert_eq!(of(HandleKind::Directory).path, Some(dir.path()));
}

fn a_drop_that_could_not_remove_is_listed(w: &World) {
    let dir = directory();
    let at = dir.path();
    let name = w.inside(&at);
    let stuck = stick(w, &name);
    assert_eq!(interface::leftovers(), []);
    drop(dir);
    let left = interface::leftovers();
    assert!(left[0].path.ends_with("/stuck/child"), "{}", left[0].path);
    assert_eq!(left[0].error.code, ErrorCode::Busy, "{}", left[0].error.message);
    assert_eq!((left.len(), &left[1].path, left[1].error.code), (2, &at, ErrorCode::NotEmpty));
    assert_eq!(counted(), (0, 0, 0), "nobody has it any more");
    unstick(w, &stuck);
    w.remove(&name);
}

fn forgotten_handles_are_listed(w: &World) {
    let (file, path) = named();
    let dir = directory();
    // The tutorial's leak: nobody will close these.
    std::mem::forget((file, path, dir));
    assert_eq!(interface::live_handles().unwrap().len(), 3);
    for handle in interface::live_handles().unwrap() {
        handle.path.iter().for_each(|path| w.remove(&w.inside(path)));
    }
}

fn nothing_is_listed_after_every_close(w: &World) {
    let tracked: Vec<_> = (0..10).map(|number| data(format!("file {number}"))).collect();
    let (file, path) = &tracked[3];
    file.close().unwrap();
    w.remove(&w.inside(path.path()));
    tracked.iter().for_each(|(file, path)| {
        file.close().unwrap();
        path.close().expect("a file that is missing is no error");
    });
    assert_eq!(interface::live_handles().unwrap(), []);
    assert_eq!(interface::leftovers(), []);
    w.assert_empty();
}

fn kept_and_persisted_names_are_counted(w: &World) {
    let (file, path) = named();
    let (other, persisted) = named();
    let dir = directory();
    assert_eq!(interface::usage().kept, 0);
    path.keep().unwrap();
    persisted.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    dir.keep().unwrap();
    assert_eq!(interface::usage().kept, 3);
    assert_eq!(counted(), (2, 0, 0));
    drop((file, other));
    w.list("").iter().for_each(|name| w.remove(name));
}

fn a_published_directory_counts_as_kept(w: &World) {
    let dir = directory();
    dir.create_directory("sub").unwrap();
    let child = dir.create_file("sub/child").unwrap();
    dir.persist(&w.path("missing/x"), ReplaceMode::Overwrite, Durability::None).unwrap_err();
    assert_eq!((interface::usage().kept, counted()), (0, (1, 0, 1)));
    dir.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::None).unwrap();
    assert_eq!((interface::usage().kept, counted()), (1, (1, 0, 0)), "what is in it is not");
    drop(child);
    assert_eq!(interface::live_handles().unwrap(), []);
    w.remove("target");
}

fn counts_follow_each_kind(_: &World) {
    assert_eq!(counted(), (0, 0, 0));
    let (file, path) = named();
    assert_eq!(counted(), (1, 1, 0));
    let again = path.reopen().unwrap();
    let unnamed = interface::unnamed(Location::Scratch).unwrap();
    assert_eq!(counted(), (3, 1, 0));
    let dir = directory();
    let child = dir.create_file("child").unwrap();
    assert_eq!(counted(), (4, 1, 1));
    file.close().unwrap();
    file.close().unwrap();
    assert_eq!(counted(), (3, 1, 1));
    again.close().unwrap();
    child.close().unwrap();
    assert_eq!(counted(), (1, 1, 1));
    path.close().unwrap();
    dir.close().unwrap();
    assert_eq!(counted(), (1, 0, 0));
    drop((file, path, again, unnamed, dir, child));
    assert_eq!(counted(), (0, 0, 0));
}

fn the_peak_stays(_: &World) {
    let files: Vec<_> = (0..50).map(|_| named()).collect();
    let dirs: Vec<_> = (0..5).map(|_| directory()).collect();
    drop((files, dirs));
    let peak = interface::usage().peak;
    assert_eq!((peak.files, peak.paths, peak.directories), (50, 50, 5));
    assert_eq!(counted(), (0, 0, 0));
}

fn labels_show_on_names(_: &World) {
    let labelled = |label: &str| Options { label: Some(label.to_owned()), ..Options::default() };
    let (_file, _path) = interface::named(&labelled("download"), Location::Scratch).unwrap();
    let _dir =
        interface::directory(&labelled("unpacked\n\0 \u{1f980}"), Location::Scratch).unwrap();
    let (_plain, _path) = named();
    let live = interface::live_handles().unwrap();
    let label = |kind, label: Option<&str>| {
        live.iter().filter(|handle| handle.kind == kind && handle.label.as_deref() == label).count()
    };
    assert_eq!(label(HandleKind::Path, Some("download")), 1);
    assert_eq!(label(HandleKind::Directory, Some("unpacked\n\0 \u{1f980}")), 1);
    assert_eq!(label(HandleKind::Path, None), 1);
    assert_eq!(label(HandleKind::File, None), 2);
}

/// Each age is between the times that the case itself measures around it.
fn ages_are_nanoseconds_since_the_creation(_: &World) {
    let created: Vec<_> = (0..3)
        .map(|_| {
            let before = Instant::now();
            let dir = directory();
            (dir, before, Instant::now())
        })
        .collect();
    let asked = Instant::now();
    let live = interface::live_handles().unwrap();
    let answered = Instant::now();
    for (dir, before, after) in created {
        let handle = live.iter().find(|handle| handle.path == Some(dir.path()));
        let age = Duration::from_nanos(handle.expect("each has its line").age);
        let (least, most) = (asked - after, answered - before);
        assert!((least..=most).contains(&age), "{least:?} <= {age:?} <= {most:?}");
    }
}

fn memory_of_spooled_files_is_counted(_: &World) {
    let memory = || interface::usage().live.memory;
    let first = interface::spooled(Some(1000), Location::Scratch).unwrap();
    let second = interface::spooled(None, Location::Scratch).unwrap();
    put(&first, 0, [1; 600]);
    put(&second, 100, [2; 400]);
    assert_eq!(memory(), 1100);
    first.set_size(100).unwrap();
    assert_eq!(memory(), 600);
    put(&first, 0, [1; 1001]);
    assert_eq!(memory(), 500);
    drop(second);
    assert_eq!(memory(), 0);
    assert_eq!(interface::usage().peak.memory, 1100);
}

fn a_failed_creation_leaves_no_line(w: &World) {
    w.write("taken", "");
    interface::named(&fixed("taken"), Location::Scratch).err().unwrap();
    interface::directory(&fixed("taken"), Location::Scratch).err().unwrap();
    interface::unnamed(Location::Directory("/no/such/place")).err().unwrap();
    interface::spooled(Some(0), Location::Directory("/no/such/place")).err().unwrap();
    assert_eq!(interface::live_handles().unwrap(), []);
    assert_eq!(interface::leftovers(), []);
    w.remove("taken");
}

fn a_failed_close_leaves_its_line(w: &World) {
    w.plant_directory("mine");
    let mine = w.path("mine");
    let (_file, path) = interface::named(&Options::default(), Location::Directory(&mine)).unwrap();
    w.set_mode("mine", 0o500);
    assert_code(path.close(), ErrorCode::Access);
    assert_eq!(counted(), (1, 1, 0), "the promise stands");
    w.set_mode("mine", 0o700);
    path.close().unwrap();
    assert_eq!(counted(), (1, 0, 0));
    assert_eq!(interface::leftovers(), []);
    w.remove("mine");
}

fn a_replaced_name_is_left_over(w: &World) {
    let shared = shared_directory(w);
    let (_file, path) =
        interface::named(&Options::default(), Location::Directory(&shared)).unwrap();
    let name = w.inside(path.path());
    w.remove(&name);
    w.write(&name, "somebody else's");
    let at = path.path();
    drop(path);
    let left = interface::leftovers();
    let seen = left.first().map(|left| (&left.path, left.error.code));
    let expected = w.declared(&differences::IMPOSTOR).map(|code| (&at, code));
    assert_eq!(seen, expected);
    w.remove("shared");
}

fn a_linked_file_counts_as_kept(w: &World) {
    let file = interface::unnamed(Location::Scratch).unwrap();
    let linked = interface::link(&file, &w.path("target"), Durability::None);
    assert_eq!(interface::usage().kept, u64::from(linked.is_ok()));
    assert_eq!(counted(), (1, 0, 0), "it stays open");
    if linked.is_ok() {
        w.remove("target");
    }
}
