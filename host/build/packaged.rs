//! The build script of the published package, in place of `build.rs`: the package carries its
//! components in the folder `components`, and builds none.

fn main() {
    println!("cargo:rerun-if-changed=components");
    let components = std::env::current_dir().expect("a package has a directory").join("components");
    for (variable, file) in [
        ("COMPONENT_PROVIDER", "provider.wasm"),
        ("STUB_EMPTY", "empty.wasm"),
        ("STUB_GRANTED", "granted.wasm"),
    ] {
        println!("cargo:rustc-env={variable}={}", components.join(file).display());
    }
}
