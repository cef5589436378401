//! The options of a run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use wasmtime_wasi::cli::{stderr, stdout};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::control::{Begun, Controlled};
use super::plugin::Provision;
use super::state::RunMode;
use super::stdio::Counted;
use super::{Control, Input, Mount, Output};
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, MountCause};
use crate::provider::{Limits, MemoryBudget, TempfileCtx, TempfileCtxBuilder};
use crate::scratch::{ScratchDir, ScratchRoot};

/// The memory of a run by default, in bytes.
const MEMORY: u64 = 256 << 20;

/// The options of one run of a plugin. Nothing is inherited unless it is set here.
///
/// `T` is the embedder's data in the run's [`State`](crate::State).
#[derive(Debug)]
pub struct RunOptions<T = ()> {
    pub(super) settings: Settings,
    pub(super) run: Controlled,
    pub(super) data: T,
}

/// Everything but the embedder's data and control.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) root: ScratchRoot,
    pub(super) memory: u64,
    pub(super) timeout: Option<Duration>,
    pub(super) keep: bool,
    scratch_access: ScratchAccess,
    limits: Option<Limits>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    stdin: Input,
    stdout: Output,
    stderr: Output,
}

/// Whether a plugin sees its own scratch directory, as [`SCRATCH_GUEST_PATH`] among its preopens.
///
/// It never sees those of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScratchAccess {
    /// [`Isolated`](Self::Isolated) if the run has limits on bytes, entries or the size of a file,
    /// [`Open`](Self::Open) otherwise.
    #[default]
    Auto,
    /// It sees the directory, and can open the paths of its temporary files. What it writes past
    /// the interface is not counted.
    Open,
    /// It reaches its temporary files through the interface alone.
    Isolated,
}

impl RunOptions {
    /// A run with a private scratch directory below `root`: no arguments, no environment, no
    /// directory of the host's, an empty standard input, discarded output, 256 MiB of memory, no
    /// timeout.
    pub fn in_root(root: &ScratchRoot) -> Self {
        let settings = Settings {
            root: root.clone(),
            memory: MEMORY,
            timeout: None,
            keep: false,
            scratch_access: ScratchAccess::default(),
            limits: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            mounts: Vec::new(),
            stdin: Input::Empty,
            stdout: Output::Discard,
            stderr: Output::Discard,
        };
        Self { settings, run: Controlled::new(), data: () }
    }
}

impl<T> RunOptions<T> {
    /// Puts data of the embedder's into the run's [`State`](crate::State), where the functions
    /// added by [`Sandbox::with`](crate::Sandbox::with) find it. It is dropped before the run's
    /// place in a pooling allocator is free; for what must last until then there is
    /// [`hold`](Self::hold).
    pub fn data<U>(self, data: U) -> RunOptions<U> {
        RunOptions { settings: self.settings, run: self.run, data }
    }

    /// Holds a value until nothing of the run is left: until its memory and its place in a pooling
    /// allocator are free, and its scratch directory has been removed, kept or given up. Also when
    /// the future of the run is dropped, the run cannot begin, or never does.
    ///
    /// A permit that is held this way limits the runs that exist at one time. One that is dropped
    /// with the future, or is in the run's [`data`](Self::data), is free too early:
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tokio::sync::{AcquireError, Semaphore};
    /// # use wasi_tempfile_host::{RunOptions, ScratchRoot};
    /// async fn options(
    ///     root: &ScratchRoot,
    ///     places: &Arc<Semaphore>,
    /// ) -> Result<RunOptions, AcquireError> {
    ///     let place = places.clone().acquire_owned().await?;
    ///     Ok(RunOptions::in_root(root).hold(place))
    /// }
    /// ```
    pub fn hold(mut self, held: impl Send + 'static) -> Self {
        self.run.hold(held);
        self
    }

