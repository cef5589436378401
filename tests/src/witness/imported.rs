//! The witness over the imports of a component.

use super::Witness;

wit_bindgen::generate!({ path: "wit", world: "suite" });

use scratch::conformance::witness;

/// The witness that the host provides.
pub struct Imported;

impl Witness for Imported {
    fn begin(&self, case: &str) -> Result<(), String> {
        witness::begin(case)
    }
    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        witness::list(path)
    }
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        witness::read(path)
    }
    fn exists(&self, path: &str) -> Result<bool, String> {
        witness::exists(path)
    }
    fn mode(&self, path: &str) -> Result<u32, String> {
        witness::mode(path)
    }
    fn set_mode(&self, path: &str, mode: u32) -> Result<(), String> {
        witness::set_mode(path, mode)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        witness::write(path, bytes)
    }
    fn plant_link(&self, path: &str, target: &str) -> Result<(), String> {
        witness::plant_link(path, target)
    }
    fn plant_second_name(&self, path: &str, file: &str) -> Result<(), String> {
        witness::plant_second_name(path, file)
    }
    fn plant_directory(&self, path: &str) -> Result<(), String> {
        witness::plant_directory(path)
    }
    fn remove(&self, path: &str) -> Result<(), String> {
        witness::remove(path)
    }
    fn rename(&self, old: &str, new: &str) -> Result<(), String> {
        witness::rename(old, new)
    }
}
