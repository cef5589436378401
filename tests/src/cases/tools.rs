//! Helper functions for cases.

use std::path::MAIN_SEPARATOR;

use crate::case::{Mount, Placement, Planted, Setup};
use crate::world::World;
use wasi_tempfile::interface::{self, Location, Options};

/// A named file in the scratch directory.
pub(super) fn named() -> (interface::File, interface::TempPath) {
    interface::named(&Options::default(), Location::Scratch).unwrap()
}

/// A named file in the scratch directory with these bytes.
pub(super) fn data(bytes: impl AsRef<[u8]>) -> (interface::File, interface::TempPath) {
    let (file, path) = named();
    put(&file, 0, bytes);
    (file, path)
}

/// The options for a fixed name.
pub(super) fn fixed(name: &str) -> Options {
    Options {
        prefix: name.to_owned(),
        suffix: String::new(),
        random_chars: Some(0),
        ..Options::default()
    }
}

/// The path of an entry of a directory, as the interface shows it.
pub(super) fn child_path(directory: &str, child: &str) -> String {
    format!("{directory}{MAIN_SEPARATOR}{child}")
}

/// A path as messages show it: a backslash is escaped there, and so is a quote.
pub(super) fn quoted(path: &str) -> String {
    path.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Writes all of the bytes, in as many calls as it takes.
pub(super) fn put(file: &interface::File, offset: u64, bytes: impl AsRef<[u8]>) {
    let mut rest = bytes.as_ref();
    let mut at = offset;
    while !rest.is_empty() {
        let count = file.write(rest, at).unwrap();
        assert!(count > 0, "a write of {} bytes took none", rest.len());
        at += count;
        rest = &rest[count as usize..];
    }
}

/// All the bytes, in as many calls as it takes.
pub(super) fn contents(file: &interface::File) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let piece = file.read(64 * 1024, all.len() as u64).unwrap();
        if piece.is_empty() {
            return all;
        }
        all.extend(piece);
    }
}

/// Bytes of which no two neighbouring stretches are equal.
pub(super) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// A directory `stuck` with a file `child` that nobody can remove.
pub(super) const STUCK: Setup = Setup::PLAIN.mounts(&[Mount::BusyFile { name: "stuck/child" }]);

/// A fifo, to be moved to where it is wanted.
pub(super) const FIFO: Setup = Setup::PLAIN.planted(&[Planted::Fifo]);

/// A directory with a name that is not UTF-8, to be moved to where it is wanted.
pub(super) const FOREIGN: Setup = Setup::PLAIN.planted(&[Planted::ForeignName]);

/// Moves the directory `stuck` into this one, and returns its new path. [`unstick`] moves it back.
pub(super) fn stick(w: &World, directory: &str) -> String {
    let stuck = format!("{directory}/stuck");
    w.rename("stuck", &stuck);
    stuck
}

/// Moves the directory back to the scratch directory.
pub(super) fn unstick(w: &World, stuck: &str) {
    w.rename(stuck, "stuck");
}

/// Plants a directory in which others may rename and remove names, and returns its path.
pub(super) fn shared_directory(w: &World) -> String {
    w.plant_directory("shared");
    // The provider component sees no modes, and neither does the witness of another host.
    if w.placement() != Placement::Component {
        w.set_mode("shared", 0o777);
    }
    w.path("shared")
}
