//! Paths as texts: their parts, and what is refused in them.
//!
//! Paths of callers (the directory of a location, the target of `persist` and `link`) may have
//! repeated slashes and `.` components. Paths of children of a temporary directory may not: they
//! may come from an archive, and a form that two programs could read differently is refused.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::{Cause, ErrorCode};

/// The longest name on the common file systems, in bytes.
pub const MAX_NAME: usize = 255;

/// The longest path in bytes: Linux's limit.
pub const MAX_PATH: usize = 4096;

pub(crate) const PATH_TOO_LONG: Cause =
    Cause::rule(ErrorCode::NameTooLong, "a path has at most 4096 bytes");

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

/// The components of a child's path, each of them checked.
pub(crate) fn child_components(path: &str) -> Result<Vec<&str>, Cause> {
    if path.len() > MAX_PATH {
        return Err(PATH_TOO_LONG);
    }
    components(path).map(check_component).collect()
}

/// The preopen that contains a path, and the rest of the path below it: the longest that is a
/// prefix by whole components, so that `/tmp` contains `/tmp/x` and not `/tmpx`. Of two equally
/// long ones the first. Relative paths and preopens are taken from `/`, as wasi-libc does.
///
/// For contexts whose [`resolve_base`](crate::Context::resolve_base) has a list of preopens.
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
pub(crate) fn lenient_components(path: &str) -> impl Iterator<Item = &str> {
    components(path).filter(|component| !matches!(*component, "" | "."))
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    // An array, since the search for one `char`, made for long texts, is 1.5 kB in a component.
    path.split(['/'])
}

/// Refuses a component that no platform may be given.
pub(crate) fn check_component(name: &str) -> Result<&str, Cause> {
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
