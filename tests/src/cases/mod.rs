//! The cases, a file for each theme. A function that its module does not list, or a list that is not named here, is unused code,
//! which the build refuses.

#![deny(dead_code)]

use crate::Case;

mod children;
mod closed;
mod collision;
mod default_directory;
mod directory;
mod errors;
mod io;
mod isolation;
mod link;
mod location;
mod named;
mod names;
mod persist;
mod removal;
mod reopen;
mod rust_io;
mod scenarios;
mod tools;
mod unnamed;

/// What a case file needs.
mod prelude {
    pub(super) use super::tools::{contents, data, fixed, named, pattern, put};
    pub(super) use crate::case::{Case, Mount, Outcome, Placement, Setup, case};
    pub(super) use crate::differences;
    pub(super) use crate::world::{World, assert_code, skip};
    pub(super) use wasi_tempfile::interface::{
        self, Durability, EntryKind, ErrorCode, Location, Options, ReplaceMode,
    };
}

const MODULES: &[&[Case]] = &[
    unnamed::CASES,
    named::CASES,
    names::CASES,
    collision::CASES,
    io::CASES,
    rust_io::CASES,
    reopen::CASES,
    persist::CASES,
    link::CASES,
    directory::CASES,
    children::CASES,
    removal::CASES,
    location::CASES,
    default_directory::CASES,
    closed::CASES,
    errors::CASES,
    isolation::CASES,
    scenarios::CASES,
];

/// Every case.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    MODULES.iter().copied().flatten()
}

/// The case of this name.
pub fn find(name: &str) -> Option<&'static Case> {
    cases().find(|case| case.name() == name)
}
