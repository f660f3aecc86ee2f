//! A clock that is moved by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base::Timestamp;
use tokio::sync::watch;

/// The state that a manual [`crate::Clock`] and its [`ManualClock`] share.
#[derive(Debug)]
pub(crate) struct Hand {
    now: watch::Sender<Timestamp>,
    sleepers: watch::Sender<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    next: u64,
    waiting: BTreeMap<u64, Timestamp>,
}

impl Hand {
    pub(crate) fn at(start: Timestamp) -> Self {
        Self { now: watch::Sender::new(start), sleepers: watch::Sender::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    pub(crate) async fn sleep_until(&self, moment: Timestamp) {
        let mut now = self.now.subscribe();
        if *now.borrow_and_update() >= moment {
            return;
        }
        let _sleeping = Sleeping::register(self, moment);
        // The sender lives in `self`, so the wait ends by the time only.
        let _ = now.wait_for(|now| *now >= moment).await;
    }
}

/// One wait; leaves the list when it ends or is dropped.
struct Sleeping<'a> {
    hand: &'a Hand,
    key: u64,
}

impl<'a> Sleeping<'a> {
    fn register(hand: &'a Hand, moment: Timestamp) -> Self {
        let mut key = 0;
        hand.sleepers.send_modify(|sleepers| {
            key = sleepers.next;
            sleepers.next += 1;
            sleepers.waiting.insert(key, moment);
        });
        Self { hand, key }
    }
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        self.hand.sleepers.send_modify(|sleepers| {
            sleepers.waiting.remove(&self.key);
        });
    }
}

/// The hand of a manual clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Hand>);

impl ManualClock {
    pub(crate) const fn new(hand: Arc<Hand>) -> Self {
        Self(hand)
    }

    /// Moves the clock forward by `span` and wakes whoever waited for a moment passed on the way.
    pub fn advance(&self, span: Duration) {
        self.0.now.send_modify(|now| *now = now.plus(span));
    }

    /// Moves the clock to `moment`; a moment that has passed leaves it where it is.
    pub fn set(&self, moment: Timestamp) {
        self.0.now.send_modify(|now| *now = moment.max(*now));
    }

    /// The earliest moment that anyone waits for.
    pub fn next_sleeper(&self) -> Option<Timestamp> {
        self.0.sleepers.borrow().waiting.values().min().copied()
    }

    /// Returns once at least `count` waits are going on, so that a test moves the clock only after
    /// the code under test has begun to wait.
    pub async fn until_asleep(&self, count: usize) {
        // The sender lives in `self`, so this ends by the count only.
        let _ = self.0.sleepers.subscribe().wait_for(|s| s.waiting.len() >= count).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, task::Poll};

    use super::*;
    use crate::{Clock, Elapsed};

    fn polled<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::pin::Pin::new(future)
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_hand_passes_its_moment() {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(100));
        let mut wait = Box::pin(clock.sleep(Duration::from_secs(10)));
        assert!(polled(&mut wait).is_pending());
        assert_eq!(hand.next_sleeper(), Some(Timestamp::from_seconds(110)));
        hand.advance(Duration::from_secs(9));
        assert!(polled(&mut wait).is_pending());
        hand.advance(Duration::from_secs(1));
        assert!(polled(&mut wait).is_ready());
        drop(wait);
        assert_eq!(hand.next_sleeper(), None);
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_is_not_waited_for() {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(100));
        clock.sleep_until(Timestamp::from_seconds(100)).await;
        hand.set(Timestamp::from_seconds(50));
        assert_eq!(clock.now(), Timestamp::from_seconds(100));
        hand.set(Timestamp::from_seconds(150));
        assert_eq!(clock.now(), Timestamp::from_seconds(150));
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_given_up() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let work = clock.timeout(Duration::from_secs(5), std::future::pending::<()>());
        let move_on = async {
            hand.until_asleep(1).await;
            hand.advance(Duration::from_secs(5));
        };
        let (outcome, ()) = tokio::join!(work, move_on);
        assert_eq!(outcome, Err(Elapsed));
        assert_eq!(clock.timeout(Duration::ZERO, std::future::ready(7)).await, Ok(7));
    }
}