    /// Adds arguments. By convention the first one of all is the program's name; the plugin sees
    /// what is set here, so do not pass a path of the host's.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.settings.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment. The provider reads it too: `TMPDIR` is the default
    /// directory of temporary files, and the limits in `SCRATCH_LIMITS` hold in both sandboxed
    /// placements, unless [`limits`](Self::limits) sets others.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.environment.push((name.into(), value.into()));
        self
    }

    /// Grants a directory of the host's. A run with two mounts of one path in the plugin is an
    /// error.
    pub fn mount(mut self, mount: Mount) -> Self {
        self.settings.mounts.push(mount);
        self
    }

    /// Sets the source of standard input.
    pub fn stdin(mut self, input: impl Into<Input>) -> Self {
        self.settings.stdin = input.into();
        self
    }

    /// Sets the destination of standard output.
    pub fn stdout(mut self, output: impl Into<Output>) -> Self {
        self.settings.stdout = output.into();
        self
    }

    /// Sets the destination of standard error.
    pub fn stderr(mut self, output: impl Into<Output>) -> Self {
        self.settings.stderr = output.into();
        self
    }

    /// Limits the memory of plugin and provider together, in bytes. Zero is an error of the run. A
    /// small Rust plugin with the provider component needs about 2.4 MiB, most of it for their
    /// stacks.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.settings.memory = bytes;
        self
    }

    /// Limits the files, names, handles and memory for them that the run may have at one time, and
    /// counts them: see
    /// [`TempfileCtxBuilder::limits`](crate::provider::TempfileCtxBuilder::limits). The plugin's
    /// own memory, in which the Rust client's `SpooledTempFile` keeps its bytes, is limited by
    /// [`memory`](Self::memory).
    ///
    /// The provider enforces them, so this is for plugins that were loaded with
    /// [`Provider::Host`](crate::Provider::Host) or
    /// [`Provider::Component`](crate::Provider::Component); the run of any other is an error.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = Some(limits);
        self
    }

    /// Sets whether the plugin sees its own scratch directory.
    pub fn scratch_access(mut self, access: ScratchAccess) -> Self {
        self.settings.scratch_access = access;
        self
    }

    /// Stops the plugin when its call has not ended after this time. Zero is an error of the run;
    /// without a timeout the plugin may take any time.
    ///
    /// This is the time of the plugin: its instantiation and its call. The time that the host takes
    /// to make and to remove the scratch directory, or to find a thread for that, does not count.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Keeps the scratch directory for inspection, however the run ends:
    /// [`Outcome::kept`](crate::Outcome::kept) is its path.
    ///
    /// It contains what the plugin had not removed by its end, with either provider. Files without
    /// a name are gone, and so is what the host provider removes from mounts after a trap.
    pub fn keep(mut self) -> Self {
        self.settings.keep = true;
        self
    }

    /// A handle for another thread or task, which watches and stops this run.
    ///
    /// Options are those of one run, so that a handle never has two:
    ///
    /// ```compile_fail,E0599
    /// # use wasi_tempfile_host::{RunOptions, ScratchRoot};
    /// let options = RunOptions::in_root(&ScratchRoot::open_default().unwrap());
    /// let second = options.clone();
    /// ```
    pub fn control(&self) -> Control {
        self.run.control().clone()
    }
}

impl Settings {
    /// Takes the limits from the environment, where a provider component reads them, unless others
    /// are set.
    pub(super) fn read_limits(&mut self, provision: Provision) -> Result<(), Error> {
        let variable = self.limits_variable();
        if let (None, Some(text), true) = (self.limits, variable, provision.enforces_limits()) {
            let limits = Limits::from_text(text);
            let limits = limits.ok_or_else(|| Error::MalformedLimits { text: text.to_owned() })?;
            self.limits = (limits != Limits::default()).then_some(limits);
        }
        Ok(())
    }

    /// The limits in the environment, which a provider inside the plugin reads as well.
    fn limits_variable(&self) -> Option<&str> {
        let variable = self.environment.iter().find(|(name, _)| name == Limits::VARIABLE);
        variable.map(|(_, text)| text.as_str())
    }

