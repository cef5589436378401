//! Every way to end, with everything that can lie about then: nothing of it stays.

use std::fs;

use wasi_tempfile_host::ScratchRoot;

use crate::embedder::{Embedder, End, FirstLine, Given, Input, block_on};
use crate::figure::{Scale, Tally, figure};
use crate::plugins::Provider;
use crate::support::World;

figure!(nothing_stays_of_any_ending_times_four_resources, a_directory_that_nobody_removes);

const LITTER: [&str; 4] = ["unnamed", "named", "spooled", "directory"];

/// A way to end, and how it shows that it was this one.
struct Way {
    name: &'static str,
    given: fn() -> Given<'static>,
    ended: fn(&End) -> bool,
}

fn failed_with(end: &End, cause: &str) -> bool {
    matches!(end, End::Failed(causes) if causes.contains(cause))
}

const WAYS: [Way; 10] = [
    Way {
        name: "return",
        given: || Given { arguments: &["ok"], ..Given::default() },
        ended: |end| matches!(end, End::Returned),
    },
    Way {
        name: "trap",
        given: || Given { arguments: &["trap"], ..Given::default() },
        ended: |end| failed_with(end, "unreachable"),
    },
    Way {
        name: "trap in a destructor",
        given: || Given { arguments: &["destructor"], ..Given::default() },
        ended: |end| failed_with(end, "unreachable"),
    },
    Way {
        name: "epoch",
        given: || Given {
            arguments: &["spin"],
            first_line: FirstLine::EndsTheEpoch,
            ..Given::default()
        },
        ended: |end| failed_with(end, "interrupt"),
    },
    Way {
        name: "fuel",
        given: || Given {
            arguments: &["spin"],
            first_line: FirstLine::IsIgnored,
            ..Given::default()
        },
        ended: |end| failed_with(end, "fuel"),
    },
    Way {
        name: "memory",
        given: || Given { arguments: &["hoard"], memory: 4 << 20, ..Given::default() },
        ended: |end| failed_with(end, "unreachable"),
    },
    Way {
        name: "stack",
        given: || Given { arguments: &["overflow"], ..Given::default() },
        ended: |end| failed_with(end, "call stack exhausted"),
    },
    Way {
        name: "host error",
        given: || Given { arguments: &["spin"], first_line: FirstLine::Fails, ..Given::default() },
        ended: |end| failed_with(end, "the host failed"),
    },
    Way {
        name: "dropped future",
        given: || Given {
            arguments: &["wait"],
            first_line: FirstLine::IsIgnored,
            input: Input::Never,
            ..Given::default()
        },
        ended: |end| matches!(end, End::Dropped),
    },
    // The plugin returns and has closed nothing: what it had open ends with the store.
    Way {
        name: "dropped store",
        given: || Given { arguments: &["forget"], ..Given::default() },
        ended: |end| matches!(end, End::Returned),
    },
];

/// A trap in a destructor of the provider's own, where it removes what the plugin drops.
const IN_ITS_DESTRUCTOR: Way = Way {
    name: "trap in the provider's destructor",
    given: || Given {
        arguments: &["wait"],
        first_line: FirstLine::LetsUnlinkFail,
        ..Given::default()
    },
    ended: |end| failed_with(end, "the host failed to unlink"),
};

/// Whether the embedder lets go of the directory, as it does in the end whatever happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directory {
    IsDropped,
    IsForgotten,
}

fn nothing_stays_of_any_ending_times_four_resources(scale: Scale) -> Tally {
    let times = scale.pick(4, 1000);
    let mut tally = Tally::default();
    for provider in Provider::BOTH {
        tally.add(end(provider, times, Directory::IsDropped));
    }
    tally.count("endings", WAYS.len() as u64 + 1);
    tally.count("kinds of litter", LITTER.len() as u64);
    tally
}

fn a_directory_that_nobody_removes() -> Tally {
    end(Provider::Host, 1, Directory::IsForgotten)
}

fn end(provider: Provider, times: u64, directory: Directory) -> Tally {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let embedder = Embedder::new(provider);
    let mut tally = Tally::default();
    for litter in LITTER {
        let one = |given| {
            let scratch = root.create_dir().expect("make a directory");
            let (ended, burnt, scratch) = block_on(embedder.run(scratch, given));
            match directory {
                Directory::IsDropped => drop(scratch),
                Directory::IsForgotten => std::mem::forget(scratch),
            }
            (ended, burnt)
        };
        // As much again as a run takes that does nothing but litter: a run that goes on ends for
        // want of fuel, and soon.
        let (_, burnt) = one(Given { arguments: &["forget"], litter, ..Given::default() });
        // Of what has no name, a destructor removes none.
        let named = matches!(litter, "named" | "directory");
        let destructor = (named && provider == Provider::Component).then_some(&IN_ITS_DESTRUCTOR);
        for way in WAYS.iter().chain(destructor) {
            let before = open_files();
            for _ in 0..times {
                let mut given = Given { litter, ..(way.given)() };
                if way.name == "fuel" {
                    given.fuel = 2 * burnt;
                }
                let (ended, _) = one(given);
                let of = || format!("{}, {}, {litter}", provider.name(), way.name);
                tally.expect((way.ended)(&ended), || {
                    format!("{}: it ended otherwise: {ended:?}", of())
                });
                let left = world.scratch();
                tally.expect(left.is_empty(), || format!("{}: {left:?} was left", of()));
                for path in left {
                    fs::remove_dir_all(path).expect("remove it for the next");
                }
            }
            let after = open_files();
            tally.expect(after == before, || {
                format!(
                    "{}, {}, {litter}: {before} files were open, now {after}",
                    provider.name(),
                    way.name
                )
            });
            tally.count("instances", times);
        }
    }
    tally
}

/// The open files of this process.
pub(crate) fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
