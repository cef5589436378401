//! What could not be removed.

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Error;
use crate::path::is_separator;

/// Something that could not be removed: `cleanup-failure` of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupFailure {
    /// Where it is now, as the caller knows it.
    pub path: String,
    /// Why it could not be removed.
    pub error: Error,
}

/// The first failures of a removal, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    list: Vec<CleanupFailure>,
    /// The length of all texts, in bytes.
    text: usize,
}

impl Failures {
    /// How many failures are recorded.
    const MAX: usize = 1024;

    /// How long their texts may be together, in bytes.
    const MAX_TEXT: usize = 1 << 20;

    /// Records a failure, if there is room.
    pub(crate) fn push(&mut self, failure: CleanupFailure) {
        let CleanupFailure { path, error } = &failure;
        let in_error = error.path.as_ref().map_or(0, String::len);
        let text = self.text + path.len() + error.message.len() + in_error;
        if self.list.len() < Self::MAX && text <= Self::MAX_TEXT {
            self.list.push(failure);
            self.text = text;
        }
    }

    pub(crate) fn into_list(self) -> Vec<CleanupFailure> {
        self.list
    }

    pub(crate) fn list(&self) -> &[CleanupFailure] {
        &self.list
    }

    /// Forgets what is about `path` or something in it.
    pub(crate) fn forget(&mut self, path: &str) {
        let kept = core::mem::take(self).list.into_iter().filter(|failure| {
            let below = failure.path.strip_prefix(path);
            !below.is_some_and(|rest| rest.is_empty() || rest.starts_with(is_separator))
        });
        kept.for_each(|failure| self.push(failure));
    }
}
