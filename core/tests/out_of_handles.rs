//! A removal in a process that has no descriptor left. In a program of its own, because the limit
//! is the whole process's. On Linux, because other systems need a descriptor to list a directory.
#![cfg(target_os = "linux")]
#![allow(missing_docs)]

use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile_core::{ErrorCode, Location, Options};

#[allow(dead_code, reason = "other tests use more of it")]
mod stepped;

use stepped::{Stepped, TestContext, TestDir};

#[test]
fn a_directory_that_is_open_is_emptied_without_another_descriptor() {
    let root = TestDir::new();
    let instance = TestContext::new(&root, Stepped::new(|_| Ok(()))).instance();
    let mut dir = instance.directory(&Options::default(), Location::Scratch).unwrap();
    // More than one read of the listing gives.
    for name in 0..1000 {
        drop(dir.create_file(&format!("a-name-of-some-length-{name}")).unwrap());
    }
    dir.create_directory("empty").unwrap();
    dir.create_directory("full").unwrap();
    drop(dir.create_file("full/file").unwrap());

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..limit }).unwrap();
    let failures = dir.close().unwrap_err();
    let listed = dir.entries("").map(|entries| entries.len());
    setrlimit(Resource::Nofile, limit).unwrap();

    // Only what has to be opened stays.
    let path = Path::new(dir.path()).join("full").to_string_lossy().into_owned();
    let found: Vec<_> =
        failures.into_iter().map(|failure| (failure.path, failure.error.code)).collect();
    assert_eq!(found, [(path, ErrorCode::OutOfHandles)]);
    assert_eq!(listed, Ok(1));
    dir.close().unwrap();
    assert_eq!(root.names(), [""; 0]);
}
