//! One user of the interface: its functions, and what they share.

use alloc::string::String;
use alloc::vec::Vec;

use rand_core::TryRng;

use crate::any_file::{AnyFile, Spooled, SpooledFiles};
use crate::context::Context;
use crate::create::{self, create_file, record_half_way};
use crate::dir::TempDir;
use crate::error::{Cause, Error, ErrorCode, ResultExt};
use crate::file::File;
use crate::ledger::ExplainExt;
use crate::location::{OpenLocation, open_directory};
use crate::name::{Draft, Options};
use crate::path::{MAX_PATH, PATH_TOO_LONG};
use crate::platform::{DirectoryState, Platform};
use crate::shared::{Lock, Shared};
use crate::temp_path::TempPath;

/// The variables that name the default directory, in Python's order.
const VARIABLES: [&str; 3] = ["TMPDIR", "TEMP", "TMP"];

/// Why a candidate for the default directory was not usable.
#[derive(PartialEq, Eq)]
enum Candidate {
    /// It is not a directory in which files can be created.
    Unusable,
    /// The disk is full, a limit is reached, or the process has no descriptor or memory left.
    Exhausted,
    /// The system failed for another reason.
    Broken,
}

fn candidate(code: ErrorCode) -> Candidate {
    match code {
        ErrorCode::NoSpace
        | ErrorCode::Quota
        | ErrorCode::OutOfHandles
        | ErrorCode::OutOfMemory => Candidate::Exhausted,
        ErrorCode::Io | ErrorCode::Other | ErrorCode::Busy | ErrorCode::Exhausted => {
            Candidate::Broken
        }
        ErrorCode::Access
        | ErrorCode::Closed
        | ErrorCode::CrossDevice
        | ErrorCode::Exist
        | ErrorCode::FileTooLarge
        | ErrorCode::Invalid
        | ErrorCode::InvalidName
        | ErrorCode::IsDirectory
        | ErrorCode::NameTooLong
        | ErrorCode::NoEntry
        | ErrorCode::NoScratch
        | ErrorCode::NotDirectory
        | ErrorCode::NotDurable
        | ErrorCode::NotEmpty
        | ErrorCode::ReadOnly
        | ErrorCode::Replaced
        | ErrorCode::Unsupported => Candidate::Unusable,
    }
}

