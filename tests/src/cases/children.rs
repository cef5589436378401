//! The contents of a temporary directory, by relative path.

use super::prelude::*;
use std::collections::BTreeMap;

pub(super) const CASES: &[Case] = &[
    case!(create_then_open),
    case!(create_takes_no_taken_name),
    case!(a_missing_parent),
    case!(a_file_on_the_way),
    case!(open_wants_a_regular_file),
    case!(open_opens_no_fifo, FIFO),
    case!(a_fifo_on_the_way, FIFO),
    case!(open_follows_no_link),
    case!(no_method_goes_through_a_link),
    case!(hostile_paths_are_refused),
    case!(archive_names_are_taken),
    case!(long_names_and_paths),
    case!(rename_replaces_a_file),
    case!(rename_into_another_directory),
    case!(rename_replaces_an_empty_directory),
    case!(rename_of_what_is_not_there),
    case!(rename_between_kinds),
    case!(rename_onto_a_full_directory),
    case!(rename_into_itself),
    case!(rename_moves_a_link_itself),
    case!(remove_a_file_and_a_tree),
    case!(remove_what_is_gone),
    case!(remove_a_link_and_not_its_target),
    case!(entries_have_kinds, FIFO),
    case!(entries_of_a_file_or_of_nothing),
    case!(entries_with_a_foreign_name, FOREIGN),
];

fn new() -> interface::TempDir {
    interface::directory(&Options::default(), Location::Scratch).unwrap()
}

/// A temporary directory that holds `file` and `directory/child`, and its name for the witness.
fn furnished(w: &World) -> (interface::TempDir, String) {
    let dir = new();
    put(&dir.create_file("file").unwrap(), 0, "file");
    dir.create_directory("directory").unwrap();
    put(&dir.create_file("directory/child").unwrap(), 0, "child");
    let name = w.inside(dir.path());
    (dir, name)
}

fn create_then_open(w: &World) {
    let (dir, name) = furnished(w);
    let file = dir.open_file("directory/child").unwrap();
    assert_eq!(contents(&file), b"child");
    put(&file, 5, "ren");
    assert_eq!(w.read(&format!("{name}/directory/child")), b"children");
}

fn create_takes_no_taken_name(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_link(&format!("{name}/dangling"), "/nothing");
    for taken in ["file", "directory", "directory/child", "dangling"] {
        assert_code(dir.create_file(taken), ErrorCode::Exist);
        assert_code(dir.create_directory(taken), ErrorCode::Exist);
    }
    assert_eq!(contents(&dir.open_file("file").unwrap()), b"file");
    assert!(!w.exists("nothing"));
}

fn a_missing_parent(w: &World) {
    let (dir, _) = furnished(w);
    assert_code(dir.create_file("missing/x"), ErrorCode::NoEntry);
    assert_code(dir.create_directory("missing/x"), ErrorCode::NoEntry);
    assert_code(dir.open_file("missing/x"), ErrorCode::NoEntry);
    assert_code(dir.open_file("missing"), ErrorCode::NoEntry);
    assert_code(dir.rename("file", "missing/x"), ErrorCode::NoEntry);
}

fn a_file_on_the_way(w: &World) {
    let (dir, _) = furnished(w);
    assert_code(dir.create_file("file/x"), ErrorCode::NotDirectory);
    assert_code(dir.create_directory("file/x"), ErrorCode::NotDirectory);
    assert_code(dir.open_file("file/x"), ErrorCode::NotDirectory);
    assert_code(dir.rename("directory/child", "file/x"), ErrorCode::NotDirectory);
    assert_code(dir.entries("file/x"), ErrorCode::NotDirectory);
}

fn open_wants_a_regular_file(w: &World) {
    let (dir, _) = furnished(w);
    assert_code(dir.open_file("directory"), ErrorCode::IsDirectory);
}

fn open_opens_no_fifo(w: &World) {
    let (dir, name) = furnished(w);
    w.rename("fifo", &format!("{name}/fifo"));
    assert_code(dir.open_file("fifo"), ErrorCode::Invalid);
}

/// To open one waits until another program does.
fn a_fifo_on_the_way(w: &World) {
    let (dir, name) = furnished(w);
    w.rename("fifo", &format!("{name}/fifo"));
    assert_code(dir.entries("fifo"), ErrorCode::NotDirectory);
    assert_code(dir.create_file("fifo/file"), ErrorCode::NotDirectory);
    assert_code(dir.remove("fifo/file"), ErrorCode::NotDirectory);
}

fn open_follows_no_link(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_link(&format!("{name}/link"), "file");
    w.plant_link(&format!("{name}/dangling"), "/nothing");
    w.plant_link(&format!("{name}/to-directory"), "directory");
    for link in ["link", "dangling", "to-directory"] {
        assert_code(dir.open_file(link), ErrorCode::Invalid);
    }
    assert!(!w.exists("nothing"));
}

