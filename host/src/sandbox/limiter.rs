//! Limits the *sum* over all memories and tables of a store; `wasmtime::StoreLimits` limits each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wasmtime::ResourceLimiter;

use super::EngineLimits;

/// The memory of one run, in bytes: shared by everything that takes from it.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
}

impl MemoryBudget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, used: AtomicU64::new(0), peak: AtomicU64::new(0) }
    }

    /// Takes some of it; nothing if there is not enough left.
    pub(crate) fn reserve(&self, bytes: u64) -> bool {
        let take = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let taken = self.used.fetch_update(Relaxed, Relaxed, take);
        if let Ok(before) = taken {
            self.peak.fetch_max(before + bytes, Relaxed);
        }
        taken.is_ok()
    }

    /// Gives back reserved bytes.
    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// The most that was reserved at one time.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }
}

/// The limiter of a run's store: of the memories and tables of plugin, stub and provider together.
#[derive(Debug)]
pub(super) struct StoreLimiter {
    limits: EngineLimits,
    memory: Arc<MemoryBudget>,
    /// The growth allowed last, to be given back if the system then refuses it.
    last: u64,
    elements: usize,
    refused: bool,
}

impl StoreLimiter {
    pub(super) fn new(memory: Arc<MemoryBudget>, limits: &EngineLimits) -> Self {
        Self { limits: *limits, memory, last: 0, elements: 0, refused: false }
    }

    pub(super) fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Whether the last request for memory was refused. A plugin that gets by without it, and whose
    /// next, smaller request is granted, is not out of memory.
    pub(super) fn is_exhausted(&self) -> bool {
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
        self.refused = !self.memory.reserve(growth);
        if !self.refused {
            self.last = growth;
        }
        Ok(!self.refused)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.release(std::mem::take(&mut self.last));
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
        StoreLimiter::new(Arc::new(MemoryBudget::new(bytes)), &EngineLimits::default())
    }

    #[test]
    fn memories_are_added_up() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 60, None).expect("no trap"));
        assert!(!limiter.memory_growing(0, 60, None).expect("no trap"), "they share the limit");
        assert!(limiter.is_exhausted());
        assert!(limiter.memory_growing(60, 100, None).expect("no trap"), "the limit itself");
        assert!(!limiter.is_exhausted(), "the plugin got by");
        assert!(!limiter.memory_growing(100, 101, None).expect("no trap"));
    }

    #[test]
    fn a_growth_the_system_refused_is_given_back_once() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 80, None).expect("no trap"));
        for _ in 0..2 {
            limiter.memory_grow_failed(wasmtime::format_err!("no pages")).expect("no trap");
        }
        assert!(limiter.is_exhausted());
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
