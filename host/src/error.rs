//! Errors of the host.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::iter::successors;
use std::path::PathBuf;

/// Why a component could not be composed, loaded or started.
///
/// A fault of a running plugin is not an error of the host: see [`Ending`](crate::Ending).
///
/// The text of an error is one line that includes the causes: what was tried, on what, and why it
/// failed. [`source`](StdError::source) gives the cause itself, of the engine or of the system.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not WebAssembly.
    NotWasm {
        /// Which component was meant: `plugin` or `provider`.
        what: &'static str,
    },
    /// The bytes are a core module, which has no typed imports and cannot be composed.
    CoreModule {
        /// Which component was meant.
        what: &'static str,
    },
    /// The bytes begin like a component, and are not a valid one.
    Invalid {
        /// Which component was meant.
        what: &'static str,
        /// What is wrong with it.
        source: Source,
    },
    /// A component imports something that is not served.
    MissingImport {
        /// The import's full name, such as `wasi:http/outgoing-handler@0.2.4`.
        import: String,
        /// How it differs from what is served under that name, in this version or another, or who
        /// would serve it; empty if nobody would.
        cause: String,
        /// The error of the linker or the composer, if there was one.
        source: Option<Source>,
    },
    /// The component does not export `wasi:cli/run`.
    NoRun,
    /// The scratch root cannot be used.
    Root {
        /// The root.
        path: PathBuf,
        /// Why not.
        cause: RootCause,
    },
    /// A mount cannot be granted.
    Mount {
        /// The mount's path as the plugin would see it.
        guest: String,
        /// Why not.
        cause: MountCause,
    },
    /// An option is zero, with which no plugin can run.
    Zero {
        /// The option, as its method is called.
        option: &'static str,
    },
    /// The [memory](crate::RunOptions::memory) of a run has no room for what the host keeps of its
    /// directories, some hundred bytes for each.
    Memory {
        /// The path of the directory as the plugin would see it.
        guest: String,
        /// `quota`.
        code: tempfile_core::ErrorCode,
    },
    /// [`RunOptions::limits`](crate::RunOptions::limits) was set for a plugin loaded with a
    /// provider that enforces none.
    LimitsNotEnforced,
    /// The variable `SCRATCH_LIMITS` of the plugin's environment has another form than
    /// `bytes=1048576,handles=20`. A limit must not be lost to a mistake.
    MalformedLimits {
        /// The variable's value.
        text: String,
    },
    /// The process may not start the threads or open the descriptors that runs need.
    Process {
        /// What was tried.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The embedder's engine is not configured as runs need it:
    /// [`EngineLimits::configure`](crate::EngineLimits::configure) does that.
    EngineLacks {
        /// The missing setting, as a call of [`Config`](wasmtime::Config).
        setting: &'static str,
    },
    /// A sandbox was given an engine together with a cache. The cache is a setting of the engine.
    CacheOfEngine,
    /// The WebAssembly engine failed.
    Engine {
        /// What was tried.
        operation: &'static str,
        /// The engine's error.
        source: wasmtime::Error,
    },
    /// The pooling allocator of the embedder's engine has no free place. The run has ended without
    /// an outcome, and is counted as [begun and dropped](crate::Counters::dropped).
    ///
    /// [`RunOptions::hold`](crate::RunOptions::hold) shows how runs wait for a place instead.
    Busy {
        /// The engine's error, which says of what there is no more.
        source: wasmtime::Error,
    },
    /// The plugin to [`compose`](crate::compose()) has been composed with a provider already.
    HasProvider,
    /// A component could not be composed.
    Compose {
        /// What was tried.
        operation: &'static str,
        /// The composer's error.
        source: Source,
    },
    /// A thread could not be started.
    Thread {
        /// The system's error.
        source: io::Error,
    },
    /// The tokio runtime ended before the run did.
    RuntimeEnded,
}

