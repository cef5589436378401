//! Names of temporary files and directories: prefix, random characters, suffix.

use alloc::string::String;
use alloc::sync::Arc;

use rand_core::TryRng;

use crate::error::{Cause, ErrorCode};
use crate::path::{MAX_NAME, MAX_PATH, PATH_TOO_LONG, join, push_directory};

/// The default number of random characters in a name: 80 bits.
pub const DEFAULT_RANDOM_CHARS: u8 = 16;

/// The longest label, in bytes.
pub const MAX_LABEL: usize = 255;

/// Lower-case base32: names stay distinct on file systems that fold case, and five bits make one
/// character without bias.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// How something is named: `options` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The first characters of the name.
    pub prefix: String,
    /// The last characters of the name.
    pub suffix: String,
    /// The number of random characters between them; none means [`DEFAULT_RANDOM_CHARS`].
    pub random_chars: Option<u8>,
    /// A text for people that appears in the ledger, at most [`MAX_LABEL`] bytes.
    pub label: Option<String>,
}

impl Default for Options {
    /// Python's names: `tmp` and random characters.
    fn default() -> Self {
        Options { prefix: "tmp".into(), suffix: String::new(), random_chars: None, label: None }
    }
}

/// A name being drawn, after the path of its directory. Every draw is a name that may be created.
///
/// All draws share one string, which becomes the path of what is created.
pub(crate) struct Draft<'a> {
    text: String,
    /// Where the name begins in the text.
    name: usize,
    /// Where its random part begins.
    random: usize,
    random_chars: usize,
    suffix: &'a str,
    drawn: bool,
}

/// The bytes that the longest random part takes.
const MAX_BITS: usize = (u8::MAX as usize * 5).div_ceil(8);

impl<'a> Draft<'a> {
    /// Refuses a label that is too long, and prefixes and suffixes that no random part makes valid.
    pub(crate) fn new(directory: &str, options: &'a Options) -> Result<Self, Cause> {
        let Options { prefix, suffix, random_chars, label } = options;
        let random_chars = usize::from(random_chars.unwrap_or(DEFAULT_RANDOM_CHARS));
        let len = prefix.len().saturating_add(random_chars).saturating_add(suffix.len());
        check_chars(prefix)?;
        check_chars(suffix)?;
        if len > MAX_NAME {
            return Err(Cause::rule(ErrorCode::NameTooLong, "a name has at most 255 bytes"));
        }
        if directory.len() + 1 + len > MAX_PATH {
            return Err(PATH_TOO_LONG);
        }
        let mut text = String::with_capacity(directory.len() + 1 + len);
        push_directory(&mut text, directory);
        let name = text.len();
        text.push_str(prefix);
        let random = text.len();
        // `_` is not in the alphabet, so it neither makes nor hides a device name.
        text.extend(core::iter::repeat_n('_', random_chars));
        text.push_str(suffix);
        check_form(&text[name..])?;
        if label.as_ref().is_some_and(|label| label.len() > MAX_LABEL) {
            return Err(Cause::rule(ErrorCode::Invalid, "a label has at most 255 bytes"));
        }
        Ok(Draft { text, name, random, random_chars, suffix, drawn: false })
    }

    /// Whether there is only one name to try.
    pub(crate) fn is_fixed(&self) -> bool {
        self.random_chars == 0
    }

    /// Draws a name from `source`, of which nothing is kept: two copies of an instance that was
    /// snapshotted never share a name. Returns false if chance spelled a device name (`co` + `n`).
    pub(crate) fn draw<R: TryRng>(&mut self, source: &mut R) -> Result<bool, ErrorCode> {
        let mut bits = [0; MAX_BITS];
        let bits = &mut bits[..(self.random_chars * 5).div_ceil(8)];
        source.try_fill_bytes(bits).map_err(|_| ErrorCode::Io)?;
        self.text.truncate(self.random);
        base32(bits, self.random_chars, |byte| self.text.push(char::from(byte)));
        self.text.push_str(self.suffix);
        self.drawn = true;
        Ok(!is_device(self.name()))
    }

    /// The name that was drawn last.
    pub(crate) fn name(&self) -> &str {
        &self.text[self.name..]
    }

    /// The path of the name, and where the name begins in it.
    pub(crate) fn path(&self) -> (&str, usize) {
        (&self.text, self.name)
    }

    /// The path of the name that was drawn last, if one was.
    pub(crate) fn tried(&self) -> Option<&str> {
        self.drawn.then_some(&*self.text)
    }
}

/// The names that options describe, for messages: `prefix*suffix`, below the directory.
pub(crate) fn pattern(directory: &str, options: &Options) -> String {
    let random = if options.random_chars == Some(0) { "" } else { "*" };
    let mut text = String::new();
    push_directory(&mut text, directory);
    for part in [&options.prefix, random, &options.suffix] {
        text.push_str(part);
    }
    text
}

