//! Named checks that say whether the program can do its work.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use clock::Clock;
use futures::future::{BoxFuture, join_all};
use parking_lot::Mutex;

/// A check that has not answered by now counts as failed.
const PATIENCE: Duration = Duration::from_secs(3);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks behind `/readyz`. Clones share one list.
#[derive(Clone)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Check>>>,
    clock: Clock,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.checks.lock().keys()).finish()
    }
}

/// A check that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The check's name.
    pub check: &'static str,
    /// What is wrong, in words for the person who runs the program.
    pub reason: String,
}

impl Health {
    /// No checks yet.
    pub fn new(clock: Clock) -> Self {
        Self { checks: Arc::default(), clock }
    }

    /// Adds a check; one of the same name is replaced. `check` answers within seconds, and its
    /// error says what is wrong.
    pub fn check<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.lock().insert(name, Arc::new(move || Box::pin(check())));
    }

    /// Asks every check at once and returns those that failed, by name. Empty means ready.
    pub async fn trouble(&self) -> Vec<Trouble> {
        let checks: Vec<_> =
            self.checks.lock().iter().map(|(name, check)| (*name, Arc::clone(check))).collect();
        let asked = checks.into_iter().map(|(name, check)| async move {
            let answer = self.clock.timeout(PATIENCE, check()).await;
            let reason = match answer {
                Ok(Ok(())) => return None,
                Ok(Err(reason)) => reason,
                Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
            };
            Some(Trouble { check: name, reason })
        });
        join_all(asked).await.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_check_that_fails_or_hangs_is_named() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let health = Health::new(clock);
        health.check("good", || async { Ok(()) });
        assert_eq!(health.trouble().await, []);
        health.check("bad", || async { Err("the disk is full".to_owned()) });
        health.check("slow", std::future::pending);
        let move_on = async {
            hand.until_asleep(1).await;
            hand.advance(PATIENCE);
        };
        let (trouble, ()) = tokio::join!(health.trouble(), move_on);
        let bad = Trouble { check: "bad", reason: "the disk is full".to_owned() };
        let slow = Trouble { check: "slow", reason: "no answer within 3 s".to_owned() };
        assert_eq!(trouble, [bad, slow]);
    }
}
