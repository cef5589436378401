//! What plugin, stub and provider have together. Wasmtime's own limiter looks at each memory by itself.

use wasmtime::ResourceLimiter;

use super::Guards;

/// The memory and the tables of a run.
#[derive(Debug)]
pub(super) struct Budget {
    guards: Guards,
    limit: usize,
    used: usize,
    /// The growth allowed last, to be taken back if the system then refuses it.
    last: usize,
    elements: usize,
    refused: bool,
}

impl Budget {
    pub(super) fn new(limit: u64, guards: &Guards) -> Self {
        Self {
            guards: *guards,
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
        let allowed = elements <= self.guards.table_elements;
        if allowed {
            self.elements = elements;
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        self.guards.instances
    }

    fn tables(&self) -> usize {
        self.guards.tables
    }

    fn memories(&self) -> usize {
        self.guards.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_added_up() {
        let mut budget = Budget::new(100, &Guards::default());
        assert!(budget.memory_growing(0, 60, None).expect("no trap"));
        assert!(!budget.memory_growing(0, 60, None).expect("no trap"), "a second memory shares the limit");
        assert!(budget.is_exhausted());
        assert!(budget.memory_growing(60, 100, None).expect("no trap"), "up to the limit and including it");
        assert!(!budget.is_exhausted(), "the plugin got by");
        assert!(!budget.memory_growing(100, 101, None).expect("no trap"));
    }

    #[test]
    fn a_growth_the_system_refused_is_taken_back_once() {
        let mut budget = Budget::new(100, &Guards::default());
        assert!(budget.memory_growing(0, 80, None).expect("no trap"));
        for _ in 0..2 {
            budget.memory_grow_failed(wasmtime::format_err!("no pages")).expect("no trap");
        }
        assert!(budget.is_exhausted());
        assert!(budget.memory_growing(0, 100, None).expect("no trap"));
    }
}
