//! How long an account keeps its audit trail, and the work that removes older rows.

use std::{sync::Arc, time::Duration};

use ::jobs::{Handler, JobContext, JobEnd, Ways, Why};
use base::{Id, Timestamp, kind};
use db::Tx;
use host::{
    audit,
    retention::{self, Retention},
};

use crate::State;

const KIND: &str = "system.prune_audit";
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(10);
/// Rows of one unit.
const UNIT: i64 = 500;

/// What is kept.
pub(crate) struct Trail;

impl Retention for Trail {
    const ACTION: &'static str = "audit.retention";
    const JOB: &'static str = KIND;

    async fn days(tx: &mut Tx<'_>, account: Id<kind::Account>) -> db::Result<u32> {
        audit::days(tx, account).await
    }

    async fn set_days(
        tx: &mut Tx<'_>,
        account: Id<kind::Account>,
        days: u32,
        _now: Timestamp,
    ) -> db::Result<()> {
        audit::set_days(tx, account, days).await
    }
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
            Err(error) => JobEnd::Retry { after: PAUSE, why: error.into() },
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
                return Ok(JobEnd::Retry { after: Duration::ZERO, why: Why::stopping() });
            }
            let (held, now) = (job.clone(), self.0.handles.clock.now());
            let unit = self.0.handles.db.write(move |tx| {
                Box::pin(async move {
                    let days = audit::days(tx, held.account).await?;
                    if days == 0 {
                        return Ok(0);
                    }
                    let gone =
                        audit::prune(tx, held.account, retention::limit(now, days), UNIT).await?;
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
