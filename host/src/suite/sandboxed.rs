//! The placements in a sandbox: one fresh instance and one fresh scratch directory for each case.

use std::path::Path;
use std::time::Duration;

use conformance::{Case, Outcome, Placement, command, setup, world};

use super::witness;
use crate::components;
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::Error;
use crate::sandbox::{Capture, Ending, Mount, Plugin, Provider, RunOptions, Sandbox, ScratchAccess};
use crate::scratch::ScratchRoot;

/// After this long a case counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is kept of what a case says.
const SAID: usize = 1 << 20;

/// The suite inside a sandbox, composed with this provider.
pub(super) fn compose(provider: &[u8]) -> Result<Plugin, Error> {
    Sandbox::new()?.with(witness::add_to_linker)?.load(components::SUITE, Provider::Custom(provider))
}

/// The suite inside a sandbox whose host provides.
pub(super) fn host() -> Result<Plugin, Error> {
    Sandbox::new()?.with(witness::add_to_linker)?.load(components::SUITE, Provider::Host)
}

/// What another process of this program has compiled for a placement.
///
/// # Safety
///
/// As [`Sandbox::load_compiled`].
#[allow(unsafe_code, reason = "it is code that is loaded")]
pub(super) unsafe fn load(placement: Placement, file: &Path) -> Result<Plugin, Error> {
    let sandbox = Sandbox::new()?.with(witness::add_to_linker)?;
    let provider = match placement {
        Placement::Host => Provider::Host,
        Placement::Native | Placement::Component => Provider::Composed,
    };
    // SAFETY: the caller's promise.
    unsafe { sandbox.load_compiled(file, provider) }
}

/// Plays sequences of operations below a directory, and gives what was said.
pub(super) fn script(
    plugin: &Plugin,
    placement: Placement,
    directory: &Path,
    arguments: [String; 2],
) -> Result<String, String> {
    let (stdout, stderr) = (Capture::new(1 << 26), Capture::new(SAID));
    let root = ScratchRoot::open(directory).map_err(|error| error.to_string())?;
    let run = RunOptions::in_root(&root)
        .scratch_access(ScratchAccess::Isolated)
        .args(["conformance", "--script"])
        .args(arguments)
        .env(world::PLACEMENT, placement.as_str())
        .env(world::SCRATCH, SCRATCH_GUEST_PATH)
        .stdout(&stdout)
        .stderr(&stderr);
    match plugin.run(run).map_err(|error| error.to_string())?.ending {
        Ending::Returned => Ok(stdout.text()),
        ending => Err(format!("{}{}{ending}", stdout.text(), stderr.text())),
    }
}

/// Where a case runs.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    /// A directory that is its own.
    pub(super) directory: &'a Path,
    /// Where the directories are that it is granted.
    pub(super) granted: Option<&'a Path>,
}

/// Runs one case.
pub(super) fn run(
    plugin: &Plugin,
    case: &Case,
    placement: Placement,
    Places { directory, granted }: Places<'_>,
) -> Result<Outcome, Error> {
    let (stdout, stderr) = (Capture::new(SAID), Capture::new(SAID));
    let mut run = RunOptions::in_root(&ScratchRoot::open(directory)?)
        .scratch_access(ScratchAccess::Isolated)
        .args(["conformance", &case.name()])
        .env(world::PLACEMENT, placement.as_str())
        .env(world::SCRATCH, SCRATCH_GUEST_PATH)
        .stdout(&stdout)
        .stderr(&stderr)
        .timeout(PATIENCE);
    for (name, value) in setup::environment(case.setup.environment.unwrap_or_default(), SCRATCH_GUEST_PATH) {
        run = run.env(name, value);
    }
    for grant in case.setup.grants {
        let granted = granted.unwrap_or(directory);
        run = run.mount(Mount::new(setup::preopen(granted, grant), format!("/{}", grant.path))?);
    }
    let ended = plugin.run(run)?;
    let (said, complained) = (stdout.text(), stderr.text());
    let hidden = directory.to_string_lossy();
    if said.contains(&*hidden) || complained.contains(&*hidden) {
        return Ok(Outcome::Failed(format!("the instance knows the host's path:\n{said}{complained}")));
    }
    let detail = match &ended.ending {
        Ending::Returned | Ending::Failed { .. } if !complained.trim().is_empty() => complained,
        ending => format!("{complained}{ending}"),
    };
    // Once more from outside, when the instance has ended. A trap runs no destructor: there the host removes everything.
    let left = match case.setup.panics {
        None => {
            let names = ended.left_behind.iter().map(|name| name.to_string_lossy().into_owned());
            case.setup.left_behind(names)
        }
        Some(_) => ended.not_removed.iter().map(|failure| failure.path.clone()).collect(),
    };
    let outcome = command::understand(ended.ending == Ending::Returned, &said, &detail);
    Ok(outcome.unless_panicked(&case.setup).unless_left(&left))
}
