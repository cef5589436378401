//! Scripts: random sequences of operations, the same for the same seed wherever they run, and what each operation answered.
//!
//! Two placements that were given the same seed and answer differently differ in a way that nobody declared. What they may differ in
//! is in [`answer`](mod@answer), which leaves it out of the answers.

mod answer;
mod draw;
mod player;

use draw::Draw;
use player::Player;
use wasi_tempfile::interface::{self, Location, Options};

/// How many operations a sequence has at least; it has up to twice as many.
const LENGTH: u64 = 15;

/// Plays `count` sequences in the directory `scratch`. Sequence number `n` is the first one of the seed `seed + n`. Of more than one, each is
/// a line with its seed and a digest; one alone is printed whole, an operation and its answer on each line.
pub fn play(scratch: &str, seed: u64, count: u64, mut print: impl FnMut(&str)) {
    for seed in (seed..=u64::MAX).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        sequence(scratch, seed, |line| {
            for byte in line.bytes().chain([b'\n']) {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
            if count == 1 {
                print(line);
            }
        });
        if count != 1 {
            print(&format!("{seed} {digest:016x}"));
        }
    }
}

/// One sequence, in a directory of its own, which is empty at the start and gone at the end.
fn sequence(scratch: &str, seed: u64, mut print: impl FnMut(&str)) {
    let mut draw = Draw::new(seed);
    let options = Options { prefix: "sequence-".to_owned(), ..Options::default() };
    let root = interface::directory(&options, Location::Directory(scratch))
        .expect("a directory for the sequence");
    let mut player = Player::new(root);
    for _ in 0..LENGTH + draw.below(LENGTH) {
        print(&player.step(&mut draw));
    }
    player.end().iter().for_each(|line| print(line));
    print(&format!("in the end -> {:?}", interface::usage().live));
}
