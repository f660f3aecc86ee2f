//! Loops that are started again when they fall over.

use std::{future::Future, sync::Arc, time::Duration};

use clock::Clock;
use futures::future::BoxFuture;

use crate::Shutdown;

/// The first pause before a fallen loop is started again; doubled up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// A loop that ran this long before it fell counts as healthy: the pause starts anew.
const HEALTHY: Duration = Duration::from_mins(1);

pub(crate) type Work = Arc<dyn Fn(Shutdown) -> BoxFuture<'static, ()> + Send + Sync>;

pub(crate) fn work<F, R>(work: F) -> Work
where
    F: Fn(Shutdown) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |shutdown| Box::pin(work(shutdown)))
}

/// Runs `work` until the server stops. When it panics or returns before that, it is started again
/// after a pause.
pub(crate) async fn supervise(name: &'static str, work: Work, clock: Clock, shutdown: Shutdown) {
    let mut pause = SHORTEST;
    loop {
        let started = clock.now();
        let ended = telemetry::spawn(name, work(shutdown.clone())).await;
        if shutdown.is_stopping() {
            return;
        }
        let why = if ended.is_err() { "it panicked" } else { "it returned" };
        if clock.now().since(started) >= HEALTHY {
            pause = SHORTEST;
        }
        tracing::error!(r#loop = name, why, "{name} ended and is started again in {pause:?}");
        tokio::select! {
            () = shutdown.stopping() => return,
            () = clock.sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use base::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_loop_that_falls_is_started_again_after_longer_and_longer_pauses() {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let shutdown = Shutdown::new();
        let runs = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&runs);
        let falling = work(move |shutdown: Shutdown| {
            let run = seen.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => panic!("planted"),
                    1 => {}
                    _ => shutdown.stopping().await,
                }
            }
        });
        let supervised =
            telemetry::spawn("test", supervise("falling", falling, clock, shutdown.clone()));
        hand.until_asleep(1).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        hand.advance(SHORTEST);
        hand.until_asleep(1).await;
        while runs.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        hand.until_asleep(1).await;
        hand.advance(SHORTEST * 2);
        while runs.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        shutdown.stop();
        supervised.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
