//! The placements in a sandbox: one fresh instance and one fresh scratch directory for each case.

use std::path::Path;
use std::time::Duration;

use conformance::{Case, Outcome, Placement, command, setup, world};

use wasi_tempfile_host::provider::Limits;
use wasi_tempfile_host::wasmtime::{Cache, CacheConfig};
use wasi_tempfile_host::{
    Capture, Ending, Error, Mount, Plugin, Provider, RunOptions, SCRATCH_GUEST_PATH, Sandbox,
    ScratchAccess, ScratchRoot,
};

use crate::{SUITE, witness};

/// After this long a case counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is kept of what a case says.
const SAID: usize = 1 << 20;

/// Loads the suite for a placement, with a provider component other than the built-in one if there
/// is one.
pub(crate) fn load(
    placement: Placement,
    provider: Option<&[u8]>,
    cache: Option<&Path>,
) -> Result<Plugin, Error> {
    let mut builder = Sandbox::builder();
    if let Some(directory) = cache {
        let mut config = CacheConfig::new();
        config.with_directory(directory);
        let failed = |source| Error::Engine { operation: "open the cache", source };
        builder = builder.cache(Cache::new(config).map_err(failed)?);
    }
    let provider = match placement {
        Placement::Host => Provider::Host,
        Placement::Native | Placement::Component => {
            provider.map_or(Provider::Component, Provider::Custom)
        }
    };
    builder.build()?.with(witness::add_to_linker)?.load(SUITE, provider)
}

/// Plays sequences of operations below a directory, and gives what was said.
pub(crate) fn script(
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
        .env(world::SYSTEM, std::env::consts::OS)
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
pub(crate) struct Places<'a> {
    /// A directory that is its own.
    pub(crate) directory: &'a Path,
    /// Where the directories are that it is granted.
    pub(crate) granted: Option<&'a Path>,
}

/// Runs one case. If the provider claims to enforce limits, those of the case are in its
/// environment.
pub(crate) fn run(
    plugin: &Plugin,
    case: &Case,
    placement: Placement,
    Places { directory, granted }: Places<'_>,
    claims_limits: bool,
) -> Result<Outcome, Error> {
    let in_environment = claims_limits && case.setup.limits.is_some();
    let (stdout, stderr) = (Capture::new(SAID), Capture::new(SAID));
    let mut run = RunOptions::in_root(&ScratchRoot::open(directory)?)
        .scratch_access(match case.setup.scratch {
            conformance::ScratchAccess::UnlessLimited if !in_environment => ScratchAccess::Auto,
            _ => ScratchAccess::Isolated,
        })
        .args(["conformance", &case.name()])
        .env(world::PLACEMENT, placement.as_str())
        .env(world::SYSTEM, std::env::consts::OS)
        .env(world::SCRATCH, SCRATCH_GUEST_PATH)
        .stdout(&stdout)
        .stderr(&stderr)
        .timeout(PATIENCE);
    for (name, value) in
        setup::environment(case.setup.environment.unwrap_or_default(), SCRATCH_GUEST_PATH)
    {
        run = run.env(name, value);
    }
    if in_environment {
        run = run.env("SCRATCH_LIMITS", case.setup.limits.unwrap_or_default());
    } else if let Some(text) = case.setup.limits {
        let limits = Limits::from_text(text);
        run = run.limits(limits.unwrap_or_else(|| panic!("these are no limits: {text}")));
    }
    for grant in case.setup.grants {
        let granted = granted.unwrap_or(directory);
        run = run.mount(Mount::new(setup::preopen(granted, grant), format!("/{}", grant.path))?);
    }
    let ended = match plugin.run(run) {
        Err(Error::LimitsNotEnforced) => {
            return Ok(Outcome::Skipped("this provider may not enforce limits".to_owned()));
        }
        ended => ended?,
    };
    let (said, complained) = (stdout.text(), stderr.text());
    let hidden = directory.to_string_lossy();
    if said.contains(&*hidden) || complained.contains(&*hidden) {
        return Ok(Outcome::Failed(format!(
            "the instance knows the host's path:\n{said}{complained}"
        )));
    }
    let detail = match &ended.ending {
        Ending::Returned | Ending::Failed { .. } if !complained.trim().is_empty() => complained,
        ending => format!("{complained}{ending}"),
    };
    // Once more from outside, when the instance has ended. A trap runs no destructor: there the
    // host removes everything.
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
