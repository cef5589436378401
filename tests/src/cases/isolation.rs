//! Privacy: modes as seen from outside, and paths that a plugin cannot reach.

use super::prelude::*;
use std::fs;

pub(super) const CASES: &[Case] = &[
    case!(modes_under_umask_022, Setup::PLAIN.umask(0o022)),
    case!(modes_under_umask_000, Setup::PLAIN.umask(0o000)),
    case!(modes_under_umask_077, Setup::PLAIN.umask(0o077)),
    case!(the_scratch_directory_is_private, Setup::PLAIN.umask(0o000)),
    case!(children_are_private, Setup::PLAIN.umask(0o000)),
    case!(the_standard_library_can_not_see_the_scratch_directory),
    case!(no_path_leads_out),
];

/// The modes of a named file and of a directory, as created.
fn modes(w: &World) -> [u32; 2] {
    let (_file, path) = named();
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    [w.mode(&w.inside(path.path())), w.mode(&w.inside(dir.path()))]
}

fn assert_modes(w: &World, umask: u32) {
    let expected = match w.placement() {
        Placement::Native | Placement::Host => [0o600 & !umask, 0o700 & !umask],
        // WASI has no modes: privacy is the scratch directory's.
        Placement::Component => [0o666 & !umask, 0o777 & !umask],
    };
    let seen = modes(w);
    assert_eq!(seen, expected, "{:o} and {:o} under umask {umask:03o}", seen[0], seen[1]);
}

fn modes_under_umask_022(w: &World) {
    assert_modes(w, 0o022);
}

fn modes_under_umask_000(w: &World) {
    assert_modes(w, 0o000);
}

fn modes_under_umask_077(w: &World) {
    assert_modes(w, 0o077);
}

fn the_scratch_directory_is_private(w: &World) {
    // A host may mark it by another bit.
    assert_eq!(w.mode("") & 0o777, 0o700, "{:o}", w.mode(""));
}

fn children_are_private(w: &World) -> Outcome {
    if w.placement() == Placement::Component {
        return skip("WASI has no modes");
    }
    let dir = interface::directory(&Options::default(), Location::Scratch).unwrap();
    dir.create_file("file").unwrap();
    dir.create_directory("directory").unwrap();
    let name = w.inside(dir.path());
    assert_eq!(w.mode(&format!("{name}/file")), 0o600);
    assert_eq!(w.mode(&format!("{name}/directory")), 0o700);
    Outcome::Passed
}

fn the_standard_library_can_not_see_the_scratch_directory(w: &World) -> Outcome {
    if w.placement() == Placement::Native {
        return skip("natively a program has the file system anyway");
    }
    let (_file, path) = data("private");
    for reached in [
        fs::read_dir(w.scratch()).err(),
        fs::read_dir("/").err(),
        fs::read_dir(".").err(),
        fs::read(path.path()).err(),
        fs::write(w.path("mine"), "smuggled").err(),
        fs::remove_file(path.path()).err(),
    ] {
        reached.expect("a plugin has no file system of its own");
    }
    assert_eq!(w.read(&w.inside(path.path())), b"private");
    assert_eq!(w.list("").len(), 1);
    Outcome::Passed
}

fn no_path_leads_out(w: &World) -> Outcome {
    if w.placement() == Placement::Native {
        return skip("natively a path is the system's");
    }
    for path in ["/etc", "/", "..", ".", "/proc/self", "/tmp/..", "/tmp/../etc", "//etc"] {
        if let Ok(file) = interface::unnamed(Location::Directory(path)) {
            panic!("{path} leads somewhere: {:?}", file.size());
        }
    }
    let up = format!("{}/../x", w.scratch());
    let (_file, path) = named();
    for target in ["/etc/x", "/x", "x", "../x", &up] {
        path.persist(target, ReplaceMode::Overwrite, Durability::None).unwrap_err();
    }
    Outcome::Passed
}
