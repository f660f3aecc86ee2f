//! The background work of contacts, one file for each kind.

pub(crate) mod expire;
pub(crate) mod import;
pub(crate) mod pull;
pub(crate) mod purge;

use std::{sync::Arc, time::Duration};

use ::jobs::JobContext;
use clock::Clock;
use host::Socket;

use crate::State;

/// How long work that failed for another reason than the database waits for its next attempt.
const PAUSE: Duration = Duration::from_secs(10);

/// How often a database that is away is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// So many attempts in a row may get nowhere; then the work is given up with a reason that its page
/// shows. A database that is away does not count: it is waited for within the attempt.
const MOST_FRUITLESS: i64 = 10;

/// Asks the database until it is there, or the process is about to end. An outage of hours must not
/// cost a person their import.
pub(crate) async fn patiently<T, F, R>(clock: &Clock, job: &JobContext, mut ask: F) -> db::Result<T>
where
    F: FnMut() -> R,
    R: Future<Output = db::Result<T>>,
{
    let mut told = false;
    loop {
        match ask().await {
            Err(db::Error::Unavailable(why)) if !job.is_stopping() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(job.id = %job.id, why, "job {} waits for the database", job.id);
                }
                clock.sleep(ASK_AGAIN).await;
            }
            answer => return answer,
        }
    }
}

/// Declares the jobs.
pub(crate) fn plug(state: &Arc<State>, socket: &mut Socket) {
    socket.job(expire::Expire(Arc::clone(state)));
    socket.job(import::Import(Arc::clone(state)));
    socket.job(pull::Pull(Arc::clone(state)));
    socket.job(purge::Purge(Arc::clone(state)));
}
