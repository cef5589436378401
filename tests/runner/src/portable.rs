//! The suite for other hosts: a component that imports nothing but WASI, and what each case needs.

use conformance::{Case, Mount, Planted, ScratchAccess, world};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, PackageId, plug};
use wasi_tempfile_host::{PluginPreopens, SCRATCH_GUEST_PATH, components, compose};

use crate::{Problem, SUITE};

/// The witness on wasi:filesystem.
const WITNESS: &[u8] = include_bytes!(env!("COMPONENT_WITNESS"));

/// The guest path under which the witness has the scratch directory.
pub const WITNESS_GUEST_PATH: &str = "/witness";

/// The suite composed with its witness, which still imports the interface under test.
///
/// # Errors
///
/// If the two do not fit together, which is a mistake in this crate.
pub fn suite() -> Result<Vec<u8>, Problem> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes: &[u8]| -> Result<PackageId, Problem> {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
        Ok(graph.register_package(package)?)
    };
    let socket = register("conformance:suite", SUITE)?;
    let witness = register("conformance:witness", WITNESS)?;
    plug(&mut graph, vec![witness], socket)?;
    Ok(graph.encode(EncodeOptions::default())?)
}

/// The suite composed with its witness and a provider: this one, or the built-in one.
///
/// # Errors
///
/// What is wrong with the provider.
pub fn composed(provider: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    let provider = provider.unwrap_or(components::PROVIDER);
    Ok(compose(&suite()?, provider, PluginPreopens::All)?)
}

/// The preopens that a host gives to a case, by guest path, in this order. Each is an empty
/// directory of its own, except that the witness has the scratch directory.
pub fn preopens(case: &Case) -> Vec<String> {
    let granted = case.setup.grants.iter().map(|grant| format!("/{}", grant.path));
    let scratch = std::iter::once(SCRATCH_GUEST_PATH.to_owned());
    scratch.chain(granted).chain([WITNESS_GUEST_PATH.to_owned()]).collect()
}

/// The environment that a host gives to a case.
pub fn environment(case: &Case) -> Vec<(String, String)> {
    let setup = &case.setup;
    let chosen = setup.environment.unwrap_or_default();
    let mut variables = conformance::setup::environment(chosen, SCRATCH_GUEST_PATH);
    match setup.limits {
        Some(limits) => variables.push(("SCRATCH_LIMITS".to_owned(), limits.to_owned())),
        None if setup.scratch == ScratchAccess::UnlessLimited => {
            variables.push((world::SEES_SCRATCH.to_owned(), "1".to_owned()));
        }
        None => {}
    }
    variables
}

/// What a case needs besides its preopens and its environment, by the words of docs/hosts.md. A
/// host that cannot provide one of them skips the case.
pub fn needs(case: &Case) -> Vec<&'static str> {
    let setup = &case.setup;
    let file_system = |mount: &Mount| matches!(mount, Mount::FileSystem { .. });
    [
        (setup.planted.contains(&Planted::Fifo), "fifo"),
        (setup.planted.contains(&Planted::ForeignName), "foreign-name"),
        (setup.panics.is_some(), "trap"),
        (setup.limits.is_some(), "limits"),
        (setup.open_files.is_some(), "open-files"),
        (setup.mounts.iter().any(file_system), "file-system"),
        (setup.mounts.iter().any(|mount| !file_system(mount)), "mount-point"),
        (setup.grants.iter().any(|grant| grant.file_system), "file-system"),
        (setup.umask.is_some() || setup.unprivileged, "modes"),
        (setup.nowhere, "nowhere"),
    ]
    .into_iter()
    .filter_map(|(needed, word)| needed.then_some(word))
    .collect()
}
