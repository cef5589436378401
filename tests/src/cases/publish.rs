//! Publishing: a temporary directory is renamed to its final path, with everything in it.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(to_a_free_name_in_every_durability),
    case!(over_an_empty_directory),
    case!(over_a_directory_with_entries),
    case!(over_a_file),
    case!(over_a_link),
    case!(no_clobber_leaves_what_is_there_alone),
    case!(into_itself),
    case!(to_its_own_name),
    case!(into_a_missing_directory),
    case!(target_names_that_are_refused),
    case!(a_failed_one_changes_nothing),
    case!(a_failed_one_is_still_guarded),
    case!(open_files_stay_open),
    case!(links_and_fifos_go_with_it, FIFO),
    case!(into_another_temp_dir_goes_with_it),
    case!(its_name_is_gone),
    case!(an_impostor_is_not_published),
    case!(files_that_may_not_be_written_are_synced, Setup::PLAIN.unprivileged()),
    case!(an_unreadable_directory_in_it_cannot_be_synced, Setup::PLAIN.unprivileged()),
    case!(a_deep_tree_takes_few_descriptors, Setup::PLAIN.open_files(64)),
    case!(to_another_file_system, Setup::PLAIN.mounts(OTHER)),
];

const OTHER: &[Mount] = &[Mount::FileSystem { name: "other", size: 1 << 20, read_only: false }];

const DURABILITIES: [Durability; 3] = [Durability::None, Durability::Data, Durability::Full];
const MODES: [ReplaceMode; 2] = [ReplaceMode::Overwrite, ReplaceMode::NoClobber];

/// A temporary directory with `file` and `sub/child`, and its name for the witness.
fn furnished(w: &World) -> (interface::TempDir, String) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    put(&dir.create_file("file").unwrap(), 0, "file");
    dir.create_directory("sub").unwrap();
    put(&dir.create_file("sub/child").unwrap(), 0, "child");
    let name = w.inside(dir.path());
    (dir, name)
}

/// Asserts that this directory is a furnished one.
#[track_caller]
fn assert_furnished(w: &World, name: &str) {
    assert_eq!(w.list(name), ["file", "sub"]);
    assert_eq!(w.read(&format!("{name}/file")), b"file");
    assert_eq!(w.list(&format!("{name}/sub")), ["child"]);
    assert_eq!(w.read(&format!("{name}/sub/child")), b"child");
}

/// Publishes to a path in the scratch directory, without waiting for storage.
fn publish(
    w: &World,
    dir: &interface::TempDir,
    target: &str,
    mode: ReplaceMode,
) -> Result<(), interface::Error> {
    dir.persist(&w.path(target), mode, Durability::None)
}

fn to_a_free_name_in_every_durability(w: &World) {
    for durability in DURABILITIES {
        for mode in MODES {
            let (dir, _) = furnished(w);
            dir.persist(&w.path("target"), mode, durability).unwrap();
            drop(dir);
            assert_eq!(w.list(""), ["target"]);
            assert_furnished(w, "target");
            w.remove("target");
        }
    }
}

fn over_an_empty_directory(w: &World) {
    for durability in DURABILITIES {
        w.plant_directory("target");
        let (dir, _) = furnished(w);
        dir.persist(&w.path("target"), ReplaceMode::Overwrite, durability).unwrap();
        assert_eq!(w.list(""), ["target"]);
        assert_furnished(w, "target");
        w.remove("target");
    }
}

fn over_a_directory_with_entries(w: &World) {
    w.plant_directory("target");
    w.write("target/theirs", "theirs");
    let (dir, name) = furnished(w);
    for durability in DURABILITIES {
        let persisted = dir.persist(&w.path("target"), ReplaceMode::Overwrite, durability);
        assert_code(persisted, ErrorCode::NotEmpty);
    }
    assert_eq!(w.list("target"), ["theirs"]);
    assert_furnished(w, &name);
    w.remove("target");
}

fn over_a_file(w: &World) {
    w.write("target", "theirs");
    let (dir, name) = furnished(w);
    let persisted = publish(w, &dir, "target", ReplaceMode::Overwrite);
    assert_code(persisted, ErrorCode::NotDirectory);
    assert_furnished(w, &name);
    assert_eq!(w.take("target"), b"theirs");
}

fn over_a_link(w: &World) {
    w.plant_directory("theirs");
    for target in ["theirs", "/nothing"] {
        w.plant_link("target", target);
        let (dir, name) = furnished(w);
        let persisted = publish(w, &dir, "target", ReplaceMode::Overwrite);
        assert_code(persisted, ErrorCode::NotDirectory);
        assert_furnished(w, &name);
        w.remove("target");
    }
    assert_eq!(w.list("theirs"), [""; 0], "the link was not followed");
    w.remove("theirs");
}

