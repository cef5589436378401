//! The memory that is kept on behalf of one user, within a limit.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::limits::Refusal;

/// A limit on memory, and how much of it is used. Clones share both.
///
/// A host shares one budget between the linear memories of an instance and what it keeps for that
/// instance itself: handles, paths, labels, spooled files.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
}

impl MemoryBudget {
    /// A budget of `limit` bytes, none of which are used.
    pub fn new(limit: u64) -> Self {
        MemoryBudget(Arc::new(Budget { limit, used: AtomicU64::new(0), peak: AtomicU64::new(0) }))
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Bytes that are used now.
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were used at one moment.
    pub fn peak(&self) -> u64 {
        self.0.peak.load(Ordering::Relaxed)
    }

    /// Whether `bytes` more would fit.
    pub(crate) fn fits(&self, bytes: u64) -> Result<(), Refusal> {
        crate::limits::fits(WHAT, Some(self.0.limit), self.used(), bytes)
    }

    /// Uses `bytes` more, or changes nothing and returns false if they do not fit.
    #[must_use]
    pub fn reserve(&self, bytes: u64) -> bool {
        let grown = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.0.limit);
        let before = self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown);
        if let Ok(before) = before {
            self.0.peak.fetch_max(before + bytes, Ordering::Relaxed);
        }
        before.is_ok()
    }

    /// Gives back `bytes` of what was reserved.
    pub fn release(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What a budget limits, as a message calls it.
const WHAT: &str = "the instance's memory";

/// A part of a budget. Dropping it gives the part back. Without a budget everything fits.
pub(crate) struct MemoryCharge {
    budget: Option<MemoryBudget>,
    bytes: u64,
}

impl MemoryCharge {
    /// An empty part.
    pub(crate) const fn empty(budget: Option<MemoryBudget>) -> Self {
        MemoryCharge { budget, bytes: 0 }
    }

    /// Changes the size of the part. Shrinking always succeeds.
    ///
    /// # Errors
    /// `quota` if the budget does not have it; nothing has changed then.
    // Inlined, it would be in a component 13 times.
    #[inline(never)]
    pub(crate) fn resize(&mut self, bytes: u64) -> Result<(), Refusal> {
        if bytes < self.bytes {
            self.shrink(self.bytes - bytes);
        } else if let Some(budget) = &self.budget {
            let more = bytes - self.bytes;
            if !budget.reserve(more) {
                let (limit, used) = (budget.limit(), budget.used());
                return Err(Refusal { what: WHAT, limit, used, more });
            }
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Makes the part larger.
    ///
    /// # Errors
    /// As [`resize`](Self::resize).
    pub(crate) fn grow(&mut self, more: u64) -> Result<(), Refusal> {
        self.resize(self.bytes.saturating_add(more))
    }

    /// Makes the part smaller.
    pub(crate) fn shrink(&mut self, less: u64) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        if let Some(budget) = &self.budget {
            budget.release(less);
        }
    }

    /// Whether the part could be resized to `bytes`.
    pub(crate) fn fits(&self, bytes: u64) -> Result<(), Refusal> {
        let more = bytes.saturating_sub(self.bytes);
        self.budget.as_ref().map_or(Ok(()), |budget| budget.fits(more))
    }
}

impl Drop for MemoryCharge {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.release(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_given_back_when_it_is_dropped() {
        let budget = MemoryBudget::new(100);
        let mut charge = MemoryCharge::empty(Some(budget.clone()));
        charge.resize(60).unwrap();
        charge.resize(40).unwrap();
        assert_eq!(budget.used(), 40);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_charge_that_does_not_fit_changes_nothing() {
        let budget = MemoryBudget::new(100);
        let mut charge = MemoryCharge::empty(Some(budget.clone()));
        charge.resize(100).unwrap();
        for more in [1, u64::MAX] {
            let refusal = charge.grow(more).unwrap_err();
            assert_eq!((refusal.limit, refusal.used), (100, 100));
            assert_eq!(budget.used(), 100);
        }
    }
}
