//! Removals that failed in a drop because something was open, to be tried again: hosts on Windows
//! remove no name of an open file or directory. Every close of a file and every drop of a guard
//! tries them again.

use crate::context::Context;
use crate::error::ErrorCode;
use crate::ledger::{Kind, PendingRemoval};
use crate::location::open_parent;
use crate::platform::Platform;
use crate::remove::Removal;

/// Whether a removal or a rename may have failed because something was open.
pub(crate) fn may_be_open(ctx: &impl Context, code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Access | ErrorCode::Busy) && ctx.platform().locks_open_names()
}

/// Tries every removal that is queued.
pub(crate) fn retry_removals<C: Context>(ctx: &C) {
    for pending in ctx.ledger().take_pending() {
        if remove(ctx, &pending) {
            ctx.ledger().forget_leftovers(&pending.path);
        } else {
            ctx.ledger().queue_removal(pending);
        }
    }
}

fn remove<C: Context>(ctx: &C, pending: &PendingRemoval) -> bool {
    let Ok((location, name)) = open_parent(ctx, &pending.path) else { return false };
    let name = name.as_bytes();
    match pending.kind {
        Kind::File => {
            let removed = ctx.platform().remove_file(&location.dir, name);
            matches!(removed, Ok(()) | Err(ErrorCode::NoEntry))
        }
        Kind::Tree => {
            let mut removal = Removal::new(ctx);
            removal.remove_entry(&location.dir, name, &pending.path);
            removal.finish().is_empty()
        }
    }
}
