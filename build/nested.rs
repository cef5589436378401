//! Nested cargo calls: components built by native code, from the workspace's own sources.
//!
//! A `no_std` component and a `std` one cannot share a call: cargo would unify their features, and the second
//! panic handler would not link. All calls use the workspace's lock file, and a target directory of their own, so they never wait
//! for the lock of the one that the outer cargo holds.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

/// One nested cargo call. All of them share a target directory, so that what they have in common is built once; the next one overwrites what
/// has the same name, also where nothing had to be built.
pub(crate) struct Call {
    pub(crate) features: Option<&'static str>,
    pub(crate) packages: &'static [&'static str],
}

impl Call {
    /// Builds the packages, in a directory below `out`, and says where their artifacts are, until the next call.
    pub(crate) fn build(&self, workspace: &Path, out: &Path) -> Result<PathBuf, String> {
        ensure_target()?;
        let target = out.join("components");
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(workspace);
        cargo.args(["build", "--quiet", "--locked", "--target", TARGET, "--profile", "component"]);
        cargo.arg("--target-dir").arg(&target);
        // No component is a shared library in the sense of the system: addresses may be fixed, which makes code smaller.
        cargo.arg("--config").arg(format!("target.{TARGET}.rustflags=[\"-Crelocation-model=static\"]"));
        for package in self.packages {
            cargo.args(["--package", package]);
        }
        if let Some(features) = self.features {
            cargo.args(["--features", features]);
        }
        let status = clean(&mut cargo)
            .status()
            .map_err(|cause| format!("start cargo for {}: {cause}", self.packages.join(", ")))?;
        if status.success() {
            Ok(target.join(TARGET).join("component"))
        } else {
            Err(format!("{} did not build", self.packages.join(", ")))
        }
    }
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

/// Takes away what the outer cargo, clippy or a coverage run put into the environment for native code.
fn clean(command: &mut Command) -> &mut Command {
    env::vars_os().map(|(name, _)| name).filter(is_native).for_each(|name| {
        command.env_remove(name);
    });
    command
}

fn is_native(name: &OsString) -> bool {
    const PREFIXES: [&str; 6] =
        ["RUSTC", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_", "CARGO_FEATURE_", "CARGO_CFG_"];
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
