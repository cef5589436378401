//! A plugin with a world of its own: it puts the lines of its input in order, through a temporary
//! file.
//!
//! The input `trap` makes it trap with a temporary file open, so that an embedder can see the
//! outcome of that. Natively this crate is empty.
#![cfg(target_family = "wasm")]

use std::io::{self, BufRead, BufReader, Seek, Write};

use wasi_tempfile::NamedTempFile;

/// The bindings of the world.
#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "wit" });
}

struct Plugin;

bindings::export!(Plugin with_types_in bindings);

impl bindings::Guest for Plugin {
    fn transform(input: Vec<u8>) -> Result<String, String> {
        sorted(&input).map_err(|error| error.to_string())
    }
}

fn sorted(input: &[u8]) -> io::Result<String> {
    let mut file = NamedTempFile::new()?;
    file.write_all(input)?;
    if input == b"trap" {
        panic!("the input asks for it");
    }
    file.rewind()?;
    let mut lines: Vec<String> = BufReader::new(&mut file).lines().collect::<io::Result<_>>()?;
    lines.sort();
    file.close()?;
    Ok(format!("{}: {}", bindings::tenant(), lines.join(" ")))
}
