//! Reading and writing a file, the same place again and again.

use std::hint::black_box;
use std::io;

use wasi_tempfile::interface::{self, Durability, Location, ReplaceMode};
use wasi_tempfile::{File, NamedTempFile, TempDir, tempfile};

use crate::time;

pub(crate) fn run(work: &str, size: usize, count: u64) -> Option<io::Result<u64>> {
    Some(match work {
        "write" => write(size, count),
        "read" => read(size, count),
        "list-write" => list_write(size, count),
        "list-read" => list_read(size, count),
        "list-spooled" => time(count, list_spooled),
        "persist-full" => persist_full(count),
        "live" => live(size, count),
        "call" => call(count),
        _ => return None,
    })
}

fn write(size: usize, count: u64) -> io::Result<u64> {
    let (file, block) = (tempfile()?, vec![b'x'; size]);
    time(count, || write_all(&file, black_box(&block)))
}

fn write_all(file: &File, block: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while written < block.len() {
        written += file.write_at(&block[written..], written as u64)?;
    }
    Ok(())
}

fn read(size: usize, count: u64) -> io::Result<u64> {
    let (file, mut block) = (tempfile()?, vec![b'x'; size]);
    write_all(&file, &block)?;
    time(count, || {
        let mut read = 0;
        while read < size {
            read += file.read_at(black_box(&mut block[read..]), read as u64)?;
        }
        Ok(())
    })
}

/// Writes through the interface's own function, as clients in other languages do: the bytes pass
/// through the provider.
fn list_write(size: usize, count: u64) -> io::Result<u64> {
    let (file, block) =
        (interface::unnamed(Location::Scratch).map_err(io::Error::other)?, vec![b'x'; size]);
    time(count, || {
        let mut written = 0;
        while written < size {
            let rest = black_box(&block[written..]);
            written += file.write(rest, written as u64).map_err(io::Error::other)? as usize;
        }
        Ok(())
    })
}

fn list_read(size: usize, count: u64) -> io::Result<u64> {
    let file = interface::unnamed(Location::Scratch).map_err(io::Error::other)?;
    let block = vec![b'x'; size];
    let mut written = 0;
    while written < size {
        written +=
            file.write(&block[written..], written as u64).map_err(io::Error::other)? as usize;
    }
    time(count, || {
        let mut read = 0;
        while read < size {
            let wanted = u32::try_from(size - read).unwrap_or(u32::MAX);
            read += black_box(file.read(wanted, read as u64).map_err(io::Error::other)?).len();
        }
        Ok(())
    })
}

/// What the crate's own spooled file does in the plugin's memory, in the provider's.
fn list_spooled() -> io::Result<()> {
    let file = interface::spooled(Some(64 << 10), Location::Scratch).map_err(io::Error::other)?;
    file.write(&[b'x'; 4096], 0).map_err(io::Error::other)?;
    black_box(file.read(4096, 0).map_err(io::Error::other)?);
    Ok(())
}

fn persist_full(count: u64) -> io::Result<u64> {
    let dir = TempDir::new()?;
    let target = dir.path().join("target");
    time(count, || {
        let file = NamedTempFile::new()?;
        Ok(file.persist_with(&target, ReplaceMode::Overwrite, Durability::Full).map(drop)?)
    })
}

/// A call that only looks at what it is called on.
fn call(count: u64) -> io::Result<u64> {
    let file = interface::unnamed(Location::Scratch).map_err(io::Error::other)?;
    time(count, || file.storage().map(drop).map_err(io::Error::other))
}

/// Creating and removing a file while so many others are live.
fn live(others: usize, count: u64) -> io::Result<u64> {
    let others = (0..others).map(|_| Ok(NamedTempFile::new()?.into_temp_path()));
    let others = others.collect::<io::Result<Vec<_>>>()?;
    let took = time(count, || NamedTempFile::new().map(drop));
    drop(others);
    took
}
