//! A process that runs instance after instance. It is alone here, since what is counted belongs to
//! all of it.

use std::fs;

use wasi_tempfile_host::{Ending, RunOptions, ScratchRoot};

use crate::endings::open_files;
use crate::figure::{Scale, Tally, figure};
use crate::plugins::{Provider, sandboxed};
use crate::support::World;

figure!(
    descriptors_and_memory_are_flat_however_many_instances_ran,
    a_descriptor_that_stays_of_every_tenth_instance,
    sixteen_kilobytes_that_stay_of_every_instance,
);

/// After so many the allocator has what it needs, the runtime its threads, and the system's lists
/// their size.
const WARM_UP: u64 = 150;

/// What the process may have more in the end, in bytes and whatever the number of instances: pages
/// of an allocator that were not touched before. Of 10,000 instances it is a hundred bytes each,
/// less than the store, the table or the ledger of one.
const SLACK: u64 = 1 << 20;

const WAYS: [&str; 6] = ["ok", "fail", "exit", "panic", "trap", "keep"];

fn descriptors_and_memory_are_flat_however_many_instances_ran(scale: Scale) -> Tally {
    let instances = scale.pick(300, 10_000);
    let mut tally = Tally::default();
    for provider in Provider::BOTH {
        run(provider, instances, |_| {}, &mut tally);
    }
    tally
}

fn a_descriptor_that_stays_of_every_tenth_instance() -> Tally {
    let mut tally = Tally::default();
    let leak = |number| {
        if number % 10 == 0 {
            std::mem::forget(fs::File::open("/dev/null"));
        }
    };
    run(Provider::Host, 300, leak, &mut tally);
    tally
}

fn sixteen_kilobytes_that_stay_of_every_instance() -> Tally {
    let mut tally = Tally::default();
    run(
        Provider::Host,
        300,
        |_| std::mem::forget(std::hint::black_box(vec![1_u8; 16 << 10])),
        &mut tally,
    );
    tally
}

fn run(provider: Provider, instances: u64, leak: fn(u64), tally: &mut Tally) {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let plugin = sandboxed(provider);
    let one = |number: u64| {
        let way = WAYS[(number % WAYS.len() as u64) as usize];
        let outcome =
            plugin.run(RunOptions::in_root(&root).args(["plugin", way, "3"])).expect("run");
        assert_eq!(outcome.ending == Ending::Returned, matches!(way, "ok" | "keep"), "{way}");
        leak(number);
    };
    (0..WARM_UP).for_each(one);
    let (files, memory) = (open_files(), resident());
    (0..instances).for_each(one);
    let (files_after, memory_after) = (open_files(), resident());

    let name = provider.name();
    tally.expect(files_after == files, || {
        format!("{name}: {files} files were open, now {files_after}")
    });
    tally.expect(memory_after <= memory + SLACK, || {
        format!("{name}: {} KiB were resident, now {}", memory >> 10, memory_after >> 10)
    });
    tally.expect(world.scratch().is_empty(), || format!("{name}: {:?} was left", world.scratch()));
    tally.count("instances", instances);
    tally.count(
        &format!("KiB more with the {name} provider"),
        memory_after.saturating_sub(memory) >> 10,
    );
}

/// The memory that the process has in use, in bytes.
pub(crate) fn resident() -> u64 {
    memory("VmRSS:")
}

/// The most memory that the process had in use, in bytes.
pub(crate) fn most_resident() -> u64 {
    memory("VmHWM:")
}

/// What of the memory in use is pages of files, of the program's own code above all, in bytes.
pub(crate) fn resident_of_files() -> u64 {
    memory("RssFile:")
}

fn memory(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system reports it");
    let line =
        status.lines().find_map(|line| line.strip_prefix(field)).expect("it reports this too");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") << 10
}
