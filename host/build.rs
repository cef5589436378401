//! Builds what the crate carries: the provider component, the stubs and the text of the WIT package.

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
    wit(&workspace.join("wit"), &out);
}

/// Assembles the stubs. Here and not when a plugin is composed: then nobody who uses the crate builds an
/// assembler.
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

/// Writes the WIT package as one file: each file's text, with the `package` line only once.
fn wit(directory: &Path, out: &Path) {
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
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
    let file = out.join("package.wit");
    write(&file, text.as_bytes());
    println!("cargo:rustc-env=WIT_PACKAGE={}", file.display());
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