/// The cause of an [`Error`], of one of several libraries.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Why a scratch root is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum RootCause {
    /// It is a symbolic link: anybody who may change the link could redirect every scratch
    /// directory.
    Link,
    /// It is something else than a directory.
    NotDirectory,
    /// It belongs to another user.
    Foreign {
        /// The owner's id.
        owner: u32,
    },
    /// Others than its owner may write to it.
    Shared {
        /// The permission bits.
        mode: u32,
    },
    /// Its path is not UTF-8.
    NotText,
    /// Its path ends in `..`, and what comes before may be a symbolic link.
    Parent,
    /// Its file system has no locks (`flock`), so nobody could tell which directories are in use.
    NoLocks {
        /// The system's error.
        cause: io::Error,
    },
    /// Its file system does not store the sticky bit of a directory, which is the mark by which a
    /// sweep recognises one that may be removed.
    NoMarks,
    /// It cannot be opened, or no directory can be made in it.
    Refused {
        /// What was tried, and why it failed.
        cause: tempfile_core::Error,
    },
    /// A system call failed.
    Io {
        /// What was tried, as a verb with an object that the root completes, such as `open`.
        operation: &'static str,
        /// The system's error.
        cause: io::Error,
    },
}

/// Why a mount is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum MountCause {
    /// The path in the plugin does not begin with `/`.
    Relative,
    /// The path in the plugin has empty, `.` or `..` parts.
    NotPlain,
    /// The path in the plugin is that of the scratch directory, or below it.
    Scratch,
    /// The host's directory cannot be opened.
    Open {
        /// The directory.
        host: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another mount of the run has the same path in the plugin.
    Twice,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm { what } => {
                write!(
                    f,
                    "the {what} is not WebAssembly (if it is a native program, build it for \
                     wasm32-wasip2)"
                )
            }
            Self::CoreModule { what } => {
                write!(
                    f,
                    "the {what} is not a component but a core module (build it for wasm32-wasip2)"
                )
            }
            Self::HasProvider => f.write_str(
                "the plugin has a provider already: it was composed before, and can be run as it \
                 is",
            ),
            Self::Invalid { what, source } => {
                write!(f, "the {what} is not a valid component: {}", one_line(&**source))
            }
            Self::MissingImport { import, cause, .. } if cause.is_empty() => {
                write!(
                    f,
                    "the plugin imports `{import}`, which neither the host nor the provider has"
                )
            }
            Self::MissingImport { import, cause, .. } => {
                write!(
                    f,
                    "the plugin imports `{import}`, which does not fit what is served here: {cause}"
                )
            }
            Self::NoRun => f.write_str(
                "the plugin does not export `wasi:cli/run`, so there is nothing to run (add \
                 `export wasi:cli/run@0.2.0;` to its world)",
            ),
            Self::Root { path, cause } => match cause {
                // This cause includes the path.
                RootCause::Refused { cause } => write!(f, "cannot use the scratch root: {cause}"),
                RootCause::Io { operation, cause } => {
                    write!(f, "cannot {operation} the scratch root {}: {cause}", path.display())
                }
                cause => write!(f, "{} cannot be a scratch root: {cause}", path.display()),
            },
            Self::Mount { guest, cause } => write!(f, "the mount {guest}: {cause}"),
            Self::Memory { guest, code } => write!(
                f,
                "the memory of the run is too small for what the host keeps of the directory \
                 {guest} ({code})"
            ),
            Self::Zero { option } => {
                write!(f, "the option `{option}` is zero, with which no plugin can run")
            }
            Self::LimitsNotEnforced => f.write_str(
                "limits need the host or this program's own component as provider; a composed \
                     plugin has one of its own, which reads SCRATCH_LIMITS in its environment",
            ),
            Self::MalformedLimits { text } => write!(
                f,
                "the variable SCRATCH_LIMITS is `{text}`, and not of the form \
                 `bytes=1048576,entries=100,handles=50,memory=65536,file-size=65536`"
            ),
            Self::Process { operation, source } => write!(
                f,
                "{operation}: {source} (see `ulimit -a`: a run needs some threads and descriptors)"
            ),
            Self::EngineLacks { setting } => write!(
                f,
                "the engine is configured without {setting} (see EngineLimits::configure)"
            ),
            Self::CacheOfEngine => f.write_str(
                "a sandbox takes an engine or a cache: set the cache in the engine's Config",
            ),
            Self::Engine { operation, source } => {
                write!(f, "{operation}: {}", one_line(source.as_ref()))
            }
            Self::Busy { source } => {
                write!(f, "the engine's pool is full: {}", one_line(source.as_ref()))
            }
            Self::Compose { operation, source } => {
                write!(f, "{operation}: {}", one_line(&**source))
            }
            Self::Thread { source } => write!(f, "start a thread: {source}"),
            Self::RuntimeEnded => f.write_str("the tokio runtime ended before the run did"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Invalid { source, .. } | Self::Compose { source, .. } => Some(&**source),
            Self::MissingImport { source, .. } => source.as_ref().map(|source| &**source as _),
            Self::Root { cause, .. } => Some(cause),
            Self::Mount { cause, .. } => Some(cause),
            Self::Engine { source, .. } | Self::Busy { source } => Some(source.as_ref()),
            Self::Thread { source } | Self::Process { source, .. } => Some(source),
            Self::NotWasm { .. }
            | Self::CoreModule { .. }
            | Self::HasProvider
            | Self::NoRun
            | Self::Memory { .. }
            | Self::Zero { .. }
            | Self::LimitsNotEnforced
            | Self::MalformedLimits { .. }
            | Self::EngineLacks { .. }
            | Self::CacheOfEngine
            | Self::RuntimeEnded => None,
        }
    }
}