fn no_method_goes_through_a_link(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_directory("outside");
    w.write("outside/child", "precious");
    w.plant_link(&format!("{name}/out"), "/outside");
    w.plant_link(&format!("{name}/in"), "directory");
    for link in ["out", "in"] {
        let child = &format!("{link}/child");
        assert_code(dir.create_file(&format!("{link}/new")), ErrorCode::NotDirectory);
        assert_code(dir.create_directory(&format!("{link}/new")), ErrorCode::NotDirectory);
        assert_code(dir.open_file(child), ErrorCode::NotDirectory);
        assert_code(dir.rename(child, "stolen"), ErrorCode::NotDirectory);
        assert_code(dir.rename("file", child), ErrorCode::NotDirectory);
        assert_code(dir.remove(child), ErrorCode::NotDirectory);
        assert_code(dir.entries(link), ErrorCode::NotDirectory);
    }
    dir.close().unwrap();
    assert_eq!(w.list("outside"), ["child"]);
    assert_eq!(w.read("outside/child"), b"precious");
    w.remove("outside");
}

fn hostile_paths_are_refused(w: &World) {
    let (dir, name) = furnished(w);
    let paths = [
        "",
        ".",
        "..",
        "/",
        "//",
        "/x",
        "/file",
        "../x",
        "../../x",
        "../../../../../../etc/passwd",
        "x/",
        "directory/",
        "x//y",
        "directory//child",
        "./x",
        "./file",
        "directory/.",
        "directory/./child",
        "directory/..",
        "directory/../file",
        "x/../../y",
        "\0",
        "x\0",
        "fi\0le",
        "directory/\0",
        "file\0.txt",
        "directory/child/..",
        " /..",
    ];
    for path in paths {
        let refused = |what: &str, code: Option<ErrorCode>| {
            assert_eq!(code, Some(ErrorCode::InvalidName), "{what} {path:?}");
        };
        refused("create-file", dir.create_file(path).err().map(|error| error.code));
        refused("create-directory", dir.create_directory(path).err().map(|error| error.code));
        refused("open-file", dir.open_file(path).err().map(|error| error.code));
        refused("rename from", dir.rename(path, "new").err().map(|error| error.code));
        refused("rename to", dir.rename("file", path).err().map(|error| error.code));
        refused("remove", dir.remove(path).err().map(|error| error.code));
        if !path.is_empty() {
            refused("entries", dir.entries(path).err().map(|error| error.code));
        }
    }
    assert_eq!(w.list(&name), ["directory", "file"]);
    assert_eq!(w.list(""), [name]);
}

fn archive_names_are_taken(w: &World) {
    let dir = new();
    let mut names = vec![
        "con",
        "nul.txt",
        "a:b",
        "C:",
        "trailing ",
        "trailing.",
        "...",
        "back\\slash",
        "new\nline",
        "\u{1b}[2J",
        "-rf",
        "~",
        "日本語",
        "\u{7f}",
        " ",
        "*",
    ];
    for name in &names {
        let file =
            dir.create_file(name).unwrap_or_else(|error| panic!("{name:?}: {}", error.message));
        put(&file, 0, name);
    }
    names.sort();
    assert_eq!(w.list(&w.inside(dir.path())), names);
    for name in &names {
        assert_eq!(contents(&dir.open_file(name).unwrap()), name.as_bytes());
        dir.remove(name).unwrap();
    }
    assert_eq!(dir.entries("").unwrap(), []);
}

fn long_names_and_paths(_: &World) {
    let dir = new();
    dir.create_file(&"x".repeat(255)).unwrap();
    assert_code(dir.create_file(&"x".repeat(256)), ErrorCode::NameTooLong);
    assert_code(dir.open_file(&format!("{}/y", "é".repeat(128))), ErrorCode::NameTooLong);
    let long = "d/".repeat(2048) + "x";
    assert_code(dir.create_file(&long), ErrorCode::NameTooLong);
    assert_code(dir.entries(&long), ErrorCode::NameTooLong);
    assert_code(dir.remove(&long), ErrorCode::NameTooLong);
}

fn rename_replaces_a_file(w: &World) {
    let (dir, name) = furnished(w);
    let open = dir.open_file("file").unwrap();
    dir.rename("directory/child", "file").unwrap();
    assert_eq!(w.read(&format!("{name}/file")), b"child");
    assert_eq!(w.list(&format!("{name}/directory")), [""; 0]);
    assert_eq!(contents(&open), b"file", "whoever has the old file keeps it");
}

fn rename_into_another_directory(w: &World) {
    let (dir, name) = furnished(w);
    dir.rename("file", "directory/moved").unwrap();
    assert_eq!(w.list(&name), ["directory"]);
    assert_eq!(w.list(&format!("{name}/directory")), ["child", "moved"]);
    dir.rename("directory", "renamed").unwrap();
    assert_eq!(contents(&dir.open_file("renamed/moved").unwrap()), b"file");
}

