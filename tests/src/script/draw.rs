//! Random draws: numbers from a seed, and the arguments they select.

/// Names that work if their parent exists.
const FRIENDLY: &[&str] = &["a", "b", "d", "d/e", "d/e/f", "d/a", "é", "b/below-a-file"];

/// Symbolic links in the directory of a sequence, which lead out of it. No sequence renames them:
/// natively the system follows a link in the path of a caller.
pub(super) const LINKS: &[(&str, &str)] = &[("l", "../beside"), ("d/l", "../../beside/file")];

/// Names that are refused, in some places or in all.
const HOSTILE: &[&str] = &[
    "",
    ".",
    "..",
    "/",
    "//",
    "/.",
    "/..",
    "../a",
    "../beside/file",
    "l",
    "l/",
    "l/.",
    "l/..",
    "l/a",
    "l/file",
    "l//file",
    "d/l",
    "d/l/",
    "d/l/a",
    "d//",
    "d/.",
    "d/..",
    "\u{ff}",
    "a/..",
    "d/./a",
    "/a",
    "d//a",
    "a/",
    "d/",
    "a\0b",
    "nul.txt",
    "com1",
    "a:b",
    "a\\b",
    "dot.",
    "space ",
    "line\nbreak",
    "d/e/../a",
    "~",
    "-",
    "...",
    "\u{202e}",
    "con",
    "*",
];

/// Pieces of names: prefixes and suffixes.
const PIECES: &[&str] = &[
    "", "", "tmp", "a", "b", ".txt", "é", "/", "..", "\0", "\\", " ", ".", "a/b", "//", "/.", "/..",
];

/// Offsets and sizes: they fit into memory, or exceed any memory.
const OFFSETS: &[u64] =
    &[0, 0, 0, 1, 5, 99, 100, 101, 4096, 70_000, 1 << 50, LAST - 1, LAST, LAST + 1, u64::MAX];

const LAST: u64 = i64::MAX as u64;

/// Numbers from a seed, by Steele, Lea and Flood's SplitMix64, and the arguments they select.
pub struct Draw(u64);

impl Draw {
    /// The draws of this seed.
    pub fn new(seed: u64) -> Self {
        Draw(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Draws one of these.
    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// True once in `times`, on average.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A child's path.
    pub fn child(&mut self) -> String {
        match self.below(16) {
            0..=10 => self.of(FRIENDLY).to_owned(),
            11..=14 => self.of(HOSTILE).to_owned(),
            _ => self.long(),
        }
    }

    /// A child's path that is no link.
    pub(super) fn movable(&mut self) -> String {
        let chosen = self.child();
        let is_link = LINKS.iter().any(|(link, _)| *link == chosen);
        if is_link { self.of(FRIENDLY).to_owned() } else { chosen }
    }

    /// The part of a guest path after its directory. There are no dots and no links on the way:
    /// natively the system would resolve them.
    pub(super) fn guest(&mut self) -> String {
        let chosen = self.child();
        let resolves =
            chosen.contains("..") || LINKS.iter().any(|(link, _)| chosen.starts_with(link));
        if resolves { self.of(FRIENDLY).to_owned() } else { chosen }
    }

    /// A prefix or suffix.
    pub fn piece(&mut self) -> String {
        if self.once_in(30) { self.long() } else { self.of(PIECES).to_owned() }
    }

    fn long(&mut self) -> String {
        match self.below(5) {
            0 => "n".repeat(255),
            1 => "n".repeat(256),
            2 => "é".repeat(127),
            3 => "x/".repeat(2500) + "x",
            _ => "n".repeat(5000),
        }
    }

    pub(super) fn offset(&mut self) -> u64 {
        self.of(OFFSETS)
    }

    /// How many bytes to read.
    pub(super) fn max(&mut self) -> u32 {
        self.of(&[0, 1, 10, 100, 4096, 100_000, u32::MAX])
    }

    /// Bytes to write.
    pub(super) fn data(&mut self) -> Vec<u8> {
        let length = self.of(&[0, 1, 3, 10, 50, 100, 101, 1000, 20_000]);
        vec![b'a' + self.below(26) as u8; length]
    }
}
