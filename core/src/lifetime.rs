//! Time to live and idleness: which handles have had their time.
//!
//! Whoever keeps handles tells what becomes of them, with the time, and asks now and then which of them are due, to close those. What was
//! made from another handle (a file from its path, a child from its directory) belongs to it: using it uses all that it was made from, so
//! that a file which is written to does not lose its name meanwhile.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::limits::Limits;

/// The lives of handles, each called `K` by whoever keeps them. All times are nanoseconds from one start.
pub struct Lifetimes<K> {
    time_to_live: u64,
    idle: u64,
    lives: BTreeMap<K, Life<K>>,
    /// How many lives there have been. A key may be used again, this number is not.
    born: u64,
    /// No handle is due before.
    next: u64,
}

struct Life<K> {
    number: u64,
    since: u64,
    used: u64,
    /// What it was made from, and which life of that.
    from: Option<(K, u64)>,
}

impl<K: Copy + Ord> Lifetimes<K> {
    /// None where neither is limited, and nobody need be told anything.
    pub fn new(limits: &Limits) -> Option<Self> {
        if limits.time_to_live.is_none() && limits.idle.is_none() {
            return None;
        }
        Some(Lifetimes {
            time_to_live: limits.time_to_live.unwrap_or(u64::MAX),
            idle: limits.idle.unwrap_or(u64::MAX),
            lives: BTreeMap::new(),
            born: 0,
            next: u64::MAX,
        })
    }

    /// A handle was made, perhaps from another.
    pub fn opened(&mut self, key: K, from: Option<K>, now: u64) {
        let from = from.and_then(|from| Some((from, self.lives.get(&from)?.number)));
        self.born += 1;
        let life = Life { number: self.born, since: now, used: now, from };
        self.next = self.next.min(self.end(&life));
        self.lives.insert(key, life);
    }

    /// A handle was used, and with it what it was made from.
    pub fn used(&mut self, key: K, now: u64) {
        let mut next = self.lives.get_mut(&key);
        while let Some(life) = next {
            life.used = now;
            let from = life.from;
            next =
                from.and_then(|(key, number)| self.lives.get_mut(&key).filter(|life| life.number == number));
        }
    }

    /// A handle is gone.
    pub fn ended(&mut self, key: K) {
        self.lives.remove(&key);
    }

    /// The handles that have had their time, what was made before what it was made from. Each is told once: it is to be closed; one that
    /// can't be begins another life.
    pub fn due(&mut self, now: u64) -> Vec<K> {
        if now < self.next {
            return Vec::new();
        }
        let mut due: Vec<(u64, K)> = Vec::new();
        let (time_to_live, idle) = (self.time_to_live, self.idle);
        for (key, life) in &mut self.lives {
            if now >= end(life, time_to_live, idle) {
                (life.since, life.used) = (now, now);
                due.push((life.number, *key));
            }
        }
        self.next = self.lives.values().map(|life| self.end(life)).min().unwrap_or(u64::MAX);
        due.sort_unstable_by(|one, other| other.cmp(one));
        due.into_iter().map(|(_, key)| key).collect()
    }

    fn end(&self, life: &Life<K>) -> u64 {
        end(life, self.time_to_live, self.idle)
    }
}

fn end<K>(life: &Life<K>, time_to_live: u64, idle: u64) -> u64 {
    life.since.saturating_add(time_to_live).min(life.used.saturating_add(idle))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn with(time_to_live: Option<u64>, idle: Option<u64>) -> Lifetimes<u32> {
        Lifetimes::new(&Limits { time_to_live, idle, ..Limits::default() }).expect("limited")
    }

    #[test]
    fn without_limits_there_is_nothing_to_tell() {
        assert!(Lifetimes::<u32>::new(&Limits { bytes: Some(1), ..Limits::default() }).is_none());
    }

    #[test]
    fn age_ends_a_life_however_it_is_used() {
        let mut lives = with(Some(10), None);
        lives.opened(1, None, 100);
        lives.used(1, 109);
        assert_eq!(lives.due(109), vec![]);
        assert_eq!(lives.due(110), vec![1]);
    }

    #[test]
    fn idleness_begins_again_with_every_use() {
        let mut lives = with(None, Some(10));
        lives.opened(1, None, 0);
        lives.opened(2, None, 0);
        lives.used(1, 9);
        assert_eq!(lives.due(10), vec![2]);
        assert_eq!(lives.due(18), vec![]);
        assert_eq!(lives.due(19), vec![1]);
    }

    #[test]
    fn using_a_handle_uses_what_it_was_made_from() {
        let mut lives = with(None, Some(10));
        lives.opened(1, None, 0);
        lives.opened(2, Some(1), 0);
        lives.opened(3, Some(2), 0);
        lives.used(3, 9);
        assert_eq!(lives.due(18), vec![]);
        assert_eq!(lives.due(19), vec![3, 2, 1], "what was made last comes first");
    }

    #[test]
    fn a_key_that_is_used_again_is_another_handle() {
        let mut lives = with(None, Some(10));
        lives.opened(1, None, 0);
        lives.opened(2, Some(1), 0);
        lives.ended(1);
        lives.opened(1, None, 0);
        lives.used(2, 9);
        assert_eq!(lives.due(10), vec![1]);
    }

    #[test]
    fn one_that_can_not_be_closed_is_told_again_after_another_life() {
        let mut lives = with(Some(10), None);
        lives.opened(1, None, 0);
        assert_eq!(lives.due(10), vec![1]);
        assert_eq!(lives.due(19), vec![]);
        assert_eq!(lives.due(20), vec![1]);
        lives.ended(1);
        assert_eq!(lives.due(1000), vec![]);
    }

    #[test]
    fn no_clock_is_too_late() {
        let mut lives = with(Some(u64::MAX), Some(u64::MAX));
        lives.opened(1, None, 5);
        assert_eq!(lives.due(u64::MAX - 1), vec![]);
    }
}
