//! Locations: the directory that a file or directory is created in.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(a_directory_by_its_path),
    case!(a_path_with_slashes_to_spare),
    case!(a_missing_directory),
    case!(a_file_is_no_directory),
    case!(a_fifo_is_no_directory, FIFO),
    case!(an_empty_path),
    case!(a_path_with_a_nul),
    case!(a_path_too_long),
    case!(a_link_on_the_way),
    case!(a_path_outside_of_everything),
    case!(within_a_closed_directory),
    case!(within_a_kept_directory),
    case!(within_a_directory_removed_by_hand),
    case!(an_unwritable_directory_fails_at_once, Setup::PLAIN.unprivileged()),
    case!(a_directory_that_may_not_be_listed, Setup::PLAIN.unprivileged()),
    case!(a_read_only_file_system, Setup::PLAIN.mounts(READ_ONLY)),
    case!(a_full_file_system, Setup::PLAIN.mounts(FULL)),
];

const READ_ONLY: &[Mount] = &[Mount::FileSystem { name: "fixed", size: 1 << 20, read_only: true }];
const FULL: &[Mount] = &[Mount::FileSystem { name: "full", size: 64 * 1024, read_only: false }];

/// The three verbs' answers for a location: none where it worked.
fn codes(location: Location<'_>) -> [Option<ErrorCode>; 3] {
    let options = Options::default();
    [
        interface::unnamed(location).err().map(|error| error.code),
        interface::named(&options, location).err().map(|error| error.code),
        interface::directory(&options, location).err().map(|error| error.code),
    ]
}

fn a_directory_by_its_path(w: &World) {
    w.plant_directory("custom");
    w.plant_directory("custom/path");
    let custom = w.path("custom/path");
    let path = interface::named(&Options::default(), Location::Directory(&custom)).unwrap().1;
    assert!(path.path().starts_with(&child_path(&custom, "tmp")), "{}", path.path());
    assert_eq!(w.list("custom/path").len(), 1);
    path.close().unwrap();
    w.remove("custom");
}

fn a_path_with_slashes_to_spare(w: &World) {
    w.plant_directory("custom");
    for path in ["custom/", "custom//", "./custom", "/custom/."] {
        assert_eq!(codes(Location::Directory(&w.path(path))), [None; 3], "{path}");
    }
    assert_eq!(w.list("custom"), [""; 0]);
    w.remove("custom");
}

fn a_missing_directory(w: &World) {
    for path in ["missing", "missing/deeper"] {
        assert_eq!(
            codes(Location::Directory(&w.path(path))),
            [Some(ErrorCode::NoEntry); 3],
            "{path}"
        );
    }
    w.assert_empty();
}

fn a_file_is_no_directory(w: &World) {
    w.write("file", "");
    for path in ["file", "file/deeper"] {
        assert_eq!(
            codes(Location::Directory(&w.path(path))),
            [Some(ErrorCode::NotDirectory); 3],
            "{path}"
        );
    }
    w.remove("file");
}

/// To open one waits until another program does.
fn a_fifo_is_no_directory(w: &World) {
    for path in ["fifo", "fifo/deeper"] {
        assert_eq!(
            codes(Location::Directory(&w.path(path))),
            [Some(ErrorCode::NotDirectory); 3],
            "{path}"
        );
    }
    w.remove("fifo");
}

fn an_empty_path(_: &World) {
    assert_eq!(codes(Location::Directory("")), [Some(ErrorCode::NoEntry); 3]);
}

fn a_path_with_a_nul(w: &World) {
    assert_eq!(codes(Location::Directory(&w.path("a\0b"))), [Some(ErrorCode::InvalidName); 3]);
}

fn a_path_too_long(w: &World) {
    assert_eq!(
        codes(Location::Directory(&w.path(&"x".repeat(256)))),
        [Some(ErrorCode::NameTooLong); 3]
    );
    assert_eq!(
        codes(Location::Directory(&w.path(&"x/".repeat(3000)))),
        [Some(ErrorCode::NameTooLong); 3]
    );
}

