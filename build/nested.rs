//! Nested cargo calls: components that native code builds from the workspace's own sources.
//!
//! A `no_std` component and a `std` one cannot share a call: cargo would unify their features, and
//! the second panic handler would not link. All calls use the workspace's lock file and share one
//! target directory, so that what components have in common is built once, whichever package asks
//! first.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

/// One nested cargo call.
pub(crate) struct Call {
    pub(crate) features: Option<&'static str>,
    pub(crate) packages: &'static [&'static str],
    /// What to keep of the artifacts: the name that cargo gives, and a name to keep it under.
    pub(crate) artifacts: &'static [(&'static str, &'static str)],
}

impl Call {
    /// Builds the packages, and copies their artifacts into the directory `out`.
    pub(crate) fn build(&self, workspace: &Path, out: &Path) -> Result<(), String> {
        ensure_target()?;
        let target = target(workspace);
        // Two calls may give artifacts of one name, with different features: only one at a time
        // builds and copies. Cargo's own lock ends with its build.
        let lock = lock(&target)?;
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace);
        cargo.args(["build", "--quiet", "--locked", "--target", TARGET, "--profile", "component"]);
        cargo.arg("--target-dir").arg(&target);
        for package in self.packages {
            cargo.args(["--package", package]);
        }
        if let Some(features) = self.features {
            cargo.args(["--features", features]);
        }
        let packages = self.packages.join(", ");
        let status = clean(&mut cargo)
            .status()
            .map_err(|cause| format!("start cargo for {packages}: {cause}"))?;
        if !status.success() {
            return Err(format!("{packages} did not build"));
        }
        for (artifact, name) in self.artifacts {
            let built = target.join(TARGET).join("component").join(artifact);
            copy(&built, &out.join(name)).map_err(|cause| {
                format!("copy {} to {}: {cause}", built.display(), out.display())
            })?;
        }
        drop(lock);
        Ok(())
    }
}

/// The target directory of all nested calls: apart from that of the outer cargo, whose lock is
/// held.
fn target(workspace: &Path) -> PathBuf {
    let outer = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace.join(outer).join("components")
}

fn lock(target: &Path) -> Result<File, String> {
    let path = target.join(".artifacts-lock");
    let lock = || {
        fs::create_dir_all(target)?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|cause: std::io::Error| format!("lock {}: {cause}", path.display()))
}

/// Copies a file, unless the copy is the same already: what includes it would be built again for
/// nothing.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::write(to, bytes)
}

/// Makes sure that the target's standard library is there.
fn ensure_target() -> Result<(), String> {
    let installed = || {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let printed = Command::new(rustc).args(["--print", "sysroot"]).output();
        printed.is_ok_and(|output| {
            let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
        })
    };
    if installed() {
        return Ok(());
    }
    let added = clean(Command::new("rustup").args(["target", "add", TARGET])).output();
    if added.is_ok_and(|output| output.status.success()) && installed() {
        return Ok(());
    }
    Err(format!("the Rust target {TARGET} is missing: type `rustup target add {TARGET}`"))
}

/// Takes away what the outer cargo, clippy or a coverage run put into the environment for native
/// code.
fn clean(command: &mut Command) -> &mut Command {
    env::vars_os().map(|(name, _)| name).filter(is_native).for_each(|name| {
        command.env_remove(name);
    });
    command
}

fn is_native(name: &OsString) -> bool {
    const PREFIXES: [&str; 6] = [
        "RUSTC",
        "CARGO_BUILD_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "CARGO_FEATURE_",
        "CARGO_CFG_",
    ];
    const NAMES: [&str; 6] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CLIPPY_ARGS",
        "LLVM_PROFILE_FILE",
        "TARGET",
    ];
    let name = name.to_string_lossy();
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&&*name)
}
