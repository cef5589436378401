//! The rows that criterion does not measure: sizes, memory, and the growth of a time.

use wasi_tempfile_host::components;

use crate::bare;
use crate::embedder::{self, Embedder, Placement};
use crate::instances::Cost;
use crate::plugins::Plugins;
use crate::report::{Measurement, Report, quantile};
use crate::space::Space;

const KIB: f64 = 1024.0;

/// What the command line wants of these: all, or those with one of its words in their name.
fn wanted(name: &str) -> bool {
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
}

fn rounds() -> usize {
    if std::env::args().any(|argument| argument == "--quick") { 1 } else { 5 }
}

/// All of them.
pub(crate) fn all(space: &Space, plugins: &Plugins, report: &mut Report) {
    live_instances(plugins, report);
    live_files(space, plugins, report);
    spooled_memory(plugins, report);
    provider_size(report);
}

fn live_instances(plugins: &Plugins, report: &mut Report) {
    const COUNT: usize = 1000;
    const MEMORY: &str = "memory of an instance with an open file, of 1,000";
    const TIME: &str = "the 1,000th live instance: run, first file";
    if !wanted(MEMORY) && !wanted(TIME) {
        return;
    }
    let (mut component, mut host) = (Instances::default(), Instances::default());
    for _ in 0..rounds() {
        let empty = Cost::of(&plugins.bytes.empty, Placement::Component, COUNT);
        component.add(&Cost::of(&plugins.bytes.first, Placement::Component, COUNT), &empty);
        host.add(&Cost::of(&plugins.bytes.first, Placement::Host, COUNT), &empty);
    }
    for (placement, cost) in [("component", component), ("host", host)] {
        let shown = quantile(&cost.memory, 0.5);
        let ratios: Vec<f64> = cost.memory.iter().map(|more| more / (32.0 * KIB)).collect();
        let shown = format!("{:.0} KiB more", shown / KIB);
        report.add(Measurement::size(
            MEMORY,
            placement,
            &shown,
            "32 KiB more than an empty component's",
            &ratios,
            Some(1.0),
        ));
        report.add(Measurement::time(TIME, placement, &cost.last, "the first", &cost.growth, None));
    }
}

/// What instances cost, round by round.
#[derive(Default)]
struct Instances {
    /// Bytes more than an empty component's.
    memory: Vec<f64>,
    last: Vec<f64>,
    growth: Vec<f64>,
}

impl Instances {
    fn add(&mut self, cost: &Cost, empty: &Cost) {
        self.memory.push(cost.memory - empty.memory);
        self.last.push(cost.last);
        self.growth.push(cost.last / cost.first);
    }
}

/// The growth of a file's time with the number of live files, against that of the file system
/// alone.
fn live_files(space: &Space, plugins: &Plugins, report: &mut Report) {
    const NAME: &str = "create+remove, named, while 100,000 are live";
    const MANY: u64 = 100_000;
    const COUNT: u64 = 5_000;
    if !wanted(NAME) {
        return;
    }
    let plugin = std::fs::read(&plugins.bytes.ours).expect("read a component that was built");
    let dir = space.open_directory("bare");
    let in_plugin = |placement| {
        let embedder = Embedder::new(&plugin, placement);
        move |others: u64| {
            let scratch = embedder::scratch(&space.root);
            embedder.live(&scratch, &format!("live:{others}"), COUNT).1 as f64
        }
    };
    let native = |others: u64| {
        bench::ours::run(&format!("live:{others}"), COUNT).expect("the work can be done") as f64
    };
    let (component, host) = (in_plugin(Placement::Component), in_plugin(Placement::Host));
    let placements: [(&str, &dyn Fn(u64) -> f64); 3] =
        [("component", &component), ("host", &host), ("native", &native)];
    for (placement, run) in placements {
        let (mut times, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (bare, ours) = (bare::live(&dir, 1, COUNT) as f64, run(1));
            let (bare_many, ours_many) = (bare::live(&dir, MANY, COUNT) as f64, run(MANY));
            times.push(ours_many / COUNT as f64);
            ratios.push((ours_many / ours) / (bare_many / bare));
        }
        report.add(Measurement::time(
            NAME,
            placement,
            &times,
            "its growth in bare system calls",
            &ratios,
            Some(1.0),
        ));
    }
}

fn spooled_memory(plugins: &Plugins, report: &mut Report) {
    const NAME: &str = "memory of a spooled file of 16 MiB";
    const SIZE: f64 = 16.0 * 1024.0 * KIB;
    if !wanted(NAME) {
        return;
    }
    let bytes = plugins.component.work("spool-memory:16777216", 1) as f64;
    let shown = format!("{:.0} KiB", bytes / KIB);
    let ratio = bytes / (SIZE + 64.0 * KIB);
    report.add(Measurement::size(
        NAME,
        "component, host",
        &shown,
        "its bytes + 64 KiB",
        &[ratio],
        Some(1.0),
    ));
}

fn provider_size(report: &mut Report) {
    const NAME: &str = "size of the provider component";
    if !wanted(NAME) {
        return;
    }
    let bytes = components::PROVIDER.len() as f64;
    let shown = format!("{:.1} KiB", bytes / KIB);
    report.add(Measurement::size(
        NAME,
        "component",
        &shown,
        "40 KiB",
        &[bytes / (40.0 * KIB)],
        Some(1.0),
    ));
}