/// Where something is created: `location` of the interface.
pub enum Location<'a, C: Context> {
    /// In the default directory.
    Scratch,
    /// In a temporary directory.
    Within(&'a TempDir<C>),
    /// In an existing directory, given by its path.
    Directory(&'a str),
}

/// Where a spooled file moves to: a location that is looked up when the file moves.
pub(crate) enum SpoolLocation<C: Context> {
    Scratch,
    Within(OpenLocation<C>),
    Directory(String),
    /// The file is closed.
    Closed,
}

impl<C: Context> SpoolLocation<C> {
    /// The length of the path that it keeps.
    pub(crate) fn path_len(&self) -> usize {
        match self {
            SpoolLocation::Scratch | SpoolLocation::Closed => 0,
            SpoolLocation::Within(location) => location.path.len(),
            SpoolLocation::Directory(path) => path.len(),
        }
    }
}

/// One user of the interface: a context, a random source, and the default directory once it is
/// found. Clones share everything.
pub struct Instance<C: Context, R>(Shared<Inner<C, R>>);

struct Inner<C: Context, R> {
    ctx: C,
    source: R,
    default: Lock<Option<OpenLocation<C>>>,
    spooled: SpooledFiles<C, R>,
}

impl<C: Context, R> Clone for Instance<C, R> {
    fn clone(&self) -> Self {
        Instance(self.0.clone())
    }
}

impl<C: Context, R> Instance<C, R> {
    /// A new user. Names are drawn from `source`, which must be the system's: the strength of the
    /// names is the strength of the source.
    pub fn new(ctx: C, source: R) -> Self {
        let (default, spooled) = (Lock::new(None), Lock::new(alloc::vec::Vec::new()));
        Instance(Shared::new(Inner { ctx, source, default, spooled }))
    }

    /// The context.
    pub fn context(&self) -> &C {
        &self.0.ctx
    }

    pub(crate) fn spooled_files(&self) -> &SpooledFiles<C, R> {
        &self.0.spooled
    }
}

impl<C: Context, R: TryRng + Clone> Instance<C, R> {
    pub(crate) fn source(&self) -> R {
        self.0.source.clone()
    }

    /// `unnamed` of the interface.
    ///
    /// # Errors
    /// Those of the interface.
    pub fn unnamed(&self, location: Location<'_, C>) -> Result<File<C>, Error> {
        create::unnamed(self.context(), &mut self.source(), &self.open(location)?)
    }

    /// `named` of the interface.
    ///
    /// # Errors
    /// Those of the interface.
    pub fn named(
        &self,
        options: &Options,
        location: Location<'_, C>,
    ) -> Result<(File<C>, TempPath<C>), Error> {
        create::named(self.context(), &mut self.source(), options, &self.open(location)?)
    }

    /// `spooled` of the interface.
    ///
    /// # Errors
    /// Those of the interface.
    pub fn spooled(
        &self,
        max_memory: Option<u64>,
        location: Location<'_, C>,
    ) -> Result<AnyFile<C, R>, Error> {
        let location = match location {
            Location::Scratch => SpoolLocation::Scratch,
            Location::Within(dir) => SpoolLocation::Within(dir.location()?),
            Location::Directory(path) => {
                if path.len() > MAX_PATH {
                    return Err(PATH_TOO_LONG).at("create a spooled file in", path);
                }
                SpoolLocation::Directory(String::from(path))
            }
        };
        Spooled::new(self, location, max_memory).map(AnyFile::Spooled)
    }

    /// `directory` of the interface.
    ///
    /// # Errors
    /// Those of the interface.
    pub fn directory(
        &self,
        options: &Options,
        location: Location<'_, C>,
    ) -> Result<TempDir<C>, Error> {
        create::directory(self.context(), &mut self.source(), options, &self.open(location)?)
    }

    /// `default-directory` of the interface.
    ///
    /// # Errors
    /// Those of the interface.
    pub fn default_directory(&self) -> Result<String, Error> {
        self.default_location().map(|location| String::from(location.path()))
    }

    /// Opens a location, to create something in it.
    ///
    /// # Errors
    /// Those of the interface's `location`.
    pub fn open(&self, location: Location<'_, C>) -> Result<OpenLocation<C>, Error> {
        match location {
            Location::Scratch => self.default_location(),
            Location::Within(dir) => dir.location(),
            Location::Directory(path) => self.open_path(path),
        }
    }

    pub(crate) fn open_spool_location(
        &self,
        location: &SpoolLocation<C>,
    ) -> Result<OpenLocation<C>, Error> {
        match location {
            SpoolLocation::Scratch => self.default_location(),
            SpoolLocation::Within(location) => Ok(location.clone()),
            SpoolLocation::Directory(path) => self.open_path(path),
            SpoolLocation::Closed => {
                Err(Error::without_path(ErrorCode::Closed, "move a spooled file"))
            }
        }
    }

    fn open_path(&self, path: &str) -> Result<OpenLocation<C>, Error> {
        open_directory(self.context(), path)
            .explained(self.context().ledger())
            .at("open the directory", path)
    }

    /// The default directory, searched until it is found once.
    fn default_location(&self) -> Result<OpenLocation<C>, Error> {
        let mut default = self.0.default.lock();
        if let Some(location) = &*default {
            return Ok(location.clone());
        }
        let location = self.find_default()?;
        *default = Some(location.clone());
        Ok(location)
    }

    /// Searches for the first directory in which a file can be created and written.
    fn find_default(&self) -> Result<OpenLocation<C>, Error> {
        let ctx = self.context();
        let named = VARIABLES.iter().filter_map(|name| ctx.env_var(name));
        let mut failed = Vec::new();
        for path in named.chain(ctx.usual_dirs()) {
            match self.probe(&path).explained(ctx.ledger()) {
                Ok(location) => return Ok(location),
                Err(cause) => failed.push((cause, path)),
            }
        }
        let exhausted = |failed: &[(Cause, String)]| {
            failed.iter().position(|(cause, _)| candidate(cause.code) == Candidate::Exhausted)
        };
        // A fallback is not for temporary files. It stands in for what is missing, and not for what
        // is full.
        if exhausted(&failed).is_none() {
            for path in ctx.fallback_dirs() {
                match self.probe(&path).explained(ctx.ledger()) {
                    Ok(location) => return Ok(location),
                    Err(cause) => failed.push((cause, path)),
                }
            }
        }
        let broken =
            || failed.iter().position(|(cause, _)| candidate(cause.code) == Candidate::Broken);
        const OPERATION: &str = "find a directory for temporary files";
        Err(match exhausted(&failed).or_else(broken) {
            Some(which) => {
                let (cause, path) = failed.swap_remove(which);
                cause.at(OPERATION, &path)
            }
            None => Error::without_path(ErrorCode::NoScratch, OPERATION),
        })
    }

    fn probe(&self, path: &str) -> Result<OpenLocation<C>, Cause> {
        let (ctx, platform) = (self.context(), self.context().platform());
        let location = open_directory(ctx, path)?;
        let options = Options::default();
        let mut draft = Draft::new(&location.path, &options)?;
        let (file, path) = create_file(ctx, &mut self.source(), &mut draft, &location)?;
        // A full disk still takes new names. Only the first byte fails.
        let written = platform.write(&file, 0, b"x");
        drop(file);
        match platform.remove_file(&location.dir, path.name()) {
            Ok(()) | Err(ErrorCode::NoEntry) => {}
            Err(code) => {
                record_half_way(ctx, &path, Err(code));
                return Err(code.into());
            }
        }
        written?;
        Ok(OpenLocation { state: DirectoryState::Linked, ..location })
    }
}
