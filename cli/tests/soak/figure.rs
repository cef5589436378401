//! What a figure is: something is done many times, what went wrong is counted, and a control shows
//! that the count can see it.

use serde::{Deserialize, Serialize};

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// As often as it takes to see it work: `cargo test`.
    Short,
    /// As often as the figure says: `just soak`.
    Full,
}

impl Scale {
    pub(crate) fn pick<T>(self, short: T, full: T) -> T {
        match self {
            Scale::Short => short,
            Scale::Full => full,
        }
    }
}

/// A promise that is kept however often it is tried.
pub(crate) struct Figure {
    /// Its file, as a module path.
    pub(crate) module: &'static str,
    /// What is promised, as the name of a test.
    pub(crate) function: &'static str,
    /// Tries it. No violation is the promise.
    pub(crate) check: fn(Scale) -> Tally,
    /// The same count, of something that does not keep the promise. No violation would mean that
    /// the check is blind.
    pub(crate) controls: &'static [Control],
}

impl Figure {
    /// `file::function`: the name of its test, and what `just soak` selects by.
    pub(crate) fn name(&self) -> String {
        let file = self.module.rsplit("::").next().unwrap_or_default();
        format!("{file}::{}", self.function)
    }
}

pub(crate) struct Control {
    pub(crate) name: &'static str,
    pub(crate) check: fn() -> Tally,
}

/// A figure by the name of its function, and its controls by theirs.
macro_rules! figure {
    ($check:ident, $($control:ident),+ $(,)?) => {
        pub(crate) const FIGURE: $crate::figure::Figure = $crate::figure::Figure {
            module: module_path!(),
            function: stringify!($check),
            check: $check,
            controls: &[
                $($crate::figure::Control { name: stringify!($control), check: $control }),+
            ],
        };
    };
}
pub(crate) use figure;

/// How many violations are told in words.
const TOLD: usize = 5;

/// What was counted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// What was done, in the order of its first mention.
    pub(crate) counts: Vec<(String, u64)>,
    pub(crate) violations: u64,
    /// The first of them.
    pub(crate) told: Vec<String>,
    /// What could not be looked at on this machine, and why.
    pub(crate) not_looked_at: Vec<String>,
}

impl Tally {
    /// Something was done this many times more.
    pub(crate) fn count(&mut self, what: &str, times: u64) {
        match self.counts.iter_mut().find(|(counted, _)| counted == what) {
            Some((_, sum)) => *sum += times,
            None => self.counts.push((what.to_owned(), times)),
        }
    }

    pub(crate) fn violated(&mut self, what: impl Into<String>) {
        self.violations += 1;
        if self.told.len() < TOLD {
            self.told.push(what.into());
        }
    }

    pub(crate) fn expect(&mut self, kept: bool, otherwise: impl FnOnce() -> String) {
        if !kept {
            self.violated(otherwise());
        }
    }

    pub(crate) fn not_looked_at(&mut self, why: impl Into<String>) {
        self.not_looked_at.push(why.into());
    }

    pub(crate) fn add(&mut self, other: Tally) {
        for (what, times) in other.counts {
            self.count(&what, times);
        }
        let told = other.told.len() as u64;
        self.violations += other.violations - told;
        other.told.into_iter().for_each(|told| self.violated(told));
        self.not_looked_at.extend(other.not_looked_at);
    }

    /// One line, without violations.
    pub(crate) fn summary(&self) -> String {
        let counts = self.counts.iter().map(|(what, times)| format!("{times} {what}"));
        counts
            .chain(self.not_looked_at.iter().map(|why| format!("not looked at: {why}")))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
