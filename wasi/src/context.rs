//! An instance of a component as a user of the interface.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use tempfile_core::{
    Base, Cause, Context, Descriptors, Error, ErrorCode, Limited, LimitedDir, Limits, SharedLedger,
    longest_preopen,
};
use wasip2::filesystem::types::Descriptor;

use crate::file::File;
use crate::platform::Wasi;

type Dir = LimitedDir<Rc<Descriptor>>;

/// An instance: its preopens, its environment, its ledger. Clones share everything.
#[derive(Clone)]
pub struct WasiContext(Rc<Inner>);

struct Inner {
    platform: Limited<Wasi<File>>,
    ledger: SharedLedger,
    /// The host's preopens, read when the first path is resolved.
    preopens: OnceCell<Vec<(Dir, String)>>,
}

impl WasiContext {
    /// An instance without limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// An instance with the limits in its environment, in [`Limits::VARIABLE`]; without limits if
    /// the variable is not set.
    ///
    /// # Errors
    /// `invalid` if the variable is malformed: what was to be limited must not go without.
    pub fn from_environment() -> Result<Self, Error> {
        let limits = match env_var(Limits::VARIABLE) {
            None => Limits::default(),
            Some(text) => Limits::from_text(&text).ok_or_else(|| {
                let operation = "take limits such as bytes=4096,handles=20 from the variable \
                                 SCRATCH_LIMITS, which is";
                Error::about_text(ErrorCode::Invalid, operation, &text)
            })?,
        };
        Ok(Self::with_limits(limits.with_default_handles()))
    }

    fn with_limits(limits: Limits) -> Self {
        let ledger = SharedLedger::with_limits(limits, None);
        let platform = Limited::new(Wasi::with_names(), &ledger);
        WasiContext(Rc::new(Inner { platform, ledger, preopens: OnceCell::new() }))
    }

    fn preopens(&self) -> &[(Dir, String)] {
        self.0.preopens.get_or_init(|| {
            let directories = wasip2::filesystem::preopens::get_directories();
            let base = |(dir, path): (Descriptor, String)| {
                Some((self.0.platform.base(Rc::new(dir), &path).ok()?, path))
            };
            directories.into_iter().filter_map(base).collect()
        })
    }
}

impl Default for WasiContext {
    fn default() -> Self {
        WasiContext::new()
    }
}

impl Context for WasiContext {
    type Platform = Limited<Wasi<File>>;

    fn platform(&self) -> &Limited<Wasi<File>> {
        &self.0.platform
    }

    fn resolve_base(&self, path: &str) -> Result<Base<Dir>, Cause> {
        let preopens = self.preopens();
        let paths = preopens.iter().map(|(_, path)| path.as_str());
        let (index, rest) = longest_preopen(paths, path)?;
        let (dir, path) = &preopens[index];
        Ok(Base { dir: dir.clone(), path: path.clone(), rest })
    }

    fn env_var(&self, name: &str) -> Option<String> {
        env_var(name)
    }

    fn fallback_dirs(&self) -> Vec<String> {
        self.preopens().iter().map(|(_, path)| path.clone()).collect()
    }

    fn descriptors(&self) -> Descriptors {
        match &self.0.platform {
            platform if platform.is_counting() => Descriptors::None,
            platform if platform.get_ref().closes_files() => Descriptors::Streams,
            _ => Descriptors::All,
        }
    }

    fn ledger(&self) -> &SharedLedger {
        &self.0.ledger
    }

    fn now(&self) -> u64 {
        wasip2::clocks::monotonic_clock::now()
    }

    fn is_stopped(&self) -> bool {
        // The host ends the instance between any two calls.
        false
    }
}

fn env_var(name: &str) -> Option<String> {
    let environment = wasip2::cli::environment::get_environment();
    environment.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}
