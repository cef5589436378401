//! Composes a plugin with a provider component, and decides which directories the plugin sees.
//!
//! A plugin written with a standard library usually imports `wasi:filesystem/preopens`. Composed
//! naively, it would share that import with the provider, and could change the provider's files
//! past every limit. So a small stub satisfies the plugin's import, and only the provider sees the
//! whole list of the host.

use wac_graph::types::{Package, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};
use wasmparser::{Parser, Payload};

use crate::error::{Error, Source, one_line};

/// The path of the scratch directory in a plugin.
///
/// It is the first of the usual directories in which the interface looks for the default directory.
/// A mount of the same name is refused.
pub const SCRATCH_GUEST_PATH: &str = "/tmp";

const EMPTY: &[u8] = include_bytes!(env!("STUB_EMPTY"));
const GRANTED: &[u8] = include_bytes!(env!("STUB_GRANTED"));

/// The export of the stubs. It satisfies an import of any compatible version.
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.0";

/// The directories that a composed plugin sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginPreopens {
    /// All that the host grants, the scratch directory included: other code in the plugin can open
    /// the paths of its temporary files.
    All,
    /// None: the plugin has no file system besides the interface.
    None,
    /// What the host grants, less the first entry named [`SCRATCH_GUEST_PATH`], which is the
    /// provider's. A
    /// [`Sandbox`](crate::Sandbox) grants the directory a second time to a plugin that may see it.
    Granted,
}

/// Composes a plugin with a provider into one component, which exports what the plugin exports.
///
/// Every `scratch:tempfile` interface that the plugin imports comes from the provider, and every
/// version of `wasi:filesystem/preopens` from the stub that `preopens` chooses. All other imports
/// of both stay imports of the result. A plugin that imports nothing of `scratch:tempfile` gets the
/// stub all the same.
///
/// If an export of the plugin mentions a resource of the interface, say as the result of a
/// function, the result also exports the interfaces that the provider serves: otherwise nobody
/// could name the resource.
///
/// # Errors
///
/// If either is not a component, if the plugin has been composed already, if it imports a part of
/// `scratch:tempfile` that the provider does not export in a fitting form, or if it imports
/// `wasi:filesystem/preopens` in a version for which there is no stub: only those of WASI 0.2 have
/// one.
///
/// # Examples
///
/// ```
/// use wasi_tempfile_host::{PluginPreopens, components, compose};
///
/// # let file = test_plugins::SORT;
/// let plugin = std::fs::read(file)?;
/// let whole = compose(&plugin, components::PROVIDER, PluginPreopens::None)?;
/// assert!(whole.len() > components::PROVIDER.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compose(plugin: &[u8], provider: &[u8], preopens: PluginPreopens) -> Result<Vec<u8>, Error> {
    match connect(plugin, provider, preopens, Served::Hidden) {
        Err(unnamed @ Error::Compose { .. }) => {
            connect(plugin, provider, preopens, Served::Exported).map_err(|_| unnamed)
        }
        other => other,
    }
}

/// Whether a plugin has been composed with a provider already: a component inside it exports the
/// interface, and the plugin does not import it.
pub(crate) fn has_provider<'a>(plugin: &[u8], mut imports: impl Iterator<Item = &'a str>) -> bool {
    !imports.any(is_scratch)
        && Parser::new(0).parse_all(plugin).map_while(Result::ok).any(|payload| match payload {
            Payload::ComponentExportSection(exports) => {
                exports.into_iter().flatten().any(|export| is_scratch(export.name.name))
            }
            _ => false,
        })
}

/// Whether the interfaces that the provider serves to the plugin are exports of the result too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    Hidden,
    Exported,
}