/// Encodes `bits` as `chars` characters of the alphabet, five bits each, low bits first.
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

fn refused(rule: &'static str) -> Cause {
    Cause::rule(ErrorCode::InvalidName, rule)
}

/// Checks that every system takes a name, and finds the same entry by it.
///
/// # Errors
/// `invalid-name`; `name-too-long`.
pub fn check_portable(name: &str) -> Result<(), ErrorCode> {
    check_chars(name).and_then(|()| check_form(name)).map_err(|cause| cause.code)
}

/// Refuses characters that some common file system refuses.
fn check_chars(part: &str) -> Result<(), Cause> {
    for c in part.chars() {
        match c {
            '/' => return Err(refused("a name cannot contain a slash")),
            '\\' => return Err(refused("a name cannot contain a backslash")),
            ':' => return Err(refused("a name cannot contain a colon")),
            '*' | '?' | '"' | '<' | '>' | '|' => {
                return Err(refused("a name cannot contain a character that Windows reserves"));
            }
            c if c.is_control() => {
                return Err(refused("a name cannot contain a control character"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses names that some common file system refuses for their form.
fn check_form(name: &str) -> Result<(), Cause> {
    match name.as_bytes() {
        [] => Err(refused("a name cannot be empty")),
        b"." | b".." => Err(refused("`.` and `..` are not names")),
        [.., b'.'] => Err(refused("a name cannot end in a dot")),
        [.., b' '] => Err(refused("a name cannot end in a space")),
        _ if is_device(name) => Err(refused("this is a device name on Windows")),
        _ => Ok(()),
    }
}

/// Whether Windows reserves the name for a device, with any extension:
/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_ascii_end();
    let is = |devices: &[&str], stem: &str| {
        devices.iter().any(|device| device.eq_ignore_ascii_case(stem))
    };
    // COM and LPT are numbered, by a digit or by the superscripts one, two and three.
    let port = stem.strip_suffix(|c: char| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³'));
    is(&["con", "prn", "aux", "nul", "conin$", "conout$"], stem)
        || port.is_some_and(|port| is(&["com", "lpt"], port))
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
            assert!(
                draft.name().starts_with("a-") && draft.name().ends_with(".b"),
                "{}",
                draft.name()
            );
            assert_eq!(draft.name().len(), 7);
            names.push(String::from(draft.name()));
        }
        names.dedup();
        assert_eq!(names.len(), 3);
        let (path, name) = draft.path();
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
        for name in [
            "con",
            "NUL.txt",
            "Com1",
            "lpt9.tar.gz",
            "COM¹",
            "lpt³.x",
            "aux .txt",
            "CONIN$",
            "com0",
        ] {
            assert!(is_device(name), "{name}");
        }
        for name in ["cone", "null", "com", "com10", "xcon", "lpt-1", "con_x"] {
            assert!(!is_device(name), "{name}");
        }
    }

    #[test]
    fn what_some_file_system_refuses_is_refused_with_the_rule() {
        for (prefix, suffix, rule) in [
            ("a/", "", "a name cannot contain a slash"),
            ("", "\\b", "a name cannot contain a backslash"),
            ("12:30", "", "a name cannot contain a colon"),
            ("*", "", "a name cannot contain a character that Windows reserves"),
            ("", "a|b", "a name cannot contain a character that Windows reserves"),
            ("", "\u{7f}", "a name cannot contain a control character"),
            ("\0", "", "a name cannot contain a control character"),
            ("", "", "a name cannot be empty"),
            (".", "", "`.` and `..` are not names"),
            (".", ".", "`.` and `..` are not names"),
            ("a", ".", "a name cannot end in a dot"),
            ("a", " ", "a name cannot end in a space"),
            ("n", "ul.txt", "this is a device name on Windows"),
        ] {
            let error = Draft::new("/dir", &options(prefix, suffix, 0)).err();
            assert_eq!(error, Some(refused(rule)), "{prefix:?} {suffix:?}");
        }
        for (prefix, suffix) in [("é", " x"), ("a", ".b"), ("...", "x"), ("-", "~")] {
            assert!(Draft::new("/dir", &options(prefix, suffix, 0)).is_ok(), "{prefix:?}");
        }
    }

    #[test]
    fn a_pattern_has_a_star_for_the_random_part() {
        assert_eq!(pattern("/dir", &options("a-", ".b", 3)), "/dir/a-*.b");
        assert_eq!(pattern("/", &options("a-", ".b", 0)), "/a-.b");
    }

    #[test]
    fn a_name_of_255_bytes_is_the_longest() {
        let drafted = |length| {
            let options = options(&"x".repeat(length), "", 16);
            Draft::new("/a/directory", &options).err().map(|cause| cause.code)
        };
        assert_eq!(drafted(239), None);
        assert_eq!(drafted(240), Some(ErrorCode::NameTooLong));
    }
}
