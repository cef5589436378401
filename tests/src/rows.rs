//! The rows: what has to work, and the cases that show it.
//!
//! The rows `000` to `004` are the examples and claims of five documents about Python's `tempfile`: three tutorials, a notebook and the
//! reference; where a document errs, the row is the right behaviour. Those with a `p` are what the best of its peers in other languages
//! have, but for what only a host can show: that is in the host's own tests. A case that shows a row has the row's id at the start of its
//! function's name: `s000_02_…`, `p12_…`.

use crate::{Case, cases};

/// Something that has to work.
pub struct Row {
    /// Its id, as it is printed.
    pub id: &'static str,
    /// What it is, in one line.
    pub what: &'static str,
}

impl Row {
    /// What the names of its cases begin with.
    pub fn prefix(&self) -> String {
        match self.id.split_once('.') {
            None => format!("{}_", self.id),
            Some((document, row)) => {
                let digits = row.trim_end_matches(|c: char| c.is_ascii_lowercase());
                let letter = &row[digits.len()..];
                format!("s{document}_{digits:0>2}{letter}_")
            }
        }
    }

    /// The cases that show it.
    pub fn cases(&self) -> impl Iterator<Item = &'static Case> + use<> {
        let prefix = self.prefix();
        cases().filter(move |case| case.function.starts_with(&prefix))
    }
}

const fn row(id: &'static str, what: &'static str) -> Row {
    Row { id, what }
}

