//! What the build scripts of this workspace share: components built in nested cargo calls.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::exit;

#[path = "nested.rs"]
mod nested;

pub(crate) use nested::Call;

/// What every component is made of, from the workspace's root.
const SOURCES: &[&str] =
    &["Cargo.toml", "Cargo.lock", "build", "core", "wasi", "guest", "clients/rust", "wit"];

/// Builds components. Where each is, the package finds in a variable: `COMPONENT_SORT` for
/// `sort.wasm`.
///
/// `sources` is what these components are made of besides the provider and the client.
pub(crate) fn build(workspace: &Path, calls: &[Call], sources: &[&str]) {
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES.iter().chain(sources) {
        println!("cargo:rerun-if-changed={}", workspace.join(source).display());
    }
    let out = PathBuf::from(variable("OUT_DIR"));
    for call in calls {
        call.build(workspace, &out).unwrap_or_else(|cause| fail(cause));
        for (_, name) in call.artifacts {
            let stem = name.trim_end_matches(".wasm").to_uppercase().replace('-', "_");
            println!("cargo:rustc-env=COMPONENT_{stem}={}", out.join(name).display());
        }
    }
}

/// The workspace's root, `up` folders above the package.
pub(crate) fn workspace(up: usize) -> PathBuf {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(up).unwrap_or(&package).to_owned()
}

pub(crate) fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| fail(format_args!("cargo did not set {name}")))
}

pub(crate) fn fail(reason: impl Display) -> ! {
    eprintln!("{reason}");
    exit(1)
}
