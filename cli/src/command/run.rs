//! `wasi-tempfile run`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use wasi_tempfile_host::{
    Ending, Error, Input, Limits, Mount, MountCause, Outcome, Output, Provider, RunOptions,
    ScratchRoot, Usage,
};

use super::watch::Watch;
use super::{
    HOST_FAILED, MISUSED, PLUGIN_FAILED, Result, complain, files, limits, sandbox, stats, system,
    values,
};

/// Run a plugin with scratch space
///
/// The plugin is a component that exports wasi:cli/run. It gets standard input and output, a
/// private scratch directory through scratch:tempfile, and what you grant here. It sees that
/// directory as /tmp too, unless you limit its bytes, entries or file sizes. The directory is
/// removed when the plugin ends, also by a trap, a timeout or Ctrl-C. If this program itself is
/// killed, the next run with the same root removes it.
///
/// With `--provider host`, temporary files that the plugin makes in a mount are removed too. With
/// another provider, those that the plugin has not removed stay there if it traps, exits or is
/// stopped, and a line on standard error says so. Everything that such a plugin creates in a mount
/// is private: no other user can read it.
///
/// What the plugin itself prints reaches the terminal as it is.
///
/// Options of this command may stand before and after PLUGIN.wasm, up to the first argument of the
/// plugin that does not begin with `-`. `--` ends them: in `run plugin.wasm -- --keep`, the option
/// is the plugin's.
///
/// Exit code: 0 the plugin succeeded; 1 it failed, trapped, or ran out of memory or time; 2 wrong
/// usage; 3 the plugin could not be started, the host failed, or the plugin succeeded and something
/// could not be removed; 128 + N after signal N.
///
/// SIZE is a number of bytes, with or without a unit in powers of 1024: 4096, 512K, 64MiB, 1G, 1T.
/// DURATION is a whole number with a unit: 500ms, 10s, 2m, 1h; without a unit it is in seconds.
#[derive(Args)]
pub(crate) struct RunPlugin {
    /// Grant a directory, with `:ro` only for reading
    #[arg(long = "mount", value_name = "HOST::GUEST[:ro]", value_parser = values::mount)]
    mounts: Vec<Mount>,

    /// Set an environment variable; SCRATCH_LIMITS (see `component --help`) limits the plugin
    /// unless you limit it here
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = values::variable)]
    environment: Vec<(String, String)>,

    /// Limit the memory of plugin and provider together
    #[arg(long, value_name = "SIZE", value_parser = values::memory, default_value = "256MiB")]
    memory: u64,

    /// Stop the plugin after this time
    #[arg(long, value_name = "DURATION", value_parser = values::timeout)]
    timeout: Option<Duration>,

    #[command(flatten)]
    limits: limits::Limited,

    #[command(flatten)]
    scratch: Scratch,

    /// The provider of scratch:tempfile: `host`, this program itself, which is faster and gives
    /// files private modes; `component`, the one in this program, composed with the plugin; or the
    /// file of another component
    #[arg(long, value_name = "host|component|FILE.wasm")]
    #[arg(value_parser = values::provider, default_value = "host")]
    provider: values::Provider,

    /// Compile the plugin anew, and keep nothing of it in the cache of compiled plugins
    #[arg(long)]
    no_cache: bool,

    /// Keep the scratch directory, and print its path
    #[arg(long)]
    keep: bool,

    /// Print what the run used, on standard error
    ///
    /// `ending`: how the run ended. `milliseconds`: the time from its start until the plugin's end.
    /// `memory`: the most bytes of plugin and provider at one time. `left-behind`: names in the
    /// scratch directory when the plugin ended, which were then removed; what is in mounts is not
    /// counted. `not-removed`: paths that could not be removed. And with `--provider host`:
    /// `peak-files`, `peak-paths`, `peak-directories`: the most open files, guarded names and
    /// guarded directories at one time; `peak-spooled`: the most bytes of spooled files in memory;
    /// `peak-bytes`, `peak-entries`: the most bytes and names on disk, only if one of --bytes,
    /// --entries, --file-size is set; `kept`: names and directories that the plugin kept, persisted
    /// or linked; `refused`: calls that failed with `quota` or `out-of-handles`.
    #[arg(long, value_enum, value_name = "FORMAT")]
    #[arg(num_args = 0..=1, default_missing_value = "text", require_equals = true)]
    stats: Option<stats::Format>,

    /// The plugin
    #[arg(value_name = "PLUGIN.wasm")]
    plugin: PathBuf,

    /// The arguments of the plugin; `--` before them ends the options of this command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// The directory in which scratch directories are made.
#[derive(Args)]
pub(crate) struct Scratch {
    /// The directory in which the scratch directory is made [default: wasi-tempfile-UID in the
    /// system's directory for temporary files]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl Scratch {
    pub(super) fn open(&self) -> Result<ScratchRoot> {
        let path = self.root.clone().unwrap_or_else(ScratchRoot::default_path);
        let (root, sweep) = ScratchRoot::open_and_sweep(path).map_err(|error| error.to_string())?;
        for stayed in &sweep.not_removed {
            complain(format_args!("left by an earlier run: {}", stayed.error));
        }
        Ok(root)
    }
}

