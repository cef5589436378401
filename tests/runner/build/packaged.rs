//! The build script of the published package, in place of `build.rs`: the package carries its
//! components in the folder `components`, and builds none.

fn main() {
    println!("cargo:rerun-if-changed=components");
    let package = std::env::current_dir().expect("a package has a directory");
    println!("cargo:rustc-env=COMPONENT_SUITE={}", package.join("components/suite.wasm").display());
    println!(
        "cargo:rustc-env=COMPONENT_WITNESS={}",
        package.join("components/witness.wasm").display()
    );
}
