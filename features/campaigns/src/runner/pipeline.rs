//! Everything of a loop that is written, in order, one batch at a time.
//!
//! A batch is a unit of work; what could not be written is kept and tried again, so the ends of
//! calls survive a database that is away.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use base::{
    Id, Timestamp,
    kind::{Account, Attempt, Campaign, CampaignContact},
};
use db::{Db, Error, Result, Tx};
use dialer::{CampaignState, Candidate, Event, Finish, Next, Refusal, Returned};
use host::audit::{self, AuditEntry};
use serde::Serialize;
use serde_json::json;

use crate::store::{
    campaigns, claims, contacts,
    counts::Deltas,
    finishes::{self, Mark, Wire},
    lease::{self, Lease},
};

/// Something to be written or read.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Mark {
        attempt: Id<Attempt>,
        mark: Mark,
    },
    Return {
        campaign: Id<Campaign>,
        contact: Id<CampaignContact>,
        at: Timestamp,
        because: Returned,
    },
    Finish {
        boot: i64,
        finish: Box<Finish>,
        wire: Option<Box<Wire>>,
    },
    GiveBack {
        attempts: Vec<Id<Attempt>>,
        again_at: Timestamp,
    },
    Complete {
        campaign: Id<Campaign>,
    },
    /// Nothing; succeeds when the database can be written again.
    Ping,
    /// Read due contacts.
    Refill {
        campaign: Id<Campaign>,
        n: u32,
    },
    /// Read a campaign's row.
    Reload {
        campaign: Id<Campaign>,
    },
}

impl Work {
    /// Whether it is read, and so not part of a batch of writing.
    const fn reads(&self) -> bool {
        matches!(self, Self::Refill { .. } | Self::Reload { .. })
    }
}

/// What a step of the pipeline came to.
#[derive(Debug)]
pub(super) enum Step {
    /// A batch was written.
    Wrote(Vec<Event>),
    /// Due contacts.
    Refilled { campaign: Id<Campaign>, found: Result<(Vec<Candidate>, Option<Timestamp>)> },
    /// A campaign's row.
    Reloaded { campaign: Id<Campaign>, row: Result<Box<campaigns::Row>> },
    /// A batch was not written and is to be tried again.
    Failed { batch: Vec<Work>, error: Error },
}

/// Works of one batch at most.
const BATCH: usize = 200;
/// More than so many waiting works are worth a warning.
pub(super) const BOUND: usize = 10_000;
/// How long a batch that failed waits.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// The fact that an attempt ended, on the bus.
#[derive(Debug, Clone, Serialize)]
struct AttemptEnded {
    attempt: Id<Attempt>,
    campaign: Id<Campaign>,
    contact: Option<Id<CampaignContact>>,
    outcome: call::Outcome,
}

/// Takes the next step out of the queue: a batch of writing, or one thing to read.
pub(super) fn next(queue: &mut VecDeque<Work>) -> Option<Vec<Work>> {
    let first = queue.front()?;
    let n = if first.reads() {
        1
    } else {
        queue.iter().take(BATCH).take_while(|work| !work.reads()).count()
    };
    Some(queue.drain(..n).collect())
}

/// What the pipeline works with.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) db: Db,
    pub(super) ids: clock::Ids,
    pub(super) account: Id<Account>,
    pub(super) lease: Lease,
}

/// Does one step.
pub(super) async fn step(tools: Tools, batch: Vec<Work>) -> Step {
    match batch.first() {
        Some(Work::Refill { campaign, n }) => {
            let (campaign, n, ids) = (*campaign, *n, tools.ids.clone());
            let found = tools
                .db
                .read(move |tx| {
                    Box::pin(async move {
                        let now = ids.clock().now();
                        claims::candidates(tx, campaign, n, now, &ids).await
                    })
                })
                .await;
            Step::Refilled { campaign, found }
        }
        Some(Work::Reload { campaign }) => {
            let (campaign, account) = (*campaign, tools.account);
            let row = tools
                .db
                .read(move |tx| {
                    Box::pin(async move { campaigns::get(tx, account, campaign).await })
                })
                .await;
            Step::Reloaded { campaign, row: row.map(Box::new) }
        }
        _ => write(tools, batch).await,
    }
}

async fn write(tools: Tools, batch: Vec<Work>) -> Step {
    let batch = Arc::new(batch);
    match write_all(&tools, Arc::clone(&batch)).await {
        Ok(events) => Step::Wrote(events),
        Err(error) if is_away(&error) => {
            let batch = Arc::try_unwrap(batch).unwrap_or_else(|shared| (*shared).clone());
            Step::Failed { batch, error }
        }
        Err(error) => {
            tracing::error!(%error, works = batch.len(), "a batch was refused and is taken apart");
            one_by_one(&tools, &batch).await
        }
    }
}

/// Whether trying again may help.
pub(super) const fn is_away(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(_) | Error::CommitUnknown(_) | Error::Retry(_) | Error::Closed
    )
}

