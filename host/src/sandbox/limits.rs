//! What a run may use of the host. Wasmtime's defaults serve embedders who trust their guests; each is set here on purpose.

use wasmtime::{ResourceLimiter, Store};
use wasmtime_wasi::{ResourceTable, WasiCtxBuilder};

use super::State;

/// Open descriptors, streams and pollables of a run. A full table is a trap, where a system that is out of descriptors is an
/// error the plugin can handle; so this is above the usual limit of open files, and far below the million of the default.
const TABLE_ENTRIES: usize = 16_384;

/// Handles in the tables of plugin, stub and provider. One temporary file takes up to three, and so does a directory.
const COMPONENT_HANDLES: usize = 65_536;

/// What one call may make the host copy. A plugin writes large buffers in one piece, but a list of lists that all show
/// the same memory must not become gigabytes on this side.
const HOSTCALL_FUEL: usize = 64 << 20;

/// Random bytes in one call: generous for keys and names, and nothing that fills the host's memory.
const RANDOM_BYTES: u64 = 1 << 20;

/// Elements in all tables of plugin, stub and provider together, at a pointer each: function pointers, in practice.
const TABLE_ELEMENTS: usize = 1 << 20;

/// Core instances, memories and tables in one run. A composed Rust plugin has about ten of each.
const INSTANCES: usize = 256;

/// The limits that are the store's.
pub(super) fn apply(store: &mut Store<State>) {
    store.set_hostcall_fuel(HOSTCALL_FUEL);
    store.set_max_component_handles(COMPONENT_HANDLES);
}

/// The limits that are WASI's.
pub(super) fn apply_wasi(wasi: &mut WasiCtxBuilder) {
    wasi.max_random_size(RANDOM_BYTES);
    // No address is allowed by default either; without the protocols there is not even a socket to count.
    wasi.allow_tcp(false);
    wasi.allow_udp(false);
    wasi.allow_ip_name_lookup(false);
}

/// The limit that is the table's.
pub(super) fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(TABLE_ENTRIES);
    table
}

/// The memory of a run: plugin, stub and provider together. Wasmtime's own limiter looks at each memory by itself.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: usize,
    /// The growth allowed last, to be taken back if the system then refuses it.
    last: usize,
    elements: usize,
    refused: bool,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            used: 0,
            last: 0,
            elements: 0,
            refused: false,
        }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit as u64
    }

    /// The most there was. Memories never shrink, so that is what there is.
    pub(super) fn used(&self) -> u64 {
        self.used as u64
    }

    /// Whether the last wish for memory was refused. A plugin that gets by without it, and asks for less next, is not
    /// out of memory.
    pub(super) fn is_exhausted(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let used = self.used.saturating_add(growth);
        self.refused = used > self.limit;
        if !self.refused {
            self.used = used;
            self.last = growth;
        }
        Ok(!self.refused)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.used -= std::mem::take(&mut self.last);
        self.refused = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        let allowed = elements <= TABLE_ELEMENTS;
        if allowed {
            self.elements = elements;
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_added_up() {
        let mut budget = Budget::new(100);
        assert!(budget.memory_growing(0, 60, None).expect("no trap"));
        assert!(!budget.memory_growing(0, 60, None).expect("no trap"), "a second memory shares the limit");
        assert!(budget.is_exhausted());
        assert!(budget.memory_growing(60, 100, None).expect("no trap"), "up to the limit and including it");
        assert!(!budget.is_exhausted(), "the plugin got by");
        assert!(!budget.memory_growing(100, 101, None).expect("no trap"));
    }

    #[test]
    fn a_growth_the_system_refused_is_taken_back_once() {
        let mut budget = Budget::new(100);
        assert!(budget.memory_growing(0, 80, None).expect("no trap"));
        for _ in 0..2 {
            budget.memory_grow_failed(wasmtime::format_err!("no pages")).expect("no trap");
        }
        assert!(budget.is_exhausted());
        assert!(budget.memory_growing(0, 100, None).expect("no trap"));
    }
}