impl RunPlugin {
    pub(super) fn run(self) -> Result {
        system::check_address_space()?;
        let limits = self.limits.limits();
        let about_plugin = |error| format!("run {}: {error}", self.plugin.display());
        let plugin = files::read(&self.plugin)?;
        let other = match &self.provider {
            values::Provider::File(path) => Some(files::read(path)?),
            values::Provider::Component | values::Provider::Host => None,
        };
        let root = self.scratch.open()?;
        let sandbox = sandbox(self.no_cache).map_err(about_plugin)?;
        let provider = match (&self.provider, &other) {
            (values::Provider::Host, _) => Provider::Host,
            (_, Some(other)) => Provider::Custom(other),
            (_, None) => Provider::Component,
        };
        let plugin = sandbox.load(&plugin, provider).map_err(about_plugin)?;

        let by_host = plugin.is_served_by_host();
        let writes_to_mounts = self.mounts.iter().any(|mount| !mount.is_read_only());
        if !by_host && writes_to_mounts {
            // WASI has no modes, so only this keeps other users from temporary files in a mount.
            system::make_private();
        }

        let name = self.plugin.file_name().unwrap_or_default().to_string_lossy();
        let mut run = RunOptions::in_root(&root)
            .args([name])
            .args(self.args)
            .stdin(Input::Inherit)
            .stdout(Output::Inherit)
            .stderr(Output::Inherit)
            .memory(self.memory);
        // The library takes the limits from there too.
        let variable = self.environment.iter().find(|(name, _)| name == Limits::VARIABLE);
        let counted = limits
            .or_else(|| Limits::from_text(&variable?.1))
            .is_some_and(|limits| limits.limits_files());
        for (name, value) in self.environment {
            run = run.env(name, value);
        }
        for mount in self.mounts {
            run = run.mount(mount);
        }
        if let Some(limits) = limits {
            run = run.limits(limits);
        }
        if self.keep {
            run = run.keep();
        }
        if let Some(timeout) = self.timeout {
            run = run.timeout(timeout);
        }

        let watch = Watch::start(&run.control(), self.timeout)?;
        let outcome = plugin.run(run);
        let signal = watch.finish();
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) if is_misuse(&error) => {
                complain(error);
                return Ok(ExitCode::from(MISUSED));
            }
            Err(error) => return Err(error.to_string()),
        };
        if let Some(kept) = &outcome.kept {
            complain(format_args!("kept the scratch directory: {}", kept.display()));
        }
        if let Some(format) = self.stats {
            stats::print(format, &outcome, counted);
        }
        // A plugin that leaves by `exit` has no value either, and runs no destructors.
        if !by_host && writes_to_mounts && outcome.value.is_none() {
            complain("temporary files of the plugin may have stayed in its mounts");
        }
        if counted && signal.is_none() && may_have_missed_paths(&outcome) {
            complain(
                "a plugin whose bytes, entries or file sizes are limited cannot open its temporary \
                 files by their paths",
            );
        }
        Ok(conclude(&outcome, signal))
    }
}

/// Whether a plugin may have failed because it is kept from its scratch directory: it had paths in
/// there, for which WASI answers that there is no such file, and no limit refused it anything.
fn may_have_missed_paths(outcome: &Outcome) -> bool {
    let failed = matches!(outcome.ending, Ending::Failed { .. } | Ending::Trapped { .. });
    let had_paths = |usage: &Usage| usage.peak.paths > 0 || usage.peak.directories > 0;
    failed && outcome.used.refused == 0 && outcome.used.tempfile.as_ref().is_some_and(had_paths)
}

/// Whether the run could not begin for what stands on the command line.
fn is_misuse(error: &Error) -> bool {
    matches!(
        error,
        Error::LimitsNotEnforced
            | Error::MalformedLimits { .. }
            | Error::Mount { cause: MountCause::Twice, .. }
    )
}

/// Prints how a run ended, unless the plugin itself has explained a failure, and returns the exit
/// code.
pub(super) fn conclude(outcome: &Outcome, signal: Option<i32>) -> ExitCode {
    for stayed in &outcome.not_removed {
        complain(&stayed.error);
    }
    if let Some(signal) = signal {
        // The exit code that a shell reports for a program that was ended by a signal.
        return ExitCode::from(128_u8.saturating_add(u8::try_from(signal).unwrap_or(0)));
    }
    let code = match &outcome.ending {
        Ending::Returned => 0,
        Ending::Failed { .. } if outcome.used.stderr > 0 => PLUGIN_FAILED,
        ending => {
            complain(ending);
            PLUGIN_FAILED
        }
    };
    let incomplete = code == 0 && !outcome.not_removed.is_empty();
    ExitCode::from(if incomplete { HOST_FAILED } else { code })
}
