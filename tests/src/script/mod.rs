//! Random sequences of operations, determined by a seed, and the answer to each operation.
//!
//! If two placements answer the same seed differently, they differ in an undeclared way. Declared
//! differences are left out of the answers, in `answer.rs`.

mod answer;
mod draw;
mod player;

use crate::witness::Witness;
pub use draw::Draw;
use draw::LINKS;
use player::Player;
use wasi_tempfile::interface::{self, Location, Options};

/// The least number of operations in a sequence; the most is twice as many.
const LENGTH: u64 = 15;

/// A directory beside those of the sequences, to which links in them lead, and its only file.
const BESIDE: (&str, &str) = ("beside", "beside/file");

/// What the file contains.
const PRECIOUS: &[u8] = b"precious";

/// Plays `count` sequences in the directory `scratch`, which `witness` sees. Sequence number `n` is
/// the first one of the seed `seed + n`. Several sequences print a line each, with the seed and a
/// digest; a single one prints a line for each operation and its answer.
pub fn play(
    witness: &dyn Witness,
    scratch: &str,
    seed: u64,
    count: u64,
    mut print: impl FnMut(&str),
) {
    let (directory, file) = BESIDE;
    let planted = witness.plant_directory(directory).and_then(|()| witness.write(file, PRECIOUS));
    planted.expect("a directory beside the sequences");
    for seed in (seed..=u64::MAX).take(usize::try_from(count).unwrap_or(usize::MAX)) {
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        sequence(witness, scratch, seed, |line| {
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
    witness.remove(directory).expect("the directory beside the sequences is still there");
}

/// Plays one sequence in a directory of its own, which is empty at the start and removed at the
/// end.
fn sequence(witness: &dyn Witness, scratch: &str, seed: u64, mut print: impl FnMut(&str)) {
    let mut draw = Draw::new(seed);
    let options = Options { prefix: "sequence-".to_owned(), ..Options::default() };
    let root = interface::directory(&options, Location::Directory(scratch))
        .expect("a directory for the sequence");
    let name = root.path().rsplit('/').next().expect("a path has a last part").to_owned();
    let mut player = Player::new(root);
    for (link, target) in LINKS {
        witness.plant_link(&format!("{name}/{link}"), target).expect("a link");
    }
    for _ in 0..LENGTH + draw.below(LENGTH) {
        print(&player.step(&mut draw));
    }
    player.end().iter().for_each(|line| print(line));
    let (directory, file) = BESIDE;
    assert_eq!(witness.list(directory), Ok(vec!["file".to_owned()]), "seed {seed}");
    assert_eq!(witness.read(file), Ok(PRECIOUS.to_owned()), "seed {seed}");
    print(&format!("in the end -> {:?}", interface::usage().live));
}
