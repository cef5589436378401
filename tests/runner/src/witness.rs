//! The witness that the suite's component imports, served from the operating system.

use conformance::witness::{Os, Witness};
use wasi_tempfile_host::State;
use wasmtime::component::Linker;

/// Serves `scratch:conformance/witness` for the scratch directory of each run.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut witness = linker.instance("scratch:conformance/witness@0.1.0")?;
    macro_rules! serve {
        ($($name:literal: $method:ident($($argument:ident: $type:ty),*);)*) => {$(
            witness.func_wrap($name, |store, ($($argument,)*): ($($type,)*)| {
                Ok((Os::of(store.data().scratch_path()).$method($(&$argument),*),))
            })?;
        )*};
    }
    serve! {
        "begin": begin(case: String);
        "list": list(path: String);
        "read": read(path: String);
        "exists": exists(path: String);
        "mode": mode(path: String);
        "write": write(path: String, bytes: Vec<u8>);
        "plant-link": plant_link(path: String, target: String);
        "plant-second-name": plant_second_name(path: String, file: String);
        "plant-directory": plant_directory(path: String);
        "remove": remove(path: String);
        "rename": rename(old: String, new: String);
    }
    witness.func_wrap("set-mode", |store, (path, mode): (String, u32)| {
        Ok((Os::of(store.data().scratch_path()).set_mode(&path, mode),))
    })
}
