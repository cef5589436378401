//! Paths: from what a caller writes to a directory handle and one name.
//!
//! Guest paths (a location's directory, the target of `persist` and `link`) are lenient about form: repeated and single dots'
//! components are passed over. Children of a temporary directory are strict: they may come from an archive, and a form that two
//! programs read differently is refused.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::error::ErrorCode;
use crate::name::{Draft, MAX_NAME};
use crate::platform::{Anchor, Platform};

/// The longest path taken, in bytes: Linux's limit, and long past what anyone means.
pub const MAX_PATH: usize = 4096;

/// A directory that is open, and what the caller calls it.
pub struct Place<P: Platform> {
    /// The handle.
    pub(crate) dir: P::Dir,
    /// The path, absolute where the caller knows an absolute one, with no `/` at its end but for the root.
    pub(crate) path: Arc<str>,
    pub(crate) kind: Kind,
}

/// What is to be expected of a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The default directory: private by mode, sticky bit or preopen, and there to stay.
    Default,
    /// A temporary directory: as private, and perhaps removed before its handle.
    Temporary,
    /// One that was named by its path: others may write there, so that names must be compared with what was created under them.
    Shared,
}

impl<P: Platform> Clone for Place<P> {
    fn clone(&self) -> Self {
        Place { dir: self.dir.clone(), path: self.path.clone(), kind: self.kind }
    }
}

impl<P: Platform> Place<P> {
    /// The directory's path, as the caller knows it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a name in this directory.
    pub fn join(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

pub(crate) fn join(directory: &str, name: &str) -> String {
    let mut path = String::with_capacity(directory.len() + 1 + name.len());
    push_directory(&mut path, directory);
    path.push_str(name);
    path
}

/// Adds a directory's path, ready for a name to follow.
pub(crate) fn push_directory(path: &mut String, directory: &str) {
    path.push_str(directory);
    if !directory.is_empty() && !directory.ends_with('/') {
        path.push('/');
    }
}

/// A path whose last component was given to what we created: one text, shared by whoever needs either.
#[derive(Clone)]
pub(crate) struct NamePath {
    path: Arc<str>,
    name: usize,
}

impl NamePath {
    pub(crate) fn new(directory: &str, name: &str) -> Self {
        let path = join(directory, name);
        NamePath { name: path.len() - name.len(), path: path.into() }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn shared(&self) -> &Arc<str> {
        &self.path
    }

    /// As a platform takes it.
    pub(crate) fn name(&self) -> &[u8] {
        self.path.as_bytes().get(self.name..).unwrap_or_default()
    }
}

impl From<Draft<'_>> for NamePath {
    fn from(draft: Draft<'_>) -> Self {
        let (path, name) = draft.into_path();
        NamePath { path: path.into(), name }
    }
}

/// Opens an existing directory by its guest path.
pub(crate) fn open_place<P: Platform>(platform: &P, path: &str) -> Result<Place<P>, ErrorCode> {
    if path.len() > MAX_PATH {
        return Err(ErrorCode::NameTooLong);
    }
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.bytes().any(|byte| byte == 0) {
        return Err(ErrorCode::InvalidName);
    }
    let Anchor { mut dir, mut path, rest } = platform.anchor(path)?;
    for name in guest_components(&rest) {
        let name = checked(name)?;
        dir = platform.open_directory(&dir, name.as_bytes())?;
        path = join(&path, name);
    }
    Ok(Place { dir, path: path.into(), kind: Kind::Shared })
}

/// The directory and the name of something that need not exist, by its guest path.
pub(crate) fn open_parent<P: Platform>(platform: &P, path: &str) -> Result<(Place<P>, String), ErrorCode> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    let (parent, name) = match path.bytes().rposition(|byte| byte == b'/') {
        Some(at) => (path.get(..at.max(1)), path.get(at + 1..)),
        None => (Some("."), Some(path)),
    };
    let (parent, name) = (parent.unwrap_or_default(), name.unwrap_or_default());
    let name = checked(name)?;
    Ok((open_place(platform, parent)?, name.to_string()))
}

/// The components of a child's path, every one of them fit to be created, opened or removed.
pub(crate) fn child_components(path: &str) -> Result<Vec<&str>, ErrorCode> {
    if path.len() > MAX_PATH {
        return Err(ErrorCode::NameTooLong);
    }
    let components = components(path);
    for component in &components {
        checked(component)?;
    }
    Ok(components)
}

/// A child's directory, opened component by component from `root`, and its name.
pub(crate) fn open_child_parent<'a, P: Platform>(
    platform: &P,
    root: &P::Dir,
    path: &'a str,
) -> Result<(P::Dir, &'a str), ErrorCode> {
    let mut components = child_components(path)?;
    let name = components.pop().ok_or(ErrorCode::InvalidName)?;
    Ok((walk(platform, root, &components)?, name))
}

