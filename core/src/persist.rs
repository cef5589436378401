//! Persisting: giving something that was temporary a permanent name.

use alloc::string::String;
use alloc::vec::Vec;

use crate::context::{Context, Dir, check_stopped};
use crate::error::{Cause, ErrorCode};
use crate::location::{OpenLocation, open_parent};
use crate::platform::{EntryKind, Platform, RawEntry};

/// What persisting does if the target's name is taken: `replace-mode` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceMode {
    /// Replaces the target, in one step.
    Overwrite,
    /// Leaves the target alone and fails with `exist`.
    NoClobber,
}

/// What must be on stable storage before an operation returns: `durability` of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing.
    None,
    /// The file's bytes and size.
    Data,
    /// The file with all its metadata and, if it gets a name, the directory of the name.
    Full,
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

    pub(crate) fn path(&self) -> String {
        self.location.join(&self.name)
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

    /// Whether a lookup of `name` in `from` finds the target: the two names are equal, or the file
    /// system folds case, in which case the directory lists only one of the two.
    fn is_found_by(&self, ctx: &C, from: &OpenLocation<C>, name: &[u8]) -> bool {
        let (platform, to) = (ctx.platform(), &self.location);
        // Not every host can compare directories.
        let same = from.path == to.path || platform.is_same_directory(&from.dir, &to.dir);
        let lists = |name| lists(platform, &from.dir, name);
        same && (self.name() == name || !lists(name) || !lists(self.name()))
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
            // A rename onto another name of the same file succeeds and does nothing.
            let count = platform.link_count_at(&from.dir, name);
            let left = count.is_ok_and(|count| count > 1)
                && is_ours()
                && !target.is_found_by(ctx, from, name);
            Ok(left && !removed(platform.remove_file(&from.dir, name)))
        }
        ReplaceMode::NoClobber => {
            match platform.rename_no_replace(&from.dir, name, &to.dir, target.name()) {
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
            match platform.rename_no_replace(&from.dir, name, &to.dir, target.name()) {
                Err(ErrorCode::Unsupported) => {}
                renamed => return renamed,
            }
            // An empty directory reserves the name, and a rename may replace it. It must not be
            // what is renamed, where that has lost its name.
            platform.metadata_at(&from.dir, name)?;
            platform.create_directory(&to.dir, target.name())?;
            rename().inspect_err(|_| {
                // If somebody has put something into it meanwhile, it is theirs.
                let _ = platform.remove_directory(&to.dir, target.name());
            })
        }
    }
}

/// Whether a directory lists exactly this name. False if that cannot be said.
pub(crate) fn lists<P: Platform>(platform: &P, dir: &P::Dir, name: &[u8]) -> bool {
    let Ok(mut entries) = platform.entries(dir) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| entry.name == name))
}

fn removed(result: Result<(), ErrorCode>) -> bool {
    matches!(result, Ok(()) | Err(ErrorCode::NoEntry))
}

/// Brings a platform's file to stable storage.
///
/// # Errors
/// Those of the platform.
pub fn sync_file<P: Platform>(
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

/// How many directories of a tree [`sync_tree`] holds open at once.
const MAX_OPEN: usize = 16;

/// A directory of a tree whose files are synced, and the directories in it that are not.
struct Level<P: Platform> {
    /// None where it was closed because others were deeper.
    dir: Option<P::Dir>,
    name: Vec<u8>,
    pending: Vec<Vec<u8>>,
}

/// Brings every file in a directory to stable storage and, with [`Durability::Full`], every
/// directory in it and the directory itself.
///
/// Follows no link. A directory is closed when others are much deeper, and opened again from the
/// root when it is needed, so depth does not cost handles.
pub(crate) fn sync_tree<C: Context>(
    ctx: &C,
    root: &Dir<C>,
    durability: Durability,
) -> Result<(), Cause> {
    let platform = ctx.platform();
    if durability == Durability::None {
        return Ok(());
    }
    let mut levels = Vec::from([sync_level(ctx, root.clone(), Vec::new(), durability)?]);
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.pending.pop() else {
            levels.pop();
            continue;
        };
        if level.dir.is_none() {
            reopen(platform, root, &mut levels)?;
        }
        // The last use of a directory, if nothing is pending there: a chain keeps one open.
        let Some(level) = levels.last_mut() else { break };
        let parent = if level.pending.is_empty() { level.dir.take() } else { level.dir.clone() };
        let Some(parent) = parent else { break };
        let dir = platform.open_directory(&parent, &name)?;
        levels.push(sync_level(ctx, dir, name, durability)?);
        if let Some(far) = levels.len().checked_sub(MAX_OPEN + 1) {
            levels[far].dir = None;
        }
    }
    Ok(())
}

/// Syncs the files of a directory, and the directory if that is asked for.
fn sync_level<C: Context>(
    ctx: &C,
    dir: Dir<C>,
    name: Vec<u8>,
    durability: Durability,
) -> Result<Level<C::Platform>, Cause> {
    let platform = ctx.platform();
    let mut pending = Vec::new();
    for entry in platform.entries(&dir)? {
        check_stopped(ctx)?;
        let RawEntry { name, kind } = entry?;
        match kind {
            EntryKind::File => {
                let file = platform.open_for_sync(&dir, &name)?;
                sync_file(platform, &file, durability)?;
            }
            EntryKind::Directory => pending.push(name),
            EntryKind::Other => {}
        }
    }
    if durability == Durability::Full {
        platform.sync_directory(&dir)?;
    }
    Ok(Level { dir: Some(dir), name, pending })
}

/// Opens the deepest directories again that were closed and are still needed: as many as may be
/// open, so that the walk from the root is rare.
fn reopen<P: Platform>(
    platform: &P,
    root: &P::Dir,
    levels: &mut [Level<P>],
) -> Result<(), ErrorCode> {
    let first = levels.len().saturating_sub(MAX_OPEN);
    let mut dir = root.clone();
    for (depth, level) in levels.iter_mut().enumerate() {
        if depth > 0 {
            dir = platform.open_directory(&dir, &level.name)?;
        }
        if depth >= first {
            level.dir = Some(dir.clone());
        }
    }
    Ok(())
}
