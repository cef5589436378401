//! The interface `ledger`.

use tempfile_core::Context;

use super::interface::ledger::{CleanupFailure, Host, Limits, LiveHandle, Usage};
use super::{Failure, TempfileCtxView, convert};

impl Host for TempfileCtxView<'_> {
    fn get_usage(&mut self) -> wasmtime::Result<Usage> {
        Ok(convert::usage(self.ctx.usage()))
    }

    fn get_limits(&mut self) -> wasmtime::Result<Limits> {
        Ok(convert::limits(self.ctx.limits()))
    }

    fn live_handles(&mut self) -> Result<Vec<LiveHandle>, Failure> {
        let context = self.ctx.instance.context();
        let live = context.ledger().live_handles(context.now())?;
        Ok(live.into_iter().map(convert::live_handle).collect())
    }

    fn leftovers(&mut self) -> wasmtime::Result<Vec<CleanupFailure>> {
        Ok(convert::failures(self.ctx.instance.context().ledger().leftovers()))
    }
}
