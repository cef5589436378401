//! What an outsider sees of a scratch directory, and may do to it.

#[cfg(target_arch = "wasm32")]
mod imported;
#[cfg(not(target_arch = "wasm32"))]
mod os;

#[cfg(target_arch = "wasm32")]
pub use imported::Imported;
#[cfg(not(target_arch = "wasm32"))]
pub use os::Os;

/// A second pair of eyes and hands. The calls are those of `scratch:conformance/witness`, which documents them.
#[allow(missing_docs)]
pub trait Witness {
    fn begin(&self, case: &str) -> Result<(), String>;
    fn list(&self, path: &str) -> Result<Vec<String>, String>;
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
    fn mode(&self, path: &str) -> Result<Option<u32>, String>;
    fn set_mode(&self, path: &str, mode: u32) -> Result<(), String>;
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String>;
    fn plant_link(&self, path: &str, target: &str) -> Result<(), String>;
    fn plant_second_name(&self, path: &str, file: &str) -> Result<(), String>;
    fn plant_directory(&self, path: &str) -> Result<(), String>;
    fn plant_fifo(&self, path: &str) -> Result<(), String>;
    fn plant_foreign_name(&self, path: &str) -> Result<(), String>;
    fn remove(&self, path: &str) -> Result<(), String>;
    fn rename(&self, old: &str, new: &str) -> Result<(), String>;
}
