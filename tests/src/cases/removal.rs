//! Removal of trees: everything inside, nothing outside, and a list of failures.

use std::path::Path;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(two_hundred_levels),
    case!(deeper_than_any_path),
    case!(a_name_that_removal_itself_uses, STUCK),
    case!(two_thousand_files),
    case!(a_thousand_directories),
    case!(every_kind_of_entry, FIFO),
    case!(read_only_entries, Setup::PLAIN.unprivileged()),
    case!(links_are_removed_and_not_followed),
    case!(modes_behind_links_stay),
    case!(an_unreadable_empty_directory, Setup::PLAIN.unprivileged()),
    case!(an_unwritable_directory, Setup::PLAIN.unprivileged()),
    case!(failures_are_listed_and_close_can_be_retried, STUCK),
    case!(a_failure_does_not_stop_the_removal, STUCK),
    case!(a_failure_deep_down_is_listed_where_it_is, STUCK),
    case!(remove_reports_the_first_failure, STUCK),
    case!(a_close_that_failed_leaves_the_handle_open, STUCK),
    case!(drop_forgives, STUCK),
    case!(a_foreign_name, FOREIGN),
    case!(an_impostor_is_left_alone),
    case!(a_private_file_saved_by_rename_is_removed),
    case!(a_file_in_a_directory_by_its_path_is_removed),
    case!(an_impostor_of_a_directory_is_left_alone),
    case!(a_directory_that_was_renamed_is_left_alone),
    case!(a_directory_that_its_parent_renamed_is_left_alone),
    case!(with_few_handles, Setup::PLAIN.open_files(64)),
];

fn new() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

/// Creates `levels` nested directories with a file in each, each below the one before: paths are
/// bounded.
fn deep(dir: &interface::TempDir, levels: usize) {
    let mut path = String::from("d");
    for _ in 0..levels {
        dir.create_directory(&path).unwrap();
        dir.create_file(&format!("{path}/file")).unwrap();
        path += "/d";
    }
}

fn two_hundred_levels(w: &World) {
    let dir = new();
    deep(&dir, 200);
    dir.close().unwrap();
    w.assert_empty();
}

fn deeper_than_any_path(w: &World) {
    let outermost = new();
    let mut inner = Vec::new();
    let nested = loop {
        let parent = inner.last().unwrap_or(&outermost);
        match interface::directory(&Options::default(), Location::Within(parent)) {
            Ok(dir) => inner.push(dir),
            Err(error) => break error,
        }
    };
    assert_eq!(nested.code, ErrorCode::NameTooLong, "{}", nested.message);
    let innermost = inner.last().unwrap();
    // A child's own path is counted from its directory, so it ends far past 4,096 bytes.
    deep(innermost, 150);
    assert!(innermost.path().len() > 4000);
    outermost.close().unwrap();
    w.assert_empty();
    inner.iter().for_each(|dir| dir.close().unwrap());
}

/// The name that removal gives to a subtree deep down when it moves it to the top of the tree. A
/// failure inside the subtree shows it.
fn name_of_a_moved_subtree(w: &World) -> String {
    let dir = new();
    deep(&dir, 40);
    stick(w, &format!("{}/{}", w.inside(dir.path()), ["d"; 38].join("/")));
    let failures = dir.close().unwrap_err();
    let stuck = failures[0].path.trim_end_matches("/child");
    let below = stuck.strip_prefix(&format!("{}/", dir.path())).expect("a path in the directory");
    unstick(w, &w.inside(stuck));
    dir.close().unwrap();
    below.split('/').next().unwrap_or_default().to_owned()
}

fn a_name_that_removal_itself_uses(w: &World) {
    let taken = name_of_a_moved_subtree(w);
    assert_ne!(taken, "d", "a subtree this deep is moved before it is removed");
    let dir = new();
    deep(&dir, 60);
    let planted = format!("{}/{taken}", w.inside(dir.path()));
    w.rename("stuck", &planted);
    let failures = dir.close().unwrap_err();
    let paths: Vec<_> = failures.iter().map(|failure| w.inside(&failure.path)).collect();
    assert_eq!(paths, [format!("{planted}/child")]);
    assert_eq!(w.list(&w.inside(dir.path())), [taken.as_str()], "only what was planted stays");
    unstick(w, &planted);
    dir.close().unwrap();
}

fn two_thousand_files(w: &World) {
    let dir = new();
    for number in 0..2000 {
        dir.create_file(&format!("file-{number}")).unwrap();
    }
    dir.close().unwrap();
    w.assert_empty();
}

fn a_thousand_directories(w: &World) {
    let dir = new();
    for number in 0..1000 {
        dir.create_directory(&format!("{number}")).unwrap();
        dir.create_file(&format!("{number}/file")).unwrap();
    }
    dir.remove("500").unwrap();
    dir.close().unwrap();
    w.assert_empty();
}

