// Included twice, with `tempfile` meaning one crate or the other.

use tempfile::{NamedTempFile, SpooledTempFile, TempDir};

fn shared(work: &str, count: u64) -> Option<std::io::Result<u64>> {
    Some(match work {
        "named" => crate::time(count, || NamedTempFile::new().map(drop)),
        "unnamed" => crate::time(count, || tempfile::tempfile().map(drop)),
        "directory" => crate::time(count, || TempDir::new().map(drop)),
        "spooled" => crate::time(count, spooled),
        "unspooled" => crate::time(count, || round_trip(tempfile::tempfile()?)),
        "persist" => persist(count),
        _ => return None,
    })
}

const CONTENT: [u8; 4096] = [b'x'; 4096];

fn spooled() -> std::io::Result<()> {
    round_trip(SpooledTempFile::new(64 << 10))
}

fn round_trip<F>(mut file: F) -> std::io::Result<()>
where
    F: std::io::Read + std::io::Write + std::io::Seek,
{
    let mut content = [0; CONTENT.len()];
    file.write_all(&CONTENT)?;
    file.rewind()?;
    file.read_exact(std::hint::black_box(&mut content))
}

fn persist(count: u64) -> std::io::Result<u64> {
    let dir = TempDir::new()?;
    let target = dir.path().join("target");
    crate::time(count, || Ok(NamedTempFile::new()?.persist(&target).map(drop)?))
}
