//! The table of rows: what has to work, and whether it does, in each placement.

use std::io::{self, Write};

use conformance_runner::rows::{ROWS, Row};
use conformance_runner::{Case, CaseResult, Outcome, Placement};
use serde::Serialize;

use super::Format;

/// The cases that show a row.
pub(super) fn cases() -> Vec<&'static Case> {
    ROWS.iter().flat_map(Row::cases).collect()
}

/// Whether all is well: every row has cases, and no case has failed.
pub(super) fn print(
    out: &mut impl Write,
    format: Format,
    placements: &[Placement],
    results: &[CaseResult],
) -> io::Result<bool> {
    let mut well = true;
    if format != Format::Json {
        write!(out, "{:7}", "row")?;
        placements.iter().try_for_each(|placement| write!(out, "{:11}", placement.as_str()))?;
        writeln!(out, "{:6}what", "cases")?;
    }
    for row in ROWS {
        let verdicts: Vec<_> =
            placements.iter().map(|placement| verdict(row, *placement, results)).collect();
        well &= verdicts.iter().all(|verdict| matches!(*verdict, "passed" | "skipped"));
        let cases = row.cases().count();
        if format == Format::Json {
            for (placement, outcome) in placements.iter().zip(&verdicts) {
                let line = Line {
                    row: row.id,
                    what: row.what,
                    placement: placement.as_str(),
                    outcome,
                    cases,
                };
                serde_json::to_writer(&mut *out, &line)?;
                writeln!(out)?;
            }
        } else {
            write!(out, "{:7}", row.id)?;
            verdicts.iter().try_for_each(|verdict| write!(out, "{verdict:11}"))?;
            writeln!(out, "{cases:<6}{}", row.what)?;
        }
    }
    Ok(well)
}

#[derive(Serialize)]
struct Line<'a> {
    row: &'a str,
    what: &'a str,
    placement: &'a str,
    outcome: &'a str,
    cases: usize,
}

/// How the row's cases ended in a placement: one that failed fails the row, and one that passed shows it, unless a case failed.
fn verdict(row: &Row, placement: Placement, results: &[CaseResult]) -> &'static str {
    let names: Vec<String> = row.cases().map(Case::name).collect();
    let of_row =
        |result: &&CaseResult| result.placement == placement && names.contains(&result.case);
    let ended: Vec<&Outcome> =
        results.iter().filter(of_row).map(|result| &result.outcome).collect();
    match ended.as_slice() {
        [] => "no case",
        ended if ended.iter().any(|outcome| matches!(outcome, Outcome::Failed(_))) => "failed",
        ended if ended.contains(&&Outcome::Passed) => "passed",
        _ => "skipped",
    }
}
