//! Unnamed files on a system that has none: a private name, which goes at once.
#![cfg(unix)]
#![allow(missing_docs)]

use std::os::unix::fs::PermissionsExt;

use tempfile_core::{Durability, ErrorCode, Location, Options};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{OPTIONAL_CALLS, Stepped, TestContext, TestDir, TestInstance};

/// A user of a system that lacks every call which some systems lack.
fn instance(root: &TestDir) -> TestInstance<Stepped> {
    let lacks = |call| OPTIONAL_CALLS.contains(&call);
    let platform =
        Stepped::new(move |call| if lacks(call) { Err(ErrorCode::Unsupported) } else { Ok(()) });
    let instance = TestContext::new(root, platform).instance();
    instance.default_directory().unwrap();
    instance
}

#[test]
fn the_private_name_goes_at_once() {
    let root = TestDir::new();
    let file = instance(&root).unnamed(Location::Scratch).unwrap();
    assert_eq!(root.names(), [""; 0]);
    file.write(b"bytes", 0).unwrap();
    assert_eq!(file.read(9, 0).unwrap(), b"bytes");
    let metadata = file.get_ref().unwrap().metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_spooled_file_moves_to_one() {
    let root = TestDir::new();
    let mut file = instance(&root).spooled(Some(4), Location::Scratch).unwrap();
    file.write(b"12345", 0).unwrap();
    assert_eq!(root.names(), [""; 0]);
    assert_eq!(file.read(9, 0).unwrap(), b"12345");
}

#[test]
fn it_outlives_the_directory_that_it_is_made_in() {
    let root = TestDir::new();
    let instance = instance(&root);
    let mut dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
    let file = instance.unnamed(Location::Within(&dir)).unwrap();
    file.write(b"bytes", 0).unwrap();
    dir.close().unwrap();
    assert_eq!(file.read(9, 0).unwrap(), b"bytes");
}

#[test]
fn it_is_not_linked() {
    let root = TestDir::new();
    let instance = instance(&root);
    let mut file = instance.unnamed(Location::Scratch).unwrap();
    let linked = file.link(&root.join("target"), Durability::None);
    assert_eq!(linked.map_err(|error| error.code), Err(ErrorCode::Unsupported));
    assert_eq!(root.names(), [""; 0]);
}
