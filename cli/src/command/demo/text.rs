//! The text that is sorted when none is given: the log of a harbour that never was. It is the same every time.

/// How many lines it has.
const LINES: usize = 60_000;

const SHIPS: &[&str] = &[
    "Amber Heron",
    "Blue Lantern",
    "Cinder Wake",
    "Dapple Grey",
    "Evening Toll",
    "Far Cormorant",
    "Gull's Errand",
    "Hollow Reed",
    "Ivory Sluice",
    "Juniper",
    "Kestrel's Debt",
    "Little Ardent",
    "Marrow Light",
    "North Sparrow",
    "Old Persuasion",
    "Patient Anne",
    "Quiet Quarrel",
    "Restless Ida",
    "Salt Meridian",
    "Tin Cathedral",
    "Umber Fox",
    "Vesper",
    "Wandering Clerk",
    "Yellow Iris",
    "Östra Vind",
    "Éclat",
];
const RIGS: &[&str] =
    &["barge", "brig", "cutter", "ketch", "lugger", "pinnace", "schooner", "sloop", "yawl"];
const PORTS: &[&str] = &[
    "Arne Mouth",
    "Bracken Sound",
    "Corrow",
    "Dunmarsh",
    "Eastering",
    "Fennel Quay",
    "Gorse Head",
    "Hallow Bay",
    "Inver Loss",
    "Kelder",
    "Low Tarn",
    "Mirrin",
    "Nether Wick",
    "Oxbow",
    "Pellan",
    "Rookhaven",
    "Senn",
    "Thorne Point",
];
const DEEDS: &[&str] =
    &["asks a berth", "goes out", "is searched", "lands", "lies over", "loads", "puts in", "waits"];
const MEASURES: &[&str] =
    &["barrels", "bales", "casks", "chests", "crates", "hampers", "sacks", "tons"];
const GOODS: &[&str] = &[
    "barley",
    "candles",
    "copper nails",
    "dried plums",
    "flax",
    "glass beads",
    "honey",
    "indigo",
    "lamp oil",
    "letters",
    "millstones",
    "paper",
    "pepper",
    "roof slates",
    "salt",
    "smoked eel",
    "tar",
    "tea",
    "wool",
    "writing ink",
];
const WEATHER: &[&str] = &[
    "a dead calm",
    "a falling glass",
    "clear and cold",
    "drizzle since dawn",
    "fog to the mole",
    "hail at noon",
    "heavy swell",
    "light airs",
    "rain and thunder",
    "snow on the quay",
    "wind north by east",
    "wind south-west",
];

/// The log, in no order.
pub(super) fn harbour_log() -> String {
    let mut dice = Dice(0x5eed);
    let mut log = String::with_capacity(LINES * 90);
    for _ in 0..LINES {
        log.push_str(dice.pick(SHIPS));
        let entry = format!(
            ", {} of {}, {} with {} {} of {}; {}\n",
            dice.pick(RIGS),
            dice.pick(PORTS),
            dice.pick(DEEDS),
            2 + dice.roll(398),
            dice.pick(MEASURES),
            dice.pick(GOODS),
            dice.pick(WEATHER),
        );
        log.push_str(&entry);
    }
    log
}

/// Numbers that are random enough for a story (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.roll(words.len())]
    }
}
