//! Texts to sort, the same in every run, and what sorting them must give.

/// A generator of numbers that are random enough for texts (xorshift).
pub(crate) struct Random(u64);

impl Random {
    /// Starts from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// `size` bytes in lines of 0 to 80 letters, the last one without a newline.
pub(crate) fn random(size: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut text = Vec::with_capacity(size + 81);
    while text.len() < size {
        for _ in 0..random.below(81) {
            text.push(b'a' + random.below(26) as u8);
        }
        text.push(b'\n');
    }
    text.truncate(size - 1);
    text.push(b'!');
    text
}

/// What `LC_ALL=C sort` gives.
pub(crate) fn sorted(text: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // After the last newline there is no line.
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.sort();
    lines.into_iter().flat_map(|line| [line, b"\n"]).flatten().copied().collect()
}
