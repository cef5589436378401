//! Handles that have had their time.

use wasmtime::component::Resource;

use super::{File, Key, TempDir, TempPath, TempfileCtxView};

impl TempfileCtxView<'_> {
    /// Closes the handles that have had their time, see [`Limits`](super::Limits). Every call of the plugin does so first; this is for an
    /// embedder whose instance lives on between calls.
    pub fn expire(&mut self) {
        let Some(lives) = &mut self.ctx.lives else { return };
        for key in lives.due(self.ctx.platform.get_ref().now()) {
            if let Some(cause) = self.close(key) {
                tracing::warn!(cause, "something that has had its time could not be removed");
            }
        }
    }

    /// Closes what has had its time, and says what is used.
    pub(super) fn live(&mut self, used: Option<Key>) {
        self.expire();
        if let (Some(lives), Some(key)) = (&mut self.ctx.lives, used) {
            lives.used(key, self.ctx.platform.get_ref().now());
        }
    }

    pub(super) fn born(&mut self, key: Key, from: Option<Key>) {
        if let Some(lives) = &mut self.ctx.lives {
            lives.opened(key, from, self.ctx.platform.get_ref().now());
        }
    }

    pub(super) fn died(&mut self, key: Key) {
        if let Some(lives) = &mut self.ctx.lives {
            lives.ended(key);
        }
    }

    /// Closes a handle, which stays in the table; or says why not.
    fn close(&mut self, key: Key) -> Option<String> {
        let said = |error: tempfile_core::Error| error.message;
        match key {
            Key::File(rep) => {
                self.table.get_mut(&Resource::<File>::new_borrow(rep)).ok()?.close().err().map(said)
            }
            Key::Path(rep) => {
                self.table.get_mut(&Resource::<TempPath>::new_borrow(rep)).ok()?.close().err().map(said)
            }
            Key::Directory(rep) => {
                let closed = self.table.get_mut(&Resource::<TempDir>::new_borrow(rep)).ok()?.close();
                closed.err()?.pop().map(|failure| failure.error).map(said)
            }
        }
    }
}
