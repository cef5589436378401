//! The process as a user of the interface.

use std::borrow::ToOwned;
use std::string::{String, ToString};
use std::sync::OnceLock;
use std::time::Instant;
use std::vec::Vec;

use super::sys::{Native, open_base};
use super::{error_code_of, sys};
use crate::context::{Base, Context, Descriptors};
use crate::error::{Cause, ErrorCode};
use crate::ledger::SharedLedger;
use crate::platform::Platform;

/// The process: its environment, its current directory, and one ledger for all of its threads.
///
/// Paths belong to the program, so the system resolves the directories in them, relative ones from
/// the current directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Context for Process {
    type Platform = Native;

    fn platform(&self) -> &Native {
        &Native
    }

    fn resolve_base(&self, path: &str) -> Result<Base<<Native as Platform>::Dir>, Cause> {
        let dir = open_base(path)?.into();
        let absolute = std::path::absolute(path).map_err(|error| error_code_of(&error))?;
        let refused = Cause::rule(ErrorCode::InvalidName, "the current directory is not UTF-8");
        let path = sys::without_end(absolute.to_str().ok_or(refused)?);
        Ok(Base { dir, path: path.to_owned(), rest: String::new() })
    }

    fn env_var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    #[cfg(windows)]
    fn usual_dirs(&self) -> Vec<String> {
        sys::usual_dirs()
    }

    fn fallback_dirs(&self) -> Vec<String> {
        Vec::from([".".to_string()])
    }

    fn descriptors(&self) -> Descriptors {
        Descriptors::All
    }

    fn ledger(&self) -> &SharedLedger {
        static LEDGER: OnceLock<SharedLedger> = OnceLock::new();
        LEDGER.get_or_init(SharedLedger::new)
    }

    fn now(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed();
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_stopped(&self) -> bool {
        false
    }
}
