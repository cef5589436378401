//! Every function that takes a handle, with handles in every state in which they should do nothing.

use wasi_tempfile_host::{Capture, Ending, Plugin, RunOptions, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::plugins::{Provider, sandboxed};
use crate::support::World;

figure!(
    every_function_refuses_every_dead_handle,
    handles_that_are_alive,
    handles_that_are_alive_and_not_dropped
);

/// A function that takes a handle whose work is done says `closed`; but for `close`, which succeeds
/// again, and `path`.
const DONE: [&str; 4] = ["closed", "kept", "persisted", "exchanged"];

/// No handle of the plugin's: the component model refuses it before anybody sees it.
const NONE: [&str; 5] = ["dropped", "another's", "nobody's", "zero", "the largest"];

/// How a call with a handle in a state has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Closed,
    Refused,
}

fn every_function_refuses_every_dead_handle(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..scale.pick(1, 5) {
        calls(&DONE, Answer::Closed, &mut tally);
        calls(&NONE, Answer::Refused, &mut tally);
    }
    tally
}

fn handles_that_are_alive() -> Tally {
    let mut tally = Tally::default();
    calls(&["alive"], Answer::Closed, &mut tally);
    tally
}

fn handles_that_are_alive_and_not_dropped() -> Tally {
    let mut tally = Tally::default();
    calls(&["alive"], Answer::Refused, &mut tally);
    tally
}

fn calls(states: &[&str], answer: Answer, tally: &mut Tally) {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    for provider in Provider::BOTH {
        let plugin = sandboxed(provider);
        let (functions, _) = call(&plugin, &root, &[]);
        for function in functions.lines() {
            for state in states {
                let (said, ending) = call(&plugin, &root, &[function, state]);
                let said = said.trim();
                if said == "no such state" {
                    continue;
                }
                let kept = match (answer, &ending) {
                    (Answer::Closed, Ending::Returned) => said == "as it should",
                    (Answer::Refused, Ending::Trapped { reason }) => {
                        said.is_empty() && is_refusal(reason)
                    }
                    _ => false,
                };
                tally.expect(kept, || {
                    format!("{}: {function}, {state}: {said:?}, {ending}", provider.name())
                });
                tally.count("calls", 1);
            }
        }
        // That the list is complete is a test of its own: it is compared with the interface.
        tally.expect(!functions.is_empty(), || "the plugin lists no functions".into());
    }
    tally.expect(world.scratch().is_empty(), || format!("{:?} was left", world.scratch()));
}

/// The words of the component model's own refusals.
fn is_refusal(reason: &str) -> bool {
    reason.contains("handle")
}

fn call(plugin: &Plugin, root: &ScratchRoot, arguments: &[&str]) -> (String, Ending) {
    let said = Capture::new(1 << 12);
    let run = RunOptions::in_root(root)
        .args(["plugin", "dead"])
        .args(arguments.iter().copied())
        .stdout(&said);
    let outcome = plugin.run(run).expect("run");
    (said.text(), outcome.ending)
}
