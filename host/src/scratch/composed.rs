//! Sweeps of a directory in which composed plugins make their files, on another host.
//!
//! Such a plugin removes its files itself, but no destructor runs after a trap. WASI has neither
//! modes nor locks, so nothing on disk proves who made a file or that it is still in use. What such
//! a sweep goes by is a name, an owner and an age, and the age is the caller's knowledge: how long
//! a plugin may keep a temporary file.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile_core::{CleanupFailure, ErrorCode, Identity, Native, Platform};

use super::name::is_random;
use super::sweep::{Sweep, stayed};
use super::{Error, OpenRoot, RootCause, mounts, plain};
use crate::system::{self, Lock};

/// The prefixes of a temporary file or directory, unless the plugin says otherwise: the
/// interface's own, and that of the Rust client, which is the `tempfile` crate's.
const DEFAULT_PREFIXES: [&str; 2] = ["tmp", ".tmp"];

/// The number of random characters in its name, unless the plugin says otherwise.
const RANDOM_CHARS: u8 = 16;

/// The fewest random characters by which a name is known.
const MIN_RANDOM_CHARS: u8 = 8;

/// A sweep of a directory in which composed plugins make their files, on a host of others.
///
/// An entry is removed if all of this is so:
///
/// * Its name is a prefix, 16 random characters of `a`–`z` and `2`–`7`, and then nothing or a
///   suffix that begins with neither a letter nor a digit. The prefix is `tmp`, `.tmp`, or one of
///   [`prefix`](Self::prefix); [`random_chars`](Self::random_chars) is another number than 16.
/// * It is a regular file or a directory. A directory is removed with everything in it, through no
///   link and past no mount point.
/// * It belongs to the user who sweeps. On Windows the owner is not looked at.
/// * Nothing has changed it for [`older_than`](Self::older_than), by its `ctime` and the clock of
///   the machine that sweeps: no write, no new name, no new mode, and in a directory no entry added
///   or removed. A plugin cannot set that time. On Windows it is the time of the last write, which
///   a plugin can set.
///
/// None of this proves that the entry is not in use, or that a plugin made it: whoever may rename
/// an entry of the directory can give it such a name. And what a plugin has kept under its own name
/// (`keep`) looks the same. **Sweep only directories that plugins alone write to, and choose an age
/// that no temporary file of theirs reaches.**
///
/// ```no_run
/// use std::time::Duration;
/// use wasi_tempfile_host::ComposedSweep;
///
/// // No request takes longer than half an hour.
/// let sweep = ComposedSweep::older_than(Duration::from_secs(3600)).sweep("/var/lib/plugins")?;
/// println!("{} removed", sweep.removed.len());
/// # Ok::<(), wasi_tempfile_host::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ComposedSweep {
    age: Duration,
    prefixes: Vec<String>,
    random_chars: u8,
}

impl ComposedSweep {
    /// A sweep of what was last changed at least this long ago.
    pub fn older_than(age: Duration) -> Self {
        let prefixes = DEFAULT_PREFIXES.map(str::to_owned).into();
        Self { age, prefixes, random_chars: RANDOM_CHARS }
    }

    /// How many random characters a name has: 16, unless the plugins choose another number. Those
    /// of the Python client have 8. Fewer than 8 count as 8: an ordinary name could look like such
    /// a name, and would be removed.
    pub fn random_chars(mut self, count: u8) -> Self {
        self.random_chars = count.max(MIN_RANDOM_CHARS);
        self
    }

