//! Builds the components this crate carries, each kind in a nested cargo call of its own.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

#[path = "build/nested.rs"]
mod nested;
#[path = "build/shrink.rs"]
mod shrink;

use nested::Call;

/// What one call builds.
struct Components {
    call: Call,
    components: &'static [Component],
}

struct Component {
    /// What cargo calls the result.
    artifact: &'static str,
    /// The variable under which `src/components.rs` finds it; a staged component has this name in lower case.
    variable: &'static str,
}

const PROVIDER: Components = Components {
    call: Call { features: None, packages: &["tempfile-provider"] },
    components: &[Component { artifact: "tempfile_provider.wasm", variable: "PROVIDER" }],
};

/// The same with limits, which cost too much to be in every plugin.
const LIMITED_PROVIDER: Components = Components {
    call: Call { features: Some("limits"), packages: &["tempfile-provider"] },
    components: &[Component { artifact: "tempfile_provider.wasm", variable: "LIMITED_PROVIDER" }],
};

/// A provider whose removal lies: the control that a suite which passes everything would not survive.
const BROKEN_PROVIDER: Components = Components {
    call: Call { features: Some("broken-removal"), packages: &["tempfile-provider"] },
    components: &[Component { artifact: "tempfile_provider.wasm", variable: "BROKEN_PROVIDER" }],
};

const PROGRAMS: Components = Components {
    call: Call { features: None, packages: &["conformance-component", "sort", "upload", "test-plugin"] },
    components: &[
        Component { artifact: "conformance-component.wasm", variable: "SUITE" },
        Component { artifact: "sort.wasm", variable: "SORT" },
        Component { artifact: "upload.wasm", variable: "UPLOAD" },
        Component { artifact: "test-plugin.wasm", variable: "TEST_PLUGIN" },
    ],
};

/// A plugin without the client's default features: cargo would unify them with those of the others.
const BARE: Components = Components {
    call: Call { features: None, packages: &["bare-plugin"] },
    components: &[Component { artifact: "bare-plugin.wasm", variable: "BARE_PLUGIN" }],
};

/// What the components are made of, from the workspace's root.
const SOURCES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "core",
    "wasi",
    "guest",
    "client",
    "wit",
    "tests/Cargo.toml",
    "tests/src",
    "tests/component",
    "tests/plugin",
    "tests/bare",
    "examples/sort",
    "examples/upload",
];

fn main() {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));

    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");

    // In the workspace the components are built; a published package carries them, and not their sources.
    let workspace = package.parent().unwrap_or(&package);
    if !workspace.join("guest/Cargo.toml").exists() {
        return staged(&package.join("components"));
    }

    // A path that does not exist would make cargo run this script every time.
    for source in SOURCES.iter().map(|source| workspace.join(source)).filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    println!("cargo:rustc-check-cfg=cfg(test_components)");
    println!("cargo:rustc-cfg=test_components");
    for components in [&PROVIDER, &LIMITED_PROVIDER, &BROKEN_PROVIDER, &PROGRAMS, &BARE] {
        build(workspace, &out, components);
    }
}

/// Uses the components that lie beside a published package.
fn staged(components: &Path) {
    println!("cargo:rustc-check-cfg=cfg(test_components)");
    println!("cargo:rerun-if-changed={}", components.display());
    for name in ["PROVIDER", "LIMITED_PROVIDER", "SUITE", "SORT"] {
        let file = components.join(format!("{}.wasm", name.to_lowercase()));
        if !file.exists() {
            fail(format_args!("{} is missing: the package was made without `just package`", file.display()));
        }
        println!("cargo:rustc-env=COMPONENT_{name}={}", file.display());
    }
}

fn build(workspace: &Path, out: &Path, components: &Components) {
    let artifacts = components.call.build(workspace, out).unwrap_or_else(|cause| fail(cause));
    for component in components.components {
        let built = artifacts.join(component.artifact);
        let kept = out.join(format!("{}.wasm", component.variable.to_lowercase()));
        let bytes =
            fs::read(&built).unwrap_or_else(|cause| fail(format_args!("read {}: {cause}", built.display())));
        let shrunk = shrink::component(&bytes)
            .unwrap_or_else(|cause| fail(format_args!("shrink {}: {cause}", built.display())));
        write(&kept, &shrunk);
        println!("cargo:rustc-env=COMPONENT_{}={}", component.variable, kept.display());
    }
}

/// Writes only what changed, so that what includes the file is not built again for nothing.
fn write(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return;
    }
    if let Err(cause) = fs::write(path, bytes) {
        fail(format_args!("write {}: {cause}", path.display()));
    }
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| fail(format_args!("cargo did not set {name}")))
}

fn fail(reason: impl Display) -> ! {
    eprintln!("{reason}");
    exit(1)
}
