//! Builds the components that the crate contains: the provider and the stubs.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../build/script.rs"]
mod script;

use script::{Call, fail};

const PROVIDER: Call = Call {
    features: None,
    packages: &["tempfile-provider"],
    artifacts: &[("tempfile_provider.wasm", "provider.wasm")],
};

/// The stubs that a plugin is composed with, as text.
const STUBS: &[&str] = &["empty", "granted"];

fn main() {
    let workspace = script::workspace(1);
    let out = PathBuf::from(script::variable("OUT_DIR"));
    script::build(&workspace, &[PROVIDER], &[]);
    stubs(&out);
}

/// Assembles the stubs at build time, so that users of the crate do not build an assembler.
fn stubs(out: &Path) {
    println!("cargo:rerun-if-changed=src/compose");
    for stub in STUBS {
        let source = format!("src/compose/{stub}.wat");
        let assembled = wat::parse_file(&source).unwrap_or_else(|cause| fail(cause));
        let file = out.join(format!("{stub}.wasm"));
        write(&file, &assembled);
        println!("cargo:rustc-env=STUB_{}={}", stub.to_uppercase(), file.display());
    }
}

/// Writes a file unless it has these bytes, because a new time stamp would cause a rebuild.
fn write(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return;
    }
    if let Err(cause) = fs::write(path, bytes) {
        fail(format_args!("write {}: {cause}", path.display()));
    }
}
