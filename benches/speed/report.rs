//! The table of results.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::space::Space;

/// A row of the table.
pub(crate) struct Measurement {
    pub(crate) name: String,
    pub(crate) benchmark: String,
    /// The time or the size, with its unit.
    pub(crate) shown: String,
    pub(crate) baseline: String,
    pub(crate) ratio: f64,
    /// Half of the interquartile range of the samples' ratios.
    pub(crate) spread: f64,
    pub(crate) target: Option<f64>,
}

impl Measurement {
    /// A time, by the medians of its samples.
    pub(crate) fn time(
        name: &str,
        benchmark: &str,
        times: &[f64],
        baseline: &str,
        ratios: &[f64],
        target: Option<f64>,
    ) -> Self {
        Self::size(name, benchmark, &time(quantile(times, 0.5)), baseline, ratios, target)
    }

    /// A size: `shown` is its text.
    pub(crate) fn size(
        name: &str,
        benchmark: &str,
        shown: &str,
        baseline: &str,
        ratios: &[f64],
        target: Option<f64>,
    ) -> Self {
        Measurement {
            name: name.to_owned(),
            benchmark: benchmark.to_owned(),
            shown: shown.to_owned(),
            baseline: baseline.to_owned(),
            ratio: quantile(ratios, 0.5),
            spread: (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2.0,
            target,
        }
    }

    /// Compares the ratio as it is printed: to the hundredth.
    pub(crate) fn is_met(&self) -> bool {
        self.target.is_none_or(|target| (self.ratio * 100.0).round() <= (target * 100.0).round())
    }
}

/// A quantile of samples, linearly interpolated.
pub(crate) fn quantile(samples: &[f64], quantile: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = quantile * (sorted.len().max(1) - 1) as f64;
    let (below, above) = (sorted.get(at as usize), sorted.get(at.ceil() as usize));
    let (below, above) = (below.copied().unwrap_or(f64::NAN), above.copied().unwrap_or(f64::NAN));
    below + (above - below) * at.fract()
}

/// All results.
pub(crate) struct Report {
    conditions: String,
    measurements: Vec<Measurement>,
    skipped: Vec<String>,
}

impl Report {
    pub(crate) fn new(space: &Space) -> Self {
        Report { conditions: conditions(space), measurements: Vec::new(), skipped: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Measurement) {
        self.measurements.push(row);
    }

    pub(crate) fn skip(&mut self, what: String) {
        self.skipped.push(what);
    }

    /// Prints the table, and writes it to `directory`.
    pub(crate) fn finish(&self, directory: &Path) {
        println!("\n{}\n", self.conditions);
        print!("{}", self.table());
        for skipped in &self.skipped {
            println!("skipped: {skipped}");
        }
        fs::create_dir_all(directory).expect("make the directory of results");
        let path = directory.join("table.md");
        fs::write(&path, format!("{}\n\n{}", self.conditions, self.table())).expect("write the table");
        println!("\nwritten: {}", path.display());
    }

    fn table(&self) -> String {
        let head = ["group", "benchmark", "takes", "baseline", "ratio", "±", "target", ""].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.measurements.iter().map(|row| {
            let target = row.target.map(|target| format!("{target:.2}"));
            let missed = if row.is_met() { "" } else { "missed" };
            [
                row.name.clone(),
                row.benchmark.clone(),
                row.shown.clone(),
                row.baseline.clone(),
                format!("{:.2}", row.ratio),
                format!("{:.2}", row.spread),
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
}

/// The machine and the file system.
fn conditions(space: &Space) -> String {
    let system = Command::new("uname").arg("-srm").output();
    let system = system.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {processors} processors, files on {}; ratios are medians of pairs",
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
