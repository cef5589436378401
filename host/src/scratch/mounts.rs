//! The mount points below a directory, for a sweep that only looks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::system;

/// Returns the mount points at or below a directory, as far as this process sees them. None where
/// the system has no list of them.
pub(super) fn below(directory: &Path) -> Vec<PathBuf> {
    let Ok(real) = fs::canonicalize(directory) else { return Vec::new() };
    let list = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mounts = list.split(|byte| *byte == b'\n').filter_map(mount_point);
    mounts.filter_map(|mount| Some(directory.join(mount.strip_prefix(&real).ok()?))).collect()
}

/// The fifth field of a line, as proc_pid_mountinfo(5) describes it.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let mut escaped = line.split(|byte| *byte == b' ').nth(4)?;
    let mut path = Vec::with_capacity(escaped.len());
    while let Some((&byte, rest)) = escaped.split_first() {
        escaped = rest;
        // Spaces, tabs, line feeds and backslashes are three octal digits after a backslash.
        let digits = (byte == b'\\').then(|| rest.first_chunk::<3>()).flatten();
        let octal = digits.and_then(|digits| str::from_utf8(digits).ok());
        match octal.and_then(|octal| u8::from_str_radix(octal, 8).ok()) {
            Some(byte) => {
                path.push(byte);
                escaped = &rest[3..];
            }
            None => path.push(byte),
        }
    }
    Some(system::file_name(path).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes_are_read() {
        let line = br"36 35 98:0 /mnt1 /mnt\0402/a\134b rw,noatime - ext3 /dev/root rw";
        assert_eq!(mount_point(line), Some(r"/mnt 2/a\b".into()));
        assert_eq!(mount_point(b""), None);
    }
}
