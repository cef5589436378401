//! The figures r05–r17: what has to hold however often it is tried, each with controls that must fail.
//!
//! `cargo test` tries each as often as it takes to see it work; `just soak` as often as the figure says, and reports (docs/soak.md). Every figure
//! and every control runs in a process of its own.

use std::process::ExitCode;
use std::time::Instant;

use libtest_mimic::{Arguments, Completion, Trial};

#[path = "../../../core/tests/stepped/mod.rs"]
mod stepped;
#[path = "../support/mod.rs"]
mod support;

mod embedder;
mod figure;
mod part;
mod plugins;
mod trace;

mod r05_names;
mod r06_privacy;
mod r07_removal;
mod r08_large_trees;
mod r09_tenants;
mod r10_limits;
mod r11_endings;
mod r12_kill;
mod r13_kill_anywhere;
mod r14_sweepers;
mod r15_roots;
mod r16_flat;
mod r17_handles;

use figure::{Figure, Scale, Tally};

const FIGURES: &[Figure] = &[
    r05_names::FIGURE,
    r06_privacy::FIGURE,
    r07_removal::FIGURE,
    r08_large_trees::FIGURE,
    r09_tenants::FIGURE,
    r10_limits::FIGURE,
    r11_endings::FIGURE,
    r12_kill::FIGURE,
    r13_kill_anywhere::FIGURE,
    r14_sweepers::FIGURE,
    r15_roots::FIGURE,
    r16_flat::FIGURE,
    r17_handles::FIGURE,
];

/// What a process of this program may be started for.
const PARTS: &[&[part::Part]] = &[
    &[("figure", one_figure), ("control", one_control)],
    r06_privacy::PARTS,
    r12_kill::PARTS,
    r13_kill_anywhere::PARTS,
    r14_sweepers::PARTS,
];

fn main() -> ExitCode {
    if let Some(ended) = part::play(&PARTS.concat()) {
        return ended;
    }
    match std::env::var("SOAK").as_deref() {
        // `cargo test -q` adds an option.
        Ok("full") => {
            report(&std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect::<Vec<_>>())
        }
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    FIGURES.iter().flat_map(|figure| std::iter::once(holds(figure)).chain(fails(figure))).collect()
}

/// The figure, in its short form.
fn holds(figure: &'static Figure) -> Trial {
    Trial::ignorable_test(format!("{}::{}", figure.id, figure.name), || {
        let tally = run(figure, Scale::Short)?;
        match (tally.violations, tally.not_looked_at.first()) {
            (0, None) => Ok(Completion::Completed),
            (0, Some(why)) if tally.counts.is_empty() => Ok(Completion::ignored_with(why)),
            (0, Some(why)) => {
                eprintln!("{}: not looked at: {why}", figure.id);
                Ok(Completion::Completed)
            }
            (violations, _) => Err(format!("{violations} violations: {:#?}", tally.told).into()),
        }
    })
}

/// Its controls.
fn fails(figure: &'static Figure) -> impl Iterator<Item = Trial> {
    figure.controls.iter().map(|control| {
        Trial::ignorable_test(format!("{}::control::{}", figure.id, control.name), || {
            let tally = run_control(control.name)?;
            match (tally.violations, tally.not_looked_at.first()) {
                (0, Some(why)) => Ok(Completion::ignored_with(why)),
                (0, None) => Err(format!("the check does not see it: {}", tally.summary()).into()),
                _ => Ok(Completion::Completed),
            }
        })
    })
}

/// The figures in their full form, a line each: all, or those whose id or name contains one of these.
fn report(wanted: &[String]) -> ExitCode {
    let mut failed = false;
    let named = |figure: &&Figure| {
        let name = format!("{}::{}", figure.id, figure.name);
        wanted.is_empty() || wanted.iter().any(|wanted| name.contains(&**wanted))
    };
    for figure in FIGURES.iter().filter(named) {
        let began = Instant::now();
        let line = full(figure).unwrap_or_else(|why| {
            failed = true;
            format!("FAILED: {why}")
        });
        println!("{}  {}: {line}; {} s", figure.id, figure.name.replace('_', " "), began.elapsed().as_secs());
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn full(figure: &Figure) -> Result<String, String> {
    let tally = run(figure, Scale::Full)?;
    if tally.violations > 0 {
        return Err(format!("{}, {} violations: {:#?}", tally.summary(), tally.violations, tally.told));
    }
    let mut seen = Vec::new();
    for control in figure.controls {
        let tally = run_control(control.name)?;
        match (tally.violations, tally.not_looked_at.first()) {
            (0, Some(why)) => seen.push(format!("not looked at: {why}")),
            (0, None) => return Err(format!("{}: the check does not see it", control.name)),
            (violations, _) => seen.push(violations.to_string()),
        }
    }
    Ok(format!("{}, 0 violations (controls: {})", tally.summary(), seen.join(", ")))
}

fn run(figure: &Figure, scale: Scale) -> Result<Tally, String> {
    part::ask(&mut part::command("figure", &[figure.id, scale.pick("short", "full")]), scale)
}

fn run_control(name: &str) -> Result<Tally, String> {
    part::ask(&mut part::command("control", &[name]), Scale::Short)
}

fn one_figure(arguments: &[String]) -> ExitCode {
    let [id, scale] = arguments else { return ExitCode::FAILURE };
    let scale = if scale == "full" { Scale::Full } else { Scale::Short };
    FIGURES
        .iter()
        .find(|figure| figure.id == id)
        .map_or(ExitCode::FAILURE, |figure| part::answer(&(figure.check)(scale)))
}

fn one_control(arguments: &[String]) -> ExitCode {
    let [name] = arguments else { return ExitCode::FAILURE };
    let mut controls = FIGURES.iter().flat_map(|figure| figure.controls);
    controls
        .find(|control| control.name == name)
        .map_or(ExitCode::FAILURE, |control| part::answer(&(control.check)()))
}