    /// Adds a prefix that plugins choose for their names. An empty one is ignored: 16 letters alone
    /// are too often a name of somebody else's.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefixes.extend(Some(prefix.into()).filter(|prefix| !prefix.is_empty()));
        self
    }

    /// Removes what was left in a directory. What may be in use is `live` in the result, and
    /// everything else that stays is `foreign`. Any number of processes may sweep at once.
    ///
    /// # Errors
    ///
    /// If the directory cannot be opened or read, or is a symbolic link, whether or not a slash
    /// follows its name, or if its path is no UTF-8. What could not be removed is part of the
    /// result.
    pub fn sweep(&self, directory: impl AsRef<Path>) -> Result<Sweep, Error> {
        self.each(directory.as_ref(), |opened, entry, sweep| {
            let removed = match entry.directory {
                true => opened.remove_tree(entry),
                false => opened.remove_file(entry),
            };
            // Somebody else has removed or replaced it since.
            let Some(failures) = removed else { return };
            if failures.is_empty() {
                sweep.removed.push(entry.path.clone());
            }
            sweep.not_removed.extend(failures);
        })
    }

    /// Returns what a [`sweep`](Self::sweep) would do, and changes nothing. On Linux it sees mount
    /// points; otherwise what cannot be removed shows only when it is tried.
    ///
    /// # Errors
    ///
    /// As [`sweep`](Self::sweep).
    pub fn sweep_dry(&self, directory: impl AsRef<Path>) -> Result<Sweep, Error> {
        self.each(directory.as_ref(), |_, entry, sweep| {
            let mounts = mounts::below(&entry.path);
            if mounts.is_empty() {
                sweep.removed.push(entry.path.clone());
            }
            sweep.not_removed.extend(mounts.iter().map(|path| stayed(path, ErrorCode::Busy)));
        })
    }

    /// Visits every entry of the directory, and calls `found` for each that may be removed.
    fn each(
        &self,
        directory: &Path,
        mut found: impl FnMut(&OpenRoot, &Entry, &mut Sweep),
    ) -> Result<Sweep, Error> {
        let error = |cause| Error::Root { path: directory.to_owned(), cause };
        let absolute = std::path::absolute(directory)
            .map_err(|cause| error(RootCause::Io { operation: "find the path of", cause }))?;
        let absolute = plain(&absolute).map_err(error)?;
        let opened = OpenRoot::at(&absolute, system::check_kind).map_err(error)?;
        let now = SystemTime::now();
        let mut sweep = Sweep::default();
        for name in opened.names().map_err(error)? {
            let path = absolute.join(system::file_name(name.clone()));
            let Some(name) = str::from_utf8(&name).ok().filter(|name| self.is_ours(name)) else {
                sweep.foreign.push(path);
                continue;
            };
            match system::candidate(&opened.dir, &path, name) {
                Ok(None) => sweep.foreign.push(path),
                Ok(Some(candidate)) => {
                    let changed = candidate.changed;
                    let age = changed.and_then(|changed| now.duration_since(changed).ok());
                    // One of the future may be in use.
                    if age.is_none_or(|age| age < self.age) {
                        sweep.live.push(path);
                    } else {
                        let (name, directory) = (name.to_owned(), candidate.directory);
                        let identity = candidate.identity;
                        found(&opened, &Entry { name, path, identity, directory }, &mut sweep);
                    }
                }
                // Its plugin, or another sweep, has removed it.
                Err(ErrorCode::NoEntry) => {}
                Err(code) => sweep.not_removed.push(stayed(&path, code)),
            }
        }
        Ok(sweep)
    }

    /// Whether a provider could have made this name.
    fn is_ours(&self, name: &str) -> bool {
        let has = |prefix: &String| {
            let rest = name.strip_prefix(prefix.as_str())?;
            let (random, suffix) = rest.split_at_checked(self.random_chars.into())?;
            let ends = !suffix.starts_with(|next: char| next.is_alphanumeric());
            Some(is_random(random) && ends)
        };
        self.prefixes.iter().any(|prefix| has(prefix) == Some(true))
    }
}

/// An entry that may be removed.
struct Entry {
    name: String,
    path: PathBuf,
    identity: Identity,
    directory: bool,
}

impl OpenRoot {
    /// Removes a file, and returns what failed. `None` if it is gone, or another one has its name.
    fn remove_file(&self, entry: &Entry) -> Option<Vec<CleanupFailure>> {
        let identity = Native.identity_at(&self.dir, entry.name.as_bytes()).ok()?;
        if identity != entry.identity {
            return None;
        }
        match Native.remove_file(&self.dir, entry.name.as_bytes()) {
            Ok(()) => Some(Vec::new()),
            Err(ErrorCode::NoEntry) => None,
            Err(code) => Some(vec![stayed(&entry.path, code)]),
        }
    }

    /// Removes a directory with everything in it, as
    /// [`remove_file`](Self::remove_file) does a file.
    fn remove_tree(&self, entry: &Entry) -> Option<Vec<CleanupFailure>> {
        let opened = Native.open_for_removal(&self.dir, entry.name.as_bytes());
        let same = opened.and_then(|dir| {
            let identity = Native.directory_identity(&dir)?;
            Ok((identity == entry.identity).then_some(dir))
        });
        match same {
            Ok(Some(dir)) => Some(self.remove(&entry.name, (dir, Lock::NONE))),
            Ok(None) | Err(ErrorCode::NoEntry) => None,
            Err(code) => Some(vec![stayed(&entry.path, code)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_provider_makes_are_ours() {
        let sweep = ComposedSweep::older_than(Duration::ZERO).prefix("upload-").prefix("");
        let ours = |name: &str| sweep.is_ours(name);
        for name in [
            "tmpabcdefghijklmno7",
            "tmpabcdefghijklmno7.txt",
            "tmpabcdefghijklmno7-part",
            ".tmpabcdefghijklmno7",
            "upload-abcdefghijklmno7",
        ] {
            assert!(ours(name), "{name}");
        }
        for name in [
            "tmp",
            "tmpabcdefghijklmn",
            "tmpabcdefghijklmnopq",
            "tmpabcdefghijklmno1",
            "tmpABCDEFGHIJKLMNOP",
            "tmpabcdefghijklmnöp",
            "abcdefghijklmnop",
            "run-abcdefghijklmnop",
            "atmpabcdefghijklmnop",
        ] {
            assert!(!ours(name), "{name}");
        }
        let python = ComposedSweep::older_than(Duration::ZERO).random_chars(8);
        assert!(python.is_ours("tmpabcdefg7") && !python.is_ours("tmpabcdefghijklmno7"));
    }
}