fn no_clobber_leaves_what_is_there_alone(w: &World) {
    w.write("a-file", "theirs");
    w.plant_directory("empty");
    w.plant_directory("full");
    w.write("full/theirs", "");
    w.plant_link("dangling", "/nothing");
    let (dir, name) = furnished(w);
    let before = w.list("");
    for target in ["a-file", "empty", "full", "dangling"] {
        for durability in DURABILITIES {
            let persisted = dir.persist(&w.path(target), ReplaceMode::NoClobber, durability);
            assert_code(persisted, ErrorCode::Exist);
        }
    }
    assert_eq!(w.list(""), before);
    assert_eq!(w.read("a-file"), b"theirs");
    assert_eq!(w.list("empty"), [""; 0]);
    assert_eq!(w.list("full"), ["theirs"]);
    assert_furnished(w, &name);
    ["a-file", "empty", "full", "dangling"].iter().for_each(|planted| w.remove(planted));
}

fn into_itself(w: &World) {
    let (dir, name) = furnished(w);
    for target in ["inside", "sub/inside"] {
        for mode in MODES {
            let persisted = publish(w, &dir, &format!("{name}/{target}"), mode);
            w.assert_differs(persisted, &differences::INTO_ITSELF);
        }
    }
    assert_furnished(w, &name);
}

fn to_its_own_name(w: &World) {
    let (dir, name) = furnished(w);
    assert_code(publish(w, &dir, &name, ReplaceMode::NoClobber), ErrorCode::Exist);
    publish(w, &dir, &name, ReplaceMode::Overwrite).unwrap();
    drop(dir);
    assert_furnished(w, &name);
    w.remove(&name);
}

fn into_a_missing_directory(w: &World) {
    let (dir, name) = furnished(w);
    for mode in MODES {
        assert_code(publish(w, &dir, "missing/target", mode), ErrorCode::NoEntry);
        assert_code(dir.persist("", mode, Durability::None), ErrorCode::NoEntry);
        assert_code(publish(w, &dir, &format!("{name}/file/x"), mode), ErrorCode::NotDirectory);
    }
    assert_furnished(w, &name);
}

fn target_names_that_are_refused(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_directory("empty");
    for mode in MODES {
        for target in ["new/", "empty/", "empty//", ".", "..", "empty/..", "a\0b"] {
            assert_code(publish(w, &dir, target, mode), ErrorCode::InvalidName);
        }
        assert_code(dir.persist("/", mode, Durability::None), ErrorCode::InvalidName);
        for target in ["x".repeat(256), "deep/".repeat(1000) + "x"] {
            assert_code(publish(w, &dir, &target, mode), ErrorCode::NameTooLong);
        }
    }
    assert_furnished(w, &name);
    w.remove("empty");
}

fn a_failed_one_changes_nothing(w: &World) {
    w.plant_directory("full");
    w.write("full/theirs", "");
    let (dir, name) = furnished(w);
    let open = dir.open_file("file").unwrap();
    for durability in DURABILITIES {
        dir.persist(&w.path("full"), ReplaceMode::Overwrite, durability).unwrap_err();
        dir.persist(&w.path("missing/x"), ReplaceMode::NoClobber, durability).unwrap_err();
    }
    assert_furnished(w, &name);
    assert_eq!(contents(&open), b"file");
    assert_eq!(contents(&dir.open_file("sub/child").unwrap()), b"child");
    drop(open);
    publish(w, &dir, "elsewhere", ReplaceMode::NoClobber).unwrap();
    assert_furnished(w, "elsewhere");
    w.remove("elsewhere");
    w.remove("full");
}

fn a_failed_one_is_still_guarded(w: &World) {
    let (dir, _) = furnished(w);
    publish(w, &dir, "missing/target", ReplaceMode::Overwrite).unwrap_err();
    assert_eq!(interface::usage().live.directories, 1);
    assert_eq!(interface::usage().kept, 0);
    drop(dir);
    w.assert_empty();
}

fn open_files_stay_open(w: &World) {
    let (dir, _) = furnished(w);
    let opened = dir.open_file("sub/child").unwrap();
    let created = dir.create_file("created").unwrap();
    publish(w, &dir, "target", ReplaceMode::Overwrite).unwrap();
    put(&opened, 5, "ren");
    put(&created, 0, "written afterwards");
    assert_eq!(contents(&opened), b"children");
    assert_eq!(w.read("target/sub/child"), b"children");
    assert_eq!(w.read("target/created"), b"written afterwards");
    drop((opened, created));
    w.remove("target");
}

