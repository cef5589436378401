//! Limits on what one user of the interface may have in use.

use core::fmt;

/// How much may be in use at one moment: `limits` of the interface. What would exceed a limit fails
/// with `quota`. None means no limit, but for `handles`: a sandboxed plugin always has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of all files on disk.
    pub bytes: Option<u64>,
    /// Names of files and directories.
    pub entries: Option<u64>,
    /// Live handles: open files, guarded names and directories, and in the host streams. Where a
    /// sandbox or a provider sets none, it is [`DEFAULT_HANDLES`](Self::DEFAULT_HANDLES) at most.
    pub handles: Option<u64>,
    /// Bytes of memory for all spooled files of the interface, which the provider holds. The Rust
    /// client's `SpooledTempFile` is in the plugin's own memory, which this does not limit.
    pub memory: Option<u64>,
    /// Bytes of any one file on disk.
    pub file_size: Option<u64>,
}

impl Limits {
    /// The limit on handles in a sandbox that sets no other: a plugin must not use up the
    /// descriptors of the host's process, nor fill a host's table of resources, which would trap.
    pub const DEFAULT_HANDLES: u64 = 4096;

    /// The same limits, with [`DEFAULT_HANDLES`](Self::DEFAULT_HANDLES) if handles are not limited.
    #[must_use]
    pub fn with_default_handles(self) -> Self {
        Limits { handles: self.handles.or(Some(Self::DEFAULT_HANDLES)), ..self }
    }

    /// The environment variable of a plugin with its limits. The provider component reads it, and
    /// so does a sandbox for its host provider, unless the run has limits of its own.
    pub const VARIABLE: &str = "SCRATCH_LIMITS";

    /// Parses what [`Display`](fmt::Display) writes: `bytes=1048576,handles=20`. What is not named
    /// is not limited. None if the text has another form: a limit must not be lost to a mistake.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut limits = Limits::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, number) = part.split_once('=')?;
            let limit = limits.named().into_iter().find(|(known, _)| *known == name)?.1;
            if limit.is_some() {
                return None;
            }
            *limit = Some(number.parse().ok()?);
        }
        Some(limits)
    }

    /// Whether files on disk are limited, so that every byte and name has to be counted.
    pub fn limits_files(&self) -> bool {
        self.bytes.is_some() || self.entries.is_some() || self.file_size.is_some()
    }

    /// Each limit with its name in the interface.
    fn named(&mut self) -> [(&'static str, &mut Option<u64>); 5] {
        let Self { bytes, entries, handles, memory, file_size } = self;
        [
            ("bytes", bytes),
            ("entries", entries),
            ("handles", handles),
            ("memory", memory),
            ("file-size", file_size),
        ]
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, limit) in { *self }.named() {
            if let Some(limit) = limit {
                write!(f, "{separator}{name}={limit}")?;
                separator = ",";
            }
        }
        Ok(())
    }
}

/// A limit that refused a request: what a message says about an error with the code `quota`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What is limited.
    pub(crate) what: &'static str,
    pub(crate) limit: u64,
    pub(crate) used: u64,
    /// How much more was asked for.
    pub(crate) more: u64,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { what, limit, used, more } = self;
        write!(f, "the limit on {what} is {limit}; {used} in use, {more} more asked for")
    }
}

/// Whether `more` fits within a limit on `what`, of which `used` is in use. The limit itself may be
/// reached.
pub(crate) fn fits(
    what: &'static str,
    limit: Option<u64>,
    used: u64,
    more: u64,
) -> Result<(), Refusal> {
    match limit {
        Some(limit) if used.saturating_add(more) > limit => {
            Err(Refusal { what, limit, used, more })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn limits_survive_the_environment() {
        let limits = Limits {
            bytes: Some(0),
            file_size: Some(u64::MAX),
            handles: Some(7),
            ..Limits::default()
        };
        assert_eq!(limits.to_string(), "bytes=0,handles=7,file-size=18446744073709551615");
        for limits in [limits, Limits::default()] {
            assert_eq!(Limits::from_text(&limits.to_string()), Some(limits));
        }
    }

    #[test]
    fn handles_are_limited_unless_they_are_already() {
        let bytes = Limits { bytes: Some(7), ..Limits::default() };
        let handles = Limits { handles: Some(7), ..bytes };
        let default = Limits { handles: Some(Limits::DEFAULT_HANDLES), ..bytes };
        assert_eq!(bytes.with_default_handles(), default);
        assert_eq!(handles.with_default_handles(), handles);
    }

    #[test]
    fn a_malformed_text_is_refused() {
        for text in [
            "bytes",
            "bytes=",
            "bytes=-1",
            "bytes=1K",
            "bytes =1",
            "bites=1",
            "bytes=1,bytes=2",
            "bytes=1;handles=2",
            "idle=1",
            "=",
        ] {
            assert_eq!(Limits::from_text(text), None, "{text:?}");
        }
    }
}