fn rename_replaces_an_empty_directory(w: &World) {
    let (dir, name) = furnished(w);
    dir.create_directory("empty").unwrap();
    dir.rename("directory", "empty").unwrap();
    assert_eq!(w.list(&name), ["empty", "file"]);
    assert_eq!(w.list(&format!("{name}/empty")), ["child"]);
}

fn rename_of_what_is_not_there(w: &World) {
    let (dir, name) = furnished(w);
    assert_code(dir.rename("missing", "new"), ErrorCode::NoEntry);
    assert_eq!(w.list(&name), ["directory", "file"]);
}

fn rename_between_kinds(w: &World) {
    let (dir, _) = furnished(w);
    dir.create_directory("empty").unwrap();
    assert_code(dir.rename("file", "empty"), ErrorCode::IsDirectory);
    assert_code(dir.rename("directory", "file"), ErrorCode::NotDirectory);
    assert_eq!(contents(&dir.open_file("file").unwrap()), b"file");
}

fn rename_onto_a_full_directory(w: &World) {
    let (dir, _) = furnished(w);
    dir.create_directory("other").unwrap();
    assert_code(dir.rename("other", "directory"), ErrorCode::NotEmpty);
    assert_eq!(contents(&dir.open_file("directory/child").unwrap()), b"child");
}

fn rename_into_itself(w: &World) {
    let (dir, name) = furnished(w);
    let inside = dir.rename("directory", "directory/inside");
    w.assert_differs(inside, &differences::INTO_ITSELF);
    dir.rename("directory", "directory").unwrap();
    dir.rename("file", "file").unwrap();
    assert_eq!(w.list(&name), ["directory", "file"]);
    assert_eq!(w.list(&format!("{name}/directory")), ["child"]);
}

fn rename_moves_a_link_itself(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_link(&format!("{name}/link"), "file");
    dir.rename("link", "directory/child").unwrap();
    assert_eq!(w.list(&name), ["directory", "file"]);
    assert_code(dir.open_file("directory/child"), ErrorCode::Invalid);
    assert_eq!(contents(&dir.open_file("file").unwrap()), b"file");
}

fn remove_a_file_and_a_tree(w: &World) {
    let (dir, name) = furnished(w);
    dir.create_directory("directory/deeper").unwrap();
    dir.create_file("directory/deeper/still").unwrap();
    dir.remove("file").unwrap();
    assert_eq!(w.list(&name), ["directory"]);
    dir.remove("directory/deeper").unwrap();
    assert_eq!(w.list(&format!("{name}/directory")), ["child"]);
    dir.remove("directory").unwrap();
    assert_eq!(w.list(&name), [""; 0]);
}

fn remove_what_is_gone(w: &World) {
    let (dir, _) = furnished(w);
    dir.remove("missing").expect("what is gone already is a success");
    dir.remove("file").unwrap();
    dir.remove("file").unwrap();
}

fn remove_a_link_and_not_its_target(w: &World) {
    let (dir, name) = furnished(w);
    w.plant_link(&format!("{name}/link"), "file");
    w.plant_link(&format!("{name}/to-directory"), "directory");
    dir.remove("link").unwrap();
    dir.remove("to-directory").unwrap();
    assert_eq!(w.list(&name), ["directory", "file"]);
    assert_eq!(w.list(&format!("{name}/directory")), ["child"]);
}

fn entries_have_kinds(w: &World) {
    let (dir, name) = furnished(w);
    w.rename("fifo", &format!("{name}/fifo"));
    w.plant_link(&format!("{name}/link"), "directory");
    let entries = dir.entries("").unwrap();
    let kinds: BTreeMap<_, _> =
        entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
    assert_eq!(kinds.len(), entries.len(), "a name is listed once: {entries:?}");
    let expected = [
        ("directory", EntryKind::Directory),
        ("fifo", EntryKind::Other),
        ("file", EntryKind::File),
        ("link", EntryKind::Other),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
    assert_eq!(dir.entries("directory").unwrap().len(), 1);
}

fn entries_of_a_file_or_of_nothing(w: &World) {
    let (dir, _) = furnished(w);
    assert_code(dir.entries("file"), ErrorCode::NotDirectory);
    assert_code(dir.entries("missing"), ErrorCode::NoEntry);
}

fn entries_with_a_foreign_name(w: &World) {
    let (dir, name) = furnished(w);
    w.rename("foreign", &format!("{name}/foreign"));
    assert_code(dir.entries("foreign"), ErrorCode::InvalidName);
    assert_eq!(dir.entries("").unwrap().len(), 3, "other directories are not concerned");
    w.rename(&format!("{name}/foreign"), "foreign");
}
