//! `wasi-tempfile conformance`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use clap::{Args, ValueEnum};
use conformance_runner::{
    Case, CaseProcess, CaseResult, Launcher, Outcome, Placement, Suite, cases, find, portable,
    rows as table,
};
use serde::Serialize;
use wasi_tempfile_host::check_process;

use super::progress::Progress;
use super::terminal::{printable, printable_json, printable_lines};
use super::{MISUSED, PLUGIN_FAILED, Result, complain, files, system};

mod html;
mod list;
mod rows;

/// Run the conformance suite
///
/// Cases run side by side. One that changes its whole process, and every native one, runs in a
/// process of its own: this program again, with --case.
#[derive(Args)]
pub(crate) struct Conformance {
    /// The placement: where the interface is implemented
    #[arg(long, value_enum, default_value = "all")]
    placement: Chosen,
    /// Test this provider component instead of the built-in one
    #[arg(long, value_name = "FILE.wasm")]
    provider: Option<PathBuf>,
    /// Hold that provider to the limits that it finds in SCRATCH_LIMITS; without this the cases
    /// about limits are skipped for it
    #[arg(long, requires = "provider")]
    claims_limits: bool,
    /// Run the cases whose name contains TEXT
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = filter)]
    filter: String,
    /// The format of the results
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    /// Write the results to this file, once all cases have ended, instead of standard output; with
    /// --list the list, with --component the suite
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the names of the cases, and run nothing; with `--format json` also what each needs
    #[arg(long)]
    list: bool,
    /// Print a table of everything that has to work, each row with the outcome of its cases
    #[arg(long, conflicts_with_all = ["list", "filter"])]
    rows: bool,
    #[command(flatten)]
    portable: Portable,
    #[command(flatten)]
    one: OneCase,
}

/// The options of the suite as a component.
#[derive(Args)]
#[command(next_help_heading = "The suite for another host")]
struct Portable {
    /// Write the suite as a component that imports nothing but WASI, and run nothing: it is
    /// composed with the provider, and a host runs it as docs/hosts.md says
    #[arg(long, requires = "output", conflicts_with_all = ["list", "rows", "filter", "format"])]
    component: bool,
    /// Leave out the provider: the component imports scratch:tempfile
    #[arg(long, requires = "component", conflicts_with = "provider")]
    without_provider: bool,
}

/// The options of one case in this very process.
#[derive(Args)]
#[command(next_help_heading = "One case in this process")]
struct OneCase {
    /// Run this one case in this process, which it may change for good: its user, its umask, its
    /// mounts. The exit code is 0 if the case passed, or was skipped and standard output begins
    /// with `skipped: `
    #[arg(long, value_name = "NAME", value_parser = case, requires = "directory")]
    #[arg(conflicts_with_all = ["list", "rows", "filter", "format", "output"])]
    case: Option<&'static Case>,
    /// An empty directory for the case; natively, TMPDIR must name it too
    #[arg(long, value_name = "DIR", requires = "case")]
    directory: Option<PathBuf>,
    /// The directory that contains the mounts of the case
    #[arg(long, value_name = "DIR", requires = "case")]
    granted: Option<PathBuf>,
    /// Keep the compiled suite in this directory
    #[arg(long, value_name = "DIR", requires = "case")]
    cache: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Chosen {
    Native,
    Component,
    Host,
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each case as it ends, and a summary
    Pretty,
    /// An object for each case as it ends, a line each
    Json,
    /// JUnit's XML, which servers for continuous integration read
    Junit,
    /// A page for people, complete in one file
    Html,
}

impl Chosen {
    fn placements(self) -> &'static [Placement] {
        match self {
            Chosen::Native => &[Placement::Native],
            Chosen::Component => &[Placement::Component],
            Chosen::Host => &[Placement::Host],
            Chosen::All => &Placement::ALL,
        }
    }
}

