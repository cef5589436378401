//! How a file or directory is named, and what else there is to choose.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::path::Path;

use crate::dir::TempDir;
use crate::env;
use crate::error::{io_error, path_str, utf8};
use crate::file::File;
use crate::interface::{self, Error, ErrorCode, Location, Options};
use crate::named::NamedTempFile;
use crate::path::TempPath;

/// Names of temporary files and directories: `.tmp`, 16 random characters (80 bits), and nothing after, unless told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder<'a, 'b> {
    prefix: &'a OsStr,
    suffix: &'b OsStr,
    random_len: usize,
    label: Option<String>,
    append: bool,
    permissions: Option<Permissions>,
    disable_cleanup: bool,
}

impl Default for Builder<'_, '_> {
    fn default() -> Self {
        Builder {
            prefix: OsStr::new(".tmp"),
            suffix: OsStr::new(""),
            random_len: usize::from(tempfile_core::DEFAULT_RANDOM_CHARS),
            label: None,
            append: false,
            permissions: None,
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

    /// What the ledger ([`interface::live`]) calls what is created.
    pub fn label(&mut self, label: &str) -> &mut Self {
        self.label = Some(label.to_owned());
        self
    }

    /// Whether every write goes to the end of the file.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.append = append;
        self
    }

    /// The mode of what is created, exactly this, set once it is there: until then it is private. WASI has no modes: there creation
    /// fails with `unsupported`.
    pub fn permissions(&mut self, permissions: Permissions) -> &mut Self {
        self.permissions = Some(permissions);
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
        self.named(env::location().map_err(io_error)?)
    }

    /// Creates a file in the directory `dir`.
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile), and those of `dir`: `no-entry`, `not-directory`.
    pub fn tempfile_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<NamedTempFile> {
        self.named(location_of(dir.as_ref())?)
    }

    /// Creates a directory in the default directory.
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile).
    pub fn tempdir(&self) -> io::Result<TempDir> {
        self.directory(env::location().map_err(io_error)?)
    }

    /// Creates a directory in the directory `dir`.
    ///
    /// # Errors
    /// As [`tempfile_in`](Self::tempfile_in).
    pub fn tempdir_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<TempDir> {
        self.directory(location_of(dir.as_ref())?)
    }

    /// Creates something else under a new name in the default directory, say a socket: `create` gets a path, and is tried with another
    /// as long as it answers that the name is taken (`AlreadyExists`, `AddrInUse`). The name is removed with what this returns.
    ///
    /// Natively only: in a component `create` would have no file system to create in, so it is not called.
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile); `create`'s own; `unsupported` in a component.
    pub fn make<F, R>(&self, create: F) -> io::Result<NamedTempFile<R>>
    where
        F: FnMut(&Path) -> io::Result<R>,
    {
        self.made(env::location().map_err(io_error)?, create)
    }

    /// As [`make`](Self::make), in the directory `dir`.
    ///
    /// # Errors
    /// As [`make`](Self::make), and those of `dir`: `no-entry`, `not-directory`.
    pub fn make_in<F, R, P>(&self, dir: P, create: F) -> io::Result<NamedTempFile<R>>
    where
        F: FnMut(&Path) -> io::Result<R>,
        P: AsRef<Path>,
    {
        self.made(location_of(dir.as_ref())?, create)
    }

    fn named(&self, location: Location<'_>) -> io::Result<NamedTempFile> {
        self.permissions_can_be_set()?;
        let (file, path) = interface::named(&self.options()?, location).map_err(io_error)?;
        let path = TempPath::new(path, self.disable_cleanup);
        let file = File::new(file).appending(self.append);
        #[cfg(unix)]
        if let Some(permissions) = &self.permissions {
            file.set_permissions(permissions.clone())?;
        }
        Ok(NamedTempFile::from_parts(file, path))
    }

    fn directory(&self, location: Location<'_>) -> io::Result<TempDir> {
        self.permissions_can_be_set()?;
        let dir = interface::directory(&self.options()?, location).map_err(io_error)?;
        #[cfg(unix)]
        if let Some(permissions) = &self.permissions {
            dir.set_permissions(permissions.clone())?;
        }
        Ok(TempDir::from_interface(dir, self.disable_cleanup))
    }

    #[cfg(not(target_family = "wasm"))]
    fn made<R>(
        &self,
        location: Location<'_>,
        create: impl FnMut(&Path) -> io::Result<R>,
    ) -> io::Result<NamedTempFile<R>> {
        let (made, path) = interface::make(&self.options()?, location, create)?;
        Ok(NamedTempFile::from_parts(made, TempPath::new(path, self.disable_cleanup)))
    }

    #[cfg(target_family = "wasm")]
    fn made<R>(
        &self,
        _location: Location<'_>,
        _create: impl FnMut(&Path) -> io::Result<R>,
    ) -> io::Result<NamedTempFile<R>> {
        Err(unsupported("create something by other means"))
    }

    fn permissions_can_be_set(&self) -> io::Result<()> {
        if cfg!(unix) || self.permissions.is_none() {
            Ok(())
        } else {
            Err(unsupported("set the mode of a temporary file"))
        }
    }

    fn options(&self) -> io::Result<Options> {
        let (prefix, suffix) = (utf8(self.prefix)?.to_owned(), utf8(self.suffix)?.to_owned());
        let too_many = |_| {
            let operation = "create over 255 random characters after";
            io_error(Error::new(ErrorCode::InvalidName, operation, &prefix))
        };
        let random_chars = Some(u8::try_from(self.random_len).map_err(too_many)?);
        Ok(Options { prefix, suffix, random_chars, label: self.label.clone() })
    }
}

fn unsupported(operation: &str) -> io::Error {
    io_error(Error::without_path(ErrorCode::Unsupported, operation))
}

pub(crate) fn location_of(dir: &Path) -> io::Result<Location<'_>> {
    path_str(dir).map(Location::Directory)
}
