//! The witness as a component on wasi:filesystem, with which the suite runs on any WASI host.
//!
//! The host grants the scratch directory twice: as `/tmp`, for the provider, and as `/witness`, for
//! this component. It serves the suite's own `wasi:filesystem/preopens` too, so that neither of the
//! two is in it: the suite must use the interface. On other targets the crate is empty.
#![cfg(target_arch = "wasm32")]

use conformance::witness::{Wasi, Witness};
use conformance::world::SEES_SCRATCH;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::Descriptor;

/// Generated from the world `composed`.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../wit/wasi/io.wit",
            "../../wit/wasi/clocks.wit",
            "../../wit/wasi/filesystem.wit",
            "../wit",
            "wit",
        ],
        world: "scratch:conformance-witness/composed",
        with: {
            "wasi:clocks/wall-clock@0.2.0": wasip2::clocks::wall_clock,
            "wasi:filesystem/types@0.2.0": wasip2::filesystem::types,
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
    });
    export!(Composed with_types_in self);
    use super::Composed;
}

use bindings::exports::scratch::conformance::witness;
use bindings::exports::wasi::filesystem::preopens;

/// The guest path of the scratch directory for the provider.
const SCRATCH: &str = "/tmp";

/// The guest path of the scratch directory for the witness.
const WITNESS: &str = "/witness";

struct Composed;

impl preopens::Guest for Composed {
    fn get_directories() -> Vec<(Descriptor, String)> {
        let sees_scratch = std::env::var_os(SEES_SCRATCH).is_some();
        let hidden = |name: &str| name == WITNESS || name == SCRATCH && !sees_scratch;
        get_directories().into_iter().filter(|(_, name)| !hidden(name)).collect()
    }
}

/// The witness of the directory [`WITNESS`].
fn granted() -> Result<Wasi, String> {
    let mut directories = get_directories().into_iter();
    let (directory, _) = directories
        .find(|(_, name)| name == WITNESS)
        .ok_or_else(|| format!("the host grants no directory {WITNESS}"))?;
    Ok(Wasi::of(directory))
}

impl witness::Guest for Composed {
    fn begin(case: String) -> Result<(), String> {
        granted()?.begin(&case)
    }
    fn list(path: String) -> Result<Vec<String>, String> {
        granted()?.list(&path)
    }
    fn read(path: String) -> Result<Vec<u8>, String> {
        granted()?.read(&path)
    }
    fn exists(path: String) -> Result<bool, String> {
        granted()?.exists(&path)
    }
    fn mode(path: String) -> Result<u32, String> {
        granted()?.mode(&path)
    }
    fn set_mode(path: String, mode: u32) -> Result<(), String> {
        granted()?.set_mode(&path, mode)
    }
    fn write(path: String, bytes: Vec<u8>) -> Result<(), String> {
        granted()?.write(&path, &bytes)
    }
    fn plant_link(path: String, target: String) -> Result<(), String> {
        granted()?.plant_link(&path, &target)
    }
    fn plant_second_name(path: String, file: String) -> Result<(), String> {
        granted()?.plant_second_name(&path, &file)
    }
    fn plant_directory(path: String) -> Result<(), String> {
        granted()?.plant_directory(&path)
    }
    fn remove(path: String) -> Result<(), String> {
        granted()?.remove(&path)
    }
    fn rename(old: String, new: String) -> Result<(), String> {
        granted()?.rename(&old, &new)
    }
}
