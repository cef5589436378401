//! Reliability figures: promises that are tried many times, each with controls that must fail.
//!
//! `cargo test` tries each as often as it takes to see it work; `just soak` as often as the figure
//! says, and reports (docs/soak.md). Every figure and every control runs in a process of its own.

use std::process::ExitCode;
use std::time::Instant;

use libtest_mimic::{Arguments, Completion, Trial};

#[allow(dead_code, reason = "some of it is used by tests of the core only")]
#[path = "../../../core/tests/stepped/mod.rs"]
mod stepped;
#[path = "../support/mod.rs"]
mod support;

mod embedder;
mod figure;
mod native;
mod part;
mod plugins;
mod trace;

mod endings;
mod escapes;
mod flat;
mod handles;
mod hostile_text;
mod kill;
mod kill_anywhere;
mod large_trees;
mod limits;
mod mounts;
mod names;
mod power_cut;
mod pressure;
mod privacy;
mod process_limits;
mod removal;
mod resolvers;
mod roots;
mod snapshots;
mod sweepers;
mod tenants;

use figure::{Figure, Scale, Tally};

const FIGURES: &[Figure] = &[
    names::FIGURE,
    snapshots::FIGURE,
    escapes::FIGURE,
    resolvers::FIGURE,
    privacy::FIGURE,
    removal::FIGURE,
    large_trees::FIGURE,
    mounts::FIGURE,
    tenants::FIGURE,
    limits::FIGURE,
    endings::FIGURE,
    kill::FIGURE,
    kill_anywhere::FIGURE,
    power_cut::FIGURE,
    sweepers::FIGURE,
    roots::FIGURE,
    flat::FIGURE,
    handles::FIGURE,
    pressure::FIGURE,
    hostile_text::FIGURE,
    process_limits::FIGURE,
];

/// What a process of this program may be started for.
const PARTS: &[&[part::Part]] = &[
    &[("figure", one_figure), ("control", one_control)],
    privacy::PARTS,
    kill::PARTS,
    kill_anywhere::PARTS,
    sweepers::PARTS,
    pressure::PARTS,
];

fn main() -> ExitCode {
    if let Some(ended) = part::play(&PARTS.concat()) {
        return ended;
    }
    match std::env::var("SOAK").as_deref() {
        // `cargo test -q` adds an option.
        Ok("full") => report(
            &std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect::<Vec<_>>(),
        ),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn trials() -> Vec<Trial> {
    FIGURES.iter().flat_map(|figure| std::iter::once(holds(figure)).chain(fails(figure))).collect()
}

/// The figure, in its short form.
fn holds(figure: &'static Figure) -> Trial {
    Trial::ignorable_test(figure.name(), || {
        let tally = run(figure, Scale::Short)?;
        match (tally.violations, tally.not_looked_at.first()) {
            (0, None) => Ok(Completion::Completed),
            (0, Some(why)) if tally.counts.is_empty() => Ok(Completion::ignored_with(why)),
            (0, Some(why)) => {
                eprintln!("{}: not looked at: {why}", figure.name());
                Ok(Completion::Completed)
            }
            (violations, _) => Err(format!("{violations} violations: {:#?}", tally.told).into()),
        }
    })
}

/// Its controls.
fn fails(figure: &'static Figure) -> impl Iterator<Item = Trial> {
    figure.controls.iter().map(|control| {
        Trial::ignorable_test(format!("{}::control::{}", figure.name(), control.name), || {
            let tally = run_control(control.name)?;
            match (tally.violations, tally.not_looked_at.first()) {
                (0, Some(why)) => Ok(Completion::ignored_with(why)),
                (0, None) => Err(format!("the check does not see it: {}", tally.summary()).into()),
                _ => Ok(Completion::Completed),
            }
        })
    })
}

/// Runs the figures in their full form, a line each: all, or those whose name contains a word.
fn report(wanted: &[String]) -> ExitCode {
    let mut failed = false;
    let named = |figure: &&Figure| {
        let name = figure.name();
        wanted.is_empty() || wanted.iter().any(|wanted| name.contains(&**wanted))
    };
    for figure in FIGURES.iter().filter(named) {
        let began = Instant::now();
        let line = full(figure).unwrap_or_else(|why| {
            failed = true;
            format!("FAILED: {why}")
        });
        let name = figure.name().replace("::", ": ").replace('_', " ");
        println!("{name}: {line}; {} s", began.elapsed().as_secs());
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn full(figure: &Figure) -> Result<String, String> {
    let tally = run(figure, Scale::Full)?;
    if tally.violations > 0 {
        return Err(format!(
            "{}, {} violations: {:#?}",
            tally.summary(),
            tally.violations,
            tally.told
        ));
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
    part::ask(&mut part::command("figure", &[&figure.name(), scale.pick("short", "full")]), scale)
}

fn run_control(name: &str) -> Result<Tally, String> {
    part::ask(&mut part::command("control", &[name]), Scale::Short)
}

fn one_figure(arguments: &[String]) -> ExitCode {
    let [name, scale] = arguments else { return ExitCode::FAILURE };
    let scale = if scale == "full" { Scale::Full } else { Scale::Short };
    FIGURES
        .iter()
        .find(|figure| figure.name() == *name)
        .map_or(ExitCode::FAILURE, |figure| part::answer(&(figure.check)(scale)))
}

fn one_control(arguments: &[String]) -> ExitCode {
    let [name] = arguments else { return ExitCode::FAILURE };
    let mut controls = FIGURES.iter().flat_map(|figure| figure.controls);
    controls
        .find(|control| control.name == name)
        .map_or(ExitCode::FAILURE, |control| part::answer(&(control.check)()))
}
