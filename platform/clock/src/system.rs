//! The computer's clock, smoothed so that it never goes back.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::Timestamp;
use parking_lot::Mutex;

/// A long wait is cut into pieces of this length, so that a computer that slept, or whose clock was
/// set forward, is late by this much at most.
const LONGEST_NAP: Duration = Duration::from_secs(20);

/// What was told last, and when by the steady counter.
#[derive(Debug)]
pub(crate) struct System(Mutex<Told>);

#[derive(Debug, Clone, Copy)]
struct Told {
    /// Nanoseconds since 1970.
    nanos: i64,
    steady: Instant,
}

impl System {
    pub(crate) fn start() -> Self {
        let (nanos, steady) = read();
        Self(Mutex::new(Told { nanos, steady }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        let mut told = self.0.lock();
        let (wall, steady) = read();
        let passed = steady.saturating_duration_since(told.steady).as_nanos() as i64;
        told.nanos = next(told.nanos, passed, wall);
        told.steady = steady;
        Timestamp::from_micros(told.nanos.div_euclid(1_000))
    }

    pub(crate) async fn sleep_until(&self, moment: Timestamp) {
        loop {
            let left = moment.since(self.now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(LONGEST_NAP)).await;
        }
    }
}

/// The time to tell, in nanoseconds, when `told` was told `passed` nanoseconds ago and the
/// computer now says `wall`.
const fn next(told: i64, passed: i64, wall: i64) -> i64 {
    if wall >= told { wall } else { told.saturating_add(passed / 2) }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the computer")]
fn read() -> (i64, Instant) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_nanos()).unwrap_or(i64::MAX), Instant::now())
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that waits by the computer")]
pub(crate) async fn sleep(span: Duration) {
    tokio::time::sleep(span).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_slows_down_until_both_agree() {
        let mut told = 1_000_000;
        let mut wall = 400_000;
        for _ in 0..200_000 {
            let before = told;
            wall += 100;
            told = next(told, 100, wall);
            assert!(told >= before);
        }
        assert_eq!(told, wall);
    }

    #[test]
    fn a_clock_set_forward_is_followed_at_once() {
        assert_eq!(next(1_000, 5, 9_000_000), 9_000_000);
    }

    #[test]
    fn time_does_not_go_back() {
        let system = System::start();
        let mut last = system.now();
        for _ in 0..10_000 {
            let now = system.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[tokio::test]
    async fn a_wait_ends_at_its_moment_and_not_before() {
        let system = System::start();
        let moment = system.now().plus(Duration::from_millis(20));
        system.sleep_until(moment).await;
        assert!(system.now() >= moment);
        system.sleep_until(Timestamp::EPOCH).await;
    }
}
