//! Names of what is created: prefix, random characters, suffix; one path component.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use rand_core::TryRng;

use crate::error::ErrorCode;

/// How many random characters a name has unless the caller says otherwise: 80 bits.
pub const DEFAULT_RANDOM_CHARS: u8 = 16;

/// The longest name of the common file systems, in bytes.
pub const MAX_NAME: usize = 255;

/// Lower-case base32. One case only, so that names stay apart on file systems that fold case; 32 characters, so that
/// five bits of the source make one character with no bias.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How something is to be named: `options` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What the name begins with.
    pub prefix: String,
    /// What the name ends with.
    pub suffix: String,
    /// How many random characters stand between; [`DEFAULT_RANDOM_CHARS`] if none.
    pub random_chars: Option<u8>,
    /// What its creator calls it, in the ledger alone.
    pub label: Option<String>,
}

impl Default for Options {
    /// Python's names: `tmp` and random characters.
    fn default() -> Self {
        Options { prefix: "tmp".into(), suffix: String::new(), random_chars: None, label: None }
    }
}

/// A pattern that has been looked at: every name drawn from it is one that may be created.
pub(crate) struct Pattern<'a> {
    prefix: &'a str,
    suffix: &'a str,
    random_chars: usize,
}

impl<'a> Pattern<'a> {
    /// Refuses (`invalid-name`) what no drawn character could mend.
    pub(crate) fn new(options: &'a Options) -> Result<Self, ErrorCode> {
        let random_chars = usize::from(options.random_chars.unwrap_or(DEFAULT_RANDOM_CHARS));
        let pattern = Pattern { prefix: &options.prefix, suffix: &options.suffix, random_chars };
        // `_` is not in the alphabet, so it neither makes nor hides a device's name.
        if may_be_created(&pattern.fill(&vec![b'_'; random_chars])) {
            Ok(pattern)
        } else {
            Err(ErrorCode::InvalidName)
        }
    }

    /// Whether there is only one name to try.
    pub(crate) fn is_fixed(&self) -> bool {
        self.random_chars == 0
    }

    /// Draws a name. Nothing of the source's state is kept: two copies of a snapshotted instance share none.
    ///
    /// The answer is none when chance spelled the name of a device (`co` + `n`).
    pub(crate) fn draw<R: TryRng>(&self, source: &mut R) -> Result<Option<String>, ErrorCode> {
        let mut bits = vec![0; (self.random_chars * 5).div_ceil(8)];
        source.try_fill_bytes(&mut bits).map_err(|_| ErrorCode::Io)?;
        let name = self.fill(&base32(&bits, self.random_chars));
        Ok(Some(name).filter(|name| !is_device(name)))
    }

    fn fill(&self, middle: &[u8]) -> String {
        let mut name = String::with_capacity(self.prefix.len() + middle.len() + self.suffix.len());
        name.push_str(self.prefix);
        name.extend(middle.iter().map(|&byte| char::from(byte)));
        name.push_str(self.suffix);
        name
    }
}

/// `chars` characters of the alphabet for five bits each, low bits first.
pub(crate) fn base32(bits: &[u8], chars: usize) -> Vec<u8> {
    let bit = |at: usize| bits[at / 8] >> (at % 8) & 1;
    let value = |at: usize| (0..5).fold(0, |value, i| value << 1 | bit(at * 5 + i));
    (0..chars).map(|at| ALPHABET[usize::from(value(at))]).collect()
}

/// Whether a name is safe to create on every file system that a host may have below.
fn may_be_created(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= MAX_NAME
        && !matches!(name.as_bytes(), [.., b'.' | b' '])
        && !name.chars().any(|c| matches!(c, '/' | '\\' | ':') || c.is_control())
        && !is_device(name)
}

/// Whether Windows takes the name for a device, whatever extension follows:
/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.
// By bytes: the machinery of string patterns is a kilobyte of the provider component.
fn is_device(name: &str) -> bool {
    let stem = name.as_bytes().split(|&byte| byte == b'.').next().unwrap_or_default().trim_ascii_end();
    let is_one_of = |devices: &[&str], stem: &[u8]| {
        devices.iter().any(|device| device.as_bytes().eq_ignore_ascii_case(stem))
    };
    let port = match stem {
        // A digit, or one of the superscripts one, two and three.
        [port @ .., b'0'..=b'9'] | [port @ .., 0xC2, 0xB9 | 0xB2 | 0xB3] => port,
        _ => b"",
    };
    is_one_of(&["con", "prn", "aux", "nul", "conin$", "conout$"], stem) || is_one_of(&["com", "lpt"], port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Counting, Zeros};

    fn options(prefix: &str, suffix: &str, random_chars: u8) -> Options {
        Options {
            prefix: prefix.into(),
            suffix: suffix.into(),
            random_chars: Some(random_chars),
            label: None,
        }
    }

    #[test]
    fn every_character_of_the_alphabet_is_drawn_and_no_other() {
        let options = options("", "", 255);
        let pattern = Pattern::new(&options).unwrap();
        let mut source = Counting::default();
        let drawn: String = (0..64).filter_map(|_| pattern.draw(&mut source).unwrap()).collect();
        assert!(drawn.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(ALPHABET.iter().all(|&byte| drawn.contains(char::from(byte))));
    }

    #[test]
    fn the_random_part_uses_five_bits_a_character() {
        let options = Options::default();
        let pattern = Pattern::new(&options).unwrap();
        let mut source = Counting::default();
        pattern.draw(&mut source).unwrap();
        assert_eq!(source.bytes, 10);
    }

    #[test]
    fn a_device_spelled_by_chance_is_not_used() {
        // All-zero bits draw `a`: with the suffix, a device.
        let options = options("", "ux", 1);
        let pattern = Pattern::new(&options).unwrap();
        assert_eq!(pattern.draw(&mut Zeros).unwrap(), None);
    }

    #[test]
    fn a_failing_source_is_an_error_and_not_a_name() {
        let options = Options::default();
        let pattern = Pattern::new(&options).unwrap();
        assert_eq!(pattern.draw(&mut crate::testing::Broken).unwrap_err(), ErrorCode::Io);
    }

    #[test]
    fn devices_are_refused_with_any_extension_and_case() {
        for name in ["con", "NUL.txt", "Com1", "lpt9.tar.gz", "COM¹", "lpt³.x", "aux .txt", "CONIN$", "com0"]
        {
            assert!(is_device(name), "{name}");
        }
        for name in ["cone", "null", "com", "com10", "xcon", "lpt-1", "con_x"] {
            assert!(!is_device(name), "{name}");
        }
    }

    #[test]
    fn a_name_of_255_bytes_is_the_longest() {
        assert!(Pattern::new(&options(&"x".repeat(239), "", 16)).is_ok());
        assert!(Pattern::new(&options(&"x".repeat(240), "", 16)).is_err());
    }
}
