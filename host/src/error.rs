//! Why the host could not do its part.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a component could not be composed, loaded or started.
///
/// What a plugin does wrong once it runs is no error of the host's: see [`Ending`](crate::Ending). Each message is one
/// line: what was tried, on what, and the cause.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no WebAssembly at all.
    NotWasm {
        /// Which component was meant: `plugin` or `provider`.
        what: &'static str,
    },
    /// The bytes are a core module, which has no typed imports and cannot be composed.
    CoreModule {
        /// Which component was meant.
        what: &'static str,
    },
    /// The bytes begin like a component and are not a valid one.
    Invalid {
        /// Which component was meant.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A component needs something that nobody here serves.
    MissingImport {
        /// The import's full name, such as `wasi:http/outgoing-handler@0.2.4`.
        import: String,
        /// How it differs from what is served under that name; empty if nothing is.
        cause: String,
    },
    /// The component has no `wasi:cli/run` to call.
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
        cause: String,
    },
    /// A run has limits, and a plugin whose provider does not count.
    NotLimited,
    /// The WebAssembly engine could not be set up.
    Engine {
        /// What was tried.
        operation: &'static str,
        /// The engine's own words.
        cause: String,
    },
}

/// Why a scratch root is refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum RootCause {
    /// It is a symbolic link: whoever may change the link could send every scratch directory elsewhere.
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
    /// It cannot be opened, or no directory can be made in it.
    Refused {
        /// What was tried, and why it failed.
        cause: tempfile_core::Error,
    },
    /// The system said no.
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm { what } => write!(f, "the {what} is not WebAssembly"),
            Self::CoreModule { what } => {
                write!(f, "the {what} is not a component but a core module (build it for wasm32-wasip2)")
            }
            Self::Invalid { what, cause } => write!(f, "the {what} is not a valid component: {cause}"),
            Self::MissingImport { import, cause } if cause.is_empty() => {
                write!(f, "the plugin imports `{import}`, which is not served here")
            }
            Self::MissingImport { import, cause } => {
                write!(f, "the plugin imports `{import}`, which does not fit what is served here: {cause}")
            }
            Self::NoRun => {
                f.write_str("the plugin does not export `wasi:cli/run`, so there is nothing to run")
            }
            // It says the path itself.
            Self::Root { cause: RootCause::Refused { cause }, .. } => write!(f, "the scratch root: {cause}"),
            Self::Root { path, cause } => write!(f, "the scratch root {}: {cause}", path.display()),
            Self::Mount { guest, cause } => write!(f, "the mount {guest}: {cause}"),
            Self::NotLimited => f.write_str("limits need a provider that counts, and this plugin's does not"),
            Self::Engine { operation, cause } => write!(f, "{operation}: {cause}"),
        }
    }
}

impl fmt::Display for RootCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("is a symbolic link"),
            Self::NotDirectory => f.write_str("is not a directory"),
            Self::Foreign { owner } => write!(f, "belongs to user {owner}"),
            Self::Shared { mode } => write!(f, "can be written to by others (mode {mode:04o})"),
            Self::NotText => f.write_str("has a path that is not UTF-8"),
            Self::Refused { cause } => write!(f, "{cause}"),
            Self::Io { operation, cause } => write!(f, "{operation}: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

/// The whole chain of an error on one line, outermost first.
pub(crate) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in the outer message.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
