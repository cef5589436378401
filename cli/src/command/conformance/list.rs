//! The list of cases, with what a host has to prepare for each.

use std::collections::BTreeMap;

use conformance_runner::{Case, Mount, Planted, portable};
use serde::Serialize;
use serde_json::json;

/// The names of the cases, a line each.
pub(super) fn names(cases: impl Iterator<Item = &'static Case>) -> String {
    cases.map(|case| case.name() + "\n").collect()
}

/// An object of JSON for each case, a line each.
pub(super) fn objects(cases: impl Iterator<Item = &'static Case>) -> String {
    cases.map(|case| format!("{}\n", json!(Line::of(case)))).collect()
}

/// What docs/hosts.md says of a case's setup.
#[derive(Serialize)]
struct Line {
    case: String,
    preopens: Vec<String>,
    environment: BTreeMap<String, String>,
    planted: Vec<Entry>,
    panics: Option<&'static str>,
    may_remain: Vec<&'static str>,
    needs: Vec<&'static str>,
    limits: Option<&'static str>,
    open_files: Option<u64>,
    mounts: Vec<Mounted>,
    file_systems: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    kind: &'static str,
    path: &'static str,
}

#[derive(Serialize)]
struct Mounted {
    path: &'static str,
    /// In bytes; none for a mount point that is a file.
    size: Option<u64>,
    read_only: bool,
}

impl Line {
    fn of(case: &Case) -> Self {
        let setup = &case.setup;
        let planted = |planted: &Planted| {
            let kind = match planted {
                Planted::Fifo => "fifo",
                Planted::ForeignName => "foreign-name",
            };
            Entry { kind, path: planted.name() }
        };
        let mounted = |mount: &Mount| match *mount {
            Mount::FileSystem { name, size, read_only } => {
                Mounted { path: name, size: Some(size), read_only }
            }
            Mount::BusyFile { name } => Mounted { path: name, size: None, read_only: false },
        };
        let file_systems = setup.grants.iter().filter(|grant| grant.file_system);
        Line {
            case: case.name(),
            preopens: portable::preopens(case),
            environment: portable::environment(case).into_iter().collect(),
            planted: setup.planted.iter().map(planted).collect(),
            panics: setup.panics,
            may_remain: setup.names().collect(),
            needs: portable::needs(case),
            limits: setup.limits,
            open_files: setup.open_files,
            mounts: setup.mounts.iter().map(mounted).collect(),
            file_systems: file_systems.map(|grant| format!("/{}", grant.path)).collect(),
        }
    }
}
