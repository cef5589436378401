//! Names of what is created: prefix, random characters, suffix; one path component.

use alloc::string::String;

use rand_core::TryRng;

use crate::error::ErrorCode;
use crate::path::push_directory;

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

/// A name that is being drawn, after the path of its directory: every draw is one that may be created.
///
/// One text for all draws, and in the end for the path of what was created.
pub(crate) struct Draft<'a> {
    text: String,
    /// Where in the text the name begins, and where its random part.
    name: usize,
    random: usize,
    random_chars: usize,
    suffix: &'a str,
}

/// As many bytes as the random part can take.
const MAX_BITS: usize = (u8::MAX as usize * 5).div_ceil(8);

impl<'a> Draft<'a> {
    /// Refuses (`invalid-name`) what no drawn character could mend.
    pub(crate) fn new(directory: &str, options: &'a Options) -> Result<Self, ErrorCode> {
        let Options { prefix, suffix, random_chars, label: _ } = options;
        let random_chars = usize::from(random_chars.unwrap_or(DEFAULT_RANDOM_CHARS));
        let mut text =
            String::with_capacity(directory.len() + 1 + prefix.len() + random_chars + suffix.len());
        push_directory(&mut text, directory);
        let name = text.len();
        text.push_str(prefix);
        let random = text.len();
        // `_` is not in the alphabet, so it neither makes nor hides a device's name.
        (0..random_chars).for_each(|_| text.push('_'));
        text.push_str(suffix);
        let draft = Draft { text, name, random, random_chars, suffix };
        if plain(prefix) && plain(suffix) && may_be_created(draft.name()) {
            Ok(draft)
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
    /// False when chance spelled the name of a device (`co` + `n`).
    pub(crate) fn draw<R: TryRng>(&mut self, source: &mut R) -> Result<bool, ErrorCode> {
        let mut bits = [0; MAX_BITS];
        let bits = bits.get_mut(..(self.random_chars * 5).div_ceil(8)).unwrap_or_default();
        source.try_fill_bytes(bits).map_err(|_| ErrorCode::Io)?;
        self.text.truncate(self.random);
        base32(bits, self.random_chars, |byte| self.text.push(char::from(byte)));
        self.text.push_str(self.suffix);
        Ok(!is_device(self.name()))
    }

    /// The name that was drawn last.
    pub(crate) fn name(&self) -> &str {
        // Sliced with brackets, a text that is not sliced well is quoted: the formatting machinery is a tenth of the provider component.
        self.text.get(self.name..).unwrap_or_default()
    }

    /// Its path, and where in that the name begins.
    pub(crate) fn into_path(self) -> (String, usize) {
        (self.text, self.name)
    }
}

/// So many characters of the alphabet, for five bits each, low bits first.
pub(crate) fn base32(bits: &[u8], chars: usize, mut push: impl FnMut(u8)) {
    let mut bytes = bits.iter();
    let (mut rest, mut held) = (0_u32, 0);
    for _ in 0..chars {
        if held < 5 {
            rest |= u32::from(bytes.next().copied().unwrap_or_default()) << held;
            held += 8;
        }
        push(ALPHABET[rest as usize % ALPHABET.len()]);
        rest >>= 5;
        held -= 5;
    }
}

/// A name as text, if it is one.
///
/// For platforms whose names are text.
pub fn text(name: &[u8]) -> Option<&str> {
    // What `str::from_utf8` does for texts longer than names is 500 bytes of the provider component.
    match name.utf8_chunks().next() {
        None => Some(""),
        Some(chunk) => chunk.invalid().is_empty().then_some(chunk.valid()),
    }
}

/// Whether a part of a name has no character that some file system refuses.
fn plain(part: &str) -> bool {
    !part.chars().any(|c| matches!(c, '/' | '\\' | ':') || c.is_control())
}

/// Whether a name of plain parts is safe to create on every file system that a host may have below.
fn may_be_created(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= MAX_NAME
        && !matches!(name.as_bytes(), [.., b'.' | b' '])
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
        let mut draft = Draft::new("", &options).unwrap();
        let mut source = Counting::default();
        let mut drawn = String::new();
        for _ in 0..64 {
            draft.draw(&mut source).unwrap();
            drawn.push_str(draft.name());
        }
        assert!(drawn.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(ALPHABET.iter().all(|&byte| drawn.contains(char::from(byte))));
    }

    #[test]
    fn the_random_part_uses_five_bits_a_character() {
        let options = Options::default();
        let mut draft = Draft::new("", &options).unwrap();
        let mut source = Counting::default();
        draft.draw(&mut source).unwrap();
        assert_eq!(source.bytes, 10);
    }

    #[test]
    fn a_device_spelled_by_chance_is_not_used() {
        // All-zero bits draw `a`: with the suffix, a device.
        let options = options("", "ux", 1);
        let mut draft = Draft::new("", &options).unwrap();
        assert!(!draft.draw(&mut Zeros).unwrap());
        assert_eq!(draft.name(), "aux");
    }

    #[test]
    fn draws_follow_each_other_in_place() {
        let options = options("a-", ".b", 3);
        let mut draft = Draft::new("/dir", &options).unwrap();
        let mut source = Counting::default();
        let mut names = alloc::vec::Vec::new();
        for _ in 0..3 {
            draft.draw(&mut source).unwrap();
            assert!(draft.name().starts_with("a-") && draft.name().ends_with(".b"), "{}", draft.name());
            assert_eq!(draft.name().len(), 7);
            names.push(String::from(draft.name()));
        }
        names.dedup();
        assert_eq!(names.len(), 3);
        let (path, name) = draft.into_path();
        assert_eq!((&path[..name], &path[name..]), ("/dir/", &*names[2]));
    }

    #[test]
    fn base32_takes_low_bits_first() {
        let encoded = |bits: &[u8], chars| {
            let mut all = String::new();
            base32(bits, chars, |byte| all.push(char::from(byte)));
            all
        };
        assert_eq!(encoded(&0b11110_00010_11111_00001_u32.to_le_bytes(), 4), "b7c6");
        assert_eq!(encoded(&[0; 10], 16), "a".repeat(16));
        assert_eq!(encoded(&[], 0), "");
    }

    #[test]
    fn a_failing_source_is_an_error_and_not_a_name() {
        let options = Options::default();
        let mut draft = Draft::new("", &options).unwrap();
        assert_eq!(draft.draw(&mut crate::testing::Broken).unwrap_err(), ErrorCode::Io);
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
        let drafted = |length| Draft::new("/a/directory", &options(&"x".repeat(length), "", 16)).is_ok();
        assert!(drafted(239));
        assert!(!drafted(240));
    }
}
