//! The end of a scope: by return, error, panic, `break` or assignment.

use super::prelude::*;
use std::io::Write;
use wasi_tempfile::{NamedTempFile, spooled_tempfile, tempdir, tempfile};

pub(super) const CASES: &[Case] = &[
    case!(a_panic_removes_files_and_directories, Setup::PLAIN.panics("in the middle of the block")),
    case!(a_panic_removes_a_file_with_content, Setup::PLAIN.panics("while the content is used")),
    case!(each_of_the_four_cleans_up),
    case!(each_of_the_four_cleans_up_after_a_panic, Setup::PLAIN.panics("with all four open")),
    case!(a_panic_in_atomic_writing, Setup::PLAIN.panics("half-way")),
    case!(a_loop_left_early),
    case!(a_value_replaced),
];

fn a_panic_removes_files_and_directories(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"half done").unwrap();
    let dir = tempdir().unwrap();
    dir.create_dir("deep").unwrap();
    dir.create_file("deep/half").unwrap();
    assert_eq!(w.list("").len(), 2);
    panic!("in the middle of the block");
}

fn a_panic_removes_a_file_with_content(w: &World) {
    let path = NamedTempFile::with_contents("some content").unwrap().into_temp_path();
    assert_eq!(w.read(&w.inside(&path)), b"some content");
    panic!("while the content is used");
}

fn all_four() -> impl Sized {
    let mut spooled = spooled_tempfile(1);
    spooled.write_all(b"on disk").unwrap();
    (tempfile().unwrap(), NamedTempFile::new().unwrap(), tempdir().unwrap(), spooled)
}

fn each_of_the_four_cleans_up(w: &World) {
    {
        let _open = all_four();
        assert_eq!(w.list("").len(), 2 + w.shown_unnamed(2));
    }
    w.assert_empty();
    assert_eq!(interface::live_handles().unwrap(), []);
}

fn each_of_the_four_cleans_up_after_a_panic(_: &World) {
    let _open = all_four();
    panic!("with all four open");
}

fn a_panic_in_atomic_writing(w: &World) {
    let _ = wasi_tempfile::write_atomically(w.path("target"), |file| {
        file.write_all(b"half")?;
        panic!("half-way")
    });
}

fn a_loop_left_early(w: &World) {
    for round in 0..10 {
        let _file = NamedTempFile::new().unwrap();
        match round {
            3 => continue,
            7 => break,
            _ => assert_eq!(w.list("").len(), 1),
        }
    }
    w.assert_empty();
}

fn a_value_replaced(w: &World) {
    let mut file = NamedTempFile::new().unwrap();
    let first = w.inside(file.path());
    file = NamedTempFile::new().unwrap();
    assert!(!w.exists(&first));
    assert_eq!(w.list(""), [w.inside(file.path())]);
}