impl Conformance {
    pub(super) fn run(self) -> Result {
        if self.list {
            return self.list();
        }
        if let (Some(case), Some(directory)) = (self.one.case, self.one.directory) {
            let &[placement] = self.placement.placements() else {
                complain("--case needs one --placement");
                return Ok(ExitCode::from(MISUSED));
            };
            let OneCase { granted, cache, .. } = self.one;
            let provider = self.provider;
            return Ok(CaseProcess { case, placement, directory, granted, provider, cache }.run());
        }
        if let (true, Some(output)) = (self.portable.component, &self.output) {
            let provider = self.provider.as_deref().map(files::read).transpose()?;
            let component = match self.portable.without_provider {
                true => portable::suite(),
                false => portable::composed(provider.as_deref()),
            };
            files::write(output, &component.map_err(|error| error.to_string())?)?;
            return Ok(ExitCode::SUCCESS);
        }
        check_process().map_err(|error| error.to_string())?;
        system::check_address_space()?;
        let table = if self.rows { table::read()? } else { Vec::new() };
        let chosen: Vec<&Case> = match self.rows {
            true => rows::cases(&table),
            false => filtered(&self.filter).collect(),
        };
        let (mut stdout, mut report) = (io::stdout().lock(), Vec::new());
        let mut out: &mut dyn Write = if self.output.is_some() { &mut report } else { &mut stdout };
        let placements = self.placement.placements();
        let jobs: Vec<(Placement, &Case)> = placements
            .iter()
            .flat_map(|placement| chosen.iter().map(|case| (*placement, *case)))
            .collect();
        let provider = provider_name(self.provider.as_deref());
        let suite = Suite::new(Launcher::new(this_program()?, &["conformance"]), self.provider)
            .claims_limits(self.claims_limits);
        if placements.contains(&Placement::Component) {
            suite.compose()?;
        }
        let at_once = self.format.is_printed_at_once() && !self.rows;
        let colours = self.output.is_none() && has_colours();
        let mut progress = match at_once && self.output.is_none() && system::is_read_meanwhile() {
            true => Progress::hidden(),
            false => Progress::start(),
        };
        let (mut results, mut failed) = (Vec::with_capacity(jobs.len()), 0);
        let mut written = Ok(());
        progress.show(|| progress_of(0, jobs.len(), 0));
        suite.run_all(&jobs, |result| {
            if written.is_ok() && at_once {
                written = self.format.each(&mut out, colours, &result);
            }
            failed += usize::from(matches!(result.outcome, Outcome::Failed(_)));
            results.push(result);
            progress.show(|| progress_of(results.len(), jobs.len(), failed));
        });
        drop(progress);
        let lines = rows::lines(&table, placements, &results);
        written.map_err(unwritten)?;
        let printed = if self.format == Format::Html {
            let page = html::Page {
                provider,
                filter: &self.filter,
                placements,
                rows: self.rows.then_some(&*lines),
                results: &results,
            };
            page.print(&mut out)
        } else if self.rows {
            rows::print(&mut out, self.format, colours, placements, &lines)
        } else {
            self.format.all(&mut out, &results)
        };
        printed.map_err(unwritten)?;
        let well = match self.rows {
            true => !lines.iter().flat_map(rows::Line::verdicts).any(|it| it == "failed"),
            false => failed == 0,
        };
        if let Some(path) = &self.output {
            files::write(path, &report)?;
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(PLUGIN_FAILED) })
    }

    fn list(&self) -> Result {
        let chosen = filtered(&self.filter);
        let listed = match self.format {
            Format::Pretty => list::names(chosen),
            Format::Json => list::objects(chosen),
            Format::Junit | Format::Html => {
                complain("--list needs `--format pretty` (names) or `--format json` (objects)");
                return Ok(ExitCode::from(MISUSED));
            }
        };
        match &self.output {
            Some(path) => files::write(path, listed.as_bytes())?,
            None => files::print(&listed)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The cases whose name contains this.
fn filtered(text: &str) -> impl Iterator<Item = &'static Case> {
    cases().filter(move |case| case.name().contains(text))
}

/// The provider component under test, for people.
fn provider_name(provider: Option<&Path>) -> String {
    match provider {
        Some(path) => path.display().to_string(),
        None => "the one of this command".to_owned(),
    }
}

fn progress_of(ended: usize, all: usize, failed: usize) -> String {
    match failed {
        0 => format!("{ended} of {all} cases"),
        failed => format!("{ended} of {all} cases, {failed} failed"),
    }
}

/// Whether standard output is to have colours: a terminal, as `NO_COLOR`, `CLICOLOR` and
/// `CLICOLOR_FORCE` say.
fn has_colours() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// An outcome in so many columns.
fn coloured(outcome: &str, width: usize, colours: bool) -> String {
    let style = match outcome {
        _ if !colours => Style::new(),
        "passed" => AnsiColor::Green.on_default(),
        "failed" => AnsiColor::Red.on_default().bold(),
        "skipped" => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    };
    format!("{style}{outcome}{style:#}{:1$}", "", width.saturating_sub(outcome.len()))
}

/// Parses a filter. One that matches no case is an error, because it must not look like success.
fn filter(text: &str) -> std::result::Result<String, String> {
    match cases().any(|case| case.name().contains(text)) {
        true => Ok(text.to_owned()),
        false => Err("no case has this in its name; --list prints them all".to_owned()),
    }
}

/// Parses the name of a case.
fn case(name: &str) -> std::result::Result<&'static Case, String> {
    find(name).ok_or_else(|| "no case has this name; --list prints them all".to_owned())
}

