//! Open directories: from a caller's path to a directory handle and one name.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::context::{Base, Context, Dir};
use crate::error::{Cause, ErrorCode};
use crate::path::{
    MAX_PATH, PATH_TOO_LONG, check_component, child_components, is_separator, join,
    lenient_components,
};
use crate::platform::{DirectoryState, Platform};

/// An open directory in which something can be created, and its path as the caller knows it.
pub struct OpenLocation<C: Context> {
    pub(crate) dir: Dir<C>,
    /// Absolute where the caller knows an absolute path, without `/` at its end except for the
    /// root.
    pub(crate) path: Arc<str>,
    pub(crate) state: DirectoryState,
    /// Whether other users may rename or remove names in it.
    pub(crate) shared: bool,
}

impl<C: Context> Clone for OpenLocation<C> {
    fn clone(&self) -> Self {
        let OpenLocation { dir, path, state, shared } = self;
        OpenLocation { dir: dir.clone(), path: path.clone(), state: *state, shared: *shared }
    }
}

impl<C: Context> OpenLocation<C> {
    /// The directory's path, as the caller knows it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a name in this directory.
    pub fn join(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

const EMPTY_PATH: Cause = Cause::rule(ErrorCode::NoEntry, "the path is empty");

/// Opens an existing directory by a caller's path.
pub(crate) fn open_directory<C: Context>(ctx: &C, path: &str) -> Result<OpenLocation<C>, Cause> {
    if path.len() > MAX_PATH {
        return Err(PATH_TOO_LONG);
    }
    if path.is_empty() {
        return Err(EMPTY_PATH);
    }
    if path.contains('\0') {
        return Err(Cause::rule(ErrorCode::InvalidName, "a path cannot contain a NUL"));
    }
    let Base { mut dir, mut path, rest } = ctx.resolve_base(path)?;
    for name in lenient_components(&rest) {
        let name = check_component(name)?;
        dir = ctx.platform().open_directory(&dir, name.as_bytes())?;
        path = join(&path, name);
    }
    let shared = ctx.platform().is_shared(&dir)?;
    Ok(OpenLocation { dir, path: path.into(), state: DirectoryState::MaybeRemoved, shared })
}

/// Opens the directory of something that need not exist, by a caller's path; returns its name too.
pub(crate) fn open_parent<C: Context>(
    ctx: &C,
    path: &str,
) -> Result<(OpenLocation<C>, String), Cause> {
    if path.is_empty() {
        return Err(EMPTY_PATH);
    }
    let (parent, name) = match path.rfind(is_separator) {
        // With the separator, which the parent needs if it is a root (`/`, `C:\`).
        Some(at) => path.split_at(at + 1),
        None => (".", path),
    };
    let name = check_component(name)?;
    Ok((open_directory(ctx, parent)?, name.to_string()))
}

/// Opens the directory of a child one component at a time from `root`; returns its name too.
pub(crate) fn open_child_parent<'a, P: Platform>(
    platform: &P,
    root: &P::Dir,
    path: &'a str,
) -> Result<(P::Dir, &'a str), Cause> {
    let mut components = child_components(path)?;
    let name = components.pop().ok_or(ErrorCode::InvalidName)?;
    Ok((walk(platform, root, components)?, name))
}

/// Opens a directory below `root`, following no link.
pub(crate) fn walk<'a, P: Platform>(
    platform: &P,
    root: &P::Dir,
    components: impl IntoIterator<Item = &'a str>,
) -> Result<P::Dir, ErrorCode> {
    let open = |dir, name: &str| platform.open_directory(&dir, name.as_bytes());
    components.into_iter().try_fold(root.clone(), open)
}
