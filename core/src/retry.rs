//! Removals that failed in a drop because something was open, to be tried again: hosts on Windows
//! remove no name of an open file or directory. Every close of a file and every drop of a guard
//! tries them again.

use alloc::string::String;

use crate::context::Context;
use crate::error::ErrorCode;
use crate::path::open_parent;
use crate::platform::Platform;
use crate::remove::Removal;

/// How many removals are queued, so that closing a file is not slow. More are left over for good.
pub(crate) const MAX_QUEUED: usize = 64;

/// What is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name that is not a directory.
    File,
    /// A directory with everything in it.
    Tree,
}

/// A removal to be tried again when what has the name open is closed.
#[derive(Debug)]
pub(crate) struct PendingRemoval {
    /// As the caller knows it: a handle of its directory would be open until then.
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

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
