//! A plugin that imports no file system: scratch space is all it has.

use std::io::{Read, Seek, Write};

use wasi_tempfile::NamedTempFile;

fn main() -> std::io::Result<()> {
    let mut file = NamedTempFile::new()?;
    file.write_all(b"without a file system")?;
    let mut again = file.reopen()?;
    again.rewind()?;
    let mut text = String::new();
    again.read_to_string(&mut text)?;
    println!("{} in {}", text, file.path().display());
    // On Windows, wasmtime lets nobody remove a file that it has opened by its path.
    drop(again);
    let dir = wasi_tempfile::tempdir()?;
    dir.create_file("child")?.write_all(b"child")?;
    dir.close()?;
    file.close()
}
