//! A case, the setup it asks for, and how it can end.

use crate::World;
use std::fmt;

/// One behaviour of the interface or its client, tested by one function.
pub struct Case {
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
    pub(crate) run: fn(&World) -> Outcome,
    /// The environment that the runner has to prepare before the case runs.
    pub setup: Setup,
}

impl Case {
    /// The name, `module::function`: filters match it, and the suite's component takes it as its
    /// argument.
    pub fn name(&self) -> String {
        let module = self.module.rsplit("::").next().unwrap_or_default();
        format!("{module}::{}", self.function)
    }

    /// Runs the case in this process. A case that passed and left something in its scratch
    /// directory has failed. A failing case panics.
    pub fn run(&self, world: &World) -> Outcome {
        if let Err(reason) = world.begin(self) {
            return Outcome::Skipped(reason);
        }
        (self.run)(world).unless_left(&world.left_behind(&self.setup))
    }
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The behaviour was seen.
    Passed,
    /// The behaviour cannot be tested here, for this reason.
    Skipped(String),
    /// The behaviour was not seen; with the case's own explanation.
    Failed(String),
}

impl Outcome {
    /// Turns a pass into a failure if the case left something behind.
    pub fn unless_left(self, names: &[String]) -> Outcome {
        match (self, names) {
            (Outcome::Passed, [_, ..]) => {
                Outcome::Failed(format!("left behind: {}", names.join(", ")))
            }
            (outcome, _) => outcome,
        }
    }

    /// For a should-panic case, failing with the expected message counts as passed.
    pub fn unless_panicked(self, setup: &Setup) -> Outcome {
        match (setup.panics, self) {
            (Some(message), Outcome::Failed(detail)) if detail.contains(message) => Outcome::Passed,
            (Some(message), Outcome::Passed) => {
                Outcome::Failed(format!("it did not panic with {message:?}"))
            }
            (_, outcome) => outcome,
        }
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Outcome::Passed
    }
}

/// Where the interface under test is implemented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The rules, on the operating system.
    Native,
    /// The provider component, composed with the suite, on wasi:filesystem.
    Component,
    /// The rules on the operating system again, in the host that runs the suite's component.
    Host,
}

impl Placement {
    /// Every placement, in the order they are run.
    pub const ALL: [Placement; 3] = [Placement::Native, Placement::Component, Placement::Host];

    /// The name used on the command line and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Placement::Native => "native",
            Placement::Component => "component",
            Placement::Host => "host",
        }
    }

    /// The placement of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placement| placement.as_str() == name)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The requirements of a case on its process, as data. The runner fulfils them, or skips the case
/// with the reason why it cannot.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The environment variables, if the case is about them; `{scratch}` stands for the scratch
    /// directory. With `None` the placement's own.
    pub environment: Option<&'static [(&'static str, &'static str)]>,
    /// The process's umask.
    pub umask: Option<u32>,
    /// How many files the process may have open.
    pub open_files: Option<u64>,
    /// The process must not be the superuser, for whom permissions mean nothing.
    pub unprivileged: bool,
    /// File systems mounted in the scratch directory, visible to this process alone. Excludes
    /// `unprivileged`: an ordinary user cannot mount.
    pub mounts: &'static [Mount],
    /// Entries in the scratch directory that the witness of a sandbox cannot make.
    pub planted: &'static [Planted],
    /// Directories outside the scratch directory that the case may use; in a sandbox each is a
    /// preopen. With `unprivileged` they are another user's, of mode 1733: it may create there, and
    /// not list them.
    pub grants: &'static [Grant],
    /// Whether, natively, every directory for temporary files is read-only.
    pub nowhere: bool,
    /// Whether the plugin sees its own scratch directory. Natively a program always does.
    pub scratch: ScratchAccess,
    /// Limits on what the run has in use, in the form of the variable `SCRATCH_LIMITS`:
    /// `bytes=1000,entries=10`. Natively nothing is limited, and the case is skipped.
    pub limits: Option<&'static str>,
    /// The message of the panic that ends the case. Natively a panic unwinds the stack; in a
    /// sandbox it is a trap, which runs no destructor. The case passes if nothing is left
    /// afterwards.
    pub panics: Option<&'static str>,
}

/// Whether a plugin sees its own scratch directory among its preopens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScratchAccess {
    /// It reaches its temporary files through the interface alone.
    Isolated,
    /// What is usual: it sees the directory, unless the run has limits on bytes or names.
    UnlessLimited,
}

