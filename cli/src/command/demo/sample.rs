//! The text that is sorted when no file is given: the log of an invented harbour.

const SHIPS: &[&str] = &[
    "Amber Heron",
    "Blue Lantern",
    "Cinder Wake",
    "Evening Toll",
    "Gull's Errand",
    "Hollow Reed",
    "Juniper",
    "Little Ardent",
    "North Sparrow",
    "Old Persuasion",
    "Patient Anne",
    "Salt Meridian",
    "Tin Cathedral",
    "Vesper",
    "Yellow Iris",
    "Östra Vind",
    "Éclat",
];
const ACTIONS: &[&str] = &["lands", "loads", "lies over", "waits"];
const GOODS: &[&str] =
    &["barley", "copper nails", "flax", "glass beads", "lamp oil", "paper", "roof slates", "tea"];
const PORTS: &[&str] = &["Arne Mouth", "Corrow", "Dunmarsh", "Fennel Quay", "Hallow Bay", "Rookhaven"];

/// 60,000 lines in no order, the same in every run.
pub(super) fn harbour_log() -> String {
    let mut state = 0x5eed_u64;
    let mut random = |below: usize| {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let mut log = String::new();
    for _ in 0..60_000 {
        let mut word = |words: &[&'static str]| words[random(words.len())];
        let (ship, action, goods, port) = (word(SHIPS), word(ACTIONS), word(GOODS), word(PORTS));
        let crates = random(400);
        log += &format!("{ship} {action} with {crates} crates of {goods} for {port}\n");
    }
    log
}
