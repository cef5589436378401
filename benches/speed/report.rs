//! What is printed and written down.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::chart;
use crate::space::Space;

/// A row of the table.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) placement: String,
    /// None of what is no time.
    pub(crate) nanoseconds: Option<f64>,
    /// The time or the size, for people.
    pub(crate) shown: String,
    pub(crate) against: String,
    pub(crate) ratio: f64,
    /// Half of the way between the quartiles of the samples' ratios.
    pub(crate) spread: f64,
    pub(crate) target: Option<f64>,
}

impl Line {
    /// A time, by the medians of its samples.
    pub(crate) fn time(
        name: &str,
        placement: &str,
        times: &[f64],
        against: &str,
        ratios: &[f64],
        target: Option<f64>,
    ) -> Self {
        let nanoseconds = quantile(times, 0.5);
        Line {
            nanoseconds: Some(nanoseconds),
            ..Self::size(name, placement, &time(nanoseconds), against, ratios, target)
        }
    }

    /// What is no time: `shown` says what it is.
    pub(crate) fn size(
        name: &str,
        placement: &str,
        shown: &str,
        against: &str,
        ratios: &[f64],
        target: Option<f64>,
    ) -> Self {
        Line {
            name: name.to_owned(),
            placement: placement.to_owned(),
            nanoseconds: None,
            shown: shown.to_owned(),
            against: against.to_owned(),
            ratio: quantile(ratios, 0.5),
            spread: (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2.0,
            target,
        }
    }

    /// As it is shown: to the hundredth.
    pub(crate) fn is_met(&self) -> bool {
        self.target.is_none_or(|target| (self.ratio * 100.0).round() <= (target * 100.0).round())
    }
}

/// A quantile of samples, between the two that are nearest.
pub(crate) fn quantile(samples: &[f64], quantile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = quantile * (sorted.len().max(1) - 1) as f64;
    let (below, above) = (sorted.get(at as usize), sorted.get(at.ceil() as usize));
    let (below, above) = (below.copied().unwrap_or(f64::NAN), above.copied().unwrap_or(f64::NAN));
    below + (above - below) * at.fract()
}

/// What has been measured.
pub(crate) struct Report {
    conditions: String,
    lines: Vec<Line>,
    skipped: Vec<String>,
}

impl Report {
    pub(crate) fn new(space: &Space) -> Self {
        Report { conditions: conditions(space), lines: Vec::new(), skipped: Vec::new() }
    }

    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    pub(crate) fn skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// Prints the table, and writes it to `directory` for people, programs and the README.
    pub(crate) fn finish(&self, directory: &Path) {
        println!("\n{}\n", self.conditions);
        print!("{}", self.table());
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        fs::create_dir_all(directory).expect("make the directory of results");
        let write = |name: &str, text: &str| {
            fs::write(directory.join(name), text).expect("write a result");
        };
        write("table.md", &format!("{}\n\n{}", self.conditions, self.table()));
        write("summary.json", &format!("{:#}\n", self.summary()));
        write("bench.svg", &chart::draw(&self.lines));
        println!("\nwritten: table.md, summary.json and bench.svg in {}", directory.display());
    }

    fn table(&self) -> String {
        let head = ["work", "placement", "takes", "against", "ratio", "±", "at most", ""]
            .map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.lines.iter().map(|line| {
            let target = line.target.map(|target| format!("{target:.2}"));
            let missed = if line.is_met() { "" } else { "missed" };
            [
                line.name.clone(),
                line.placement.clone(),
                line.shown.clone(),
                line.against.clone(),
                format!("{:.2}", line.ratio),
                format!("{:.2}", line.spread),
                target.unwrap_or_default(),
                missed.to_owned(),
            ]
        }));
        let widths: Vec<usize> = (0..8)
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
            .collect();
        rows.insert(1, std::array::from_fn(|column| "-".repeat(widths[column].max(1))));
        let cell = |(text, width): (&String, &usize)| format!("{text:<width$}");
        let row = |row: [String; 8]| {
            format!("| {} |\n", row.iter().zip(&widths).map(cell).collect::<Vec<_>>().join(" | "))
        };
        rows.into_iter().map(row).collect()
    }

    fn summary(&self) -> Value {
        let rounded = |ratio: f64| (ratio * 1000.0).round() / 1000.0;
        let line = |line: &Line| {
            json!({
                "name": line.name,
                "placement": line.placement,
                "ns": line.nanoseconds.map(f64::round),
                "against": line.against,
                "ratio": rounded(line.ratio),
                "target": line.target,
            })
        };
        self.lines.iter().map(line).collect()
    }
}

/// Where and on what.
fn conditions(space: &Space) -> String {
    let system = Command::new("uname").arg("-srm").output();
    let system = system.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {processors} processors, files on {}; ratios are medians of pairs that were measured together",
        system.unwrap_or_default(),
        space.kind(),
    )
}

/// Nanoseconds, in the unit that leaves one to three digits before the point.
pub(crate) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}
