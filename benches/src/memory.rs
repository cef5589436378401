//! What is held: an instance with a file, and a spooled file's bytes.

use std::io::{self, Write};
use std::mem;

use wasi_tempfile::{NamedTempFile, SpooledTempFile};

pub(crate) fn run(work: &str, size: usize, count: u64) -> Option<io::Result<u64>> {
    Some(match work {
        "nothing" => Ok(0),
        "first" => first(count),
        "hold" => hold(count),
        "spool-memory" => spool_memory(size),
        _ => return None,
    })
}

/// The only thing a plugin does: nothing is warmed up.
fn first(count: u64) -> io::Result<u64> {
    (0..count).try_for_each(|_| NamedTempFile::new().map(drop))?;
    Ok(0)
}

/// Files that stay open with their instance, for as long as the host lets it live.
fn hold(count: u64) -> io::Result<u64> {
    (0..count).try_for_each(|_| NamedTempFile::new().map(mem::forget))?;
    Ok(0)
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
