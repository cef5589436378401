//! The crate as a dependency of packages outside of this workspace.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CLIENT: &str = env!("CARGO_MANIFEST_DIR");

/// Creates a package, or a workspace with the package in `plugin/` if `workspace` is its manifest.
fn package(name: &str, workspace: Option<&str>, manifest: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if root.exists() {
        fs::remove_dir_all(&root).unwrap();
    }
    let package = if workspace.is_some() { root.join("plugin") } else { root.clone() };
    fs::create_dir_all(package.join("src")).unwrap();
    if let Some(workspace) = workspace {
        fs::write(root.join("Cargo.toml"), workspace).unwrap();
    }
    fs::write(package.join("Cargo.toml"), manifest.replace("{client}", CLIENT)).unwrap();
    fs::write(package.join("src/main.rs"), program).unwrap();
    // The versions that are at hand without a network.
    fs::copy(Path::new(CLIENT).join("../../Cargo.lock"), root.join("Cargo.lock")).unwrap();
    root
}

/// Runs cargo in a package and returns its output. Dependencies are built once for all tests.
fn cargo(package: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env::var_os("CARGO").unwrap())
        .args(arguments)
        .arg("--offline")
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages"))
        .current_dir(package)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?} in {}: {errors}", package.display());
    String::from_utf8(output.stdout).unwrap()
}

const CHECK: &[&str] = &["check", "--target", "wasm32-wasip2"];
const PROGRAM: &str = "fn main() { wasi_tempfile::NamedTempFile::new().unwrap(); }";

/// Cargo's first resolver adds up the features of a dependency over all targets.
#[test]
fn a_workspace_without_a_resolver_builds_for_wasm() {
    let manifest = r#"
        [package]
        name = "plugin"
        edition = "2021"
        [dependencies]
        wasi-tempfile = { path = '{client}' }
    "#;
    let workspace = "[workspace]\nmembers = ['plugin']\n";
    cargo(&package("without-resolver", Some(workspace), manifest, PROGRAM), CHECK);
}

#[test]
fn a_package_of_edition_2018_builds_for_wasm() {
    let manifest = r#"
        [package]
        name = "plugin"
        edition = "2018"
        [dependencies]
        wasi-tempfile = { path = '{client}' }
        [workspace]
    "#;
    cargo(&package("edition-2018", None, manifest, PROGRAM), CHECK);
}

#[test]
fn a_dependency_on_tempfile_is_patched() {
    let manifest = r#"
        [package]
        name = "patched"
        edition = "2021"
        [dependencies]
        tempfile = "3"
        [patch.crates-io]
        tempfile = { path = '{client}/shim' }
        [workspace]
    "#;
    let program = r#"
        use std::io::Write;

        fn main() -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new()?;
            file.write_all(b"patched")?;
            println!("{}", std::any::type_name_of_val(file.as_file()));
            file.close()
        }
    "#;
    let printed = cargo(&package("patched", None, manifest, program), &["run", "--quiet"]);
    assert!(printed.starts_with("wasi_tempfile::"), "{printed}");
}
