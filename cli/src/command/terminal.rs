//! Text of strangers, such as names in components and on disk, as a terminal may show it.

use std::fmt::{Display, Write};

/// The text with its control characters escaped, so that it is one line and cannot control a
/// terminal.
pub(super) fn printable(text: impl Display) -> String {
    escaped(&text.to_string(), |_| false)
}

/// The same for a text of several lines.
pub(super) fn printable_lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// A text in JSON, in which only ASCII's control characters are escaped so far.
pub(super) fn printable_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // All of them are in the first plane, and inside of a string.
            c if controls(c) => write!(text, "\\u{:04x}", u32::from(c)).unwrap_or_default(),
            c => text.push(c),
        }
    }
    text
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if controls(c) && !keep(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a terminal obeys a character instead of showing it: control characters, line separators,
/// and what changes the direction of writing, so that a text reads as another.
fn controls(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(printable("a\x1b]0;b\x07\n"), r"a\u{1b}]0;b\u{7}\n");
        assert_eq!(printable("\u{9b}31m\u{7f}\u{202e}"), r"\u{9b}31m\u{7f}\u{202e}");
        assert_eq!(printable("grün, 日本語, \\"), "grün, 日本語, \\");
        assert_eq!(printable_lines("a\tb\n\x1b\r"), "a\tb\n\\u{1b}\\r");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "\u{9b}31m \x1b \u{202e} ü";
        let json = printable_json(&serde_json::to_string(text).expect("it has a form in JSON"));
        assert!(!json.chars().any(controls), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("it is JSON"), text);
    }
}