/// A work that no database takes must not hold up the others: it is dropped and said. An attempt
/// that so stays open is ended by the reconciler.
async fn one_by_one(tools: &Tools, batch: &[Work]) -> Step {
    let mut events = Vec::new();
    for (n, work) in batch.iter().enumerate() {
        match write_all(tools, Arc::new(vec![work.clone()])).await {
            Ok(heard) => events.extend(heard),
            Err(error) if is_away(&error) => {
                // What was written before tells its events again: each is harmless twice.
                return Step::Failed { batch: batch[n..].to_vec(), error };
            }
            Err(error) => {
                tracing::error!(%error, ?work, "this could not be written and is given up");
                if let Work::Finish { finish, .. } = work {
                    events.push(Event::Finished { attempt: finish.attempt });
                }
            }
        }
    }
    Step::Wrote(events)
}

async fn write_all(tools: &Tools, batch: Arc<Vec<Work>>) -> Result<Vec<Event>> {
    let Tools { db, ids, account, lease } = tools.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let (mut deltas, mut events) = (Deltas::default(), Vec::new());
            for work in batch.iter() {
                one(tx, &ids, account, lease, work, &mut deltas, &mut events).await?;
            }
            deltas.write(tx, account).await?;
            Ok(events)
        })
    })
    .await
}

async fn one(
    tx: &mut Tx<'_>,
    ids: &clock::Ids,
    account: Id<Account>,
    lease: Lease,
    work: &Work,
    deltas: &mut Deltas,
    events: &mut Vec<Event>,
) -> Result<()> {
    let now = ids.clock().now();
    match work {
        Work::Mark { attempt, mark } => finishes::mark(tx, lease.boot, *attempt, mark).await?,
        Work::Return { campaign, contact, at, because } => {
            claims::put_off(tx, *contact, *at, now).await?;
            // A number that is in use for a moment is no decision that anybody asks about.
            if *because == Returned::Shut {
                let until = Some(*at).filter(|at| *at < Timestamp::MAX);
                let refusal = Refusal::Shut { until };
                claims::log(tx, account, *campaign, *contact, &refusal, now).await?;
            }
        }
        Work::Finish { boot, finish, wire } => {
            let wire = wire.as_deref();
            let done = finishes::finish(tx, account, *boot, finish, wire, deltas).await?;
            if done == finishes::Finished::Now {
                announce(tx, ids, account, finish).await?;
            }
            if *boot == lease.boot {
                events.push(Event::Finished { attempt: finish.attempt });
            }
            if let (Next::Retry { at, .. }, Some(_)) = (finish.verdict.next, finish.contact) {
                events.push(Event::Work { campaign: finish.campaign, at });
            }
        }
        Work::GiveBack { attempts, again_at } => {
            for (campaign, at) in finishes::give_back(tx, attempts, *again_at, deltas).await? {
                events.push(Event::GivenBack { campaign, at });
            }
        }
        Work::Complete { campaign } => complete(tx, ids, account, *campaign, events).await?,
        Work::Ping => {
            lease::stands(tx, account, lease).await?;
        }
        Work::Refill { .. } | Work::Reload { .. } => {}
    }
    Ok(())
}

async fn announce(
    tx: &mut Tx<'_>,
    ids: &clock::Ids,
    account: Id<Account>,
    finish: &Finish,
) -> Result<()> {
    let Finish { attempt, campaign, contact, verdict, .. } = finish;
    let fact = AttemptEnded {
        attempt: *attempt,
        campaign: *campaign,
        contact: *contact,
        outcome: verdict.outcome,
    };
    let subject = format!("campaigns.attempt_ended:{attempt}");
    db::outbox::put(tx, ids, account, &subject, 1, &fact).await
}

/// Completes a campaign unless its rows say that somebody is left after all.
async fn complete(
    tx: &mut Tx<'_>,
    ids: &clock::Ids,
    account: Id<Account>,
    campaign: Id<Campaign>,
    events: &mut Vec<Event>,
) -> Result<()> {
    let now = ids.clock().now();
    let row = campaigns::get_locked(tx, account, campaign).await?;
    if row.state != CampaignState::Running {
        events.push(Event::Paused { campaign });
        return Ok(());
    }
    let left = contacts::work(tx, campaign).await?;
    if let Some(at) = left {
        events.push(Event::Work { campaign, at });
        return Ok(());
    }
    if row.preparing {
        // The job that makes contacts says when it is done.
        return Ok(());
    }
    let (from, to) = (CampaignState::Running, CampaignState::Completed);
    campaigns::move_to(tx, account, campaign, from, to, now).await?;
    let entry = AuditEntry {
        account,
        user: None,
        action: "campaign.complete",
        subject: format!("campaign:{campaign}"),
        detail: json!({}),
    };
    audit::record(tx, ids, entry, now).await?;
    events.push(Event::Paused { campaign });
    Ok(())
}
