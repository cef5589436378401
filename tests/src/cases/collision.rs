//! Names that are taken: creation tries another one, a bounded number of times, and never touches
//! the existing entry.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    case!(all_names_taken_is_exhausted),
    case!(all_names_taken_is_exhausted_for_directories),
    case!(a_free_name_among_taken_ones_is_found),
    case!(a_planted_link_is_not_followed),
    case!(a_planted_dangling_link_is_not_followed),
    case!(a_planted_fifo_is_not_opened, FIFO),
    case!(a_planted_directory_is_not_entered),
];

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// Thirty-two possible names in all.
fn short() -> Options {
    Options {
        prefix: "n-".into(),
        suffix: String::new(),
        random_chars: Some(1),
        ..Options::default()
    }
}

fn plant(letters: &str, plant: impl Fn(&str)) {
    letters.chars().for_each(|letter| plant(&format!("n-{letter}")));
}

fn assert_all_refused(w: &World) {
    let before = w.list("");
    assert_code(interface::named(&short(), Location::Scratch), ErrorCode::Exhausted);
    assert_code(interface::directory(&short(), Location::Scratch), ErrorCode::Exhausted);
    assert_eq!(w.list(""), before);
}

fn uproot(w: &World) {
    w.list("").iter().for_each(|name| w.remove(name));
}

fn all_names_taken_is_exhausted(w: &World) {
    plant(ALPHABET, |name| w.write(name, name));
    assert_code(interface::named(&short(), Location::Scratch), ErrorCode::Exhausted);
    plant(ALPHABET, |name| assert_eq!(w.read(name), name.as_bytes()));
    uproot(w);
}

fn all_names_taken_is_exhausted_for_directories(w: &World) {
    plant(ALPHABET, |name| w.write(name, name));
    assert_code(interface::directory(&short(), Location::Scratch), ErrorCode::Exhausted);
    plant(ALPHABET, |name| assert_eq!(w.read(name), name.as_bytes()));
    uproot(w);
}

fn a_free_name_among_taken_ones_is_found(w: &World) {
    plant(&ALPHABET[..16], |name| w.write(name, "taken"));
    // Missing it would take 128 bad draws out of 128.
    let path = interface::named(&short(), Location::Scratch).unwrap().1;
    let letter = path.path().pop().unwrap();
    assert!(ALPHABET[16..].contains(letter), "{}", path.path());
    path.close().unwrap();
    plant(&ALPHABET[..16], |name| assert_eq!(w.take(name), b"taken"));
}

fn a_planted_link_is_not_followed(w: &World) {
    w.write("victim", "precious");
    plant(ALPHABET, |name| w.plant_link(name, "victim"));
    assert_all_refused(w);
    assert_eq!(w.read("victim"), b"precious");
    uproot(w);
}

fn a_planted_dangling_link_is_not_followed(w: &World) {
    plant(ALPHABET, |name| w.plant_link(name, "/nobody-should-create-this"));
    assert_all_refused(w);
    assert!(!w.exists("nobody-should-create-this"));
    uproot(w);
}

fn a_planted_fifo_is_not_opened(w: &World) {
    plant(ALPHABET, |name| w.plant_second_name(name, "fifo"));
    w.remove("fifo");
    assert_all_refused(w);
    uproot(w);
}

fn a_planted_directory_is_not_entered(w: &World) {
    plant(ALPHABET, |name| w.plant_directory(name));
    assert_all_refused(w);
    plant(ALPHABET, |name| assert_eq!(w.list(name), [""; 0]));
    uproot(w);
}
