//! The witness: observes and changes a scratch directory from outside the sandbox.

#[cfg(target_arch = "wasm32")]
mod imported;
#[cfg(not(target_arch = "wasm32"))]
mod os;
#[cfg(target_arch = "wasm32")]
mod wasi;

#[cfg(target_arch = "wasm32")]
pub use imported::Imported;
#[cfg(not(target_arch = "wasm32"))]
pub use os::Os;
#[cfg(target_arch = "wasm32")]
pub use wasi::Wasi;

/// Access to a scratch directory that bypasses the interface under test.
/// `scratch:conformance/witness` documents the calls.
#[allow(missing_docs)]
pub trait Witness {
    fn begin(&self, case: &str) -> Result<(), String>;
    fn list(&self, path: &str) -> Result<Vec<String>, String>;
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    fn exists(&self, path: &str) -> Result<bool, String>;
    fn mode(&self, path: &str) -> Result<u32, String>;
    fn set_mode(&self, path: &str, mode: u32) -> Result<(), String>;
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String>;
    fn plant_link(&self, path: &str, target: &str) -> Result<(), String>;
    fn plant_second_name(&self, path: &str, file: &str) -> Result<(), String>;
    fn plant_directory(&self, path: &str) -> Result<(), String>;
    fn remove(&self, path: &str) -> Result<(), String>;
    fn rename(&self, old: &str, new: &str) -> Result<(), String>;
}

/// A witness of the granted directory that contains a path, and the path in it.
#[cfg(target_arch = "wasm32")]
pub(crate) fn granted(path: &str) -> (impl Witness + use<>, String) {
    Wasi::containing(path).unwrap_or_else(|| panic!("no granted directory contains {path}"))
}

/// A witness of the granted directory that contains a path, and the path in it.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn granted(path: &str) -> (impl Witness + use<>, String) {
    (Os::of("/".as_ref()), path.to_owned())
}
