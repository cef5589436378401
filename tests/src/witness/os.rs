//! The witness over the operating system.

use super::Witness;
use crate::{find, setup};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Accesses a scratch directory through the operating system.
pub struct Os {
    scratch: PathBuf,
}

impl Os {
    /// A witness of this scratch directory.
    pub fn of(scratch: &Path) -> Self {
        Os { scratch: scratch.to_owned() }
    }

    fn at(&self, path: &str) -> PathBuf {
        // `join("")` would add a slash, which follows a link.
        if path.is_empty() { self.scratch.clone() } else { self.scratch.join(path) }
    }
}

/// Describes a failure without the host's path of it: a component may read the text.
fn told<T>(verb: &str, path: &str, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("the witness could not {verb} {path:?}: {error}"))
}

impl Witness for Os {
    fn begin(&self, case: &str) -> Result<(), String> {
        let case = find(case).ok_or_else(|| format!("no case is called {case}"))?;
        setup::furnish(&case.setup, &self.scratch)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        let names = || -> io::Result<Vec<String>> {
            let mut names: Vec<String> = fs::read_dir(self.at(path))?
                .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<_>>()?;
            names.sort();
            Ok(names)
        };
        told("list", path, names())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        told("read", path, fs::read(self.at(path)))
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        match fs::symlink_metadata(self.at(path)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => told("look at", path, Err(error)),
        }
    }

    fn mode(&self, path: &str) -> Result<u32, String> {
        told("look at", path, system::mode(&self.at(path)))
    }

    fn set_mode(&self, path: &str, mode: u32) -> Result<(), String> {
        told("set the mode of", path, system::set_mode(&self.at(path), mode))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        told("write", path, fs::write(self.at(path), bytes))
    }

    fn plant_link(&self, path: &str, target: &str) -> Result<(), String> {
        let target = match target.strip_prefix('/') {
            Some(inside) => self.at(inside),
            None => PathBuf::from(target),
        };
        told("plant a link at", path, system::symlink(&target, &self.at(path)))
    }

    fn plant_second_name(&self, path: &str, file: &str) -> Result<(), String> {
        told("plant a second name at", path, fs::hard_link(self.at(file), self.at(path)))
    }

    fn plant_directory(&self, path: &str) -> Result<(), String> {
        told("plant a directory at", path, fs::create_dir(self.at(path)))
    }

    fn remove(&self, path: &str) -> Result<(), String> {
        let at = self.at(path);
        let removed = fs::symlink_metadata(&at).and_then(|metadata| {
            if metadata.is_dir() { fs::remove_dir_all(&at) } else { system::remove_file(&at) }
        });
        told("remove", path, removed)
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), String> {
        told("rename", old, fs::rename(self.at(old), self.at(new)))
    }
}

#[cfg(unix)]
mod system {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::{fs, io};

    pub(super) fn remove_file(path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    pub(super) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    pub(super) fn mode(path: &Path) -> io::Result<u32> {
        Ok(fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
    }

    pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
}

#[cfg(windows)]
mod system {
    use std::path::Path;
    use std::{fs, io};

    fn no_modes<T>() -> io::Result<T> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "Windows has no modes"))
    }

    pub(super) fn mode(_: &Path) -> io::Result<u32> {
        no_modes()
    }

    pub(super) fn set_mode(_: &Path, _: u32) -> io::Result<()> {
        no_modes()
    }

    /// Removes the name at once, also of an open file. `fs::remove_dir_all` asks the system for
    /// that, and `fs::remove_file` does not.
    pub(super) fn remove_file(path: &Path) -> io::Result<()> {
        let around = path.with_file_name("removed-by-the-witness");
        fs::create_dir(&around)?;
        let moved = fs::rename(path, around.join("file"));
        fs::remove_dir_all(&around).and(moved)
    }

    /// A link to a directory is another kind of link than one to a file, or to nothing.
    pub(super) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
        let directory = path.parent().unwrap_or(path).join(target);
        if fs::metadata(directory).is_ok_and(|found| found.is_dir()) {
            std::os::windows::fs::symlink_dir(target, path)
        } else {
            std::os::windows::fs::symlink_file(target, path)
        }
    }
}
