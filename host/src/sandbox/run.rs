//! What a run is given.

use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use wasmtime_wasi::cli::{stderr, stdout};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::plugin::Provider;
use super::state::Threads;
use super::{Control, Input, Output};
use crate::compose::SCRATCH_GUEST_PATH;
use crate::error::{Error, one_line};
use crate::provider::{Limits, TempfileCtx};
use crate::scratch::{ScratchDir, ScratchRoot};

/// What a run may use of memory unless it is told otherwise.
const MEMORY: u64 = 256 << 20;

/// One run of a plugin: what it is given. Nothing is inherited unless it is said here.
#[derive(Debug)]
pub struct Run {
    pub(super) root: ScratchRoot,
    pub(super) memory: u64,
    pub(super) timeout: Option<Duration>,
    pub(super) control: Control,
    pub(super) keep: bool,
    limits: Option<Limits>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    stdin: Input,
    stdout: Output,
    stderr: Output,
}

impl Run {
    /// A run with a private scratch directory below `root`; no arguments, no environment, no directory of the host's,
    /// standard input empty, output discarded; 256 MiB of memory and all the time it takes.
    pub fn in_root(root: &ScratchRoot) -> Self {
        Self {
            root: root.clone(),
            memory: MEMORY,
            timeout: None,
            control: Control::new(),
            keep: false,
            limits: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            mounts: Vec::new(),
            stdin: Input::Empty,
            stdout: Output::Discard,
            stderr: Output::Discard,
        }
    }

    /// Adds arguments. The first one of all is, by custom, the program's name.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment. The provider reads it too: `TMPDIR` says where scratch files go.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Grants a directory of the host's.
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Where standard input comes from.
    pub fn stdin(mut self, input: impl Into<Input>) -> Self {
        self.stdin = input.into();
        self
    }

    /// Where standard output goes.
    pub fn stdout(mut self, output: impl Into<Output>) -> Self {
        self.stdout = output.into();
        self
    }

    /// Where standard error goes.
    pub fn stderr(mut self, output: impl Into<Output>) -> Self {
        self.stderr = output.into();
        self
    }

    /// Limits the memory of plugin and provider together, in bytes. A small Rust plugin needs about 2.4 MiB with the provider,
    /// most of it for their stacks.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Limits what the run may have at one time of files, names, handles and memory for them, and counts it: see
    /// [`TempfileCtxBuilder::limits`](crate::provider::TempfileCtxBuilder::limits). Only a plugin can be limited that
    /// is served by the host ([`Sandbox::load_hosted`](crate::Sandbox::load_hosted)) or by the provider component that this crate carries
    /// ([`Sandbox::load`](crate::Sandbox::load)); the run of another is refused.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Stops the run when it has not ended after this time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Leaves the scratch directory for good, to be looked at: [`Outcome::kept`](crate::Outcome::kept) says where. In it is what the
    /// run had not removed by its end; where the host provides, what was still open then is removed as if it had been dropped.
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Lets another thread watch and stop the run.
    pub fn control(mut self, control: &Control) -> Self {
        self.control = control.clone();
        self
    }

    /// What the host's own provider is to know: the mounts and variables, which a provider component finds among its imports. There the
    /// limits are a variable too.
    pub(super) fn tempfile(
        &mut self,
        scratch: &ScratchDir,
        provider: Provider,
    ) -> Result<TempfileCtx, Error> {
        let mut builder = TempfileCtx::builder(scratch)?;
        match (self.limits, provider) {
            (None, _) => {}
            (Some(_), Provider::Other) => return Err(Error::NotLimited),
            (Some(limits), Provider::Carried) => {
                // The first of a name counts.
                self.environment.insert(0, (Limits::VARIABLE.to_owned(), limits.to_string()));
            }
            (Some(limits), Provider::Host) => builder = builder.limits(limits),
        }
        if provider == Provider::Host {
            for mount in &self.mounts {
                builder = builder.mount(mount)?;
            }
            for (name, value) in &self.environment {
                builder = builder.env(name, value);
            }
        }
        Ok(builder.build())
    }

    /// Puts everything into the plugin's world.
    pub(super) fn grant(self, wasi: &mut WasiCtxBuilder, threads: Threads) -> Result<(), Error> {
        wasi.args(&self.arguments);
        wasi.envs(&self.environment);
        for mount in &self.mounts {
            let perms = if mount.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            wasi.preopened_dir(&mount.host, &mount.guest, perms)
                .map_err(|error| mount.unopened(&one_line(error.as_ref())))?;
        }
        wasi.stdin(self.stdin.stream_on(threads));
        wasi.stdout(self.stdout.stream_on(threads, stdout));
        wasi.stderr(self.stderr.stream_on(threads, stderr));
        Ok(())
    }
}

/// A directory of the host's, granted to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    host: PathBuf,
    guest: String,
    read_only: bool,
}

impl Mount {
    /// Shows the directory `host` to the plugin as `guest`, for reading and writing.
    ///
    /// # Errors
    ///
    /// If `guest` is not an absolute path in its plain form (`/data`, not `/data/` or `/a/../data`), or is the scratch
    /// directory's place or below it.
    pub fn new(host: impl Into<PathBuf>, guest: impl Into<String>) -> Result<Self, Error> {
        let guest = guest.into();
        let refuse = |guest: &str, cause: String| Err(Error::Mount { guest: guest.to_owned(), cause });
        let Some(relative) = guest.strip_prefix('/') else {
            return refuse(&guest, "the path in the plugin must begin with `/`".to_owned());
        };
        let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        if !relative.is_empty() && !relative.split('/').all(plain) {
            return refuse(&guest, "the path in the plugin is not in its plain form".to_owned());
        }
        let below = guest.strip_prefix(SCRATCH_GUEST_PATH);
        if below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return refuse(&guest, format!("{SCRATCH_GUEST_PATH} is the place of the scratch directory"));
        }
        Ok(Self { host: host.into(), guest, read_only: false })
    }

    /// The path in the plugin.
    pub(crate) fn guest(&self) -> &str {
        &self.guest
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Opens the directory. A link in its path is the embedder's own, and followed.
    pub(crate) fn open(&self) -> Result<OwnedFd, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(&self.host, flags, Mode::empty()).map_err(|errno| self.unopened(&errno))
    }

    fn unopened(&self, cause: &dyn Display) -> Error {
        Error::Mount { guest: self.guest.clone(), cause: format!("open {}: {cause}", self.host.display()) }
    }

    /// Lets the plugin only read.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_cannot_take_the_scratch_directorys_place() {
        for guest in ["/tmp", "/tmp/", "/tmp/deep", "//tmp", "/./tmp", "/data/../tmp", "tmp", "", "/data/"] {
            assert!(Mount::new("here", guest).is_err(), "{guest:?}");
        }
        for guest in ["/", "/data", "/tmpfiles", "/data/tmp"] {
            assert!(Mount::new("here", guest).is_ok(), "{guest:?}");
        }
    }
}
