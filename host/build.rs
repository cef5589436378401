//! Builds the components this crate carries, each kind in a nested cargo call of its own.
//!
//! A `no_std` component and a `std` one cannot share a call: cargo would unify their features, and the second
//! panic handler would not link. All calls use the workspace's lock file and write below `OUT_DIR`, so they never wait
//! for the lock of the target directory that the outer cargo holds.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

#[path = "build/shrink.rs"]
mod shrink;

const TARGET: &str = "wasm32-wasip2";

/// One nested cargo call.
struct Call {
    /// The call's own target directory: the same package with other features must not overwrite its neighbour.
    directory: &'static str,
    features: Option<&'static str>,
    components: &'static [Component],
}

struct Component {
    package: &'static str,
    /// Where the package lies, from the workspace's root.
    source: &'static str,
    /// What cargo calls the result.
    artifact: &'static str,
    /// The variable under which `src/components.rs` finds it; a staged component has this name in lower case.
    variable: &'static str,
}

const PROVIDER: Call = Call {
    directory: "provider",
    features: None,
    components: &[Component {
        package: "tempfile-provider",
        source: "guest",
        artifact: "tempfile_provider.wasm",
        variable: "PROVIDER",
    }],
};

/// The same with limits, which cost too much to be in every plugin.
const LIMITED_PROVIDER: Call = Call {
    directory: "limited-provider",
    features: Some("limits"),
    components: &[Component {
        package: "tempfile-provider",
        source: "guest",
        artifact: "tempfile_provider.wasm",
        variable: "LIMITED_PROVIDER",
    }],
};

/// A provider whose removal lies: the control that a suite which passes everything would not survive.
const BROKEN_PROVIDER: Call = Call {
    directory: "broken-provider",
    features: Some("broken-removal"),
    components: &[Component {
        package: "tempfile-provider",
        source: "guest",
        artifact: "tempfile_provider.wasm",
        variable: "BROKEN_PROVIDER",
    }],
};

const PROGRAMS: Call = Call {
    directory: "programs",
    features: None,
    components: &[
        Component {
            package: "conformance-component",
            source: "tests/component",
            artifact: "conformance-component.wasm",
            variable: "SUITE",
        },
        Component { package: "sort", source: "examples/sort", artifact: "sort.wasm", variable: "SORT" },
        Component {
            package: "upload",
            source: "examples/upload",
            artifact: "upload.wasm",
            variable: "UPLOAD",
        },
        Component {
            package: "test-plugin",
            source: "tests/plugin",
            artifact: "test-plugin.wasm",
            variable: "TEST_PLUGIN",
        },
    ],
};

/// A plugin without the client's default features: cargo would unify them with those of the others.
const BARE: Call = Call {
    directory: "bare",
    features: None,
    components: &[Component {
        package: "bare-plugin",
        source: "tests/bare",
        artifact: "bare-plugin.wasm",
        variable: "BARE_PLUGIN",
    }],
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
    wit(&package, &out);

    // In the workspace the components are built; a published package carries them, and not their sources.
    let workspace = package.parent().unwrap_or(&package);
    if !workspace.join(PROVIDER.components[0].source).join("Cargo.toml").exists() {
        return staged(&package.join("components"));
    }

    // A path that does not exist would make cargo run this script every time.
    for source in SOURCES.iter().map(|source| workspace.join(source)).filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    println!("cargo:rustc-check-cfg=cfg(test_components)");
    println!("cargo:rustc-cfg=test_components");
    ensure_target();
    for call in [&PROVIDER, &LIMITED_PROVIDER, &BROKEN_PROVIDER, &PROGRAMS, &BARE] {
        build(workspace, &out, call);
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

/// Writes the WIT package as one file: each file's text, with the `package` line only once.
fn wit(package: &Path, out: &Path) {
    let directory = package.join("wit");
    println!("cargo:rerun-if-changed={}", directory.display());
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .unwrap_or_else(|cause| fail(format_args!("read {}: {cause}", directory.display())))
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wit"))
        .collect();
    // The types first, the worlds last, as one reads them.
    files.sort_by_key(|path| {
        let stem = path.file_stem().unwrap_or_default().to_owned();
        (stem == "world", stem != "types", stem != "tempfile", stem)
    });
    let mut text = String::new();
    for file in files {
        let source = fs::read_to_string(&file)
            .unwrap_or_else(|cause| fail(format_args!("read {}: {cause}", file.display())));
        let (head, body) = source.split_once(";\n").unwrap_or(("", &source));
        if text.is_empty() {
            text = format!("{head};\n");
        }
        text.push_str(body);
    }
    write(&out.join("package.wit"), text.as_bytes());
}

/// Makes sure that the target's standard library is there.
fn ensure_target() {
    let installed = || {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let printed = Command::new(rustc).args(["--print", "sysroot"]).output();
        printed.is_ok_and(|output| {
            let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
        })
    };
    if installed() {
        return;
    }
    let added = clean(Command::new("rustup").args(["target", "add", TARGET])).output();
    if added.is_ok_and(|output| output.status.success()) && installed() {
        return;
    }
    fail(format_args!("the Rust target {TARGET} is missing: type `rustup target add {TARGET}`"));
}

fn build(workspace: &Path, out: &Path, call: &Call) {
    let target = out.join(call.directory);
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(workspace);
    cargo.args(["build", "--quiet", "--locked", "--target", TARGET, "--profile", "component"]);
    cargo.arg("--target-dir").arg(&target);
    // No component is a shared library in the sense of the system: addresses may be fixed, which makes code smaller.
    cargo.arg("--config").arg(format!("target.{TARGET}.rustflags=[\"-Crelocation-model=static\"]"));
    for component in call.components {
        cargo.args(["--package", component.package]);
    }
    if let Some(features) = call.features {
        cargo.args(["--features", features]);
    }
    let status = clean(&mut cargo)
        .status()
        .unwrap_or_else(|cause| fail(format_args!("start cargo for {}: {cause}", call.directory)));
    if !status.success() {
        fail(format_args!("the components of `{}` did not build", call.directory));
    }
    for component in call.components {
        let built = target.join(TARGET).join("component").join(component.artifact);
        let kept = out.join(format!("{}.wasm", component.variable.to_lowercase()));
        let bytes =
            fs::read(&built).unwrap_or_else(|cause| fail(format_args!("read {}: {cause}", built.display())));
        let shrunk = shrink::component(&bytes)
            .unwrap_or_else(|cause| fail(format_args!("shrink {}: {cause}", built.display())));
        write(&kept, &shrunk);
        println!("cargo:rustc-env=COMPONENT_{}={}", component.variable, kept.display());
    }
}

/// Takes away what the outer cargo, clippy or a coverage run put into the environment for native code.
fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours_to_drop = text.starts_with("RUSTC")
            || text.starts_with("CARGO_BUILD_")
            || text.starts_with("CARGO_PROFILE_")
            || text.starts_with("CARGO_TARGET_")
            || text.starts_with("CARGO_FEATURE_")
            || text.starts_with("CARGO_CFG_")
            || matches!(
                &*text,
                "RUSTFLAGS"
                    | "RUSTDOCFLAGS"
                    | "CARGO_ENCODED_RUSTFLAGS"
                    | "CLIPPY_ARGS"
                    | "LLVM_PROFILE_FILE"
                    | "TARGET"
            );
        if ours_to_drop {
            command.env_remove(&name);
        }
    }
    command
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
