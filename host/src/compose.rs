//! Puts the provider inside a plugin, and keeps the plugin away from the provider's directory.
//!
//! A plugin written with a standard library usually imports `wasi:filesystem/preopens`. Composed naively, it would share
//! that import with the provider: it would find the scratch directory there, and go round every rule of the interface. So
//! the plugin's own import is satisfied by a small stub, and only the provider sees the host's list.

use wac_graph::types::{Package, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};

use crate::error::{Error, Source, one_line};

/// The name under which the host shows the scratch directory to the provider.
///
/// It is where POSIX looks for temporary files, and the first of the default places in the interface that every host
/// can serve. A mount of the same name is refused.
pub const SCRATCH_GUEST_PATH: &str = "/tmp";

const EMPTY: &str = include_str!("compose/empty.wat");
const GRANTED: &str = include_str!("compose/granted.wat");

/// What a plugin sees when it asks for its own directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginPreopens {
    /// Nothing. The right choice for a component that will run in a host one does not know.
    Empty,
    /// What the host grants, less the first entry named [`SCRATCH_GUEST_PATH`], which is the provider's. A
    /// [`Sandbox`](crate::Sandbox) grants the directory a second time to a plugin that may see it.
    Granted,
}

/// Composes a plugin with a provider into one component, which exports what the plugin exports.
///
/// Every `scratch:tempfile` interface that the plugin imports comes from the provider, and every version of
/// `wasi:filesystem/preopens` from the stub that `preopens` chooses. All other imports of both stay imports of the result.
/// A plugin that imports nothing of `scratch:tempfile` gets the stub all the same.
///
/// # Errors
///
/// If either is not a component, or if the plugin imports a part of `scratch:tempfile` that the provider does not export in
/// a fitting form.
///
/// # Examples
///
/// ```
/// use wasi_tempfile_host::{PluginPreopens, components, compose};
///
/// let whole = compose(components::SORT, components::PROVIDER, PluginPreopens::Empty)?;
/// assert!(whole.len() > components::PROVIDER.len());
/// # Ok::<(), wasi_tempfile_host::Error>(())
/// ```
pub fn compose(plugin: &[u8], provider: &[u8], preopens: PluginPreopens) -> Result<Vec<u8>, Error> {
    let mut graph = CompositionGraph::new();
    let plugin = register(&mut graph, "plugin", plugin)?;
    let provider = register(&mut graph, "provider", provider)?;

    let socket = graph.instantiate(plugin);
    let mut provider_instance = None;
    for import in imports(&graph, plugin) {
        let served = if let Some(version) = preopens_version(&import) {
            let stub = stub(&mut graph, preopens, version)?;
            Some(alias(&mut graph, stub, &import)?)
        } else if import.starts_with("scratch:tempfile/") {
            let export = matching_export(&graph, provider, &import)?;
            let instance = *provider_instance.get_or_insert_with(|| graph.instantiate(provider));
            Some(alias(&mut graph, instance, &export)?)
        } else {
            None
        };
        if let Some(served) = served {
            graph.set_instantiation_argument(socket, &import, served).map_err(|error| {
                Error::MissingImport { cause: one_line(&error), import, source: Some(error.into()) }
            })?;
        }
    }

    for export in exports(&graph, plugin) {
        let node = alias(&mut graph, socket, &export)?;
        graph.export(node, &export).map_err(|error| invalid("plugin", error))?;
    }
    graph.encode(EncodeOptions::default()).map_err(|error| Error::Compose {
        operation: "compose the plugin with the provider",
        source: error.into(),
    })
}

/// Tells the three kinds of bytes apart that a person might hand over.
pub(crate) fn check_component(what: &'static str, bytes: &[u8]) -> Result<(), Error> {
    // Magic, then a version and a layer of two bytes each: layer 0 is a core module, layer 1 a component.
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(Error::CoreModule { what }),
        _ => Err(Error::NotWasm { what }),
    }
}

fn register(graph: &mut CompositionGraph, what: &'static str, bytes: &[u8]) -> Result<PackageId, Error> {
    check_component(what, bytes)?;
    let name = format!("wasi-tempfile:{what}");
    let package =
        Package::from_bytes(&name, None, bytes, graph.types_mut()).map_err(|error| invalid(what, error))?;
    graph.register_package(package).map_err(|error| invalid(what, error))
}

fn imports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].imports.keys().cloned().collect()
}

fn exports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].exports.keys().cloned().collect()
}

/// The provider's export for one of the plugin's imports: the same name, or a compatible version of it.
fn matching_export(graph: &CompositionGraph, provider: PackageId, import: &str) -> Result<String, Error> {
    let exports = exports(graph, provider);
    exports
        .iter()
        .find(|export| *export == import)
        .or_else(|| exports.iter().find(|export| are_semver_compatible(export, import)))
        .cloned()
        .ok_or_else(|| Error::MissingImport { import: import.to_owned(), cause: String::new(), source: None })
}

/// The version in a name of the preopens interface, with its `@`; empty if it has none.
fn preopens_version(import: &str) -> Option<&str> {
    let version = import.strip_prefix("wasi:filesystem/preopens")?;
    (version.is_empty() || version.starts_with('@')).then_some(version)
}

/// Instantiates the stub for one version of the preopens interface.
fn stub(graph: &mut CompositionGraph, preopens: PluginPreopens, version: &str) -> Result<NodeId, Error> {
    let template = match preopens {
        PluginPreopens::Empty => EMPTY,
        PluginPreopens::Granted => GRANTED,
    };
    let text = template
        .replace("{VERSION}", version)
        .replace("{SCRATCH_LENGTH}", &SCRATCH_GUEST_PATH.len().to_string())
        .replace("{SCRATCH}", SCRATCH_GUEST_PATH);
    let assembled = wat::parse_str(&text).map_err(stub_error)?;
    // One package a version: a plugin may import several.
    let name = format!("wasi-tempfile:preopens{}", version.replace(['@', '.', '+'], "-v"));
    let package = Package::from_bytes(&name, None, assembled, graph.types_mut()).map_err(stub_error)?;
    let package = graph.register_package(package).map_err(stub_error)?;
    Ok(graph.instantiate(package))
}

fn alias(graph: &mut CompositionGraph, instance: NodeId, export: &str) -> Result<NodeId, Error> {
    graph.alias_instance_export(instance, export).map_err(|error| Error::Compose {
        operation: "connect the plugin with the provider",
        source: error.into(),
    })
}

fn stub_error(error: impl Into<Source>) -> Error {
    let operation = "assemble the plugin's wasi:filesystem/preopens";
    Error::Compose { operation, source: error.into() }
}

fn invalid(what: &'static str, error: impl Into<Source>) -> Error {
    Error::Invalid { what, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_stubs_are_valid_components_in_every_spelling_of_the_version() {
        for preopens in [PluginPreopens::Empty, PluginPreopens::Granted] {
            for version in ["", "@0.2.0", "@0.2.12"] {
                stub(&mut CompositionGraph::new(), preopens, version).expect("the stub assembles");
            }
        }
    }

    #[test]
    fn only_the_preopens_interface_is_stubbed() {
        assert_eq!(preopens_version("wasi:filesystem/preopens@0.2.6"), Some("@0.2.6"));
        assert_eq!(preopens_version("wasi:filesystem/preopens"), Some(""));
        assert_eq!(preopens_version("wasi:filesystem/types@0.2.6"), None);
        assert_eq!(preopens_version("wasi:filesystem/preopens-of-another@0.2.6"), None);
    }
}
