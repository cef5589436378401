//! The paths of components that only tests and benchmarks run, built from this workspace.

/// A provider whose removal does nothing and reports success: a suite that it passes tests nothing.
pub const BROKEN_PROVIDER: &str = env!("COMPONENT_BROKEN_PROVIDER");

/// A plugin with a subcommand for every way to misbehave.
pub const PLUGIN: &str = env!("COMPONENT_TEST_PLUGIN");

/// A component that draws names, whose instance a test copies.
pub const NAMES_PLUGIN: &str = env!("COMPONENT_NAMES_PLUGIN");

/// A plugin whose imports name no file system.
pub const BARE_PLUGIN: &str = env!("COMPONENT_BARE_PLUGIN");

/// The example plugin for a command: an external merge sort.
pub const SORT: &str = env!("COMPONENT_SORT");

/// The example plugin for a service: it takes an upload in.
pub const UPLOAD: &str = env!("COMPONENT_UPLOAD");

/// The example plugin with a world of its own.
pub const TRANSFORM: &str = env!("COMPONENT_TRANSFORM");
