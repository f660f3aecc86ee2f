//! How long an account keeps its recordings, and the work that removes older ones.
//!
//! A recording is marked first, and heard by nobody from then on; its files go next and its row last.
//! A process that is killed anywhere goes on with what is still there. Recordings that a person keeps
//! are never marked.

use std::{sync::Arc, time::Duration};

use ::jobs::{Handler, JobContext, JobEnd, Ways, Why};
use base::{Id, Timestamp, kind};
use db::Tx;
use host::retention::{self, Retention};

use super::{Shelf, keep, store};

const KIND: &str = "voice.remove_recordings";
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(10);
/// Recordings of one unit.
const UNIT: i64 = 200;

/// What is kept.
pub(super) struct Recordings;

impl Retention for Recordings {
    const ACTION: &'static str = "recording.retention";
    const JOB: &'static str = KIND;

    async fn days(tx: &mut Tx<'_>, account: Id<kind::Account>) -> db::Result<u32> {
        store::days(tx, account).await
    }

    async fn set_days(
        tx: &mut Tx<'_>,
        account: Id<kind::Account>,
        days: u32,
        now: Timestamp,
    ) -> db::Result<()> {
        store::set_days(tx, account, days, now).await
    }
}

/// The job.
pub(super) struct Remove(pub(super) Arc<Shelf>);

impl Handler for Remove {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: true, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match self.remove(job).await {
            Ok(end) => end,
            Err(why) => JobEnd::Retry { after: PAUSE, why },
        }
    }
}

impl Remove {
    async fn remove(&self, job: &JobContext) -> Result<JobEnd, Why> {
        let mut removed = 0;
        loop {
            if job.is_cancelled().await? {
                return Ok(JobEnd::Cancelled);
            }
            if job.is_stopping() {
                return Ok(JobEnd::Retry { after: Duration::ZERO, why: Why::stopping() });
            }
            let unit = self.mark(job).await?;
            if unit.is_empty() {
                return Ok(JobEnd::Done);
            }
            removed += unit.len() as u64;
            keep::remove(&self.0.handles, unit).await?;
            job.progress(removed, None).await?;
        }
    }

    /// Marks the next recordings that are too old, and gives all of the account that are marked.
    async fn mark(&self, job: &JobContext) -> db::Result<Vec<store::RecordingRow>> {
        let (account, now) = (job.account, self.0.handles.clock.now());
        let mark = self.0.handles.db.write(move |tx| {
            Box::pin(async move {
                let days = store::days(tx, account).await?;
                if days > 0 {
                    store::mark(tx, account, retention::limit(now, days), now, UNIT).await?;
                }
                store::marked(tx, account, UNIT).await
            })
        });
        mark.await
    }
}