fn connect(
    bytes: &[u8],
    provider: &[u8],
    preopens: PluginPreopens,
    interfaces: Served,
) -> Result<Vec<u8>, Error> {
    let mut graph = CompositionGraph::new();
    let plugin = register(&mut graph, "plugin", bytes)?;
    let provider = register(&mut graph, "provider", provider)?;
    let plugin_imports = imports(&graph, plugin);
    if has_provider(bytes, plugin_imports.iter().map(String::as_str)) {
        return Err(Error::HasProvider);
    }

    let socket = graph.instantiate(plugin);
    let (mut provider_instance, mut stub_instance) = (None, None);
    for import in plugin_imports {
        let served = if is_preopens(&import) && preopens == PluginPreopens::All {
            None
        } else if is_preopens(&import) {
            if !are_semver_compatible(PREOPENS, &import) {
                let cause =
                    "the plugin can be kept from the scratch directory only in WASI 0.2".to_owned();
                return Err(Error::MissingImport { import, cause, source: None });
            }
            let instance = match stub_instance {
                Some(instance) => instance,
                None => *stub_instance.insert(stub(&mut graph, preopens)?),
            };
            Some(alias(&mut graph, instance, PREOPENS)?)
        } else if is_scratch(&import) {
            let export = matching_export(&graph, provider, &import)?;
            let instance = *provider_instance.get_or_insert_with(|| graph.instantiate(provider));
            let node = alias(&mut graph, instance, &export)?;
            if interfaces == Served::Exported {
                graph.export(node, &export).map_err(|error| invalid("provider", error))?;
            }
            Some(node)
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

/// Checks that the bytes are a component, and says what else they are.
pub(crate) fn check_component(what: &'static str, bytes: &[u8]) -> Result<(), Error> {
    // The magic number, then a version and a layer of two bytes each: layer 0 is a core module,
    // layer 1 a component.
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(Error::CoreModule { what }),
        _ => Err(Error::NotWasm { what }),
    }
}

fn register(
    graph: &mut CompositionGraph,
    what: &'static str,
    bytes: &[u8],
) -> Result<PackageId, Error> {
    check_component(what, bytes)?;
    let name = format!("wasi-tempfile:{what}");
    let package = Package::from_bytes(&name, None, bytes, graph.types_mut())
        .map_err(|error| invalid(what, error))?;
    graph.register_package(package).map_err(|error| invalid(what, error))
}

fn imports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].imports.keys().cloned().collect()
}

fn exports(graph: &CompositionGraph, package: PackageId) -> Vec<String> {
    graph.types()[graph[package].ty()].exports.keys().cloned().collect()
}

/// The provider's export for one of the plugin's imports: the same name, or a compatible version of
/// it.
fn matching_export(
    graph: &CompositionGraph,
    provider: PackageId,
    import: &str,
) -> Result<String, Error> {
    let exports = exports(graph, provider);
    exports
        .iter()
        .find(|export| *export == import)
        .or_else(|| exports.iter().find(|export| are_semver_compatible(export, import)))
        .cloned()
        .ok_or_else(|| {
            let version = served_version(import, exports.iter().map(String::as_str));
            let cause = version.map_or_else(
                || "the provider does not export it".to_owned(),
                |version| format!("the provider has version {version} of it"),
            );
            Error::MissingImport { import: import.to_owned(), cause, source: None }
        })
}

/// The version of an import that is served, where it is not the one that is imported.
pub(crate) fn served_version<'a>(
    import: &str,
    served: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let (name, _) = import.split_once('@')?;
    let mut served = served.into_iter().filter_map(|served| served.split_once('@'));
    served.find(|(served, _)| *served == name).map(|(_, version)| version)
}

/// Whether an import is a part of `scratch:tempfile` or of its bridge to WASI.
pub(crate) fn is_scratch(import: &str) -> bool {
    import.starts_with("scratch:tempfile/") || import.starts_with("scratch:tempfile-wasi/")
}

/// Whether an import is the preopens interface, of whatever version.
fn is_preopens(import: &str) -> bool {
    import.split('@').next() == Some("wasi:filesystem/preopens")
}

/// Instantiates a stub for the preopens interface.
fn stub(graph: &mut CompositionGraph, preopens: PluginPreopens) -> Result<NodeId, Error> {
    let stub = if preopens == PluginPreopens::None { EMPTY } else { GRANTED };
    let package = register(graph, "stub", stub)?;
    Ok(graph.instantiate(package))
}

fn alias(graph: &mut CompositionGraph, instance: NodeId, export: &str) -> Result<NodeId, Error> {
    graph.alias_instance_export(instance, export).map_err(|error| Error::Compose {
        operation: "connect the plugin with the provider",
        source: error.into(),
    })
}

fn invalid(what: &'static str, error: impl Into<Source>) -> Error {
    Error::Invalid { what, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_preopens_interface_is_stubbed() {
        assert!(is_preopens("wasi:filesystem/preopens@0.2.6"));
        assert!(is_preopens("wasi:filesystem/preopens"));
        assert!(!is_preopens("wasi:filesystem/types@0.2.6"));
        assert!(!is_preopens("wasi:filesystem/preopens-of-another@0.2.6"));
    }

    #[test]
    fn preopens_without_a_stub_are_refused() {
        for version in ["", "@0.3.0", "@0.2.0-rc-2023-11-10"] {
            let text =
                format!(r#"(component (import "wasi:filesystem/preopens{version}" (instance)))"#);
            let plugin = wat::parse_str(text).expect("a component");
            let composed = compose(&plugin, crate::components::PROVIDER, PluginPreopens::None);
            assert!(
                matches!(composed, Err(Error::MissingImport { .. })),
                "{version}: {composed:?}"
            );
        }
    }
}