fn every_kind_of_entry(w: &World) {
    let dir = new();
    let name = w.inside(dir.path());
    w.plant_directory(&format!("{name}/sub"));
    w.rename("fifo", &format!("{name}/sub/fifo"));
    w.plant_link(&format!("{name}/sub/dangling"), "/nothing");
    w.plant_link(&format!("{name}/sub/itself"), "itself");
    w.plant_link(&format!("{name}/sub/up"), "..");
    w.write(&format!("{name}/sub/file"), "planted");
    dir.close().unwrap();
    w.assert_empty();
}

fn read_only_entries(w: &World) {
    let dir = new();
    let name = w.inside(dir.path());
    w.write(&format!("{name}/read-only"), "planted");
    w.set_mode(&format!("{name}/read-only"), 0o400);
    w.write(&format!("{name}/nothing-allowed"), "planted");
    w.set_mode(&format!("{name}/nothing-allowed"), 0);
    dir.close().expect("a file's own mode does not keep its name");
    w.assert_empty();
}

fn links_are_removed_and_not_followed(w: &World) {
    w.plant_directory("outside");
    w.write("outside/precious", "precious");
    let dir = new();
    let name = w.inside(dir.path());
    dir.create_directory("sub").unwrap();
    w.plant_link(&format!("{name}/directory"), "/outside");
    w.plant_link(&format!("{name}/sub/directory"), "/outside");
    w.plant_link(&format!("{name}/sub/file"), "/outside/precious");
    dir.close().unwrap();
    assert_eq!(w.list(""), ["outside"]);
    assert_eq!(w.take("outside/precious"), b"precious");
    w.remove("outside");
}

fn modes_behind_links_stay(w: &World) -> Outcome {
    if w.placement() == Placement::Component {
        return skip("WASI has no modes");
    }
    w.write("outside", "precious");
    w.set_mode("outside", 0o440);
    let dir = new();
    w.plant_link(&format!("{}/link", w.inside(dir.path())), "/outside");
    dir.close().unwrap();
    assert_eq!(w.mode("outside"), 0o440);
    w.remove("outside");
    Outcome::Passed
}

fn an_unreadable_empty_directory(w: &World) {
    let dir = new();
    dir.create_directory("locked").unwrap();
    w.set_mode(&format!("{}/locked", w.inside(dir.path())), 0);
    dir.close().expect("an empty directory needs no looking into");
    w.assert_empty();
}

/// A temporary directory with `stuck/child`, which cannot be removed, and the witness's path of
/// `stuck`.
fn stuck(w: &World) -> (interface::TempDir, String) {
    let dir = new();
    let stuck = stick(w, &w.inside(dir.path()));
    (dir, stuck)
}

fn an_unwritable_directory(w: &World) {
    let dir = new();
    dir.create_directory("locked").unwrap();
    dir.create_file("locked/child").unwrap();
    let locked = format!("{}/locked", w.inside(dir.path()));
    w.set_mode(&locked, 0o500);
    let removed = dir.remove("locked");
    let stays = removed.is_err();
    w.assert_differs(removed, &differences::REMOVE_UNWRITABLE);
    assert_eq!(w.exists(&locked), stays);
    if stays {
        w.set_mode(&locked, 0o700);
    }
    dir.close().unwrap();
}

fn failures_are_listed_and_close_can_be_retried(w: &World) {
    let (dir, stuck) = stuck(w);
    let failures = dir.close().unwrap_err();
    let listed: Vec<_> =
        failures.iter().map(|failure| (failure.path.as_str(), failure.error.code)).collect();
    assert_eq!(listed, [(format!("{}/stuck/child", dir.path()).as_str(), ErrorCode::Busy)]);
    assert_eq!(w.list(&stuck), ["child"]);
    unstick(w, &stuck);
    dir.close().unwrap();
    assert_eq!(w.list(""), ["stuck"]);
}

fn a_failure_does_not_stop_the_removal(w: &World) {
    let (dir, stuck) = stuck(w);
    for name in ["before", "zzz", "other"] {
        dir.create_directory(name).unwrap();
        dir.create_file(&format!("{name}/file")).unwrap();
    }
    w.write(&format!("{stuck}/../file"), "goes");
    w.write(&format!("{stuck}/beside"), "goes");
    assert_eq!(dir.close().unwrap_err().len(), 1);
    assert_eq!(dir.entries("").unwrap().len(), 1, "only what can't go has stayed");
    assert_eq!(w.list(&stuck), ["child"]);
    unstick(w, &stuck);
    dir.close().unwrap();
}

fn a_failure_deep_down_is_listed_where_it_is(w: &World) {
    let dir = new();
    deep(&dir, 40);
    stick(w, &format!("{}/{}", w.inside(dir.path()), vec!["d"; 38].join("/")));
    let failures = dir.close().unwrap_err();
    assert_eq!(failures.len(), 1);
    let name = w.inside(&failures[0].path);
    assert!(name.ends_with("d/stuck/child"), "{name}");
    assert!(w.exists(&name), "{name} is listed, but is not there: {}", failures[0].error.message);
    // It need not be where it was: what is deep is moved up on the way.
    unstick(w, name.trim_end_matches("/child"));
    dir.close().unwrap();
}

