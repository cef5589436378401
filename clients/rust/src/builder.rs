//! Options for the creation of temporary files and directories.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::io;
use std::path::Path;

use getrandom::SysRng;

use crate::dir::TempDir;
use crate::env;
use crate::error::{io_error, utf8};
use crate::file::File;
use crate::interface::{self, Error, ErrorCode, Location, Options};
use crate::named::NamedTempFile;
use crate::path::TempPath;

/// Options for the creation of temporary files and directories.
///
/// Names are `.tmp`, 16 random characters (80 bits) and an empty suffix, unless set otherwise.
///
/// ```
/// let file = wasi_tempfile::Builder::new().prefix("report-").suffix(".txt").tempfile()?;
/// let name = file.path().file_name().unwrap().to_str().unwrap();
/// assert!(name.starts_with("report-") && name.ends_with(".txt"));
/// # Ok::<(), std::io::Error>(())
/// ```
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
    /// The default options.
    ///
    /// ```
    /// let dir = wasi_tempfile::Builder::new().tempdir()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the beginning of the name.
    ///
    /// ```
    /// let file = wasi_tempfile::Builder::new().prefix("report-").tempfile()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn prefix<S: AsRef<OsStr> + ?Sized>(&mut self, prefix: &'a S) -> &mut Self {
        self.prefix = prefix.as_ref();
        self
    }

    /// Sets the end of the name.
    ///
    /// ```
    /// let file = wasi_tempfile::Builder::new().suffix(".txt").tempfile()?;
    /// assert_eq!(file.path().extension().unwrap(), "txt");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn suffix<S: AsRef<OsStr> + ?Sized>(&mut self, suffix: &'b S) -> &mut Self {
        self.suffix = suffix.as_ref();
        self
    }

    /// Sets the number of random characters, five bits each.
    ///
    /// With 0 the name is fixed, and must be free. With more than 255 creation fails with
    /// [`InvalidFilename`](io::ErrorKind::InvalidFilename).
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::Builder::new().prefix("fixed").rand_bytes(0).tempfile_in(&dir)?;
    /// assert_eq!(file.path(), dir.path().join("fixed"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn rand_bytes(&mut self, rand: usize) -> &mut Self {
        self.random_len = rand;
        self
    }

    /// Sets the label under which the ledger ([`interface::live_handles`]) lists the file or
    /// directory.
    ///
    /// ```
    /// let file = wasi_tempfile::Builder::new().label("download").tempfile()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn label(&mut self, label: &str) -> &mut Self {
        self.label = Some(label.to_owned());
        self
    }

    /// Sets whether every write goes to the end of the file, also one with an offset
    /// ([`File::write_at`], [`File::writer`]): natively by `O_APPEND`, which child processes share.
    ///
    /// ```
    /// use std::io::{Seek, Write};
    ///
    /// let mut file = wasi_tempfile::Builder::new().append(true).tempfile()?;
    /// file.write_all(b"one ")?;
    /// file.rewind()?;
    /// file.write_all(b"two")?;
    /// assert_eq!(file.as_file().metadata()?.len(), 7);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.append = append;
        self
    }

    /// Sets the exact mode of the file or directory. It is private until the mode is set.
    ///
    /// WASI and Windows have no modes: there, creation fails with
    /// [`Unsupported`](io::ErrorKind::Unsupported) (`unsupported`).
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::os::unix::fs::PermissionsExt;
    ///
    /// let readable = std::fs::Permissions::from_mode(0o644);
    /// let file = wasi_tempfile::Builder::new().permissions(readable).tempfile()?;
    /// assert_eq!(std::fs::metadata(file.path())?.permissions().mode() & 0o777, 0o644);
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn permissions(&mut self, permissions: Permissions) -> &mut Self {
        self.permissions = Some(permissions);
        self
    }

    /// Sets whether the file or directory stays when its guard is dropped.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// drop(wasi_tempfile::Builder::new().disable_cleanup(true).tempfile_in(&dir)?);
    /// assert_eq!(dir.entries("")?.len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn disable_cleanup(&mut self, disable_cleanup: bool) -> &mut Self {
        self.disable_cleanup = disable_cleanup;
        self
    }

    /// The former name of [`disable_cleanup`](Self::disable_cleanup).
    #[deprecated = "use Builder::disable_cleanup"]
    pub fn keep(&mut self, keep: bool) -> &mut Self {
        self.disable_cleanup(keep)
    }

    /// Creates a file in the default directory.
    ///
    /// ```
    /// let file = wasi_tempfile::Builder::new().tempfile()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidFilename`](io::ErrorKind::InvalidFilename) (`invalid-name`, `name-too-long`);
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) (`exhausted`, or `exist` with no random
    /// characters); [`NotFound`](io::ErrorKind::NotFound) (`no-scratch`); others of the system.
    pub fn tempfile(&self) -> io::Result<NamedTempFile> {
        self.named(None)
    }

    /// Creates a file in the directory `dir`.
    ///
    /// ```
    /// let dir = wasi_tempfile::tempdir()?;
    /// let file = wasi_tempfile::Builder::new().tempfile_in(&dir)?;
    /// assert!(file.path().starts_with(&dir));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile); [`NotFound`](io::ErrorKind::NotFound) (`no-entry`) or
    /// [`NotADirectory`](io::ErrorKind::NotADirectory) (`not-directory`) if `dir` is not a
    /// directory.
    pub fn tempfile_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<NamedTempFile> {
        self.named(Some(dir.as_ref()))
    }

    /// Creates a directory in the default directory.
    ///
    /// ```
    /// let dir = wasi_tempfile::Builder::new().prefix("unpacked-").tempdir()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile).
    pub fn tempdir(&self) -> io::Result<TempDir> {
        self.directory(None)
    }

    /// Creates a directory in the directory `dir`.
    ///
    /// ```
    /// let outer = wasi_tempfile::tempdir()?;
    /// let inner = wasi_tempfile::Builder::new().tempdir_in(&outer)?;
    /// assert!(inner.path().starts_with(&outer));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`tempfile_in`](Self::tempfile_in).
    pub fn tempdir_in<P: AsRef<Path>>(&self, dir: P) -> io::Result<TempDir> {
        self.directory(Some(dir.as_ref()))
    }

    /// Creates something by the caller's means, such as a socket, under a new name in the default
    /// directory.
    ///
    /// `create` gets a path, and is called with another one while it answers that the name is taken
    /// (`AlreadyExists`, `AddrInUse`). It must not replace what is there. The name is removed, like
    /// that of a file, when the returned guard is dropped. In a component, `create` and the removal
    /// use `std::fs`, which does not see the scratch directory if the run limits bytes, entries or
    /// the size of files.
    ///
    /// ```
    /// use std::fs::File;
    ///
    /// let made = wasi_tempfile::Builder::new().make(|path| File::create_new(path))?;
    /// assert!(made.path().exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`tempfile`](Self::tempfile), and `create`'s own.
    pub fn make<F, R>(&self, create: F) -> io::Result<NamedTempFile<R>>
    where
        F: FnMut(&Path) -> io::Result<R>,
    {
        self.make_at(None, create)
    }

    /// As [`make`](Self::make), in the directory `dir`.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::os::unix::net::UnixListener;
    ///
    /// let dir = wasi_tempfile::tempdir()?;
    /// let socket = wasi_tempfile::Builder::new().make_in(&dir, |path| UnixListener::bind(path))?;
    /// assert!(socket.path().starts_with(&dir));
    /// # }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn make_in<F, R, P>(&self, dir: P, create: F) -> io::Result<NamedTempFile<R>>
    where
        F: FnMut(&Path) -> io::Result<R>,
        P: AsRef<Path>,
    {
        self.make_at(Some(dir.as_ref()), create)
    }

    fn named(&self, dir: Option<&Path>) -> io::Result<NamedTempFile> {
        self.permissions_can_be_set()?;
        let options = self.options()?;
        let create = |location: Location<'_>| {
            let (file, path) = interface::named(&options, location)?;
            let path = TempPath::new(path, self.disable_cleanup);
            Ok(NamedTempFile::from_parts(File::new(file)?, path))
        };
        let mut file = env::create_in(dir, create).map_err(io_error)?;
        if self.append {
            file.as_file_mut().set_append()?;
        }
        #[cfg(unix)]
        if let Some(permissions) = &self.permissions {
            file.as_file().set_permissions(permissions.clone())?;
        }
        Ok(file)
    }

    fn directory(&self, dir: Option<&Path>) -> io::Result<TempDir> {
        self.permissions_can_be_set()?;
        let options = self.options()?;
        let create = |location: Location<'_>| interface::directory(&options, location);
        let dir = env::create_in(dir, create).map_err(io_error)?;
        #[cfg(unix)]
        if let Some(permissions) = &self.permissions {
            dir.set_permissions(permissions.clone())?;
        }
        Ok(TempDir::from_interface(dir, self.disable_cleanup))
    }

    fn make_at<R>(
        &self,
        dir: Option<&Path>,
        mut create: impl FnMut(&Path) -> io::Result<R>,
    ) -> io::Result<NamedTempFile<R>> {
        let dir = std::path::absolute(env::path_of(dir).map_err(io_error)?)?;
        let mut failure = None;
        let mut create = |name: &str| {
            let path = dir.join(name);
            create(&path).map(|made| (made, path)).map_err(|error| match error.kind() {
                // `bind` says `AddrInUse` of a socket's name that is taken.
                io::ErrorKind::AlreadyExists | io::ErrorKind::AddrInUse => ErrorCode::Exist,
                _ => {
                    failure = Some(error);
                    ErrorCode::Other
                }
            })
        };
        let made = tempfile_core::under_new_name(&self.options()?, &mut SysRng, &mut create);
        match (made, failure) {
            (Ok(((made, path), _)), _) => {
                let path = TempPath::by_path(path, self.disable_cleanup);
                Ok(NamedTempFile::from_parts(made, path))
            }
            (Err(_), Some(error)) => Err(error),
            (Err(code), None) => {
                Err(io_error(Error::new(code, "create in", &dir.to_string_lossy())))
            }
        }
    }

    fn permissions_can_be_set(&self) -> io::Result<()> {
        if cfg!(unix) || self.permissions.is_none() {
            return Ok(());
        }
        let operation = "set the mode of a temporary file";
        Err(io_error(Error::without_path(ErrorCode::Unsupported, operation)))
    }

    fn options(&self) -> io::Result<Options> {
        let text = |name| utf8(name).map(str::to_owned).map_err(io_error);
        let (prefix, suffix) = (text(self.prefix)?, text(self.suffix)?);
        let too_many = |_| {
            let operation = "create over 255 random characters after";
            io_error(Error::new(ErrorCode::NameTooLong, operation, &prefix))
        };
        let random_chars = Some(u8::try_from(self.random_len).map_err(too_many)?);
        Ok(Options { prefix, suffix, random_chars, label: self.label.clone() })
    }
}