    /// Refuses two mounts of one path: the plugin would see only one of them.
    pub(super) fn check_mounts(&self) -> Result<(), Error> {
        for (index, mount) in self.mounts.iter().enumerate() {
            if self.mounts[..index].iter().any(|other| other.guest() == mount.guest()) {
                let guest = mount.guest().to_owned();
                return Err(Error::Mount { guest, cause: MountCause::Twice });
            }
        }
        Ok(())
    }

    /// Refuses options with which no plugin can run.
    pub(super) fn check_zero(&self) -> Result<(), Error> {
        let zero = |option| Err(Error::Zero { option });
        match (self.memory, self.timeout) {
            (0, _) => zero("memory"),
            (_, Some(Duration::ZERO)) => zero("timeout"),
            (_, _) => Ok(()),
        }
    }

    /// Whether the plugin sees its scratch directory among its preopens.
    pub(super) fn is_scratch_open(&self) -> bool {
        match self.scratch_access {
            ScratchAccess::Open => true,
            ScratchAccess::Isolated => false,
            ScratchAccess::Auto => {
                let in_environment = || Limits::from_text(self.limits_variable()?);
                let limits = self.limits.or_else(in_environment);
                !limits.is_some_and(|limits| limits.limits_files())
            }
        }
    }

    /// The context of the host provider: mounts and variables, which a provider component finds
    /// among its imports. The limits of a provider component are a variable.
    pub(super) fn tempfile(
        &mut self,
        begun: &Begun,
        provision: Provision,
        memory: &MemoryBudget,
        default_handles: u64,
    ) -> Result<TempfileCtx, Error> {
        let control = begun.control().clone();
        let builder = TempfileCtxBuilder::new(begun.scratch().clone())?;
        let mut builder = builder.stop_when(move || control.is_call_stopped());
        let with_handles =
            |limits: Limits| Limits { handles: limits.handles.or(Some(default_handles)), ..limits };
        match (self.limits, provision) {
            (None, _) => builder = builder.limits(with_handles(Limits::default())),
            (Some(_), Provision::Other) => return Err(Error::LimitsNotEnforced),
            (Some(limits), Provision::Component) => {
                // The first of a name counts.
                self.environment.insert(0, (Limits::VARIABLE.to_owned(), limits.to_string()));
            }
            (Some(limits), Provision::Host) => builder = builder.limits(with_handles(limits)),
        }
        if provision == Provision::Host {
            for mount in &self.mounts {
                builder = builder.mount(mount)?;
            }
            for (name, value) in &self.environment {
                builder = builder.env(name, value);
            }
        }
        builder.memory(memory).build()
    }

    /// Grants everything to the plugin.
    pub(super) fn grant(
        self,
        wasi: &mut WasiCtxBuilder,
        scratch: &ScratchDir,
        provision: Provision,
        mode: RunMode,
        written: &Arc<AtomicU64>,
    ) -> Result<(), Error> {
        // A provider inside the plugin's component needs the directory itself. The stub between
        // them takes the first entry of that name out of the plugin's list; the plugin's own comes
        // second.
        let entries =
            usize::from(provision != Provision::Host) + usize::from(self.is_scratch_open());
        for _ in 0..entries {
            wasi.preopened_dir(scratch.path(), SCRATCH_GUEST_PATH, FsPerms::ReadWrite).map_err(
                |source| Error::Engine { operation: "open the scratch directory", source },
            )?;
        }
        for mount in &self.mounts {
            let perms = if mount.is_read_only() { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            wasi.preopened_dir(mount.host(), mount.guest(), perms).map_err(|error| {
                mount.unopened(error.downcast::<io::Error>().unwrap_or_else(io::Error::other))
            })?;
        }
        wasi.args(&self.arguments);
        wasi.envs(&self.environment);
        wasi.stdin(self.stdin.into_stream(mode));
        wasi.stdout(self.stdout.into_stream(mode, stdout));
        wasi.stderr(Counted::new(self.stderr.into_stream(mode, stderr), written));
        Ok(())
    }
}
