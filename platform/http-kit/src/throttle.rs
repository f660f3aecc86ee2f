//! How often something may be tried: a bucket of tries per key, refilled steadily.

use std::{collections::HashMap, hash::Hash, time::Duration};

use base::Timestamp;
use clock::Clock;
use parking_lot::Mutex;

use crate::{CommonProblem, Problem, Result};

/// More keys than this are never remembered: the map cannot be filled up from outside.
const MAX_KEYS: usize = 100_000;

/// Allows `burst` tries at once and one more every `interval`, for each key. Kept in memory, per
/// process.
pub struct Throttle<K> {
    clock: Clock,
    burst: u32,
    interval: Duration,
    /// When the bucket of a key is full again. Keys whose moment has passed are full.
    full_at: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// A throttle with all buckets full.
    pub fn new(clock: Clock, burst: u32, interval: Duration) -> Self {
        Self { clock, burst, interval, full_at: Mutex::default() }
    }

    /// Takes a try of `key`, or refuses with 429 and the time to wait.
    pub fn take(&self, key: &K) -> Result<()> {
        let now = self.clock.now();
        let mut full_at = self.full_at.lock();
        if full_at.len() >= MAX_KEYS {
            full_at.retain(|_, at| *at > now);
        }
        let at = full_at.get(key).map_or(now, |at| (*at).max(now));
        let after = at.plus(self.interval);
        let wait = after.since(now.plus(self.interval * self.burst));
        if wait > Duration::ZERO || (full_at.len() >= MAX_KEYS && !full_at.contains_key(key)) {
            return Err(Self::refusal(wait));
        }
        full_at.insert(key.clone(), after);
        Ok(())
    }

    /// Gives the last try back, when it turned out to be right.
    pub fn give_back(&self, key: &K) {
        let mut full_at = self.full_at.lock();
        if let Some(at) = full_at.get_mut(key) {
            *at = at.minus(self.interval);
        }
    }

    /// How many tries of `key` are left now.
    pub fn left(&self, key: &K) -> u32 {
        let now = self.clock.now();
        let missing = self.full_at.lock().get(key).map_or(Duration::ZERO, |at| at.since(now));
        let used = missing.as_micros().div_ceil(self.interval.as_micros().max(1));
        self.burst.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    fn refusal(wait: Duration) -> Problem {
        let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
        Problem::from(CommonProblem::TooManyRequests { retry_after_s: seconds })
            .retry_after(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_one_try_comes_back_per_interval_and_keys_do_not_share() {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let throttle = Throttle::new(clock, 3, Duration::from_mins(1));
        for left in [3, 2, 1] {
            assert_eq!(throttle.left(&"a"), left);
            throttle.take(&"a").unwrap();
        }
        assert_eq!(throttle.take(&"a").unwrap_err().code(), "too_many_requests");
        throttle.take(&"b").unwrap();
        hand.advance(Duration::from_secs(59));
        assert!(throttle.take(&"a").is_err());
        hand.advance(Duration::from_secs(1));
        throttle.take(&"a").unwrap();
        assert!(throttle.take(&"a").is_err());
        throttle.give_back(&"a");
        throttle.take(&"a").unwrap();
        hand.advance(Duration::from_hours(1));
        assert_eq!(throttle.left(&"a"), 3);
    }
}
