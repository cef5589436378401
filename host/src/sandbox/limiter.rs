//! Limits the *sum* over all memories and tables of a store; `wasmtime::StoreLimits` limits each.

use wasmtime::ResourceLimiter;

use super::EngineLimits;
use crate::provider::MemoryBudget;

/// The limiter of a run's store: of the memories and tables of plugin, stub and provider together.
#[derive(Debug)]
pub(super) struct StoreLimiter {
    limits: EngineLimits,
    memory: MemoryBudget,
    /// The growth allowed last, to be given back if the system then refuses it.
    last: u64,
    elements: usize,
    refused: Option<Refusal>,
}

/// Why the last request for memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It was over the limit of the run.
    Limit,
    /// It was within the limit, and over the maximum of the memory itself or of the engine's pool,
    /// or the system had no more.
    Engine,
}

impl StoreLimiter {
    pub(super) fn new(memory: MemoryBudget, limits: &EngineLimits) -> Self {
        Self { limits: *limits, memory, last: 0, elements: 0, refused: None }
    }

    pub(super) fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Why the last request for memory was refused, if it was. A plugin that gets by without it,
    /// and whose next, smaller request is granted, is not out of memory.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refused
    }
}

impl ResourceLimiter for StoreLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current) as u64;
        let granted = self.memory.reserve(growth);
        self.refused = (!granted).then_some(Refusal::Limit);
        if granted {
            self.last = growth;
        }
        Ok(granted)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.release(std::mem::take(&mut self.last));
        self.refused = Some(Refusal::Engine);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        let allowed = elements <= self.limits.table_elements;
        if allowed {
            self.elements = elements;
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(bytes: u64) -> StoreLimiter {
        StoreLimiter::new(MemoryBudget::new(bytes), &EngineLimits::default())
    }

    #[test]
    fn memories_are_added_up() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 60, None).expect("no trap"));
        assert!(!limiter.memory_growing(0, 60, None).expect("no trap"), "they share the limit");
        assert_eq!(limiter.refusal(), Some(Refusal::Limit));
        assert!(limiter.memory_growing(60, 100, None).expect("no trap"), "the limit itself");
        assert_eq!(limiter.refusal(), None, "the plugin got by");
        assert!(!limiter.memory_growing(100, 101, None).expect("no trap"));
    }

    #[test]
    fn a_growth_the_system_refused_is_given_back_once() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 80, None).expect("no trap"));
        for _ in 0..2 {
            limiter.memory_grow_failed(wasmtime::format_err!("no pages")).expect("no trap");
        }
        assert_eq!(limiter.refusal(), Some(Refusal::Engine));
        assert!(limiter.memory_growing(0, 100, None).expect("no trap"));
    }

    #[test]
    fn what_others_reserve_is_not_there_for_memories() {
        let mut limiter = limiter(100);
        let budget = limiter.memory.clone();
        assert!(budget.reserve(70));
        assert!(!limiter.memory_growing(0, 31, None).expect("no trap"));
        budget.release(70);
        assert!(limiter.memory_growing(0, 31, None).expect("no trap"));
        assert!(!budget.reserve(u64::MAX), "no overflow");
        assert_eq!(budget.peak(), 70);
    }
}
