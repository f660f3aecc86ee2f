//! Takes contacts of lists up into a campaign, in units, resumable.

use std::{sync::Arc, time::Duration};

use ::jobs::{Handler, JobContext, JobEnd, Ways, Why};
use base::{
    Id, Timestamp,
    kind::{Account, Campaign, ContactList},
};
use db::{Result, Tx};
use dialer::CampaignState;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    runner::{Command, Dialers},
    store::{
        as_json, campaigns, document,
        prepare::{self, At},
    },
};

const KIND: &str = "campaigns.prepare";
/// How long a failed attempt waits.
const PAUSE: Duration = Duration::from_secs(2);

/// Asks for the job, unless it waits already.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &clock::Ids,
    account: Id<Account>,
    campaign: Id<Campaign>,
    now: Timestamp,
) -> Result<()> {
    let dedupe = format!("campaign:{campaign}");
    let payload = json!({ "campaign": campaign });
    ::jobs::enqueue(tx, ids, account, KIND, payload, Some(&dedupe), now).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Payload {
    campaign: Id<Campaign>,
}

/// Lists that are still to be read, and where in the first of them to go on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    lists: Vec<Left>,
    done: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Left {
    list: Id<ContactList>,
    updated_at: i64,
    contact: i64,
}

/// The handler.
pub(crate) struct Prepare(pub(crate) Arc<Dialers>);

impl Handler for Prepare {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: false, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match self.prepare(job).await {
            Ok(end) => end,
            Err(error) => JobEnd::Retry { after: PAUSE, why: error.into() },
        }
    }
}

impl Prepare {
    async fn prepare(&self, job: &JobContext) -> Result<JobEnd> {
        let Payload { campaign } = document(job.payload.clone())?;
        let mut cursor = match job.cursor.clone() {
            Some(saved) => document(saved)?,
            None => self.begin(job.account, campaign).await?,
        };
        while !cursor.lists.is_empty() {
            if job.is_cancelled().await? {
                return Ok(JobEnd::Cancelled);
            }
            if job.is_stopping() {
                return Ok(JobEnd::Retry { after: Duration::ZERO, why: Why::stopping() });
            }
            cursor = self.unit(job, campaign, cursor).await?;
            self.0.tell(job.account, Command::Work(campaign)).await;
        }
        let account = job.account;
        self.0
            .handles
            .db
            .write(move |tx| {
                Box::pin(
                    async move { campaigns::set_preparing(tx, account, campaign, false).await },
                )
            })
            .await?;
        self.0.changed(account, campaign).await;
        Ok(JobEnd::Done)
    }

    async fn begin(&self, account: Id<Account>, campaign: Id<Campaign>) -> Result<Cursor> {
        let lists = self
            .0
            .handles
            .db
            .read(move |tx| {
                Box::pin(async move {
                    let row = campaigns::get(tx, account, campaign).await?;
                    let over =
                        matches!(row.state, CampaignState::Completed | CampaignState::Stopped);
                    if over || row.deleted_at.is_some() {
                        return Ok(Vec::new());
                    }
                    prepare::starts(tx, account, campaign).await
                })
            })
            .await?;
        let left = |(list, at): (Id<ContactList>, At)| Left {
            list,
            updated_at: at.updated_at,
            contact: at.contact,
        };
        Ok(Cursor { lists: lists.into_iter().map(left).collect(), done: 0 })
    }

    /// One unit: contacts taken up and the cursor saved in the same transaction.
    async fn unit(
        &self,
        job: &JobContext,
        campaign: Id<Campaign>,
        mut cursor: Cursor,
    ) -> Result<Cursor> {
        let Some(first) = cursor.lists.first().copied() else { return Ok(cursor) };
        let (job, ids) = (job.clone(), self.0.handles.ids.clone());
        self.0
            .handles
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let at = At { updated_at: first.updated_at, contact: first.contact };
                    let next =
                        prepare::unit(tx, job.account, campaign, first.list, at, &ids).await?;
                    match next {
                        Some(At { updated_at, contact }) => {
                            cursor.lists[0] = Left { list: first.list, updated_at, contact };
                            cursor.done += prepare::UNIT as u64;
                        }
                        None => {
                            cursor.lists.remove(0);
                        }
                    }
                    job.progress_in(tx, cursor.done, None).await?;
                    job.save_in(tx, as_json(&cursor)?).await?;
                    Ok(cursor)
                })
            })
            .await
    }
}
