//! Linking: an unnamed file gets a name.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(names_an_unnamed_file),
    case!(the_client_names_an_unnamed_file),
    case!(replaces_nothing),
    case!(a_named_file_has_a_name_already),
    case!(is_done_once),
    case!(a_closed_file),
    case!(a_failed_link_leaves_the_file_usable),
];

fn unnamed(bytes: &str) -> interface::File {
    let file = interface::unnamed(Location::Scratch).unwrap();
    put(&file, 0, bytes);
    file
}

fn names_an_unnamed_file(w: &World) {
    for durability in [Durability::None, Durability::Data, Durability::Full] {
        let file = unnamed("found, ");
        let linked = interface::link(&file, &w.path("named"), durability);
        w.assert_differs(linked, &differences::LINK_UNNAMED);
        put(&file, 7, "and still open");
        assert_eq!(contents(&file), b"found, and still open");
        if w.exists("named") {
            drop(file);
            assert_eq!(w.take("named"), b"found, and still open");
        }
    }
}

fn the_client_names_an_unnamed_file(w: &World) {
    let mut file = wasi_tempfile::tempfile().unwrap();
    let linked = file.link(w.path("named"));
    let code = linked.err().and_then(|error| wasi_tempfile::error_code(&error));
    assert_eq!(code, w.declared(&differences::LINK_UNNAMED));
    if code.is_none() {
        assert_eq!(w.take("named"), b"");
    }
}

fn replaces_nothing(w: &World) -> Outcome {
    if w.declared(&differences::LINK_UNNAMED).is_some() {
        return skip(differences::LINK_UNNAMED.reason);
    }
    w.write("taken", "first");
    w.plant_link("dangling", "/nothing");
    w.plant_directory("directory");
    for target in ["taken", "dangling", "directory"] {
        let linked = interface::link(&unnamed("second"), &w.path(target), Durability::None);
        assert_code(linked, ErrorCode::Exist);
    }
    assert_eq!(w.take("taken"), b"first");
    assert!(!w.exists("nothing"));
    w.remove("dangling");
    w.remove("directory");
    Outcome::Passed
}

fn a_named_file_has_a_name_already(w: &World) {
    let (file, path) = data("named");
    assert_code(interface::link(&file, &w.path("second"), Durability::None), ErrorCode::Invalid);
    w.assert_differs(path.close(), &differences::REMOVE_OPEN_FILE);
    assert_code(interface::link(&file, &w.path("second"), Durability::None), ErrorCode::Invalid);
    drop((file, path));
    w.assert_empty();
}

fn is_done_once(w: &World) -> Outcome {
    if w.declared(&differences::LINK_UNNAMED).is_some() {
        return skip(differences::LINK_UNNAMED.reason);
    }
    let file = unnamed("once");
    interface::link(&file, &w.path("first"), Durability::None).unwrap();
    assert_code(interface::link(&file, &w.path("second"), Durability::None), ErrorCode::Invalid);
    assert_eq!(w.take("first"), b"once");
    Outcome::Passed
}

fn a_closed_file(w: &World) {
    let file = unnamed("closed");
    file.close().unwrap();
    assert_code(interface::link(&file, &w.path("named"), Durability::None), ErrorCode::Closed);
}

fn a_failed_link_leaves_the_file_usable(w: &World) {
    let file = unnamed("usable");
    interface::link(&file, &w.path("missing/named"), Durability::None).unwrap_err();
    assert_eq!(contents(&file), b"usable");
    put(&file, 0, "U");
    assert_eq!(contents(&file), b"Usable");
    w.assert_only_unnamed("", 1);
}
