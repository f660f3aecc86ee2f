//! Removes campaigns for good, 30 days after they were deleted.
//!
//! A campaign is marked first, and seen by nobody from then on; then its exports, calls and contacts
//! go in units that each are one commit, and it itself last. A process that is killed anywhere goes
//! on with what is still there.

use std::{sync::Arc, time::Duration};

use ::jobs::{Handler, JobContext, JobEnd, Ways, Why};
use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use db::{Result, Tx};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use serde_json::json;

use super::export;
use crate::{
    runner::Dialers,
    store::{exports, purge},
};

const KIND: &str = "campaigns.purge";
/// The key of an account's schedule.
const KEY: &str = "deleted";
/// How long a deleted campaign can be restored.
pub(crate) const KEPT: Duration = Duration::from_hours(30 * 24);
/// How often deleted campaigns are looked through.
const ROUND: Duration = Duration::from_hours(24);
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(10);

/// Has the account's deleted campaigns looked through every day from now on.
pub(crate) async fn ensure(tx: &mut Tx<'_>, account: Id<Account>, now: Timestamp) -> Result<()> {
    ::jobs::ensure(tx, account, KIND, KEY, json!({}), ROUND, now.plus(ROUND)).await
}

/// As [`ensure`], for the accounts whose campaigns were deleted before this work existed.
pub(crate) async fn ensure_all(handles: &Handles, shutdown: host::Shutdown) {
    loop {
        let now = handles.clock.now();
        let ensured = handles.db.write(move |tx| {
            Box::pin(async move {
                for account in purge::accounts(tx).await? {
                    ensure(tx, account, now).await?;
                }
                Ok(())
            })
        });
        let Err(error) = ensured.await else { return shutdown.stopping().await };
        tracing::warn!(%error, "deleted campaigns cannot be looked for yet");
        tokio::select! {
            () = handles.clock.sleep(PAUSE) => {}
            () = shutdown.stopping() => return,
        }
    }
}

/// The handler.
pub(crate) struct Purge(pub(crate) Arc<Dialers>);

impl Handler for Purge {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: false, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match self.purge(job).await {
            Ok(end) => end,
            Err(error) => JobEnd::Retry { after: PAUSE, why: error.into() },
        }
    }
}

impl Purge {
    async fn purge(&self, job: &JobContext) -> Result<JobEnd> {
        let Handles { db, clock, .. } = &self.0.handles;
        let account = job.account;
        let mut rows = 0;
        loop {
            let now = clock.now();
            let next = db.write(move |tx| {
                Box::pin(async move { purge::next(tx, account, now.minus(KEPT), now).await })
            });
            let Some((campaign, name)) = next.await? else { return Ok(JobEnd::Done) };
            self.remove_exports(account, campaign).await?;
            loop {
                if job.is_stopping() {
                    return Ok(JobEnd::Retry { after: Duration::ZERO, why: Why::stopping() });
                }
                let (removed, is_whole) = self.unit(job, campaign, name.clone(), rows).await?;
                rows += removed;
                if is_whole {
                    break;
                }
                tokio::task::yield_now().await;
            }
            self.0.handles.hub.touch(account, "campaigns");
        }
    }

    async fn remove_exports(&self, account: Id<Account>, campaign: Id<Campaign>) -> Result<()> {
        let handles = &self.0.handles;
        loop {
            let read = handles.db.read(move |tx| {
                Box::pin(async move { exports::latest(tx, account, campaign).await })
            });
            let files = read.await?;
            if files.is_empty() {
                return Ok(());
            }
            for row in files {
                export::remove(handles, &row).await?;
            }
        }
    }

    /// One unit: how many rows it removed, and whether the campaign is gone.
    async fn unit(
        &self,
        job: &JobContext,
        campaign: Id<Campaign>,
        name: String,
        before: u64,
    ) -> Result<(u64, bool)> {
        let Handles { db, ids, clock, .. } = self.0.handles.clone();
        let (job, phones, now) = (job.clone(), Arc::clone(&self.0.phones), clock.now());
        db.write(move |tx| {
            Box::pin(async move {
                let removed = purge::some(tx, campaign).await?;
                if !removed.attempts.is_empty() {
                    phones.forget_recordings(tx, job.account, &removed.attempts, now).await?;
                }
                let rows = (removed.attempts.len() + removed.contacts) as u64;
                if removed.is_whole {
                    let entry = AuditEntry {
                        account: job.account,
                        user: None,
                        action: "campaign.purge",
                        subject: format!("campaign:{campaign}"),
                        detail: json!({ "name": name }),
                    };
                    audit::record(tx, &ids, entry, now).await?;
                }
                // Undoes the unit when the job is another process's by now.
                job.progress_in(tx, before + rows, None).await?;
                Ok((rows, removed.is_whole))
            })
        })
        .await
    }
}
