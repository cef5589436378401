//! A case, the setup it asks for, and how it can end.

use crate::World;
use std::fmt;

/// One behaviour, shown by one function.
pub struct Case {
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
    pub(crate) run: fn(&World) -> Outcome,
    /// What must be arranged around the process before the case runs.
    pub setup: Setup,
}

impl Case {
    /// `module::function`: what filters match, and what the suite's component takes as its argument.
    pub fn name(&self) -> String {
        let module = self.module.rsplit("::").next().unwrap_or_default();
        format!("{module}::{}", self.function)
    }

    /// Runs the case here and now, and looks at what is left when it has passed: nothing may be. A case that fails panics.
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
    /// It could not be looked at here, for this reason.
    Skipped(String),
    /// It was not seen. What the case said.
    Failed(String),
}

impl Outcome {
    /// A case that passed has failed after all if it left something behind.
    pub fn unless_left(self, names: &[String]) -> Outcome {
        match (self, names) {
            (Outcome::Passed, [_, ..]) => {
                Outcome::Failed(format!("left behind: {}", names.join(", ")))
            }
            (outcome, _) => outcome,
        }
    }

    /// A case that was to panic has passed if that is how it failed.
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
    /// The core, straight on the operating system.
    Native,
    /// The provider component, composed with the suite, on wasi:filesystem.
    Component,
    /// The core on the operating system again, in the host that runs the suite's component.
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

/// What a case needs from the process it runs in, as data: the runner obeys, or skips the case with the reason why it can't.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The environment, where the case is about it; `{scratch}` stands for the scratch directory. None: the placement's own.
    pub environment: Option<&'static [(&'static str, &'static str)]>,
    /// The process's umask.
    pub umask: Option<u32>,
    /// How many files the process may have open.
    pub open_files: Option<u64>,
    /// The process must not be the superuser, for whom permissions mean nothing.
    pub unprivileged: bool,
    /// File systems mounted inside the scratch directory, visible to this process alone. Not together with `unprivileged`: an
    /// ordinary user can't mount.
    pub mounts: &'static [Mount],
    /// Directories outside of the scratch directory that the case may use: preopens of its own in a sandbox.
    pub grants: &'static [Grant],
    /// Natively, no directory for temporary files is writable.
    pub nowhere: bool,
    /// The case ends in a panic that says this: natively everything is unwound, in a sandbox it is a trap, and nothing is. The case has passed
    /// if nothing is left after that.
    pub panics: Option<&'static str>,
}

/// Something mounted in the scratch directory.
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
    /// An empty file that is a mount point, so that the system won't let its name go. Its directory can be renamed.
    BusyFile {
        /// Its path in the scratch directory.
        name: &'static str,
    },
}

/// A directory that a case is granted.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// Its path, without the slash at the start that it has in a sandbox. One that is in another comes after that.
    pub path: &'static str,
    /// Whether it is a file system of its own.
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
    /// Nothing out of the ordinary.
    pub const PLAIN: Setup = Setup {
        environment: None,
        umask: None,
        open_files: None,
        unprivileged: false,
        mounts: &[],
        grants: &[],
        nowhere: false,
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

    /// With these directories granted.
    pub const fn grants(self, grants: &'static [Grant]) -> Self {
        Setup { grants, ..self }
    }

    /// With nothing writable natively.
    pub const fn nowhere(self) -> Self {
        Setup { nowhere: true, ..self }
    }

    /// Ending in a panic that says this.
    pub const fn panics(self, message: &'static str) -> Self {
        Setup { panics: Some(message), ..self }
    }

    /// What of these names, found in the scratch directory after a case, is not the setup's own.
    pub fn left_behind(&self, names: impl IntoIterator<Item = String>) -> Vec<String> {
        let ours = |name: &String| {
            self.mounts.iter().any(|mount| mount.name().split('/').next() == Some(name))
        };
        names.into_iter().filter(|name| !ours(name)).collect()
    }

    /// Whether this changes the whole process, so that the case must have one of its own in every placement.
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
