//! The least cost of a plugin's reads and writes: WASI's own calls on a descriptor.

use std::hint::black_box;
use std::io;

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::time;

pub(crate) fn run(work: &str, count: u64) -> Option<io::Result<u64>> {
    let (name, size) = work.split_once(':')?;
    let size = size.parse().ok()?;
    Some(match name {
        "wasi-write" => write(size, count),
        "wasi-read" => read(size, count),
        _ => return None,
    })
}

fn write(size: usize, count: u64) -> io::Result<u64> {
    let (file, block) = (file()?, vec![b'x'; size]);
    time(count, || write_all(&file, black_box(&block)))
}

fn read(size: usize, count: u64) -> io::Result<u64> {
    let file = file()?;
    write_all(&file, &vec![b'x'; size])?;
    time(count, || {
        let mut read = 0;
        while read < size {
            let (bytes, _) = file.read((size - read) as u64, read as u64).map_err(failure)?;
            read += black_box(bytes).len();
        }
        Ok(())
    })
}

fn write_all(file: &Descriptor, block: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while written < block.len() {
        written += file.write(&block[written..], written as u64).map_err(failure)? as usize;
    }
    Ok(())
}

/// A file in the first preopen, which no name leads to any more.
fn file() -> io::Result<Descriptor> {
    let (dir, _) = get_directories().swap_remove(0);
    let (create, rights) =
        (OpenFlags::CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::READ | DescriptorFlags::WRITE);
    let file = dir.open_at(PathFlags::empty(), "floor", create, rights).map_err(failure)?;
    dir.unlink_file_at("floor").map_err(failure)?;
    Ok(file)
}

fn failure(code: ErrorCode) -> io::Error {
    io::Error::other(code)
}
