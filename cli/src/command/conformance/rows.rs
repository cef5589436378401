//! The table of rows as the command prints it: each documented behaviour, and whether its cases
//! passed in each placement.

use std::io::{self, Write};

use conformance_runner::rows::Row;
use conformance_runner::{Case, CaseResult, Outcome, Placement};
use serde::Serialize;

use super::Format;

/// The cases that the rows name, each once.
pub(super) fn cases(rows: &[Row]) -> Vec<&'static Case> {
    let mut cases: Vec<&Case> = rows.iter().flat_map(|row| row.cases.iter().copied()).collect();
    cases.sort_by_key(|case| case.name());
    cases.dedup_by_key(|case| case.name());
    cases
}

/// Prints the table. Returns false if a case has failed.
pub(super) fn print(
    out: &mut impl Write,
    format: Format,
    rows: &[Row],
    placements: &[Placement],
    results: &[CaseResult],
) -> io::Result<bool> {
    let mut well = true;
    if format != Format::Json {
        write!(out, "{:9}", "row")?;
        placements.iter().try_for_each(|placement| write!(out, "{:18}", placement.as_str()))?;
        writeln!(out, "title")?;
    }
    for row in rows {
        let verdict =
            |placement| placements.contains(&placement).then(|| verdict(row, placement, results));
        let line = Line {
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
        };
        well &= !line.verdicts().any(|verdict| verdict == "failed");
        if format == Format::Json {
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)?;
        } else {
            line.write(out)?;
        }
    }
    Ok(well)
}

#[derive(Serialize)]
struct Line<'a> {
    row: &'a str,
    title: &'a str,
    source: &'a str,
    cases: Vec<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tests: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    recipes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    native: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'static str>,
}

impl Line<'_> {
    fn verdicts(&self) -> impl Iterator<Item = &'static str> {
        [self.native, self.component, self.host].into_iter().flatten()
    }

    /// Writes the line as text; below it, why it is pending, or what stands for cases.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{:9}", self.row)?;
        self.verdicts().try_for_each(|verdict| write!(out, "{verdict:18}"))?;
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
