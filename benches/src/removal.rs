//! Removal of trees, made anew each time.

use std::io;
use std::time::Instant;

use wasi_tempfile::TempDir;

use crate::nanoseconds;

pub(crate) fn run(work: &str, size: usize, count: u64) -> Option<io::Result<u64>> {
    Some(match work {
        "wide" => removal(count, |dir| wide(dir, size)),
        "deep" => removal(count, |dir| deep(dir, size)),
        _ => return None,
    })
}

fn removal(count: u64, grow: impl Fn(&TempDir) -> io::Result<()>) -> io::Result<u64> {
    let mut took = 0;
    for _ in 0..count {
        let dir = TempDir::new()?;
        grow(&dir)?;
        let start = Instant::now();
        dir.close()?;
        took += nanoseconds(start.elapsed());
    }
    Ok(took)
}

/// So many entries, in directories of a thousand.
fn wide(dir: &TempDir, entries: usize) -> io::Result<()> {
    for directory in 0..entries / 1000 {
        dir.create_dir(format!("{directory}"))?;
        // The directory is an entry itself.
        (1..1000).try_for_each(|file| dir.create_file(format!("{directory}/{file}")).map(drop))?;
    }
    Ok(())
}

/// Directories in each other, a file in the last one.
fn deep(dir: &TempDir, depth: usize) -> io::Result<()> {
    let mut path = String::new();
    for _ in 0..depth {
        path.push('d');
        dir.create_dir(&path)?;
        path.push('/');
    }
    path.push('f');
    dir.create_file(&path).map(drop)
}
