//! How a file or directory is named.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::dir::TempDir;
use crate::env;
use crate::error::{io_error, path_str, utf8};
use crate::file::File;
use crate::interface::{self, Error, Location, Options};
use crate::named::NamedTempFile;
use crate::path::TempPath;

/// Names of temporary files and directories: `.tmp`, 16 random characters (80 bits), and nothing after, unless told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builder<'a, 'b> {
    prefix: &'a OsStr,
    suffix: &'b OsStr,
    random_len: usize,
    append: bool,
    disable_cleanup: bool,
}

impl Default for Builder<'_, '_> {
    fn default() -> Self {
        Builder {
            prefix: OsStr::new(".tmp"),
            suffix: OsStr::new(""),
            random_len: usize::from(tempfile_core::DEFAULT_RANDOM_CHARS),
            append: false,
            disable_cleanup: false,
        }
    }
}

impl<'a, 'b> Builder<'a, 'b> {
    /// The usual names.
    pub fn new() -> Self {
        Self::default()
    }

    /// What names begin with.
    pub fn prefix<S: AsRef<OsStr> + ?Sized>(&mut self, prefix: &'a S) -> &mut Self {
        self.prefix = prefix.as_ref();
        self
    }

    /// What names end with.
    pub fn suffix<S: AsRef<OsStr> + ?Sized>(&mut self, suffix: &'b S) -> &mut Self {
        self.suffix = suffix.as_ref();
        self
    }

    /// How many random characters names have, five bits each. With 0 the name is fixed, and must be free. Over 255 there is no name.
    pub fn rand_bytes(&mut self, rand: usize) -> &mut Self {
        self.random_len = rand;
        self
    }

    /// Whether every write goes to the end of the file.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.append = append;
        self
    }

    /// Whether what is created stays when it is dropped.
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) -> &mut Self {
        self.disable_cleanup = disable_cleanup;
        self
    }

    /// Creates a file in the default directory.
    ///
    /// # Errors
    /// `invalid-name`, `exhausted` (`exist` with no random characters), `no-scratch`, and others of the system.
    pub fn tempfile(&self) -> io::Result<NamedTempFile> {
        let options = self.options()?;
        env::in_default_directory(|location| self.named(&options, location))
    }

    /// Creates a file in the directory `dir`.
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile), and those of `dir`: `no-entry`, `not-directory`.
    pub fn tempfile_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<NamedTempFile> {
        self.named(&self.options()?, location_of(dir.as_ref())?).map_err(io_error)
    }

    /// Creates a directory in the default directory.
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile).
    pub fn tempdir(&self) -> io::Result<TempDir> {
        let options = self.options()?;
        env::in_default_directory(|location| self.directory(&options, location))
    }

    /// Creates a directory in the directory `dir`.
    ///
    /// # Errors
    /// As [`tempfile_in`](Self::tempfile_in).
    pub fn tempdir_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<TempDir> {
        self.directory(&self.options()?, location_of(dir.as_ref())?).map_err(io_error)
    }

    fn named(&self, options: &Options, location: Location<'_>) -> Result<NamedTempFile, Error> {
        let (file, path) = interface::named(options, location)?;
        let file = File::new(file).appending(self.append);
        Ok(NamedTempFile::from_parts(file, TempPath::new(path, self.disable_cleanup)))
    }

    fn directory(&self, options: &Options, location: Location<'_>) -> Result<TempDir, Error> {
        let dir = interface::directory(options, location)?;
        Ok(TempDir::from_interface(dir, self.disable_cleanup))
    }

    fn options(&self) -> io::Result<Options> {
        let (prefix, suffix) = (utf8(self.prefix)?.to_owned(), utf8(self.suffix)?.to_owned());
        // No name is that long; the interface refuses 255 as it would any more.
        let random_chars = Some(u8::try_from(self.random_len).unwrap_or(u8::MAX));
        if self.random_len > usize::from(u8::MAX) {
            let refused = Error::new(interface::ErrorCode::InvalidName, "create over 255 random characters after", &prefix);
            return Err(io_error(refused));
        }
        Ok(Options { prefix, suffix, random_chars, label: None })
    }
}

pub(crate) fn location_of(dir: &Path) -> io::Result<Location<'_>> {
    path_str(dir).map(Location::Directory)
}
