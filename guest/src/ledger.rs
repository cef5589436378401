//! The interface `ledger`.

use alloc::vec::Vec;

use tempfile_core::{Context, SharedLedger};

use crate::bindings::exports::scratch::tempfile::ledger::{
    CleanupFailure, Error, Guest, Limits, LiveHandle, Usage,
};
use crate::convert;
use crate::provider::{Provider, instance};

/// The ledger; none if the instance may create nothing.
fn ledger() -> Option<&'static SharedLedger> {
    instance().ok().map(|instance| instance.context().ledger())
}

impl Guest for Provider {
    fn get_usage() -> Usage {
        convert::usage(ledger().map(SharedLedger::usage).unwrap_or_default())
    }

    fn get_limits() -> Limits {
        convert::limits(ledger().map(SharedLedger::limits).unwrap_or_default())
    }

    fn live_handles() -> Result<Vec<LiveHandle>, Error> {
        let Ok(instance) = instance() else { return Ok(Vec::new()) };
        let live = instance.context().ledger().live_handles(instance.context().now());
        let live = live.map_err(convert::error)?;
        Ok(live.into_iter().map(convert::live_handle).collect())
    }

    fn leftovers() -> Vec<CleanupFailure> {
        convert::failures(ledger().map(SharedLedger::leftovers).unwrap_or_default())
    }
}
