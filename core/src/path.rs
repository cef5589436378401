//! Paths: from what a caller writes to a directory handle and one name.
//!
//! Paths of callers (the directory of a location, the target of `persist` and `link`) may have
//! repeated slashes and `.` components. Paths of children of a temporary directory may not: they
//! may come from an archive, and a form that two programs could read differently is refused.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::context::{Base, Context, Dir};
use crate::error::{Cause, ErrorCode};
use crate::name::{Draft, MAX_NAME};
use crate::platform::{DirectoryState, Platform};

/// The longest path in bytes: Linux's limit.
pub const MAX_PATH: usize = 4096;

pub(crate) const PATH_TOO_LONG: Cause =
    Cause::rule(ErrorCode::NameTooLong, "a path has at most 4096 bytes");

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

pub(crate) fn join(directory: &str, name: &str) -> String {
    let mut path = String::with_capacity(directory.len() + 1 + name.len());
    push_directory(&mut path, directory);
    path.push_str(name);
    path
}

/// Whether a path is another one or below it, as far as the two texts show, in any case of ASCII.
pub(crate) fn is_within(path: &str, other: &str) -> bool {
    let components =
        |path| str::split(path, is_separator).filter(|part: &&str| !matches!(*part, "" | "."));
    let mut parts = components(path);
    components(other).all(|part| parts.next().is_some_and(|own| own.eq_ignore_ascii_case(part)))
}

/// Appends the path of a directory, and the separator before a name in it.
pub(crate) fn push_directory(path: &mut String, directory: &str) {
    path.push_str(directory);
    if !directory.is_empty() && !directory.ends_with(is_separator) {
        // An absolute path of Windows has one. The paths of plugins have slashes everywhere.
        let backslash = cfg!(windows) && directory.contains('\\');
        path.push(if backslash { '\\' } else { '/' });
    }
}

/// Whether a character separates the components of a path of the operating system's.
pub(crate) fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
}

/// The path of something that was created, and the name at its end: one shared string.
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

    /// The name as a platform takes it.
    pub(crate) fn name(&self) -> &[u8] {
        &self.path.as_bytes()[self.name..]
    }
}

impl From<&Draft<'_>> for NamePath {
    fn from(draft: &Draft<'_>) -> Self {
        let (path, name) = draft.path();
        NamePath { path: path.into(), name }
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

/// The components of a child's path, each of them checked.
pub(crate) fn child_components(path: &str) -> Result<Vec<&str>, Cause> {
    if path.len() > MAX_PATH {
        return Err(PATH_TOO_LONG);
    }
    components(path).map(check_component).collect()
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

/// The preopen that contains a path, and the rest of the path below it: the longest that is a
/// prefix by whole components, so that `/tmp` contains `/tmp/x` and not `/tmpx`. Of two equally
/// long ones the first. Relative paths and preopens are taken from `/`, as wasi-libc does.
///
/// For contexts whose [`resolve_base`](Context::resolve_base) has a list of preopens.
///
/// # Errors
/// `no-entry` if no preopen contains the path.
pub fn longest_preopen<'a>(
    preopens: impl Iterator<Item = &'a str>,
    path: &str,
) -> Result<(usize, String), Cause> {
    let wanted: Vec<&str> = lenient_components(path).collect();
    let mut best: Option<(usize, &[&str])> = None;
    for (index, preopen) in preopens.enumerate() {
        let prefix: Vec<&str> = lenient_components(preopen).collect();
        if let Some(rest) = wanted.strip_prefix(prefix.as_slice())
            && best.is_none_or(|(_, shortest)| rest.len() < shortest.len())
        {
            best = Some((index, rest));
        }
    }
    let missing = Cause::rule(ErrorCode::NoEntry, "no preopen contains the path");
    best.map(|(index, rest)| (index, rest.join("/"))).ok_or(missing)
}

/// The components of a caller's path, without empty ones and `.`.
fn lenient_components(path: &str) -> impl Iterator<Item = &str> {
    components(path).filter(|component| !matches!(*component, "" | "."))
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    // An array, since the search for one `char`, made for long texts, is 1.5 kB in a component.
    path.split(['/'])
}

/// Refuses a component that no platform may be given.
fn check_component(name: &str) -> Result<&str, Cause> {
    let refused = |rule| Err(Cause::rule(ErrorCode::InvalidName, rule));
    let too_long = "a path component has at most 255 bytes";
    match name {
        "" => refused("a path component cannot be empty"),
        "." | ".." => refused("a path cannot contain `.` or `..` here"),
        name if name.contains('\0') => refused("a name cannot contain a NUL"),
        name if name.len() > MAX_NAME => Err(Cause::rule(ErrorCode::NameTooLong, too_long)),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(preopens: &[&'static str], path: &str) -> Option<(usize, String)> {
        longest_preopen(preopens.iter().copied(), path).ok()
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
    fn a_relative_path_is_taken_from_the_root() {
        assert_eq!(longest(&["/", "out"], "out/x"), Some((1, "x".into())));
        assert_eq!(longest(&["out"], "/out/x"), Some((0, "x".into())));
        assert_eq!(longest(&["/tmp", "."], "out/x"), Some((1, "out/x".into())));
        assert_eq!(longest(&["/tmp"], "out/x"), None);
    }

    #[test]
    fn a_parent_directory_is_left_for_the_walk_to_refuse() {
        assert_eq!(longest(&["/tmp"], "/tmp/../etc"), Some((0, "../etc".into())));
        assert_eq!(check_component("..").unwrap_err().code, ErrorCode::InvalidName);
    }

    #[test]
    fn children_are_strict() {
        for path in ["", "/x", "x/", "x//y", "./x", "x/..", "x\0y", "."] {
            assert_eq!(
                child_components(path).unwrap_err().code,
                ErrorCode::InvalidName,
                "{path:?}"
            );
        }
        let too_long = child_components(&"x".repeat(256)).unwrap_err();
        assert_eq!(too_long.code, ErrorCode::NameTooLong);
        assert_eq!(child_components("a/b c/..."), Ok(alloc::vec!["a", "b c", "..."]));
    }
}
