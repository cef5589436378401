//! The interface `ledger`.

use tempfile_core::Context;

use super::interface::ledger::{CleanupFailure, Host, Limits, LiveHandle, Usage};
use super::{TempfileCtxView, convert};

impl Host for TempfileCtxView<'_> {
    fn get_usage(&mut self) -> wasmtime::Result<Usage> {
        Ok(convert::usage(self.ctx.usage()))
    }

    fn get_limits(&mut self) -> wasmtime::Result<Limits> {
        Ok(convert::limits(self.ctx.limits()))
    }

    fn live_handles(&mut self) -> wasmtime::Result<Vec<LiveHandle>> {
        let context = self.ctx.instance.context();
        if !context.ledger().can_list_handles() {
            // The plugin's own memory could not take the list either.
            wasmtime::bail!("no memory is left to list the live handles");
        }
        let live = context.ledger().live_handles(context.now());
        Ok(live.into_iter().map(convert::live_handle).collect())
    }

    fn leftovers(&mut self) -> wasmtime::Result<Vec<CleanupFailure>> {
        Ok(convert::failures(self.ctx.instance.context().ledger().leftovers()))
    }
}