fn links_and_fifos_go_with_it(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_link(&format!("{name}/link"), "sub");
    w.plant_link(&format!("{name}/dangling"), "/nothing");
    w.rename("fifo", &format!("{name}/fifo"));
    // Opening the fifo would block for ever.
    dir.persist(&w.path("target"), ReplaceMode::Overwrite, Durability::Full).unwrap();
    assert_eq!(w.list("target"), ["dangling", "fifo", "file", "link", "sub"]);
    assert!(!w.exists("nothing"));
    w.remove("target");
}

fn into_another_temp_dir_goes_with_it(w: &World) {
    let outer = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let (dir, _) = furnished(w);
    let target = format!("{}/moved", outer.path());
    dir.persist(&target, ReplaceMode::Overwrite, Durability::Full).unwrap();
    assert_eq!(contents(&outer.open_file("moved/sub/child").unwrap()), b"child");
    outer.close().unwrap();
    w.assert_empty();
}

fn its_name_is_gone(w: &World) {
    let (dir, name) = furnished(w);
    w.remove(&name);
    for durability in DURABILITIES {
        for mode in MODES {
            assert_code(dir.persist(&w.path("target"), mode, durability), ErrorCode::NoEntry);
        }
    }
    w.assert_empty();
}

fn an_impostor_is_not_published(w: &World) {
    let shared = shared_directory(w);
    let dir = interface::directory(&Options::default(), Location::Directory(&shared)).unwrap();
    let name = w.inside(dir.path());
    w.remove(&name);
    w.plant_directory(&name);
    w.write(&format!("{name}/theirs"), "");
    let persisted = publish(w, &dir, "target", ReplaceMode::Overwrite);
    let there = if persisted.is_ok() { "target" } else { &name };
    w.assert_differs(persisted, &differences::IMPOSTOR);
    assert_eq!(w.list(there), ["theirs"]);
    w.remove(there);
    drop(dir);
    w.remove("shared");
}

fn files_that_may_not_be_written_are_synced(w: &World) {
    for durability in [Durability::Data, Durability::Full] {
        let (dir, name) = furnished(w);
        w.set_mode(&format!("{name}/file"), 0o400);
        w.set_mode(&format!("{name}/sub/child"), 0o200);
        dir.persist(&w.path("target"), ReplaceMode::Overwrite, durability).unwrap();
        w.set_mode("target/sub/child", 0o600);
        assert_furnished(w, "target");
        w.remove("target");
    }
}

fn an_unreadable_directory_in_it_cannot_be_synced(w: &World) {
    let (dir, name) = furnished(w);
    w.set_mode(&format!("{name}/sub"), 0o000);
    for durability in [Durability::Data, Durability::Full] {
        let persisted = dir.persist(&w.path("target"), ReplaceMode::Overwrite, durability);
        assert_code(persisted, ErrorCode::Access);
        assert_eq!(w.list(""), [&*name], "it fails before the rename");
    }
    publish(w, &dir, "target", ReplaceMode::Overwrite).unwrap();
    w.set_mode("target/sub", 0o700);
    assert_furnished(w, "target");
    w.remove("target");
}

fn a_deep_tree_takes_few_descriptors(w: &World) {
    let outer = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let mut path = String::from("d");
    for _ in 0..100 {
        dir.create_directory(&path).unwrap();
        dir.create_file(&format!("{path}/file")).unwrap();
        // Beside it, so that the way back up leads through every level.
        dir.create_directory(&format!("{path}/e")).unwrap();
        path.push_str("/d");
    }
    let target = format!("{}/target", outer.path());
    dir.persist(&target, ReplaceMode::NoClobber, Durability::Full).unwrap();
    assert_eq!(w.list(&format!("{}{}", w.inside(target), "/d".repeat(100))), ["e", "file"]);
    // The witness would need more descriptors for this.
    outer.close().unwrap();
}

fn to_another_file_system(w: &World) {
    let (dir, name) = furnished(w);
    for mode in MODES {
        for durability in DURABILITIES {
            let persisted = dir.persist(&w.path("other/target"), mode, durability);
            w.assert_differs(persisted, &differences::CROSS_DEVICE);
            assert_eq!(w.list("other"), [""; 0]);
        }
    }
    assert_furnished(w, &name);
}
