//! Removals that failed in a drop because something was open, to be tried again: hosts on Windows
//! remove no name of an open file or directory. Every close of a file and every drop of a guard
//! tries them again.

use alloc::string::String;

use crate::context::Context;
use crate::error::ErrorCode;
use crate::path::open_parent;
use crate::platform::Platform;
use crate::remove::Removal;

/// How many names wait, so that closing a file is not slow. More are left over for good.
pub(crate) const MAX_WAITING: usize = 64;

/// What is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name that is not a directory.
    File,
    /// A directory with everything in it.
    Tree,
}

/// A name that is to be removed when what has it open is closed.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// As the caller knows it: a handle of its directory would be open for as long as it waits.
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// Whether a removal or a rename may have failed because something was open.
pub(crate) fn may_be_open(ctx: &impl Context, code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Access | ErrorCode::Busy) && ctx.platform().locks_open_names()
}

/// Tries to remove every name that waits.
pub(crate) fn remove_waiting<C: Context>(ctx: &C) {
    for waiting in ctx.ledger().take_waiting() {
        if remove(ctx, &waiting) {
            ctx.ledger().forget_leftovers(&waiting.path);
        } else {
            ctx.ledger().wait(waiting);
        }
    }
}

fn remove<C: Context>(ctx: &C, waiting: &Waiting) -> bool {
    let Ok((location, name)) = open_parent(ctx, &waiting.path) else { return false };
    let name = name.as_bytes();
    match waiting.kind {
        Kind::File => {
            let removed = ctx.platform().remove_file(&location.dir, name);
            matches!(removed, Ok(()) | Err(ErrorCode::NoEntry))
        }
        Kind::Tree => {
            let mut removal = Removal::new(ctx);
            removal.remove_entry(&location.dir, name, &waiting.path);
            removal.finish().is_empty()
        }
    }
}
