//! Names of the directories in a root. They are a format on disk: a sweep has to recognise what
//! earlier versions left.

use getrandom::SysRng;
use tempfile_core::{ErrorCode, Options, under_new_name};

use crate::system;

/// The prefix of the directory of a run.
const RUN: &str = "run-";

/// The prefix of a directory that was kept on purpose.
const KEPT: &str = "kept-";

/// The number of random characters after the prefix: 80 bits.
const RANDOM_CHARS: u8 = 16;

/// What an entry of a root is, by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Run,
    Kept,
    /// The lock of the run with this name, where it is a file of its own.
    Lock(&'a str),
    Foreign,
}

impl<'a> Kind<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        let lock = system::run_of_lock(name);
        let random = |prefix: &str| {
            lock.unwrap_or(name)
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.len() == usize::from(RANDOM_CHARS) && is_random(rest))
        };
        match () {
            () if random(RUN) => lock.map_or(Self::Run, Self::Lock),
            () if lock.is_some() => Self::Foreign,
            () if random(KEPT) => Self::Kept,
            () => Self::Foreign,
        }
    }
}

/// Whether a text has only characters that are drawn for names.
pub(super) fn is_random(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
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
        let run = "run-abcdefghijklmno7";
        let lock = if cfg!(windows) { Kind::Lock(run) } else { Kind::Foreign };
        assert_eq!(Kind::of(&format!("{run}.lock")), lock);
        assert_eq!(Kind::of("kept-abcdefghijklmno7.lock"), Kind::Foreign);
    }

    #[test]
    fn names_have_this_format() {
        let ((), name) = under_new_run_name(|_| Ok(())).expect("draw a name");
        assert_eq!(Kind::of(&name), Kind::Run, "{name}");
        assert_eq!(Kind::of(&kept(&name)), Kind::Kept, "{name}");
    }
}
