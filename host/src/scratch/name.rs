//! Names and marks of the directories in a root. They are a format on disk: a sweep has to
//! recognise what earlier versions left.

use getrandom::SysRng;
use rustix::fs::{FileType, Mode, Stat};
use tempfile_core::{ErrorCode, Options, under_new_name};

/// The prefix of the directory of a run.
const RUN: &str = "run-";

/// The prefix of a directory that was kept on purpose.
const KEPT: &str = "kept-";

/// The number of random characters after the prefix: 80 bits.
const RANDOM_CHARS: u8 = 16;

/// The mode of a run's directory, and the mark by which a sweep recognises one: `mkdir` sets it, so
/// no directory exists without it, whenever its maker is killed.
///
/// Nobody sets it by accident, because it has no use otherwise: the sticky bit restricts other
/// users, and none has access.
pub(super) const MARKED: Mode = Mode::RWXU.union(Mode::SVTX);

/// The mode of a directory that was kept.
pub(super) const UNMARKED: Mode = Mode::RWXU;

/// What an entry of a root is, by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Run,
    Kept,
    Foreign,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        let random = |prefix: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.len() == usize::from(RANDOM_CHARS) && is_random(rest))
        };
        match () {
            () if random(RUN) => Self::Run,
            () if random(KEPT) => Self::Kept,
            () => Self::Foreign,
        }
    }
}

/// Whether a text has only characters that are drawn for names.
pub(super) fn is_random(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

/// Whether a directory has the mark: it is this user's, sticky, and closed to others. What its
/// owner may do is not part of it, so a directory that its owner has closed keeps the mark.
pub(super) fn is_marked(stat: &Stat) -> bool {
    let mode = Mode::from_raw_mode(stat.st_mode);
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && mode.contains(Mode::SVTX)
        && !mode.intersects(Mode::RWXG | Mode::RWXO)
}

/// Draws names for the directory of a run until `create` does not find one taken.
pub(super) fn under_new_run_name<T>(
    create: impl FnMut(&str) -> Result<T, ErrorCode>,
) -> Result<(T, String), ErrorCode> {
    let prefix = RUN.to_owned();
    let options = Options { prefix, random_chars: Some(RANDOM_CHARS), ..Options::default() };
    under_new_name(&options, &mut SysRng, create)
}

/// The name of a run's directory once it is kept. The random part stays, so it is free.
pub(super) fn kept(name: &str) -> String {
    name.replacen(RUN, KEPT, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_version_are_recognised() {
        assert_eq!(Kind::of("run-abcdefghijklmno7"), Kind::Run);
        assert_eq!(Kind::of("kept-abcdefghijklmno7"), Kind::Kept);
        for foreign in
            ["run-", "run-abcdefghijklmno1", "run-abcdefghijklmnopq", "RUN-abcdefghijklmnop"]
        {
            assert_eq!(Kind::of(foreign), Kind::Foreign, "{foreign}");
        }
    }

    #[test]
    fn names_have_this_format() {
        let ((), name) = under_new_run_name(|_| Ok(())).expect("draw a name");
        assert_eq!(Kind::of(&name), Kind::Run, "{name}");
        assert_eq!(Kind::of(&kept(&name)), Kind::Kept, "{name}");
    }
}
