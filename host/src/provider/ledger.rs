//! The interface `ledger`.

use tempfile_core::Platform;

use super::interface::ledger::{Allowance, CleanupFailure, Host, LiveHandle, Summary};
use super::{TempfileCtxView, convert};

impl Host for TempfileCtxView<'_> {
    fn usage(&mut self) -> wasmtime::Result<Summary> {
        Ok(convert::usage(self.ctx.usage()))
    }

    fn limits(&mut self) -> wasmtime::Result<Allowance> {
        Ok(convert::limits(self.ctx.limits()))
    }

    fn live(&mut self) -> wasmtime::Result<Vec<LiveHandle>> {
        let live = self.ctx.platform.ledger(|ledger, now| ledger.live(now())).unwrap_or_default();
        Ok(live.into_iter().map(convert::live_handle).collect())
    }

    fn leftovers(&mut self) -> wasmtime::Result<Vec<CleanupFailure>> {
        let leftovers = self.ctx.platform.ledger(|ledger, _| ledger.leftovers().to_vec());
        Ok(convert::failures(leftovers.unwrap_or_default()))
    }
}
