//! The witness over wasi:filesystem, for hosts that serve nothing else.
//!
//! It names no flag but those that each host knows: `std::fs` asks for more than some give.

use super::Witness;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

/// No link is followed.
const NO_FOLLOW: PathFlags = PathFlags::empty();

/// Bytes per read.
const PIECE: u64 = 64 << 10;

/// Accesses a directory that the host grants.
pub struct Wasi {
    directory: Descriptor,
}

impl Wasi {
    /// A witness of this directory.
    pub fn of(directory: Descriptor) -> Self {
        Wasi { directory }
    }

    /// A witness of the preopen that contains a path, and the path in it.
    pub(super) fn containing(path: &str) -> Option<(Self, String)> {
        let inside = |name: &str| {
            let rest = path.strip_prefix(name)?;
            match rest.strip_prefix('/') {
                Some(rest) => Some(rest.to_owned()),
                None => rest.is_empty().then(String::new),
            }
        };
        let preopens = get_directories().into_iter();
        preopens
            .filter_map(|(directory, name)| Some((directory, inside(&name)?)))
            .min_by_key(|(_, rest)| rest.len())
            .map(|(directory, rest)| (Wasi::of(directory), rest))
    }

    fn open(
        &self,
        path: &str,
        open: OpenFlags,
        how: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        self.directory.open_at(NO_FOLLOW, dot(path), open, how)
    }

    fn names(&self, path: &str) -> Result<Vec<String>, ErrorCode> {
        let listing =
            self.open(path, OpenFlags::DIRECTORY, DescriptorFlags::READ)?.read_directory()?;
        let mut names = Vec::new();
        loop {
            match listing.read_directory_entry() {
                Ok(None) => break,
                // Hosts differ in whether they list these two.
                Ok(Some(entry)) if matches!(&*entry.name, "." | "..") => {}
                Ok(Some(entry)) => names.push(entry.name),
                Err(ErrorCode::IllegalByteSequence) => {
                    names.push(char::REPLACEMENT_CHARACTER.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        names.sort();
        Ok(names)
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, ErrorCode> {
        let file = self.open(path, OpenFlags::empty(), DescriptorFlags::READ)?;
        let mut all = Vec::new();
        loop {
            let (piece, ended) = file.read(PIECE, all.len() as u64)?;
            let nothing = piece.is_empty();
            all.extend(piece);
            if ended || nothing {
                return Ok(all);
            }
        }
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<(), ErrorCode> {
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let file = self.open(path, flags, DescriptorFlags::READ | DescriptorFlags::WRITE)?;
        let mut written = 0;
        while written < bytes.len() {
            written += file.write(&bytes[written..], written as u64)? as usize;
        }
        Ok(())
    }

    fn remove_tree(&self, path: &str) -> Result<(), ErrorCode> {
        if self.directory.stat_at(NO_FOLLOW, path)?.type_ != DescriptorType::Directory {
            return self.directory.unlink_file_at(path);
        }
        for name in self.names(path)? {
            self.remove_tree(&format!("{path}/{name}"))?;
        }
        self.directory.remove_directory_at(path)
    }
}

/// WASI has no empty path.
fn dot(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Describes a failure.
fn told<T>(verb: &str, path: &str, result: Result<T, ErrorCode>) -> Result<T, String> {
    result.map_err(|code| format!("the witness could not {verb} {path:?}: {}", code.name()))
}

impl Witness for Wasi {
    /// The host has prepared the directory before the case began.
    fn begin(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        told("list", path, self.names(path))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        told("read", path, self.bytes(path))
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        match self.directory.stat_at(NO_FOLLOW, path) {
            Err(ErrorCode::NoEntry) => Ok(false),
            found => told("look at", path, found.map(|_| true)),
        }
    }

    fn mode(&self, path: &str) -> Result<u32, String> {
        told("see the mode of", path, Err(ErrorCode::Unsupported))
    }

    fn set_mode(&self, path: &str, _: u32) -> Result<(), String> {
        told("set the mode of", path, Err(ErrorCode::Unsupported))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        told("write", path, self.put(path, bytes))
    }

    fn plant_link(&self, path: &str, target: &str) -> Result<(), String> {
        // WASI makes no absolute links.
        let target = match target.strip_prefix('/') {
            Some(inside) => format!("{}{}", "../".repeat(path.matches('/').count()), dot(inside)),
            None => target.to_owned(),
        };
        told("plant a link at", path, self.directory.symlink_at(&target, path))
    }

    fn plant_second_name(&self, path: &str, file: &str) -> Result<(), String> {
        let planted = self.directory.link_at(NO_FOLLOW, file, &self.directory, path);
        told("plant a second name at", path, planted)
    }

    fn plant_directory(&self, path: &str) -> Result<(), String> {
        told("plant a directory at", path, self.directory.create_directory_at(path))
    }

    fn remove(&self, path: &str) -> Result<(), String> {
        told("remove", path, self.remove_tree(path))
    }

    fn rename(&self, old: &str, new: &str) -> Result<(), String> {
        told("rename", old, self.directory.rename_at(old, &self.directory, new))
    }
}