/// Every row.
pub const ROWS: &[Row] = &[
    row("000.1", "nothing to install: the component loads, and its world has the exports"),
    row("000.2", "an unnamed file: write, seek, read the same bytes back"),
    row("000.3", "it has no visible name"),
    row("000.4", "it is gone when its scope ends"),
    row("000.5", "a named file, kept, with a suffix"),
    row("000.6", "it exists; it is removed by hand; it exists no more"),
    row("000.7", "another program reads it by its path, and it still goes when closed"),
    row("000.8", "names begin with `tmp`"),
    row("000.9", "a directory: its listing, and nothing after its scope"),
    row("000.10", "the low-level file: a handle and a path, cleaned up by hand"),
    row("000.11", "the low-level directory: a prefix, kept"),
    row("000.12", "conflicts of names are handled; the right default directory"),
    row("000.13", "private modes, and how to choose others"),
    row("000.14", "pipeline, cache, upload"),
    row("000.15", "a scope that ends cleans up, also on an error or a panic inside"),
    row("001.1", "text: write, seek, read"),
    row("001.2", "a suffix, a name to print, removed by itself"),
    row("001.3", "a kept JSON file, read again after it is closed"),
    row("001.4", "a directory with two files"),
    row("001.5", "a low-level directory stays"),
    row("001.6", "a low-level file with prefix, suffix and content"),
    row("001.7", "a private directory is 0700"),
    row("001.8", "a file in a directory of the caller's choice"),
    row("001.9", "the default directory set by hand, returned as it is"),
    row("001.10", "a spooled file rolled over on request"),
    row("001.11", "a download in chunks into a kept file"),
    row("001.12", "an atomic write; a failed one leaves the old file"),
    row("001.13", "a directory as a test's fixture"),
    row("001.14", "a file with content, for the length of a scope"),
    row("001.15", "a name alone is never given"),
    row("001.16", "a unique name is a reservation, not a guess"),
    row("001.17", "the default directory is found and usable"),
    row("001.18", "the default directory set for each system"),
    row("001.19", "a list of what is open, and nothing left of it"),
    row("001.20", "persist needs one file system, and says so"),
    row("002.1", "an unnamed file through the interface"),
    row("002.2", "a named file: visible, then deleted"),
    row("002.3", "a spooled file: in memory until it is too large"),
    row("002.4", "a directory removed with its contents"),
    row("002.5", "prefix, suffix and directory"),
    row("002.6", "kept, closed, read again"),
    row("002.7", "a thousand unique names; what is forgotten is in the ledger"),
    row("002.8", "closing deletes, unless told"),
    row("002.9", "intermediate results"),
    row("003.1", "a named file: write, seek, read"),
    row("003.2", "a closed handle answers `closed`"),
    row("003.3", "the table of parameters"),
    row("003.4", "reopened while it is open, on every system"),
    row("003.5", "text, explicitly"),
    row("003.6", "no usable name"),
    row("003.7", "the path survives its directory"),
    row("003.8", "lines"),
    row("003.9", "the life cycle of a directory and a file in it, step by step"),
    row("003.10", "unique names, no race, cleaned up"),
    row("003.11", "unpacking an archive"),
    row("004.1", "one suite for every placement"),
    row("004.2", "four high-level interfaces"),
    row("004.3", "each of the four cleans up by itself"),
    row("004.4", "the lower level cleans nothing up"),
    row("004.5", "prefix, suffix and directory for all"),
    row("004.6", "safe in a directory that others may write to"),
    row("004.7", "options have names"),
    row("004.8a", "the reference's example of an unnamed file"),
    row("004.8b", "the reference's example of a block"),
    row("004.8c", "the reference's examples in memory and of a directory"),
    row("004.8d", "the reference's example: closed and not yet deleted"),
    row("p01", "an unnamed file"),
    row("p02", "a named file, removed on close and on drop"),
    row("p03", "closed, but still there until its guard ends"),
    row("p04", "keep"),
    row("p05", "a directory removed with everything in it"),
    row("p06", "prefix, suffix, directory, length of the random part"),
    row("p07", "hostile names are refused, and nothing is created"),
    row("p08", "another name when one is taken, a finite number of times"),
    row("p09", "a spooled file: memory, then disk, by size"),
    row("p10", "a spooled file's memory never passes its threshold"),
    row("p11", "reopen with a check of identity"),
    row("p12", "persist, replacing"),
    row("p13", "persist, replacing nothing"),
    row("p14", "a failed persist loses nothing"),
    row("p15", "persist, durably"),
    row("p16", "a name for an unnamed file, where the placement can"),
    row("p17", "modes for the owner alone"),
    row("p18", "the default directory: environment, candidates, probe"),
    row("p19", "the default directory overridden"),
    row("p20", "removal follows no link and changes no mode behind one"),
    row("p22", "what can't be removed is listed, and can be tried again"),
    row("p23", "a leak is in the ledger"),
    row("p28", "no ambient paths: a directory is a capability"),
    row("p31", "text: lines, encodings, newlines"),
    row("p33", "a file created with its contents"),
    row("p34", "all of it on WASI"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_case() {
        let without: Vec<_> =
            ROWS.iter().filter(|row| row.cases().next().is_none()).map(|row| row.id).collect();
        assert_eq!(without, [""; 0]);
    }

    #[test]
    fn ids_become_prefixes() {
        for (id, prefix) in [
            ("000.2", "s000_02_"),
            ("001.10", "s001_10_"),
            ("004.8a", "s004_08a_"),
            ("p07", "p07_"),
        ] {
            assert_eq!(Row { id, what: "" }.prefix(), prefix);
        }
    }

    #[test]
    fn every_id_in_a_name_is_of_a_row() {
        // Rows of the host have no line here, and may have cases that are true everywhere.
        const OF_THE_HOST: &[&str] = &["p21_"];
        let prefixes: Vec<String> = ROWS.iter().map(Row::prefix).collect();
        for case in cases() {
            let mut parts = case.function.splitn(2, '_');
            let first = parts.next().unwrap_or_default();
            let numbered = first.len() >= 3 && first[1..].bytes().all(|byte| byte.is_ascii_digit());
            if numbered && first.starts_with(['s', 'p']) {
                let known = prefixes.iter().map(String::as_str).chain(OF_THE_HOST.iter().copied());
                assert!(
                    known.into_iter().any(|prefix| case.function.starts_with(prefix)),
                    "{}",
                    case.name()
                );
            }
        }
    }
}
