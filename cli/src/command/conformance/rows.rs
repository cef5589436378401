//! The table of rows as the command prints it: each documented behaviour, and whether its cases
//! passed in each placement.

use std::io::{self, Write};

use conformance_runner::rows::Row;
use conformance_runner::{Case, CaseResult, Outcome, Placement};
use serde::Serialize;

use super::{Format, coloured};

/// The cases that the rows name, each once.
pub(super) fn cases(rows: &[Row]) -> Vec<&'static Case> {
    let mut cases: Vec<&Case> = rows.iter().flat_map(|row| row.cases.iter().copied()).collect();
    cases.sort_by_key(|case| case.name());
    cases.dedup_by_key(|case| case.name());
    cases
}

/// The lines of the table: what became of each row.
pub(super) fn lines<'a>(
    rows: &'a [Row],
    placements: &[Placement],
    results: &[CaseResult],
) -> Vec<Line<'a>> {
    let line = |row: &'a Row| {
        let verdict =
            |placement| placements.contains(&placement).then(|| verdict(row, placement, results));
        Line {
            row: &row.id,
            title: &row.title,
            source: &row.source,
            cases: row.cases.iter().map(|case| case.name()).collect(),
            tests: &row.tests,
            recipes: &row.recipes,
            pending: row.pending.as_deref(),
            native: verdict(Placement::Native),
            component: verdict(Placement::Component),
            host: verdict(Placement::Host),
        }
    };
    rows.iter().map(line).collect()
}

/// Prints the table.
pub(super) fn print(
    out: &mut impl Write,
    format: Format,
    colours: bool,
    placements: &[Placement],
    lines: &[Line<'_>],
) -> io::Result<()> {
    if format == Format::Json {
        return lines.iter().try_for_each(|line| {
            serde_json::to_writer(&mut *out, line)?;
            writeln!(out)
        });
    }
    write!(out, "{:9}", "row")?;
    placements.iter().try_for_each(|placement| write!(out, "{:18}", placement.as_str()))?;
    writeln!(out, "title")?;
    lines.iter().try_for_each(|line| line.write(out, colours))
}

/// A row with the outcome of its cases, in the placements that were chosen.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) row: &'a str,
    pub(super) title: &'a str,
    pub(super) source: &'a str,
    pub(super) cases: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) tests: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) recipes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) native: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) component: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<&'static str>,
}

impl Line<'_> {
    /// What became of it in each placement.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = &'static str> {
        [self.native, self.component, self.host].into_iter().flatten()
    }

    /// Writes the line as text; below it, why it is pending, or what stands for cases.
    fn write(&self, out: &mut impl Write, colours: bool) -> io::Result<()> {
        write!(out, "{:9}", self.row)?;
        for verdict in self.verdicts() {
            write!(out, "{}", coloured(verdict, 18, colours))?;
        }
        writeln!(out, "{}", self.title)?;
        if let Some(reason) = self.pending {
            writeln!(out, "{:9}pending: {reason}", "")?;
        }
        if self.cases.is_empty() {
            self.tests.iter().try_for_each(|test| writeln!(out, "{:9}{test}", ""))?;
            self.recipes.iter().try_for_each(|recipe| writeln!(out, "{:9}just {recipe}", ""))?;
        }
        Ok(())
    }
}

/// How the row's cases ended in a placement. One that failed fails the row; else one that passed
/// shows it.
fn verdict(row: &Row, placement: Placement, results: &[CaseResult]) -> &'static str {
    if row.pending.is_some() {
        return "pending";
    }
    if row.cases.is_empty() {
        return "tested elsewhere";
    }
    let names: Vec<String> = row.cases.iter().map(|case| case.name()).collect();
    let of_row =
        |result: &&CaseResult| result.placement == placement && names.contains(&result.case);
    let ended: Vec<&Outcome> =
        results.iter().filter(of_row).map(|result| &result.outcome).collect();
    match ended.as_slice() {
        ended if ended.iter().any(|outcome| matches!(outcome, Outcome::Failed(_))) => "failed",
        ended if ended.contains(&&Outcome::Passed) => "passed",
        _ => "skipped",
    }
}