fn remove_reports_the_first_failure(w: &World) {
    let (dir, stuck) = stuck(w);
    let message = assert_code(dir.remove("stuck"), ErrorCode::Busy);
    assert!(message.contains("stuck/child"), "{message}");
    unstick(w, &stuck);
    dir.remove("stuck").unwrap();
    assert_eq!(dir.entries("").unwrap(), []);
}

fn a_close_that_failed_leaves_the_handle_open(w: &World) {
    let (dir, stuck) = stuck(w);
    dir.close().unwrap_err();
    dir.create_file("new").expect("the handle is as it was");
    assert_eq!(dir.entries("").unwrap().len(), 2);
    unstick(w, &stuck);
    dir.close().unwrap();
    assert_code(dir.entries(""), ErrorCode::Closed);
}

fn drop_forgives(w: &World) {
    let (dir, stuck) = stuck(w);
    drop(dir);
    assert_eq!(w.list(&stuck), ["child"]);
    let directory = stuck.trim_end_matches("/stuck").to_owned();
    unstick(w, &stuck);
    w.remove(&directory);
}

fn a_foreign_name(w: &World) {
    let dir = new();
    let name = w.inside(dir.path());
    w.rename("foreign", &format!("{name}/foreign"));
    w.write(&format!("{name}/ordinary"), "goes");
    let closed = dir.close().map_err(|mut failures| failures.remove(0).error);
    let stays = closed.is_err();
    w.assert_differs(closed, &differences::REMOVE_FOREIGN_NAME);
    assert!(!w.exists(&format!("{name}/ordinary")), "the rest goes in any case");
    if stays {
        w.rename(&format!("{name}/foreign"), "foreign");
    }
}

fn an_impostor_is_left_alone(w: &World) {
    let shared = shared_directory(w);
    let (file, path) = interface::named(&Options::default(), Location::Directory(&shared)).unwrap();
    put(&file, 0, "mine");
    let name = w.inside(path.path());
    w.write("impostor", "theirs");
    w.rename("impostor", &name);
    let closed = path.close();
    drop(path);
    assert_eq!(w.exists(&name), closed.is_err());
    w.assert_differs(closed, &differences::IMPOSTOR);
    w.remove("shared");
}

fn a_private_file_saved_by_rename_is_removed(w: &World) {
    let path = named().1;
    w.write("edited", "edited");
    w.rename("edited", &w.inside(path.path()));
    path.close().unwrap();
    w.assert_empty();
}

fn a_file_in_a_directory_by_its_path_is_removed(w: &World) {
    w.plant_directory("mine");
    let mine = w.path("mine");
    let create = || {
        let (file, path) =
            interface::named(&Options::default(), Location::Directory(&mine)).unwrap();
        put(&file, 0, "written to, which some systems take for a change of identity");
        file.set_size(10).unwrap();
        path
    };
    for saved in [false, true] {
        for closed in [false, true] {
            let path = create();
            if saved {
                w.write("edited", "edited");
                w.rename("edited", &w.inside(path.path()));
            }
            if closed {
                path.close().unwrap();
            }
            drop(path);
            assert_eq!(w.list("mine"), [""; 0], "saved by rename: {saved}, closed: {closed}");
        }
    }
    assert_eq!(interface::leftovers(), []);
    w.remove("mine");
}

fn an_impostor_of_a_directory_is_left_alone(w: &World) {
    let shared = shared_directory(w);
    let dir = interface::directory(&Options::default(), Location::Directory(&shared)).unwrap();
    dir.create_file("mine").unwrap();
    let name = w.inside(dir.path());
    w.rename(&name, "moved");
    w.plant_directory(&name);
    w.write(&format!("{name}/theirs"), "precious");
    let failure = dir.close().unwrap_err().remove(0).error;
    drop(dir);
    assert_eq!(w.list(&name), ["theirs"], "what others put there stays, whoever can tell");
    w.assert_differs(Err::<(), _>(failure), &differences::IMPOSTOR_DIRECTORY);
    w.remove("shared");
    w.remove("moved");
}

fn a_directory_that_was_renamed_is_left_alone(w: &World) {
    let dirs = [new(), new()];
    for (dir, moved) in dirs.iter().zip(["first", "second"]) {
        dir.create_file("file").unwrap();
        w.rename(&w.inside(dir.path()), moved);
    }
    dirs[0].close().unwrap();
    drop(dirs);
    for moved in ["first", "second"] {
        assert_eq!(w.list(moved), ["file"], "{moved}");
        w.remove(moved);
    }
}

fn a_directory_that_its_parent_renamed_is_left_alone(w: &World) {
    let parent = new();
    let dir = interface::directory(&Options::default(), Location::Within(&parent)).unwrap();
    dir.create_file("file").unwrap();
    let name = w.inside(dir.path());
    parent.rename(Path::new(&name).file_name().unwrap().to_str().unwrap(), "renamed").unwrap();
    dir.close().unwrap();
    assert_eq!(w.list(&format!("{}/renamed", w.inside(parent.path()))), ["file"]);
}

fn with_few_handles(w: &World) {
    let dir = new();
    deep(&dir, 150);
    dir.close().unwrap();
    w.assert_empty();
}
