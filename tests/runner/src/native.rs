//! The native placement: each case in a process of its own.

use std::path::Path;

use conformance::witness::{Os, Witness};
use conformance::{Case, Outcome, Placement, setup};

use crate::{CaseProcess, Directory, Launcher, Problem, granted};

/// Runs a case natively.
pub(crate) fn run(launcher: &Launcher, case: &'static Case) -> Result<Outcome, Problem> {
    if case.setup.limits.is_some() {
        return Ok(Outcome::Skipped("natively nothing is limited".to_owned()));
    }
    let directory =
        Directory::new().map_err(|error| format!("no directory for the case: {error}"))?;
    let scratch = directory.path();
    let variables = match case.setup.environment {
        None => vec![("TMPDIR".to_owned(), text(scratch))],
        Some(chosen) => setup::environment(chosen, &text(scratch)),
    };
    let granted = granted(case, Placement::Native)
        .map_err(|error| format!("nothing to grant to the case: {error}"))?;
    let process = CaseProcess {
        case,
        placement: Placement::Native,
        directory: scratch.to_owned(),
        granted: granted.as_ref().map(|granted| granted.path().to_owned()),
        provider: None,
        cache: None,
    };
    let outcome = launcher.run(&process, &variables)?.unless_panicked(&case.setup);
    // Once more from outside, when the case's process has ended.
    Ok(outcome.unless_left(&case.setup.left_behind(Os::of(scratch).list("")?)))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
