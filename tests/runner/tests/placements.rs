//! Every case in every placement, as one test each: `native::module::case`,
//! `component::module::case`. The variable `PLACEMENTS` names those to run, `native,host`.

use std::process::ExitCode;
use std::sync::Arc;

use conformance_runner::{Case, Launcher, Outcome, Placement, Suite, cases};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let suite =
        Arc::new(Suite::new(Launcher::new(env!("CARGO_BIN_EXE_conformance-case"), &[]), None));
    let chosen = std::env::var("PLACEMENTS").ok();
    let is_chosen = |placement: &&Placement| {
        let name = placement.to_string();
        chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|chosen| chosen == name))
    };
    let trials = Placement::ALL
        .iter()
        .filter(is_chosen)
        .flat_map(|&placement| cases().map(move |case| (placement, case)))
        .map(|(placement, case)| trial(suite.clone(), placement, case))
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(suite: Arc<Suite>, placement: Placement, case: &'static Case) -> Trial {
    let name = format!("{placement}::{}", case.name());
    Trial::ignorable_test(name, move || match suite.run(case, placement).outcome {
        Outcome::Passed => Ok(Completion::Completed),
        Outcome::Skipped(reason) => Ok(Completion::ignored_with(reason)),
        Outcome::Failed(detail) => Err(Failed::from(detail)),
    })
}
