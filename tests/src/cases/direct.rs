//! Descriptors of open files: the interface `direct`. The client uses it by itself; natively it
//! does not exist.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(a_file_that_is_not_handed_over_stays_usable),
    case!(the_descriptor_is_the_file),
    case!(the_file_is_closed_by_it),
    case!(the_name_keeps_its_promise),
    case!(an_unnamed_file_lives_in_its_descriptor),
    case!(what_is_in_memory_is_not_handed_over),
    case!(happens_once),
];

/// The imports themselves, with nothing of the client in between.
#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    // The client has bindings for the same world: the linker wants another name for these.
    wit_bindgen::generate!({
        path: "../wit",
        world: "plugin-direct",
        type_section_suffix: "-of-the-suite",
        generate_all,
    });
}

#[cfg(target_arch = "wasm32")]
use bindings::{
    scratch::tempfile::direct::hand_over,
    scratch::tempfile::tempfile::{
        File, Location as Place, Options as Naming, TempPath, named, spooled, unnamed,
    },
    scratch::tempfile::types::{Durability as Level, ErrorCode as Code},
};

/// A case that has the imports to itself; natively it is skipped.
macro_rules! with_imports {
    ($(fn $name:ident($w:ident) $body:block)*) => {$(
        #[cfg(target_arch = "wasm32")]
        fn $name($w: &World) -> Outcome {
            if differences::HAND_OVER.code($w.placement()).is_some() {
                return skip(differences::HAND_OVER.reason);
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
    let naming = Naming { prefix: "d-".into(), suffix: String::new(), random_chars: None, label: None };
    named(&naming, &Place::Scratch).unwrap()
}

#[cfg(target_arch = "wasm32")]
fn a_file_that_is_not_handed_over_stays_usable(w: &World) {
    let (file, _path) = create();
    let refused = hand_over(&file).err().map(|error| error.code);
    assert_eq!(refused, differences::HAND_OVER.code(w.placement()).map(|_| Code::Unsupported));
    if refused.is_some() {
        assert_eq!(file.write(0, b"as before").unwrap(), 9);
        assert_eq!(file.read(0, 100).unwrap(), b"as before");
        file.close().unwrap();
        assert_eq!(hand_over(&file).unwrap_err().code, Code::Closed);
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn a_file_that_is_not_handed_over_stays_usable(_: &World) -> Outcome {
    skip("natively the client has the open file anyway")
}

with_imports! {
    fn the_descriptor_is_the_file(w) {
        let (file, path) = create();
        file.write(0, b"by the provider").unwrap();
        let descriptor = hand_over(&file).unwrap();
        assert_eq!(descriptor.read(3, 0).unwrap().0, b"by ");
        assert_eq!(descriptor.write(b"directly    ", 3).unwrap(), 12);
        assert_eq!(w.read(&w.inside(path.path())), b"by directly    ");
        descriptor.set_size(11).unwrap();
        assert_eq!(path.reopen().unwrap().read(0, 100).unwrap(), b"by directly");
    }

    fn the_file_is_closed_by_it(w) {
        let (file, _path) = create();
        let _descriptor = hand_over(&file).unwrap();
        assert_eq!(file.read(0, 1).unwrap_err().code, Code::Closed);
        assert_eq!(file.write(0, b"x").unwrap_err().code, Code::Closed);
        assert_eq!(file.size().unwrap_err().code, Code::Closed);
        assert_eq!(file.set_size(0).unwrap_err().code, Code::Closed);
        assert_eq!(file.sync(Level::Full).unwrap_err().code, Code::Closed);
        file.close().unwrap();
        file.close().unwrap();
    }

    fn the_name_keeps_its_promise(w) {
        let (file, path) = create();
        let descriptor = hand_over(&file).unwrap();
        drop(file);
        assert!(w.exists(&w.inside(path.path())));
        path.close().unwrap();
        w.assert_empty();
        assert_eq!(descriptor.write(b"nameless", 0).unwrap(), 8);
        assert_eq!(descriptor.read(100, 0).unwrap().0, b"nameless");
    }

    fn an_unnamed_file_lives_in_its_descriptor(w) {
        let file = unnamed(&Place::Scratch).unwrap();
        file.write(0, b"nowhere").unwrap();
        let descriptor = hand_over(&file).unwrap();
        drop(file);
        w.assert_empty();
        assert_eq!(descriptor.read(100, 0).unwrap().0, b"nowhere");
    }

    fn what_is_in_memory_is_not_handed_over(_w) {
        let file = spooled(Some(10), &Place::Scratch).unwrap();
        file.write(0, b"in memory").unwrap();
        assert_eq!(hand_over(&file).unwrap_err().code, Code::Unsupported);
        assert_eq!(file.read(0, 100).unwrap(), b"in memory");
        file.roll_over().unwrap();
        assert_eq!(hand_over(&file).unwrap().read(100, 0).unwrap().0, b"in memory");
        assert_eq!(file.size().unwrap_err().code, Code::Closed);
        assert_eq!(file.roll_over().unwrap_err().code, Code::Closed);
    }

    fn happens_once(w) {
        let (file, _path) = create();
        let _descriptor = hand_over(&file).unwrap();
        assert_eq!(hand_over(&file).unwrap_err().code, Code::Closed);
        let (closed, _path) = create();
        closed.close().unwrap();
        assert_eq!(hand_over(&closed).unwrap_err().code, Code::Closed);
    }
}