/// Opens a directory below `root`, following nothing.
pub(crate) fn walk<P: Platform>(
    platform: &P,
    root: &P::Dir,
    components: &[&str],
) -> Result<P::Dir, ErrorCode> {
    components.iter().try_fold(root.clone(), |dir, name| platform.open_directory(&dir, name.as_bytes()))
}

/// The preopen that contains a path, and what is left of the path below it: the longest that is a prefix, component by
/// component, so that `/tmp` contains `/tmp/x` and not `/tmpx`. Of two equally long the first wins.
///
/// For platforms whose [`anchor`](Platform::anchor) is a list of preopens.
pub fn longest_preopen<'a>(preopens: impl Iterator<Item = &'a str>, path: &str) -> Option<(usize, String)> {
    let wanted = guest_components(path);
    let mut best: Option<(usize, &[&str])> = None;
    for (index, preopen) in preopens.enumerate() {
        if preopen.starts_with('/') != path.starts_with('/') {
            continue;
        }
        if let Some(rest) = wanted.strip_prefix(&*guest_components(preopen))
            && best.is_none_or(|(_, shortest)| rest.len() < shortest.len())
        {
            best = Some((index, rest));
        }
    }
    best.map(|(index, rest)| (index, rest.iter().fold(String::new(), |path, name| join(&path, name))))
}

fn guest_components(path: &str) -> Vec<&str> {
    let mut components = components(path);
    components.retain(|component| !matches!(*component, "" | "."));
    components
}

fn components(mut path: &str) -> Vec<&str> {
    // By hand: `split` decodes characters, in 200 bytes of the provider component.
    let mut components = Vec::new();
    while let Some(at) = path.bytes().position(|byte| byte == b'/') {
        components.push(path.get(..at).unwrap_or_default());
        path = path.get(at + 1..).unwrap_or_default();
    }
    components.push(path);
    components
}

/// One component that a platform may be given.
fn checked(name: &str) -> Result<&str, ErrorCode> {
    match name {
        "" | "." | ".." => Err(ErrorCode::InvalidName),
        name if name.bytes().any(|byte| byte == 0) => Err(ErrorCode::InvalidName),
        name if name.len() > MAX_NAME => Err(ErrorCode::NameTooLong),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(preopens: &[&'static str], path: &str) -> Option<(usize, String)> {
        longest_preopen(preopens.iter().copied(), path)
    }

    #[test]
    fn the_longest_preopen_wins() {
        let preopens = ["/", "/tmp", "/tmp/deep"];
        assert_eq!(longest(&preopens, "/tmp/deep/x/y"), Some((2, "x/y".into())));
        assert_eq!(longest(&preopens, "/tmp/x"), Some((1, "x".into())));
        assert_eq!(longest(&preopens, "/etc"), Some((0, "etc".into())));
    }

    #[test]
    fn a_preopen_is_a_prefix_by_whole_components() {
        assert_eq!(longest(&["/tmp"], "/tmpx/y"), None);
        assert_eq!(longest(&["/tmp"], "/tmp"), Some((0, String::new())));
        assert_eq!(longest(&["/tmp/"], "//tmp/./x/"), Some((0, "x".into())));
    }

    #[test]
    fn a_relative_path_is_in_a_relative_preopen_only() {
        assert_eq!(longest(&["/", "."], "out/x"), Some((1, "out/x".into())));
        assert_eq!(longest(&["/"], "out/x"), None);
    }

    #[test]
    fn a_parent_directory_is_left_for_the_walk_to_refuse() {
        assert_eq!(longest(&["/tmp"], "/tmp/../etc"), Some((0, "../etc".into())));
        assert_eq!(checked(".."), Err(ErrorCode::InvalidName));
    }

    #[test]
    fn children_are_strict() {
        for path in ["", "/x", "x/", "x//y", "./x", "x/..", "x\0y", "."] {
            assert_eq!(child_components(path), Err(ErrorCode::InvalidName), "{path:?}");
        }
        assert_eq!(child_components(&"x".repeat(256)), Err(ErrorCode::NameTooLong));
        assert_eq!(child_components("a/b c/..."), Ok(alloc::vec!["a", "b c", "..."]));
    }
}
