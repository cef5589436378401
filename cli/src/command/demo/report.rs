//! What the demo says.

use std::path::Path;

use wasi_tempfile_host::Outcome;

use super::check::Checked;
use super::figures::{bytes, count};
use super::source::Source;
use super::stats::Stats;
use super::work::{Done, Work};

/// What all parts of the report tell about.
pub(super) struct Report<'a> {
    pub(super) root: &'a Path,
    pub(super) output: Option<&'a Path>,
}

/// Characters of a line that an excerpt shows.
const WIDTH: usize = 70;

impl Report<'_> {
    /// What is going to happen.
    pub(super) fn before(&self, source: &Source, work: &Work) -> String {
        let size = match source.size {
            0 => String::new(),
            size => format!(", {}", bytes(size)),
        };
        format!(
            "Sorting {}{size}, with a plugin in a sandbox.\n\
             It has {} of memory, takes {} of it for lines, and spills the rest to scratch files in\n\
             a private directory below {}.\n\n",
            source.name,
            bytes(work.memory),
            bytes(work.budget),
            self.root.display(),
        )
    }

    /// What has happened.
    pub(super) fn after(&self, done: &Done, stats: &Stats) -> String {
        let (output, most) = (&done.output, done.most);
        let mut text = row(
            "sorted",
            &format!(
                "{}, {}, in {:.2} s; they are in order, and those of the input",
                count(output.fingerprint.lines, "line"),
                bytes(output.bytes),
                done.took.as_secs_f64(),
            ),
        );
        let spilled = match stats.files {
            0 => "nothing: it all fitted into memory".to_owned(),
            files => {
                let (files, merges) = (count(files, "file"), count(stats.merges, "merge"));
                format!("{files}, {}; {merges}", bytes(stats.spilled))
            }
        };
        text += &row("spilled", &spilled);
        if stats.files > 0 {
            let seen = format!(
                "{}, {} at once, by looking into the directory from outside",
                count(most.files, "file"),
                bytes(most.bytes)
            );
            text += &row("seen", &seen);
        }
        match self.output {
            Some(path) => text += &row("output", &path.display().to_string()),
            None => {
                text += &row("output", "thrown away, but for this (`-o OUT` keeps it)");
                text += &excerpt(output);
            }
        }
        text
    }

    /// What has remained, with `others` things that lie in the root now.
    pub(super) fn left(&self, outcome: &Outcome, others: usize) -> String {
        let mut text = match &outcome.left_behind[..] {
            [] => "nothing".to_owned(),
            [name] => format!("{} by the plugin, which the host removed", name.display()),
            names => format!(
                "{} by the plugin, which the host removed",
                count(names.len() as u64, "name")
            ),
        };
        let root = self.root.display();
        text += &match (outcome.not_removed.len(), others) {
            (0, 0) => format!("; {root} is empty"),
            // Another demo, perhaps: every run has its own directory there.
            (0, _) => format!("; what is in {root} belongs to other runs"),
            (stayed, _) => format!("; {} could not be removed", count(stayed as u64, "path")),
        };
        row("left", &text)
    }
}

fn row(head: &str, text: &str) -> String {
    format!("{head:<9}{text}\n")
}

/// The first lines, and the last ones.
fn excerpt(output: &Checked) -> String {
    let mut text: String = output.first.iter().map(|line| row("", &printable(line))).collect();
    if output.fingerprint.lines > (output.first.len() + output.last.len()) as u64 {
        text += &row("", "…");
    }
    text.extend(output.last.iter().map(|line| row("", &printable(line))));
    text
}

/// A line as it can be shown to a terminal: a file may hold anything, escape sequences too.
fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
    let mut shown: String = text
        .chars()
        .take(WIDTH)
        .map(
            |character| {
                if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
            },
        )
        .collect();
    if text.chars().nth(WIDTH).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_harmless() {
        assert_eq!(printable(b"plain text\n"), "plain text");
        assert_eq!(printable(b"\x1b[2Jgone\xff"), "\u{fffd}[2Jgone\u{fffd}");
        assert_eq!(printable("ä".repeat(WIDTH + 1).as_bytes()), format!("{}…", "ä".repeat(WIDTH)));
    }
}
