//! Files, names and directories that are dropped in every order.
//!
//! Some hosts remove no name of an open file. Nothing may stay there either, whichever is dropped
//! first.

use std::io::{Error, Read, Result, Write};

use wasi_tempfile::interface::leftovers;
use wasi_tempfile::{File, NamedTempFile, env, spooled_tempfile, tempdir, tempdir_in, tempfile};

type Order = (&'static str, fn() -> Result<()>);

const ORDERS: &[Order] = &[
    ("a named file", || {
        written()?;
        Ok(())
    }),
    ("a named file that was never used", || NamedTempFile::new().map(drop)),
    ("the name first, then the file", || {
        let (file, path) = written()?.into_parts();
        drop(path);
        drop(file);
        Ok(())
    }),
    ("the file first, then the name", || {
        let (file, path) = written()?.into_parts();
        drop(file);
        drop(path);
        Ok(())
    }),
    ("the name first, of a file that was never used", || {
        let (file, path) = NamedTempFile::new()?.into_parts();
        drop(path);
        drop(file);
        Ok(())
    }),
    ("the file without its name", || {
        let mut file = written()?.into_file();
        file.write_all(b"more")
    }),
    ("the name before two files", || {
        let (first, path) = written()?.into_parts();
        let mut second = path.reopen()?;
        second.write_all(b"again")?;
        drop(path);
        drop(first);
        second.write_all(b"more")
    }),
    ("a clone last", || {
        let (file, path) = written()?.into_parts();
        let clone = file.try_clone()?;
        drop((path, file));
        drop(clone);
        Ok(())
    }),
    ("a directory", || tempdir().map(drop)),
    ("a directory with a file that was closed", || {
        let dir = tempdir()?;
        dir.create_dir("sub")?;
        drop(dir.create_file("sub/file")?);
        drop(dir);
        Ok(())
    }),
    ("a directory that moves out of another", || {
        let outer = tempdir()?;
        let inner = tempdir_in(&outer)?;
        drop(inner.create_file("file")?);
        let kept = env::temp_dir().join("kept");
        inner.persist(&kept)?;
        drop(outer);
        std::fs::remove_dir_all(kept)
    }),
    ("a file that moves between directories while it is open", || {
        let dir = tempdir()?;
        dir.create_dir("one")?;
        dir.create_dir("two")?;
        let mut file = dir.create_file("one/file")?;
        file.write_all(b"bytes")?;
        dir.rename("one/file", "two/moved")?;
        file.write_all(b" and more")?;
        holds(&mut dir.open_file("two/moved")?, "bytes and more")
    }),
    ("a file that is persisted while it is open twice", || {
        let mut file = written()?;
        let mut other = file.reopen()?;
        let kept = env::temp_dir().join("kept");
        file.write_all(b" and more")?;
        drop(file.persist(&kept)?);
        holds(&mut other, "bytes and more")?;
        drop(other);
        std::fs::remove_file(kept)
    }),
    ("names that some systems take for others", || {
        let dir = tempdir()?;
        dir.create_file("x")?.write_all(b"bytes")?;
        for other in ["x.", "x ", "s\\..\\x"] {
            // They are other names, or refused.
            if let Ok(mut file) = dir.create_file(other) {
                file.write_all(b"other")?;
            }
            let _ = dir.remove(other);
        }
        holds(&mut dir.open_file("x")?, "bytes")
    }),
    ("a directory before the file in it", || {
        let dir = tempdir()?;
        dir.create_dir("sub")?;
        let mut file = dir.create_file("sub/file")?;
        file.write_all(b"bytes")?;
        drop(dir);
        file.write_all(b"more")
    }),
    ("a file in a directory, then the directory", || {
        let dir = tempdir()?;
        let mut file = NamedTempFile::new_in(&dir)?;
        file.write_all(b"bytes")?;
        drop(dir);
        drop(file);
        Ok(())
    }),
    ("unnamed files", || {
        let (mut first, mut second) = (tempfile()?, tempfile()?);
        first.write_all(b"first")?;
        second.write_all(b"second")?;
        drop(first);
        drop(second);
        Ok(())
    }),
    ("a spooled file that moved to disk", || spooled_tempfile(2).write_all(b"more than two")),
    ("an error", || {
        let (_file, _path) = written()?.into_parts();
        Err(Error::other("on purpose"))
    }),
];

/// Plays every order, and says after which of them something is left.
pub(crate) fn play() -> bool {
    let mut clean = true;
    for (order, play) in ORDERS {
        let played = play();
        let is_on_purpose = |error: &Error| error.to_string() == "on purpose";
        if let Some(error) = played.err().filter(|error| !is_on_purpose(error)) {
            println!("{order}: {error}");
            clean = false;
        }
        let names: Vec<_> = std::fs::read_dir(env::temp_dir())
            .map(|names| names.flatten().map(|entry| entry.file_name()).collect())
            .unwrap_or_default();
        if !names.is_empty() || !leftovers().is_empty() {
            println!("{order}: left {names:?} {:?}", leftovers());
            clean = false;
        }
    }
    println!("{} orders", ORDERS.len());
    clean
}

/// Fails if the file has other contents.
fn holds(file: &mut File, contents: &str) -> Result<()> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text == contents { Ok(()) } else { Err(Error::other(format!("it holds {text:?}"))) }
}

fn written() -> Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".txt")?;
    file.write_all(b"bytes")?;
    Ok(file)
}
