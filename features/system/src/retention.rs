//! How long an account keeps its audit trail, and the work that removes older rows.

use std::{sync::Arc, time::Duration};

use ::jobs::{Handler, JobContext, JobEnd, Ways};
use base::{Id, Timestamp, kind};
use db::Tx;
use host::audit;
use serde_json::json;

use crate::State;

const KIND: &str = "system.prune_audit";
/// The key of an account's schedule.
const KEY: &str = "old";
/// How often old rows are looked for.
const ROUND: Duration = Duration::from_hours(24);
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(10);
/// Rows of one unit.
const UNIT: i64 = 500;

/// Keeps the trail for so many days from now on, or for ever; what is older goes at once.
pub(crate) async fn set(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    days: u32,
    now: Timestamp,
) -> db::Result<()> {
    audit::set_days(tx, account, days).await?;
    if days == 0 {
        ::jobs::unschedule(tx, account, KIND, KEY).await
    } else {
        ::jobs::schedule(tx, account, KIND, KEY, json!({}), ROUND, now).await
    }
}

/// The moment before which rows go.
pub(crate) fn limit(now: Timestamp, days: u32) -> Timestamp {
    now.minus(Duration::from_hours(24) * days)
}

/// The job.
pub(crate) struct Prune(pub(crate) Arc<State>);

impl Handler for Prune {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: true, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match self.prune(job).await {
            Ok(end) => end,
            Err(error) => JobEnd::Retry { after: PAUSE, why: error.to_string() },
        }
    }
}

impl Prune {
    async fn prune(&self, job: &JobContext) -> db::Result<JobEnd> {
        let mut removed = 0;
        loop {
            if job.is_cancelled().await? {
                return Ok(JobEnd::Cancelled);
            }
            if job.is_stopping() {
                let why = "the server stops".to_owned();
                return Ok(JobEnd::Retry { after: Duration::ZERO, why });
            }
            let (held, now) = (job.clone(), self.0.handles.clock.now());
            let unit = self.0.handles.db.write(move |tx| {
                Box::pin(async move {
                    let days = audit::days(tx, held.account).await?;
                    if days == 0 {
                        return Ok(0);
                    }
                    let gone = audit::prune(tx, held.account, limit(now, days), UNIT).await?;
                    held.progress_in(tx, removed + gone, None).await?;
                    Ok(gone)
                })
            });
            let gone = unit.await?;
            removed += gone;
            if gone < UNIT as u64 {
                return Ok(JobEnd::Done);
            }
        }
    }
}
