//! The results as one HTML page: nothing has to be loaded, and no script runs.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::io::{self, Write};

use conformance_runner::{CaseResult, Outcome, Placement};

use super::{Line, escaped, rows};

const STYLE: &str = include_str!("html.css");

/// With so few failures their messages are shown at once.
const FEW: usize = 10;

/// What the page is about.
pub(super) struct Page<'a> {
    /// The provider component under test, for people.
    pub(super) provider: String,
    /// What the names of the cases contain; empty for all cases.
    pub(super) filter: &'a str,
    pub(super) placements: &'a [Placement],
    /// The table of rows, if it was asked for.
    pub(super) rows: Option<&'a [rows::Line<'a>]>,
    pub(super) results: &'a [CaseResult],
}

/// A text of strangers, escaped. On the page it may stand between tags only, in no attribute.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(self.0))
    }
}

/// How many cases ended in each way.
#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
    seconds: f64,
}

impl Counts {
    fn of<'a>(results: impl Iterator<Item = &'a CaseResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            *match result.outcome {
                Outcome::Passed => &mut counts.passed,
                Outcome::Failed(_) => &mut counts.failed,
                Outcome::Skipped(_) => &mut counts.skipped,
            } += 1;
            counts.seconds += result.ms / 1000.0;
        }
        counts
    }
}

