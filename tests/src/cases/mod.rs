//! The cases, a file for each subject. A function missing from its module's list, and a module
//! missing from this one, are dead code, which the build denies.

#![deny(dead_code)]

use crate::Case;

mod atomic;
mod builder;
mod children;
mod client;
mod closed;
mod collision;
mod default_directory;
mod descriptors;
mod directory;
mod errors;
mod extremes;
mod grants;
mod io;
mod isolation;
mod ledger;
mod limits;
mod link;
mod location;
mod messages;
mod metadata;
mod named;
mod names;
mod open_paths;
mod persist;
mod publish;
mod races;
mod removal;
mod reopen;
mod rust_io;
mod scenarios;
mod scope;
mod spooled;
mod spooled_client;
mod streams;
mod text;
mod tools;
mod tutorials;
mod unnamed;

/// The names that every file of cases uses.
mod prelude {
    pub(super) use super::tools::{
        FIFO, FOREIGN, STUCK, child_path, contents, data, fixed, named, pattern, put, quoted,
        shared_directory, stick, unstick,
    };
    pub(super) use crate::case::{
        Case, Grant, Mount, Outcome, Placement, ScratchAccess, Setup, case,
    };
    pub(super) use crate::differences;
    pub(super) use crate::world::{World, assert_code, skip};
    pub(super) use wasi_tempfile::interface::{
        self, Durability, EntryKind, ErrorCode, HandleKind, Location, Options, ReplaceMode, Storage,
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
    publish::CASES,
    link::CASES,
    directory::CASES,
    children::CASES,
    metadata::CASES,
    removal::CASES,
    races::CASES,
    location::CASES,
    grants::CASES,
    default_directory::CASES,
    closed::CASES,
    errors::CASES,
    messages::CASES,
    isolation::CASES,
    open_paths::CASES,
    descriptors::CASES,
    client::CASES,
    builder::CASES,
    spooled::CASES,
    spooled_client::CASES,
    streams::CASES,
    ledger::CASES,
    limits::CASES,
    atomic::CASES,
    scenarios::CASES,
    scope::CASES,
    tutorials::CASES,
    text::CASES,
    extremes::CASES,
];

/// Every case.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    MODULES.iter().copied().flatten()
}

/// The case of this name.
pub fn find(name: &str) -> Option<&'static Case> {
    cases().find(|case| case.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;
    use wasi_tempfile::interface::ErrorCode;

    fn sources() -> Vec<(String, String)> {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cases");
        let source = |path: std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        };
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(source).filter(|(name, _)| name != "mod").collect()
    }

    #[test]
    fn every_file_is_a_module() {
        let this = include_str!("mod.rs");
        for (name, _) in sources() {
            assert!(this.contains(&format!("\nmod {name};")), "{name}.rs is not part of the suite");
        }
    }

    /// The most lines of a function: a case tests one behaviour and fits on a screen.
    const LINES: usize = 60;

    #[test]
    fn no_function_is_long() {
        for (name, text) in sources() {
            let mut begun = 0;
            for (number, line) in text.lines().enumerate() {
                let code = line.trim_start();
                begun = if code.starts_with("fn ") || code.starts_with("pub(super) fn ") {
                    number
                } else {
                    begun
                };
                let ends = line == "}" || line == "    }";
                assert!(
                    !ends || number - begun < LINES,
                    "{name}.rs has a long function that ends in line {}",
                    number + 1
                );
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut seen = HashSet::new();
        cases()
            .for_each(|case| assert!(seen.insert(case.name()), "{} is there twice", case.name()));
    }

    /// No case can cause these: a directory that cannot be synced is in `core/tests/persist.rs`,
    /// and an error of the system that has no code of its own is `other`.
    const OUT_OF_REACH: [ErrorCode; 2] = [ErrorCode::NotDurable, ErrorCode::Other];

    #[test]
    fn every_code_that_can_be_caused_is_asserted() {
        let sources = sources();
        let declared = include_str!("../differences.rs");
        for code in ErrorCode::ALL {
            let variant = format!("ErrorCode::{code:?}");
            let word = |text: &str| {
                text.match_indices(&variant)
                    .any(|(at, _)| !text[at + variant.len()..].starts_with(char::is_alphanumeric))
            };
            let asserted = sources.iter().any(|(_, text)| word(text)) || word(declared);
            let provoked = !OUT_OF_REACH.contains(code);
            assert_eq!(asserted, provoked, "whether a case asserts {code}");
        }
    }
}
