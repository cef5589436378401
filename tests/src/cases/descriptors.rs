//! A file exchanged for its descriptor, which the client does by itself. Natively there is no such
//! call.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(a_file_that_is_not_exchanged_stays_usable),
    case!(the_descriptor_is_the_file),
    case!(the_file_is_closed_by_it),
    case!(the_name_is_still_guarded),
    case!(an_unnamed_file_lives_in_its_descriptor),
    case!(bytes_in_memory_have_no_descriptor),
    case!(a_file_is_exchanged_once),
];

/// The imports themselves, with nothing of the client in between.
#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    // The client has bindings for the same world: the linker wants another name for these.
    wit_bindgen::generate!({
        path: [
            "interface/wasi/io.wit",
            "interface/wasi/clocks.wit",
            "interface/wasi/filesystem.wit",
            "interface/tempfile",
            "interface/tempfile-wasi",
        ],
        world: "scratch:tempfile-wasi/imports",
        type_section_suffix: "-of-the-suite",
        generate_all,
    });
}

#[cfg(target_arch = "wasm32")]
use bindings::{
    scratch::tempfile::tempfile::{
        Durability as Level, ErrorCode as Code, File, Location as Place, Options as Naming,
        TempPath, named, spooled, unnamed,
    },
    scratch::tempfile_wasi::descriptors::file_descriptor,
};

/// A case that has the imports to itself; natively it is skipped.
macro_rules! with_imports {
    ($(fn $name:ident($w:ident) $body:block)*) => {$(
        #[cfg(target_arch = "wasm32")]
        fn $name($w: &World) -> Outcome {
            if $w.declared(&differences::FILE_DESCRIPTOR).is_some() {
                return skip(differences::FILE_DESCRIPTOR.reason);
            }
            $body
            Outcome::Passed
        }

        #[cfg(not(target_arch = "wasm32"))]
        fn $name(_: &World) -> Outcome {
            skip("natively the client has the open file anyway")
        }
    )*};
}

#[cfg(target_arch = "wasm32")]
fn create() -> (File, TempPath) {
    let naming =
        Naming { prefix: "d-".into(), suffix: String::new(), random_chars: None, label: None };
    named(&naming, &Place::Scratch).unwrap()
}

#[cfg(target_arch = "wasm32")]
fn a_file_that_is_not_exchanged_stays_usable(w: &World) {
    let (file, _path) = create();
    let refused = file_descriptor(&file).err().map(|error| error.code);
    assert_eq!(refused, w.declared(&differences::FILE_DESCRIPTOR).map(|_| Code::Unsupported));
    if refused.is_some() {
        assert_eq!(file.write(b"as before", 0).unwrap(), 9);
        assert_eq!(file.read(100, 0).unwrap(), b"as before");
        file.close().unwrap();
        assert_eq!(file_descriptor(&file).unwrap_err().code, Code::Closed);
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn a_file_that_is_not_exchanged_stays_usable(_: &World) -> Outcome {
    skip("natively the client has the open file anyway")
}

with_imports! {
    fn the_descriptor_is_the_file(w) {
        let (file, path) = create();
        file.write(b"by the provider", 0).unwrap();
        let descriptor = file_descriptor(&file).unwrap();
        assert_eq!(descriptor.read(3, 0).unwrap().0, b"by ");
        assert_eq!(descriptor.write(b"directly    ", 3).unwrap(), 12);
        assert_eq!(w.read(&w.inside(path.path())), b"by directly    ");
        descriptor.set_size(11).unwrap();
        assert_eq!(path.reopen().unwrap().read(100, 0).unwrap(), b"by directly");
    }

    fn the_file_is_closed_by_it(w) {
        let (file, _path) = create();
        let _descriptor = file_descriptor(&file).unwrap();
        assert_eq!(file.read(1, 0).unwrap_err().code, Code::Closed);
        assert_eq!(file.write(b"x", 0).unwrap_err().code, Code::Closed);
        assert_eq!(file.size().unwrap_err().code, Code::Closed);
        assert_eq!(file.set_size(0).unwrap_err().code, Code::Closed);
        assert_eq!(file.sync(Level::Full).unwrap_err().code, Code::Closed);
        file.close().unwrap();
        file.close().unwrap();
    }

    fn the_name_is_still_guarded(w) {
        let (file, path) = create();
        let descriptor = file_descriptor(&file).unwrap();
        drop(file);
        assert!(w.exists(&w.inside(path.path())));
        path.close().unwrap();
        w.assert_empty();
        assert_eq!(descriptor.write(b"nameless", 0).unwrap(), 8);
        assert_eq!(descriptor.read(100, 0).unwrap().0, b"nameless");
    }

    fn an_unnamed_file_lives_in_its_descriptor(w) {
        let file = unnamed(&Place::Scratch).unwrap();
        file.write(b"nowhere", 0).unwrap();
        let descriptor = file_descriptor(&file).unwrap();
        drop(file);
        w.assert_empty();
        assert_eq!(descriptor.read(100, 0).unwrap().0, b"nowhere");
    }

    fn bytes_in_memory_have_no_descriptor(_w) {
        let file = spooled(Some(10), &Place::Scratch).unwrap();
        file.write(b"in memory", 0).unwrap();
        assert_eq!(file_descriptor(&file).unwrap_err().code, Code::Unsupported);
        assert_eq!(file.read(100, 0).unwrap(), b"in memory");
        file.roll_over().unwrap();
        assert_eq!(file_descriptor(&file).unwrap().read(100, 0).unwrap().0, b"in memory");
        assert_eq!(file.size().unwrap_err().code, Code::Closed);
        assert_eq!(file.roll_over().unwrap_err().code, Code::Closed);
    }

    fn a_file_is_exchanged_once(w) {
        let (file, _path) = create();
        let _descriptor = file_descriptor(&file).unwrap();
        assert_eq!(file_descriptor(&file).unwrap_err().code, Code::Closed);
        let (closed, _path) = create();
        closed.close().unwrap();
        assert_eq!(file_descriptor(&closed).unwrap_err().code, Code::Closed);
    }
}