fn a_link_on_the_way(w: &World) {
    w.plant_directory("real");
    w.plant_link("link", "real");
    let created = interface::named(&Options::default(), Location::Directory(&w.path("link")));
    w.assert_differs(created, &differences::LINK_IN_A_PATH);
    assert_eq!(w.list("real"), [""; 0]);
    w.remove("link");
    w.remove("real");
}

fn a_path_outside_of_everything(_: &World) {
    for path in ["/no/such/place", "/nowhere-at-all", "no/such/place"] {
        assert_eq!(codes(Location::Directory(path)), [Some(ErrorCode::NoEntry); 3], "{path}");
    }
}

fn within_a_closed_directory(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.close().unwrap();
    assert_eq!(codes(Location::Within(&dir)), [Some(ErrorCode::Closed); 3]);
    w.assert_empty();
}

fn within_a_kept_directory(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    let kept = dir.keep().unwrap();
    assert_eq!(codes(Location::Within(&dir)), [Some(ErrorCode::Closed); 3]);
    assert_eq!(codes(Location::Directory(&kept)), [None; 3], "its path is a path like any other");
    w.remove(&w.inside(kept));
}

fn within_a_directory_removed_by_hand(w: &World) {
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    w.remove(&w.inside(dir.path()));
    assert_eq!(codes(Location::Within(&dir)), [Some(ErrorCode::NoEntry); 3]);
    assert_code(dir.create_file("x"), ErrorCode::NoEntry);
    assert_code(dir.create_directory("x"), ErrorCode::NoEntry);
    dir.close().unwrap();
}

fn an_unwritable_directory_fails_at_once(w: &World) {
    w.plant_directory("locked");
    w.set_mode("locked", 0o500);
    assert_eq!(codes(Location::Directory(&w.path("locked"))), [Some(ErrorCode::Access); 3]);
    w.set_mode("locked", 0o700);
    w.remove("locked");
}

fn a_directory_that_may_not_be_listed(w: &World) {
    w.plant_directory("mine");
    w.set_mode("mine", 0o300);
    let (mine, options) = (w.path("mine"), Options::default());
    let at = Location::Directory(&mine);
    let code = w.declared(&differences::UNLISTABLE);
    assert_eq!(codes(at), [code; 3]);
    let (_file, path) = data("persisted there");
    let (mode, durability) = (ReplaceMode::NoClobber, Durability::None);
    w.assert_differs(
        path.persist(&w.path("mine/target"), mode, durability),
        &differences::UNLISTABLE,
    );
    if code.is_none() {
        let (_file, path) = interface::named(&options, at).unwrap();
        path.reopen().unwrap();
        path.close().unwrap();
        let dir = interface::directory(&options, at).unwrap();
        dir.create_file("child").unwrap();
        dir.close().unwrap();
        let spooled = interface::spooled(Some(0), at).unwrap();
        put(&spooled, 0, "moved there");
    }
    w.set_mode("mine", 0o700);
    assert_eq!(w.list("mine").len(), usize::from(code.is_none()));
    w.remove("mine");
}

fn a_read_only_file_system(w: &World) {
    let fixed = w.path("fixed");
    let location = Location::Directory(&fixed);
    w.assert_differs(interface::unnamed(location), &differences::READ_ONLY_FILE_SYSTEM);
    w.assert_differs(
        interface::named(&Options::default(), location),
        &differences::READ_ONLY_FILE_SYSTEM,
    );
    w.assert_differs(
        interface::directory(&Options::default(), location),
        &differences::READ_ONLY_FILE_SYSTEM,
    );
}

fn a_full_file_system(w: &World) {
    let full = w.path("full");
    let location = Location::Directory(&full);
    let (file, path) = interface::named(&Options::default(), location).unwrap();
    let mut at = 0;
    while let Ok(count) = file.write(&[1; 4096], at) {
        at += count;
    }
    // Names need no room here, so creation works and the first byte does not fit.
    let second = interface::unnamed(location).unwrap();
    assert_code(second.write(b"x", 0), ErrorCode::NoSpace);
    path.close().unwrap();
    file.close().unwrap();
    put(&second, 0, "x");
}
