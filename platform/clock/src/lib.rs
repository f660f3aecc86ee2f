#![doc = include_str!("../README.md")]

mod ids;
mod manual;
mod system;

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use base::Timestamp;

pub use ids::Ids;
pub use manual::ManualClock;

use crate::{manual::Hand, system::System};

/// Tells the time and waits. Clones share one clock.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System(Arc<System>),
    Manual(Arc<Hand>),
}

/// The time given to [`Clock::timeout`] passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl std::fmt::Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the time allowed has passed")
    }
}

impl std::error::Error for Elapsed {}

impl Clock {
    /// The computer's clock, made to never go back.
    pub fn system() -> Self {
        Self(Source::System(Arc::new(System::start())))
    }

    /// A clock that stands at `start` until its hand is moved.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let hand = Arc::new(Hand::at(start));
        (Self(Source::Manual(Arc::clone(&hand))), ManualClock::new(hand))
    }

    /// The time; never earlier than what the same clock told before.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System(system) => system.now(),
            Source::Manual(hand) => hand.now(),
        }
    }

    /// Waits until [`Clock::now`] is `moment` or later; returns at once when it is.
    pub async fn sleep_until(&self, moment: Timestamp) {
        match &self.0 {
            Source::System(system) => system.sleep_until(moment).await,
            Source::Manual(hand) => hand.sleep_until(moment).await,
        }
    }

    /// Waits for `span`, counted from now.
    pub async fn sleep(&self, span: Duration) {
        match &self.0 {
            Source::System(_) => system::sleep(span).await,
            Source::Manual(hand) => hand.sleep_until(hand.now().plus(span)).await,
        }
    }

    /// The outcome of `work`, unless `span` passes first; `work` is then dropped.
    pub async fn timeout<T>(
        &self,
        span: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Ok(done),
            () = self.sleep(span) => Err(Elapsed),
        }
    }
}
