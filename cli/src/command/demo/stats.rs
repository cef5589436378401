//! What the plugin says about its work, by its option `--stats`.

/// The figures of the sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stats {
    /// Temporary files, those of intermediate merges included.
    pub(super) files: u64,
    /// Bytes written to them.
    pub(super) spilled: u64,
    /// Merges, the last one included.
    pub(super) merges: u64,
}

impl Stats {
    /// Finds the line `sort: name=number name=number …` in what the plugin wrote to standard error.
    pub(super) fn parse(stderr: &str) -> Option<Self> {
        let line = stderr
            .lines()
            .find_map(|line| line.strip_prefix("sort: ").filter(|line| line.contains('=')))?;
        let figure = |name: &str| {
            let mut pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name)?.1.parse().ok()
        };
        Some(Self {
            files: figure("files")?,
            spilled: figure("spilled")?,
            merges: figure("merges")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_name() {
        let stats = Stats { files: 3, spilled: 40, merges: 1 };
        assert_eq!(
            Stats::parse("noise\nsort: lines=9 bytes=40 files=3 spilled=40 merges=1\n"),
            Some(stats)
        );
        for wrong in
            ["", "sort: files=3", "sort: files=x spilled=1 merges=1", "sort: line 3 is too long"]
        {
            assert_eq!(Stats::parse(wrong), None, "{wrong:?}");
        }
    }
}