/// A mount in the scratch directory.
#[derive(Clone, Copy, Debug)]
pub enum Mount {
    /// A small file system in memory.
    FileSystem {
        /// Its name in the scratch directory.
        name: &'static str,
        /// Its size in bytes.
        size: u64,
        /// Whether it is mounted read-only.
        read_only: bool,
    },
    /// An empty file that is a mount point, so that the system refuses to remove its name. Its
    /// directory can be renamed.
    BusyFile {
        /// Its path in the scratch directory.
        name: &'static str,
    },
}

/// An entry that is in the scratch directory before the case begins, since WASI cannot make it. The
/// case moves it to where it wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// The fifo `fifo`. Opening it for reading blocks for ever.
    Fifo,
    /// The directory `foreign` with an empty file whose name is not UTF-8.
    ForeignName,
}

impl Planted {
    /// Its name in the scratch directory.
    pub fn name(&self) -> &'static str {
        match self {
            Planted::Fifo => "fifo",
            Planted::ForeignName => "foreign",
        }
    }
}

/// A directory that a case is granted.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// Its path, without the leading slash that it has in a sandbox. A directory in another one
    /// comes after that one.
    pub path: &'static str,
    /// Whether it is a separate file system.
    pub file_system: bool,
}

impl Mount {
    /// Its name in the scratch directory.
    pub fn name(&self) -> &'static str {
        match self {
            Mount::FileSystem { name, .. } | Mount::BusyFile { name } => name,
        }
    }
}

impl Setup {
    /// No requirements.
    pub const PLAIN: Setup = Setup {
        environment: None,
        umask: None,
        open_files: None,
        unprivileged: false,
        mounts: &[],
        planted: &[],
        grants: &[],
        nowhere: false,
        scratch: ScratchAccess::Isolated,
        limits: None,
        panics: None,
    };

    /// With this environment.
    pub const fn environment(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Setup { environment: Some(environment), ..self }
    }

    /// With this umask.
    pub const fn umask(self, umask: u32) -> Self {
        Setup { umask: Some(umask), ..self }
    }

    /// With at most this many open files.
    pub const fn open_files(self, open_files: u64) -> Self {
        Setup { open_files: Some(open_files), ..self }
    }

    /// As an ordinary user.
    pub const fn unprivileged(self) -> Self {
        Setup { unprivileged: true, ..self }
    }

    /// With these file systems.
    pub const fn mounts(self, mounts: &'static [Mount]) -> Self {
        Setup { mounts, ..self }
    }

    /// With these entries.
    pub const fn planted(self, planted: &'static [Planted]) -> Self {
        Setup { planted, ..self }
    }

    /// With these directories granted.
    pub const fn grants(self, grants: &'static [Grant]) -> Self {
        Setup { grants, ..self }
    }

    /// With nothing writable natively.
    pub const fn nowhere(self) -> Self {
        Setup { nowhere: true, ..self }
    }

    /// With this access to the scratch directory.
    pub const fn scratch(self, scratch: ScratchAccess) -> Self {
        Setup { scratch, ..self }
    }

    /// With these limits.
    pub const fn limits(self, limits: &'static str) -> Self {
        Setup { limits: Some(limits), ..self }
    }

    /// Ending in a panic with this message.
    pub const fn panics(self, message: &'static str) -> Self {
        Setup { panics: Some(message), ..self }
    }

    /// The names in the scratch directory of what the setup puts there.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let mounts = self.mounts.iter().map(Mount::name);
        let first = |path: &'static str| path.split('/').next().unwrap_or(path);
        mounts.map(first).chain(self.planted.iter().map(Planted::name))
    }

    /// The names, of those found in the scratch directory after a case, that the setup did not put
    /// there.
    pub fn left_behind(&self, names: impl IntoIterator<Item = String>) -> Vec<String> {
        names.into_iter().filter(|name| !self.names().any(|ours| ours == name)).collect()
    }

    /// Whether this changes process-wide state, so that the case needs its own process in every
    /// placement.
    pub fn needs_process(&self) -> bool {
        let mounts = !self.mounts.is_empty() || self.grants.iter().any(|grant| grant.file_system);
        self.umask.is_some() || self.open_files.is_some() || self.unprivileged || mounts
    }
}

/// `case!(function)` or `case!(function, setup)`: an entry of a module's list.
macro_rules! case {
    ($function:ident) => {
        case!($function, $crate::Setup::PLAIN)
    };
    ($function:ident, $setup:expr) => {
        $crate::Case {
            module: module_path!(),
            function: stringify!($function),
            run: |world| $function(world).into(),
            setup: $setup,
        }
    };
}
pub(crate) use case;
