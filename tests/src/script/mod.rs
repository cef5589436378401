//! Random sequences of operations, determined by a seed, and the answer to each operation.
//!
//! If two placements answer the same seed differently, they differ in an undeclared way. Declared
//! differences are left out of the answers by [`answer`](mod@answer).

mod answer;
mod draw;
mod player;

use draw::Draw;
use player::Player;
use wasi_tempfile::interface::{self, Location, Options};

/// The least number of operations in a sequence; the most is twice as many.
const LENGTH: u64 = 15;

/// Plays `count` sequences in the directory `scratch`. Sequence number `n` is the first one of the
/// seed `seed + n`. Several sequences print a line each, with the seed and a digest; a single one
/// prints a line for each operation and its answer.
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

/// Plays one sequence in a directory of its own, which is empty at the start and removed at the
/// end.
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