/// This program, even if its file has been replaced since.
fn this_program() -> Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe().map_err(|cause| format!("find this program: {cause}"))
}

fn unwritten(cause: io::Error) -> String {
    format!("write the results: {cause}")
}

/// A result as one line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    placement: &'static str,
    case: &'a str,
    outcome: &'static str,
    detail: &'a str,
    ms: f64,
}

impl<'a> Line<'a> {
    fn of(result: &'a CaseResult) -> Self {
        let (outcome, detail) = match &result.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Skipped(reason) => ("skipped", reason.as_str()),
            Outcome::Failed(detail) => ("failed", detail.as_str()),
        };
        let ms = (result.ms * 1000.0).round() / 1000.0;
        Line { placement: result.placement.as_str(), case: &result.case, outcome, detail, ms }
    }
}

impl Format {
    /// Whether the result of a case is printed as soon as it is known.
    fn is_printed_at_once(self) -> bool {
        match self {
            Format::Pretty | Format::Json => true,
            Format::Junit | Format::Html => false,
        }
    }

    /// Prints the result of one case.
    fn each(self, out: &mut impl Write, colours: bool, result: &CaseResult) -> io::Result<()> {
        let line = Line::of(result);
        match self {
            Format::Json => {
                let json = serde_json::to_string(&line)?;
                writeln!(out, "{}", printable_json(&json))
            }
            Format::Pretty => {
                let outcome = coloured(line.outcome, 7, colours);
                write!(out, "{outcome} {}::{}", line.placement, line.case)?;
                match &result.outcome {
                    Outcome::Passed => writeln!(out),
                    Outcome::Skipped(reason) => writeln!(out, " ({})", printable(reason)),
                    Outcome::Failed(detail) => {
                        writeln!(out)?;
                        let mut lines = detail.lines().map(printable);
                        lines.try_for_each(|line| writeln!(out, "        {line}"))
                    }
                }
            }
            Format::Junit | Format::Html => Ok(()),
        }
    }

    /// Prints what comes after the results of all cases.
    fn all(self, out: &mut impl Write, results: &[CaseResult]) -> io::Result<()> {
        let count =
            |outcome| results.iter().filter(|result| Line::of(result).outcome == outcome).count();
        let (passed, failed, skipped) = (count("passed"), count("failed"), count("skipped"));
        match self {
            Format::Json | Format::Html => Ok(()),
            Format::Pretty => {
                writeln!(out, "\n{passed} passed, {failed} failed, {skipped} skipped")
            }
            Format::Junit => {
                let tests = results.len();
                writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
                write!(out, r#"<testsuite name="conformance" tests="{tests}" "#)?;
                writeln!(out, r#"failures="{failed}" skipped="{skipped}">"#)?;
                results.iter().try_for_each(|result| junit(out, &Line::of(result)))?;
                writeln!(out, "</testsuite>")
            }
        }
    }
}

fn junit(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    let (name, placement, seconds) = (escaped(line.case), line.placement, line.ms / 1000.0);
    write!(out, r#"  <testcase classname="{placement}" name="{name}" time="{seconds:.6}""#)?;
    let detail = escaped(line.detail);
    match line.outcome {
        "failed" => writeln!(out, "><failure>{detail}</failure></testcase>"),
        "skipped" => writeln!(out, r#"><skipped message="{detail}"/></testcase>"#),
        _ => writeln!(out, "/>"),
    }
}

/// Escapes text for XML and HTML, and replaces the characters that these cannot contain.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            c if c.is_control() && !matches!(c, '\n' | '\t') => '\u{fffd}'.to_string(),
            c => printable_lines(c.encode_utf8(&mut [0; 4])),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_no_control_characters_of_what_it_quotes() {
        let hostile = "panicked: \x1b]0;title\x07\r\u{9b}2J\u{202e}\nnext line \x08";
        let result = |outcome| CaseResult {
            placement: Placement::Component,
            case: "module::function".to_owned(),
            outcome,
            ms: 1.0,
        };
        let results =
            [Outcome::Failed(hostile.to_owned()), Outcome::Skipped(hostile.to_owned())].map(result);
        for format in [Format::Pretty, Format::Json, Format::Junit] {
            let mut out = Vec::new();
            for result in &results {
                format.each(&mut out, false, result).expect("write to memory");
            }
            format.all(&mut out, &results).expect("write to memory");
            let report = String::from_utf8(out).expect("text");
            assert_eq!(report.matches("title").count(), 2, "{report}");
            let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!report.contains(obeyed), "{report:?}");
        }
    }
}