impl fmt::Display for RootCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("it is a symbolic link"),
            Self::NotDirectory => f.write_str("it is not a directory"),
            Self::Foreign { owner } => write!(f, "it belongs to user {owner}"),
            Self::Shared { mode } => {
                write!(f, "it can be written to by others than its owner (mode {mode:04o})")
            }
            Self::NotText => f.write_str("its path is not UTF-8"),
            Self::Parent => f.write_str("its path ends in `..`"),
            Self::NoLocks { cause } => write!(f, "its file system has no locks (flock): {cause}"),
            Self::NoMarks => {
                f.write_str("its file system does not store the sticky bit of a directory")
            }
            Self::Refused { cause } => write!(f, "{cause}"),
            Self::Io { operation, cause } => write!(f, "{operation}: {cause}"),
        }
    }
}

impl StdError for RootCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused { cause } => Some(cause),
            Self::Io { cause, .. } | Self::NoLocks { cause } => Some(cause),
            Self::Link
            | Self::NotDirectory
            | Self::Foreign { .. }
            | Self::Shared { .. }
            | Self::NotText
            | Self::Parent
            | Self::NoMarks => None,
        }
    }
}

impl fmt::Display for MountCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative => f.write_str("the path in the plugin must begin with `/`"),
            Self::NotPlain => f.write_str(
                "the path in the plugin must be like `/data`: no empty, `.` or `..` component, no \
                 slash at its end, and no NUL",
            ),
            Self::Scratch => {
                write!(
                    f,
                    "{} is the place of the scratch directory",
                    crate::compose::SCRATCH_GUEST_PATH
                )
            }
            Self::Open { host, source } => write!(f, "open {}: {source}", host.display()),
            Self::Twice => f.write_str("another mount has the same path in the plugin"),
        }
    }
}

impl StdError for MountCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Open { source, .. } => Some(source),
            Self::Relative | Self::NotPlain | Self::Scratch | Self::Twice => None,
        }
    }
}

/// The whole chain of an error on one line, outermost first.
pub(crate) fn one_line<'a>(error: &'a (dyn StdError + 'static)) -> String {
    let source = |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        error.source()
    };
    join_causes(successors(Some(error), source).map(ToString::to_string))
}

/// The texts of an error and its causes on one line.
pub(crate) fn join_causes(causes: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for cause in causes {
        if text.is_empty() {
            text = cause;
        // Some libraries repeat the cause in the outer message.
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_error_is_a_source() {
        let error = Error::Mount {
            guest: "/data".to_owned(),
            cause: MountCause::Open {
                host: "/missing".into(),
                source: io::ErrorKind::NotFound.into(),
            },
        };
        assert_eq!(error.to_string(), "the mount /data: open /missing: entity not found");
        let system = error.source().and_then(StdError::source);
        let system = system.and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(system.map(io::Error::kind), Some(io::ErrorKind::NotFound));
    }

    #[test]
    fn the_engine_error_is_a_source() {
        let trap = wasmtime::Error::from(wasmtime::Trap::StackOverflow);
        let error = Error::Engine { operation: "try", source: trap };
        let source = error.source().expect("the engine's error");
        assert_eq!(source.downcast_ref(), Some(&wasmtime::Trap::StackOverflow));
    }
}
