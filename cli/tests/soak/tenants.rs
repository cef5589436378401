//! Many plugins side by side, each trying to see what the others have, and where it is itself.

use wasi_tempfile_host::{Ending, Mount, Plugin, RunOptions, ScratchRoot};

use crate::figure::{Scale, Tally, figure};
use crate::plugins::{Provider, Running, sandboxed};
use crate::support::World;

figure!(
    no_tenant_sees_another_nor_the_host,
    a_tenant_that_is_granted_the_root,
    a_tenant_that_is_told_a_path_of_the_host,
);

/// What a tenant is given besides its scratch directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Granted {
    Nothing,
    TheRoot,
    APath,
}

fn no_tenant_sees_another_nor_the_host(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    for provider in Provider::BOTH {
        live_together(&sandboxed(provider), scale.pick(16, 100), Granted::Nothing, &mut tally);
    }
    tally
}

fn a_tenant_that_is_granted_the_root() -> Tally {
    let mut tally = Tally::default();
    live_together(&sandboxed(Provider::Host), 2, Granted::TheRoot, &mut tally);
    tally
}

fn a_tenant_that_is_told_a_path_of_the_host() -> Tally {
    let mut tally = Tally::default();
    live_together(&sandboxed(Provider::Component), 2, Granted::APath, &mut tally);
    tally
}

struct Tenant {
    running: Running,
    canary: String,
    /// Where it is, on the host.
    host: String,
    /// Where its canaries are, as it sees it.
    paths: Vec<String>,
}

impl Tenant {
    fn move_in(
        plugin: &Plugin,
        root: &ScratchRoot,
        number: usize,
        granted: Granted,
        said: &mut String,
    ) -> Self {
        let canary = format!("canary of tenant {number};");
        let run = RunOptions::in_root(root).args(["plugin", "tenant", &canary]);
        let run = match granted {
            Granted::Nothing => run,
            Granted::TheRoot => run.mount(Mount::new(root.path(), "/root").expect("a mount")),
            Granted::APath => run.env("ROOT", root.path().to_string_lossy()),
        };
        let mut running = Running::start(plugin, run);
        let mut paths = Vec::new();
        loop {
            let line = running.line();
            match line.split_once(' ') {
                Some(("here", path)) => paths.push(path.to_owned()),
                _ if line == "ready" => break,
                // What it is told of itself; its own canary is among its arguments.
                _ => said.push_str(&line.replace(&canary, "")),
            }
            said.push('\n');
        }
        let host =
            running.scratch().into_os_string().into_string().expect("the test's path is text");
        Tenant { running, canary, host, paths }
    }

    /// The ways in which another might try to come to this one's canaries: those that name nothing
    /// of the host, and those that do.
    fn doors(&self) -> (Vec<String>, Vec<String>) {
        let scratch = self.host.rsplit('/').next().unwrap_or_default();
        let mut guesses = Vec::new();
        let mut known = Vec::new();
        for path in &self.paths {
            let inside = path.strip_prefix("/tmp/").unwrap_or(path);
            guesses.extend([
                path.clone(),
                inside.to_owned(),
                format!("../{inside}"),
                format!("/tmp/../{inside}"),
            ]);
            guesses.push(format!("/proc/self/root{path}"));
            known.extend([format!("{}/{inside}", self.host), format!("../{scratch}/{inside}")]);
            known.extend([
                format!("/tmp/../{scratch}/{inside}"),
                format!("/srv/{scratch}/{inside}"),
            ]);
        }
        known.push(self.host.clone());
        (guesses, known)
    }
}

/// What no tenant has any business with, and would show it where it is.
const OF_THE_HOST: [&str; 7] = [
    "/proc/self/cwd",
    "/proc/self/environ",
    "/proc/self/mountinfo",
    "..",
    "/",
    "/etc/passwd",
    "/root",
];

/// What a tenant is asked to try. At paths of the host it keeps to itself the answers, which repeat
/// the path.
fn lines(doors: &[(Vec<String>, Vec<String>)], own: usize) -> Vec<String> {
    let others = doors.iter().enumerate().filter(|(number, _)| *number != own);
    let of_others = others.flat_map(|(_, (guesses, known))| {
        let guesses = guesses.iter().map(|path| format!("tell {path}"));
        guesses.chain(known.iter().map(|path| format!("try {path}")))
    });
    of_others.chain(OF_THE_HOST.iter().map(|path| format!("tell {path}"))).collect()
}

fn live_together(plugin: &Plugin, number: usize, granted: Granted, tally: &mut Tally) {
    let world = World::in_memory();
    let root = ScratchRoot::open(world.root()).expect("open the root");
    let mut said = vec![String::new(); number];
    let mut tenants: Vec<Tenant> = said
        .iter_mut()
        .enumerate()
        .map(|(number, said)| Tenant::move_in(plugin, &root, number, granted, said))
        .collect();
    let canaries: Vec<String> = tenants.iter().map(|tenant| tenant.canary.clone()).collect();
    let doors: Vec<_> = tenants.iter().map(Tenant::doors).collect();

    // Each tries the doors of all, at the same time as the others.
    let ended = std::thread::scope(|scope| {
        let neighbours: Vec<_> = tenants
            .drain(..)
            .enumerate()
            .map(|(own, tenant)| {
                let lines = lines(&doors, own);
                scope.spawn(move || (lines.len(), tenant.running.end_after(&lines)))
            })
            .collect();
        neighbours
            .into_iter()
            .map(|neighbour| neighbour.join().expect("no panic"))
            .collect::<Vec<_>>()
    });

    let host = world.path("").into_os_string().into_string().expect("the test's path is text");
    for (own, (tried, (heard, outcome))) in ended.into_iter().enumerate() {
        said[own].push_str(&heard);
        tally.expect(outcome.ending == Ending::Returned, || {
            format!("tenant {own}: {}", outcome.ending)
        });
        tally.expect(heard.trim_end().ends_with("whole"), || {
            format!("tenant {own}: what it hid is torn")
        });
        let seen = canaries
            .iter()
            .enumerate()
            .filter(|(number, canary)| *number != own && said[own].contains(&**canary));
        seen.for_each(|(number, _)| tally.violated(format!("tenant {own} saw what {number} hid")));
        let told = said[own].lines().find(|line| line.contains(&host) || line.contains("run-"));
        tally.expect(told.is_none(), || format!("tenant {own} was told {told:?}"));
        tally.count("tenants", 1);
        tally.count("paths tried", tried as u64);
        tally.count("lines that a tenant could read", said[own].lines().count() as u64);
    }
    tally.expect(world.scratch().is_empty(), || format!("{:?} was left", world.scratch()));
}