impl Page<'_> {
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let counts = Counts::of(self.results.iter());
        let verdict = match counts.failed {
            0 => "no case failed".to_owned(),
            1 => "1 case failed".to_owned(),
            failed => format!("{failed} cases failed"),
        };
        // The policy keeps a browser from running anything, should a text ever come through.
        write!(
            out,
            r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>Conformance to scratch:tempfile: {verdict}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>Conformance to <code>scratch:tempfile</code></h1>
"#
        )?;
        self.print_about(out)?;
        let table = if self.rows.is_some() { r##"<li><a href="#rows">Rows</a></li>"## } else { "" };
        writeln!(
            out,
            r##"<nav aria-label="On this page"><ul>
<li><a href="#summary">Summary</a></li>
<li><a href="#failures">Failures</a></li>{table}
<li><a href="#cases">Cases</a></li>
</ul></nav>
</header>
<main>"##
        )?;
        self.print_summary(out, &counts, &verdict)?;
        let failures = self.print_failures(out)?;
        if let Some(rows) = self.rows {
            self.print_rows(out, rows)?;
        }
        self.print_cases(out, &failures)?;
        writeln!(out, "</main>\n</body>\n</html>")
    }

    /// What ran where.
    fn print_about(&self, out: &mut impl Write) -> io::Result<()> {
        let (version, system) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS);
        let machine = std::env::consts::ARCH;
        let filter = match self.filter {
            "" => "all".to_owned(),
            filter => format!("those with “{}” in their name", Text(filter)),
        };
        writeln!(
            out,
            "<dl>\n<dt>Suite</dt><dd>wasi-tempfile {version}</dd>\n\
             <dt>System</dt><dd>{system}, {machine}</dd>\n\
             <dt>Provider component</dt><dd>{}</dd>\n\
             <dt>Cases</dt><dd>{filter}</dd>\n</dl>",
            Text(&self.provider),
        )
    }

    fn print_summary(&self, out: &mut impl Write, all: &Counts, verdict: &str) -> io::Result<()> {
        let class = if all.failed == 0 { "passed" } else { "failed" };
        let verdict = verdict[..1].to_uppercase() + &verdict[1..];
        writeln!(
            out,
            "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n\
             <p class=\"{class}\">{verdict}.</p>\n\
             <table>\n<caption>Cases of each placement, by outcome</caption>\n<thead><tr>"
        )?;
        for title in ["Placement", "Passed", "Failed", "Skipped", "Time of all cases"] {
            write!(out, r#"<th scope="col">{title}</th>"#)?;
        }
        writeln!(out, "</tr></thead>\n<tbody>")?;
        let of = |placement| self.results.iter().filter(move |it| it.placement == placement);
        let each = self.placements.iter().map(|it| (it.as_str(), Counts::of(of(*it))));
        for (name, counts) in each {
            let Counts { passed, failed, skipped, seconds } = counts;
            writeln!(
                out,
                r#"<tr><th scope="row">{name}</th><td>{passed}</td><td>{failed}</td>{}</tr>"#,
                format_args!("<td>{skipped}</td><td>{seconds:.1} s</td>"),
            )?;
        }
        writeln!(out, "</tbody>\n</table>\n</section>")
    }

    /// Prints the messages of the failures; returns the anchor of each.
    fn print_failures(&self, out: &mut impl Write) -> io::Result<Anchors<'_>> {
        writeln!(out, "<section aria-labelledby=\"failures\">\n<h2 id=\"failures\">Failures</h2>")?;
        let mut failures: Vec<(&str, Placement, &str)> = Vec::new();
        for result in self.results {
            if let Outcome::Failed(detail) = &result.outcome {
                failures.push((&result.case, result.placement, detail));
            }
        }
        failures.sort_by_key(|(case, placement, _)| (*case, placement.as_str()));
        if failures.is_empty() {
            writeln!(out, "<p>None.</p>")?;
        }
        let open = if failures.len() <= FEW { " open" } else { "" };
        let mut anchors = Anchors::new();
        for (number, (case, placement, detail)) in failures.into_iter().enumerate() {
            // A browser opens the details for a link to what is in them.
            writeln!(
                out,
                "<details{open}>\n<summary><code>{}</code>, {placement}</summary>\n\
                 <pre id=\"failure-{number}\">{}</pre>\n</details>",
                Text(case),
                Text(detail),
            )?;
            anchors.insert((case, placement.as_str()), number);
        }
        writeln!(out, "</section>")?;
        Ok(anchors)
    }

    fn print_rows(&self, out: &mut impl Write, rows: &[rows::Line<'_>]) -> io::Result<()> {
        writeln!(
            out,
            "<section aria-labelledby=\"rows\">\n<h2 id=\"rows\">Rows</h2>\n\
             <table class=\"rows\">\n\
             <caption>Everything that has to work, and whether its cases passed</caption>"
        )?;
        self.print_head(out, &["Row", "Behaviour"])?;
        for row in rows {
            write!(out, r#"<tr><th scope="row">{}</th><td>{}"#, Text(row.row), Text(row.title))?;
            if let Some(reason) = row.pending {
                write!(out, "<br><small>pending: {}</small>", Text(reason))?;
            }
            writeln!(out, "\n<details><summary>Shown by</summary>\n<ul>")?;
            let tests = row.tests.iter().cloned();
            let recipes = row.recipes.iter().map(|recipe| format!("just {recipe}"));
            for name in row.cases.iter().cloned().chain(tests).chain(recipes) {
                writeln!(out, "<li><code>{}</code></li>", Text(&name))?;
            }
            writeln!(out, "<li>documented in {}</li>\n</ul></details></td>", Text(row.source))?;
            for verdict in row.verdicts() {
                write!(out, r#"<td class="{}">{verdict}</td>"#, class(verdict))?;
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</tbody>\n</table>\n</section>")
    }

    /// A table for each module of cases.
    fn print_cases(&self, out: &mut impl Write, failures: &Anchors<'_>) -> io::Result<()> {
        writeln!(out, "<section aria-labelledby=\"cases\">\n<h2 id=\"cases\">Cases</h2>")?;
        let mut modules: BTreeMap<&str, BTreeMap<&str, Vec<&CaseResult>>> = BTreeMap::new();
        for result in self.results {
            let (module, function) = result.case.split_once("::").unwrap_or(("", &result.case));
            modules.entry(module).or_default().entry(function).or_default().push(result);
        }
        for (number, (module, cases)) in modules.iter().enumerate() {
            writeln!(
                out,
                "<h3 id=\"module-{number}\">{}</h3>\n\
                 <table class=\"cases\" aria-labelledby=\"module-{number}\">",
                Text(module)
            )?;
            self.print_head(out, &["Case"])?;
            for (function, results) in cases {
                write!(out, r#"<tr><th scope="row"><code>{}</code></th>"#, Text(function))?;
                for placement in self.placements {
                    match results.iter().find(|result| result.placement == *placement) {
                        Some(result) => print_outcome(out, result, failures)?,
                        None => write!(out, "<td>not run</td>")?,
                    }
                }
                writeln!(out, "</tr>")?;
            }
            writeln!(out, "</tbody>\n</table>")?;
        }
        writeln!(out, "</section>")
    }

    /// The head of a table with a column for each placement, and the begin of its body.
    fn print_head(&self, out: &mut impl Write, titles: &[&str]) -> io::Result<()> {
        write!(out, "<thead><tr>")?;
        let placements = self.placements.iter().map(|placement| placement.as_str());
        for title in titles.iter().copied().chain(placements) {
            write!(out, r#"<th scope="col">{title}</th>"#)?;
        }
        writeln!(out, "</tr></thead>\n<tbody>")
    }
}

/// The number of each failure, by case and placement.
type Anchors<'a> = BTreeMap<(&'a str, &'static str), usize>;

fn print_outcome(
    out: &mut impl Write,
    result: &CaseResult,
    failures: &Anchors<'_>,
) -> io::Result<()> {
    let Line { placement, case, outcome, detail, ms } = Line::of(result);
    write!(out, r#"<td class="{outcome}">"#)?;
    match failures.get(&(case, placement)) {
        Some(number) => write!(out, r##"<a href="#failure-{number}">{outcome}</a>"##)?,
        None => write!(out, "{outcome}")?,
    }
    match &result.outcome {
        Outcome::Skipped(_) => write!(out, "<br><small>{}</small></td>", Text(detail)),
        Outcome::Passed | Outcome::Failed(_) => write!(out, " <small>{ms:.1} ms</small></td>"),
    }
}

/// The class of a row's verdict: those of two words have none.
fn class(verdict: &str) -> &str {
    match verdict {
        "passed" | "failed" => verdict,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would be a script, an attribute, another page, a comment, or a terminal's command.
    const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;<!--\
                           </pre></style>]]>\x1b]0;title\x07\u{9b}2J\u{202e}\0";

    /// A page on which this text is wherever a text of strangers can be.
    fn page(text: &str) -> String {
        let outcomes =
            [Outcome::Passed, Outcome::Failed(text.to_owned()), Outcome::Skipped(text.to_owned())];
        let results: Vec<CaseResult> = Placement::ALL
            .into_iter()
            .zip(outcomes)
            .map(|(placement, outcome)| {
                let case = format!("{text}::{text}");
                CaseResult { placement, case, outcome, ms: 1.0 }
            })
            .collect();
        let texts = [text.to_owned()];
        let rows = [rows::Line {
            row: text,
            title: text,
            source: text,
            cases: texts.to_vec(),
            tests: &texts,
            recipes: &texts,
            pending: Some(text),
            native: Some("passed"),
            component: Some("failed"),
            host: Some("tested elsewhere"),
        }];
        let page = Page {
            provider: text.to_owned(),
            filter: text,
            placements: &Placement::ALL,
            rows: Some(&rows),
            results: &results,
        };
        let mut out = Vec::new();
        page.print(&mut out).expect("write to memory");
        String::from_utf8(out).expect("text")
    }

    /// The tags of a page, in order.
    fn tags(page: &str) -> Vec<&str> {
        page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).collect()
    }

    #[test]
    fn texts_of_strangers_make_no_tags() {
        let (hostile, harmless) = (page(HOSTILE), page("text"));
        assert_eq!(tags(&hostile), tags(&harmless));
        // Nothing has vanished either: a text is 13 times on the page.
        let times = harmless.matches("text").count() - STYLE.matches("text").count();
        assert_eq!(hostile.matches("&lt;script&gt;alert(1)").count(), times, "{hostile}");
        assert!(!hostile.contains("<script"), "{hostile}");
    }

    #[test]
    fn no_control_character_is_on_the_page() {
        let page = page(HOSTILE);
        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!page.contains(obeyed), "{page:?}");
    }

    #[test]
    fn every_element_is_closed_in_order() {
        let page = page("text");
        let mut open = Vec::new();
        for tag in tags(&page) {
            let name = tag.split([' ', '\n']).next().unwrap_or_default();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "{page}"),
                None if matches!(name, "!DOCTYPE" | "meta" | "br") => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, [""; 0]);
    }

    #[test]
    fn a_failure_is_linked_with_its_message() {
        let page = page("text");
        assert!(page.contains(r##"<a href="#failure-0">failed</a>"##), "{page}");
        assert!(page.contains(r#"<pre id="failure-0">text</pre>"#), "{page}");
        assert!(page.contains("<title>Conformance to scratch:tempfile: 1 case failed</title>"));
    }
}
