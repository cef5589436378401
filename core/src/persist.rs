//! Persisting: giving something that was temporary a permanent name.

use alloc::string::String;
use alloc::vec::Vec;

use crate::context::{Context, Dir, check_stopped};
use crate::error::{Cause, ErrorCode};
use crate::file::Durability;
use crate::path::{OpenLocation, open_parent};
use crate::platform::{EntryKind, Platform, name_to_str};

/// What persisting does if the target's name is taken: `replace-mode` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceMode {
    /// Replaces the target, in one step.
    Overwrite,
    /// Leaves the target alone and fails with `exist`.
    NoClobber,
}

/// The directory and the name that something is to get.
pub(crate) struct Target<C: Context> {
    pub(crate) location: OpenLocation<C>,
    name: String,
}

impl<C: Context> Target<C> {
    pub(crate) fn open(ctx: &C, path: &str) -> Result<Self, Cause> {
        let (location, name) = open_parent(ctx, path)?;
        Ok(Target { location, name })
    }

    /// The name as a platform takes it.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }

    /// Syncs the target's directory if that is asked for: the last step, when the name is there.
    pub(crate) fn sync_directory(&self, ctx: &C, durability: Durability) -> Result<(), ErrorCode> {
        match durability {
            Durability::None | Durability::Data => Ok(()),
            Durability::Full => {
                ctx.platform().sync_directory(&self.location.dir).map_err(|_| ErrorCode::NotDurable)
            }
        }
    }

    /// Whether this is the name `name` in the directory `from`.
    fn is(&self, ctx: &C, from: &OpenLocation<C>, name: &[u8]) -> bool {
        let identity = |dir: &Dir<C>| ctx.platform().directory_identity(dir);
        let same = match (identity(&from.dir), identity(&self.location.dir)) {
            (Ok(from), Ok(to)) => from == to,
            // Without identities, directories are known by their paths.
            (Err(_), _) | (_, Err(_)) => from.path == self.location.path,
        };
        same && self.name() == name
    }
}

/// Renames a file to a target. Returns whether the old name is left and still has to be removed.
pub(crate) fn rename_file<C: Context>(
    ctx: &C,
    (from, name): (&OpenLocation<C>, &[u8]),
    target: &Target<C>,
    mode: ReplaceMode,
    is_ours: impl Fn() -> bool,
) -> Result<bool, ErrorCode> {
    let (platform, to) = (ctx.platform(), &target.location);
    match mode {
        ReplaceMode::Overwrite => {
            platform.rename(&from.dir, name, &to.dir, target.name())?;
            // A rename onto another name of the same file succeeds and does nothing. A file system
            // that folds case finds the new name under the old one: then there is only one name.
            let count = platform.link_count_at(&from.dir, name);
            let left =
                count.is_ok_and(|count| count > 1) && is_ours() && !target.is(ctx, from, name);
            Ok(left && !removed(platform.remove_file(&from.dir, name)))
        }
        ReplaceMode::NoClobber => {
            match platform.rename_new(&from.dir, name, &to.dir, target.name()) {
                Ok(()) => Ok(false),
                Err(ErrorCode::Unsupported) => {
                    platform.link(&from.dir, name, &to.dir, target.name())?;
                    // The target is won and cannot be given back safely.
                    Ok(!removed(platform.remove_file(&from.dir, name)))
                }
                Err(code) => Err(code),
            }
        }
    }
}

/// Renames a directory to a target.
pub(crate) fn rename_directory<C: Context>(
    ctx: &C,
    (from, name): (&OpenLocation<C>, &[u8]),
    target: &Target<C>,
    mode: ReplaceMode,
) -> Result<(), ErrorCode> {
    let (platform, to) = (ctx.platform(), &target.location);
    let rename = || platform.rename(&from.dir, name, &to.dir, target.name());
    match mode {
        ReplaceMode::Overwrite => rename(),
        ReplaceMode::NoClobber => {
            match platform.rename_new(&from.dir, name, &to.dir, target.name()) {
                Err(ErrorCode::Unsupported) => {}
                renamed => return renamed,
            }
            // An empty directory reserves the name, and a rename may replace it.
            platform.create_directory(&to.dir, target.name())?;
            rename().inspect_err(|_| {
                // If somebody has put something into it meanwhile, it is theirs.
                let _ = platform.remove_directory(&to.dir, target.name());
            })
        }
    }
}

fn removed(result: Result<(), ErrorCode>) -> bool {
    matches!(result, Ok(()) | Err(ErrorCode::NoEntry))
}

/// Brings a file to stable storage.
pub(crate) fn sync_file<P: Platform>(
    platform: &P,
    file: &P::File,
    durability: Durability,
) -> Result<(), ErrorCode> {
    match durability {
        Durability::None => Ok(()),
        Durability::Data => platform.sync_data(file),
        Durability::Full => platform.sync_all(file),
    }
}

/// Brings every file in a directory to stable storage and, with [`Durability::Full`], every
/// directory in it and the directory itself.
///
/// Holds one directory open at a time, however deep the tree is.
pub(crate) fn sync_tree<C: Context>(
    ctx: &C,
    root: &Dir<C>,
    durability: Durability,
) -> Result<(), Cause> {
    let platform = ctx.platform();
    if durability == Durability::None {
        return Ok(());
    }
    let mut pending: Vec<Vec<String>> = Vec::from([Vec::new()]);
    while let Some(path) = pending.pop() {
        let dir = crate::path::walk(platform, root, path.iter().map(String::as_str))?;
        for entry in platform.entries(&dir)? {
            check_stopped(ctx)?;
            let entry = entry?;
            match entry.kind {
                EntryKind::File => {
                    let file = platform.open_file(&dir, &entry.name)?;
                    sync_file(platform, &file, durability)?;
                }
                EntryKind::Directory => {
                    let name = name_to_str(&entry.name).ok_or(ErrorCode::InvalidName)?;
                    let mut path = path.clone();
                    path.push(String::from(name));
                    pending.push(path);
                }
                EntryKind::Other => {}
            }
        }
        if durability == Durability::Full {
            platform.sync_directory(&dir)?;
        }
    }
    Ok(())
}
