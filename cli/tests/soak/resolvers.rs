//! The conformance suite on a system that refuses `openat2`: what resolves paths then has to be as
//! safe. Old kernels answer `ENOSYS`, some sandboxes `EPERM`, and a busy system `EAGAIN`.

use std::process::Command;

use serde::Deserialize;

use crate::figure::{Scale, Tally, figure};
use crate::support::command;
use crate::trace;

figure!(every_case_passes_without_openat2, openat2_that_fails_for_good);

/// What refusing it looks like.
const REFUSALS: [&str; 3] = ["ENOSYS", "EPERM", "EAGAIN"];

/// In the short form, the cases of one module.
const SHORT: &[&str] = &["--filter", "removal::"];

fn every_case_passes_without_openat2(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for refusal in &REFUSALS[..scale.pick(1, REFUSALS.len())] {
        tally.add(suite_with(refusal, scale.pick(SHORT, &[])));
    }
    for placement in ["native", "component", "host"] {
        let passed = tally.counts.iter().any(|(what, _)| *what == passed_in(placement));
        tally.expect(passed || !tally.not_looked_at.is_empty(), || {
            format!("no case passed in the {placement} placement")
        });
    }
    tally
}

/// No fallback may hide any other error.
fn openat2_that_fails_for_good() -> Tally {
    suite_with("EIO", &[SHORT, &["--placement", "native"]].concat())
}

/// A line of the suite's results.
#[derive(Deserialize)]
struct Line {
    placement: String,
    case: String,
    outcome: String,
    detail: String,
}

/// Runs the suite in every placement, with this answer to every `openat2` of all its processes.
fn suite_with(refusal: &str, options: &[&str]) -> Tally {
    let mut tally = Tally::default();
    let mut suite = command();
    suite.args(["conformance", "--format", "json"]).args(options);
    let inject = format!("inject=openat2:error={refusal}");
    let options = ["--seccomp-bpf", "-e", "trace=openat2", "-e", &inject, "-o", "/dev/null"];
    let output = match Command::new("strace").arg("-V").output() {
        Ok(_) => trace::traced(suite, &options).output().expect("start strace"),
        Err(error) => {
            tally.not_looked_at(format!("strace: {error}"));
            return tally;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    for line in said.lines() {
        let line: Line = serde_json::from_str(line).expect("a line of results");
        let Line { placement, case, outcome, detail } = line;
        match &*outcome {
            "passed" => tally.count(&passed_in(&placement), 1),
            "skipped" => tally.count("cases skipped", 1),
            _ => tally.violated(format!("{refusal}: {placement}::{case}: {detail}")),
        }
    }
    tally
}

fn passed_in(placement: &str) -> String {
    format!("cases passed in the {placement} placement")
}
