//! What is held in memory.

use std::io::{self, Write};

use wasi_tempfile::SpooledTempFile;

pub(crate) fn run(work: &str, size: usize) -> Option<io::Result<u64>> {
    (work == "spool-memory").then(|| spool_memory(size))
}

/// How many bytes a plugin's memory grows for a spooled file of this size, written in pieces.
fn spool_memory(size: usize) -> io::Result<u64> {
    let piece = [b'x'; 4096];
    let before = pages();
    let mut file = SpooledTempFile::new(size);
    for _ in 0..size / piece.len() {
        file.write_all(&piece)?;
    }
    Ok((pages() - before) * PAGE)
}

const PAGE: u64 = 64 << 10;

#[cfg(target_arch = "wasm32")]
fn pages() -> u64 {
    core::arch::wasm32::memory_size(0) as u64
}

#[cfg(not(target_arch = "wasm32"))]
fn pages() -> u64 {
    0
}
