//! Jobs as rows.

use std::time::Duration;

use base::{
    Id, Timestamp,
    kind::{Account, Job},
};
use clock::Ids;
use db::{Error, Result, Tx, args, record, sql};
use serde_json::Value;

use crate::{JobContext, JobEnd, Why};

/// What [`db::Db::woken`] calls a commit with new jobs in it.
pub(crate) const WAKE: &str = "jobs";
/// How long a running job is its process's alone.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// A job that was begun this often in a row without getting anywhere has failed.
pub(crate) const MOST_ATTEMPTS: i64 = 20;
/// How long ended jobs are kept.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for its first attempt.
    Ready,
    /// Waits for another attempt.
    Retry,
    /// Is being done.
    Running,
    /// Ended well.
    Done,
    /// Ended badly; the reason says why.
    Failed,
    /// Ended because somebody asked.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Ready, Self::Retry, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Retry => "retry",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

impl db::FromValue for JobState {
    fn from_value(value: db::Value) -> Result<Self> {
        let text = String::from_value(value)?;
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| Error::Decode(format!("{text:?} as the state of a job")))
    }
}

record! {
    /// A job as people may see it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct JobView {
        /// The job.
        pub id: Id<Job>,
        /// Which handler does it.
        pub kind: String,
        /// What [`crate::enqueue`] was given.
        pub payload: Value,
        /// Where it stands.
        pub state: JobState,
        /// How often it was begun.
        pub attempt: i64,
        /// How far it is.
        pub done: u64,
        /// Of how much, when that is known.
        pub total: Option<u64>,
        /// Why it failed, or why it is tried again, in English.
        pub reason: Option<String>,
        /// The code of that: of a [`crate::Cause`] or of a feature's problem.
        pub reason_code: Option<String>,
        /// The values of its sentence.
        pub reason_params: Option<Value>,
        /// When somebody asked it to stop.
        pub cancel_at: Option<Timestamp>,
        /// Not before this moment is it begun.
        pub run_at: Timestamp,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When its first attempt began.
        pub started_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
    }
}

record! {
    /// A job that this process has just taken.
    #[derive(Debug)]
    pub(crate) struct Claimed {
        pub(crate) id: Id<Job>,
        pub(crate) account: Id<Account>,
        pub(crate) kind: String,
        pub(crate) payload: Value,
        pub(crate) cursor: Option<Value>,
        pub(crate) attempt: i64,
        pub(crate) progressed: i64,
    }
}

/// Asks for work in the unit of `tx`: it is done if and only if the unit is kept. With `dedupe`,
/// gives the id of the job of the same kind, account and key that already waits, if one does.
pub async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<Account>,
    kind: &'static str,
    payload: Value,
    dedupe: Option<&str>,
    now: Timestamp,
) -> Result<Id<Job>> {
    insert(tx, ids, account, kind, payload, dedupe, now).await
}

/// As [`enqueue`], of a kind that was stored.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<Account>,
    kind: &str,
    payload: Value,
    dedupe: Option<&str>,
    now: Timestamp,
) -> Result<Id<Job>> {
    let insert = sql!(
        "INSERT INTO job (id, account, kind, payload, dedupe, state, run_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'ready', $6, $6)
         ON CONFLICT (account, kind, dedupe) WHERE dedupe IS NOT NULL AND state = 'ready'
           DO UPDATE SET state = 'ready'
         RETURNING id"
    );
    let id = ids.next::<Job>();
    let (id,) = tx.one(insert, args![id, account, kind, payload, dedupe, now]).await?;
    tx.wake(WAKE);
    Ok(id)
}

/// Asks a job to stop. One that waits is cancelled at once; one that has ended stays as it is.
/// [`Error::NotFound`] when the account has no such job.
pub async fn cancel(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Job>,
    now: Timestamp,
) -> Result<()> {
    let update = sql!(
        "UPDATE job SET
           cancel_at = COALESCE(cancel_at, $3),
           ended_at = CASE WHEN state = 'running' THEN ended_at ELSE $3 END,
           state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END
         WHERE account = $1 AND id = $2 AND state IN ('ready', 'retry', 'running')"
    );
    if tx.exec(update, args![account, id, now]).await? == 0 {
        view(tx, account, id).await?;
    }
    Ok(())
}

/// A job of the account; [`Error::NotFound`] when there is none.
pub async fn view(tx: &mut Tx<'_>, account: Id<Account>, id: Id<Job>) -> Result<JobView> {
    let select = sql!(
        "SELECT id, kind, payload, state, attempt, units_done, units_total, reason, reason_code,
           reason_params, cancel_at,
           run_at, created_at, started_at, ended_at
         FROM job WHERE account = $1 AND id = $2"
    );
    tx.one(select, args![account, id]).await
}

/// The jobs of an account, the newest first, below the id given; with `state`, only those.
pub async fn page(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    state: Option<JobState>,
    below: i64,
    limit: i64,
) -> Result<Vec<JobView>> {
    // Two texts, since each is to go along an index of its own.
    let Some(state) = state else {
        let all = sql!(
            "SELECT id, kind, payload, state, attempt, units_done, units_total, reason, reason_code,
           reason_params, cancel_at,
               run_at, created_at, started_at, ended_at
             FROM job WHERE account = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        return tx.all(all, args![account, below, limit]).await;
    };
    let some = sql!(
        "SELECT id, kind, payload, state, attempt, units_done, units_total, reason, reason_code,
           reason_params, cancel_at,
           run_at, created_at, started_at, ended_at
         FROM job WHERE account = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4"
    );
    tx.all(some, args![account, state.as_str(), below, limit]).await
}

/// Has a job that waits for another attempt done as soon as there is room, and with `again` one
/// that failed. False when it is neither. [`Error::NotFound`] when the account has no such job.
pub async fn hurry(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Job>,
    again: bool,
    now: Timestamp,
) -> Result<bool> {
    // What failed begins its count of fruitless attempts anew.
    let update = sql!(
        "UPDATE job SET state = 'retry', run_at = $3, ended_at = NULL, progressed = attempt
         WHERE account = $1 AND id = $2 AND (state = 'retry' OR (state = 'failed' AND $4))"
    );
    let hurried = tx.exec(update, args![account, id, now, again]).await? == 1;
    if !hurried {
        view(tx, account, id).await?;
    }
    tx.wake(WAKE);
    Ok(hurried)
}

/// Asks a job to stop by itself: one that waits is begun at once, so that its handler ends what it
/// was for; see [`crate::Ways::stop`]. False when it has ended. [`Error::NotFound`] when the account
/// has no such job.
pub async fn stop(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    id: Id<Job>,
    now: Timestamp,
) -> Result<bool> {
    let update = sql!(
        "UPDATE job SET cancel_at = COALESCE(cancel_at, $3),
           run_at = CASE WHEN state = 'running' THEN run_at ELSE $3 END
         WHERE account = $1 AND id = $2 AND state IN ('ready', 'retry', 'running')"
    );
    let asked = tx.exec(update, args![account, id, now]).await? == 1;
    if !asked {
        view(tx, account, id).await?;
    }
    tx.wake(WAKE);
    Ok(asked)
}

/// Takes up to `most` jobs of `kinds` that are due, or whose process is gone.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    boot: i64,
    kinds: Vec<&'static str>,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Claimed>> {
    // One process owns an SQLite file, so a job of another boot is nobody's; on a server the other
    // process may live.
    let claim = tx.pick(
        sql!(sqlite: "UPDATE job SET state = 'running', boot = $1, lease_until = $2,
               attempt = attempt + 1, started_at = COALESCE(started_at, $3)
             WHERE id IN (
               SELECT j.id FROM job j
               WHERE j.kind IN (SELECT value FROM json_each($4))
                 AND ((j.state IN ('ready', 'retry') AND j.run_at <= $3)
                   OR (j.state = 'running' AND j.boot <> $1))
                 AND NOT (j.state = 'ready' AND EXISTS (SELECT 1 FROM job o
                   WHERE o.account = j.account AND o.kind = j.kind AND o.dedupe = j.dedupe
                     AND o.state IN ('running', 'retry')))
               ORDER BY j.run_at, j.id LIMIT $5)
             RETURNING id, account, kind, payload, progress_cursor, attempt, progressed"),
        sql!(pg: "WITH due AS MATERIALIZED (
               SELECT j.id FROM job j
               WHERE j.kind IN (SELECT jsonb_array_elements_text($4))
                 AND ((j.state IN ('ready', 'retry') AND j.run_at <= $3)
                   OR (j.state = 'running' AND j.boot <> $1 AND j.lease_until < $3))
                 AND NOT (j.state = 'ready' AND EXISTS (SELECT 1 FROM job o
                   WHERE o.account = j.account AND o.kind = j.kind AND o.dedupe = j.dedupe
                     AND o.state IN ('running', 'retry')))
               ORDER BY j.run_at, j.id LIMIT $5 FOR UPDATE OF j SKIP LOCKED)
             UPDATE job SET state = 'running', boot = $1, lease_until = $2,
               attempt = attempt + 1, started_at = COALESCE(started_at, $3)
             FROM due WHERE job.id = due.id
             RETURNING job.id, account, kind, payload, progress_cursor, attempt, progressed"),
    );
    let (until, kinds) = (now.plus(LEASE), Value::from(kinds));
    tx.all(claim, args![boot, until, now, kinds, most as i64]).await
}

pub(crate) async fn renew(tx: &mut Tx<'_>, job: &JobContext, until: Timestamp) -> Result<bool> {
    let update = sql!(
        "UPDATE job SET lease_until = $1
         WHERE id = $2 AND boot = $3 AND attempt = $4 AND state = 'running'"
    );
    Ok(tx.exec(update, args![until, job.id, job.boot, job.attempt]).await? == 1)
}

pub(crate) async fn progress(
    tx: &mut Tx<'_>,
    job: &JobContext,
    done: u64,
    total: Option<u64>,
) -> Result<u64> {
    let update = sql!(
        "UPDATE job SET units_done = $1, units_total = $2,
           progressed = CASE WHEN units_done < $1 THEN attempt ELSE progressed END
         WHERE id = $3 AND boot = $4 AND attempt = $5 AND state = 'running'"
    );
    let (done, total) = (done as i64, total.map(|total| total as i64));
    tx.exec(update, args![done, total, job.id, job.boot, job.attempt]).await
}

pub(crate) async fn save(
    tx: &mut Tx<'_>,
    job: &JobContext,
    cursor: Value,
    until: Timestamp,
) -> Result<u64> {
    let update = sql!(
        "UPDATE job SET progress_cursor = $1, lease_until = $2, progressed = attempt
         WHERE id = $3 AND boot = $4 AND attempt = $5 AND state = 'running'"
    );
    tx.exec(update, args![cursor, until, job.id, job.boot, job.attempt]).await
}

pub(crate) async fn is_cancelled(tx: &mut Tx<'_>, id: Id<Job>) -> Result<bool> {
    let select = sql!("SELECT cancel_at FROM job WHERE id = $1");
    let (asked,): (Option<Timestamp>,) = tx.one(select, args![id]).await?;
    Ok(asked.is_some())
}

/// Writes down how an attempt ended. Nothing happens when the job is another's by now. A job that
/// was asked to stop is not tried again, unless its handler ends it itself (`own`).
pub(crate) async fn end(
    tx: &mut Tx<'_>,
    job: &JobContext,
    end: JobEnd,
    own: bool,
    now: Timestamp,
) -> Result<()> {
    let cancelled = is_cancelled(tx, job.id).await?;
    let progressed = sql!("SELECT progressed FROM job WHERE id = $1");
    let (progressed,): (i64,) = tx.one(progressed, args![job.id]).await?;
    let (state, run_at, why) = match end {
        JobEnd::Done => (JobState::Done, None, None),
        JobEnd::Cancelled => (JobState::Cancelled, None, None),
        JobEnd::Retry { .. } if cancelled && !own => (JobState::Cancelled, None, None),
        JobEnd::Retry { why, .. } if job.attempt - progressed >= MOST_ATTEMPTS => {
            (JobState::Failed, None, Some(why))
        }
        JobEnd::Retry { after, why } => (JobState::Retry, Some(now.plus(after)), Some(why)),
        JobEnd::Fail { why } => (JobState::Failed, None, Some(why)),
    };
    let update = sql!(
        "UPDATE job SET state = $1, run_at = COALESCE($2, run_at), reason = $3, reason_code = $4,
           reason_params = $5, ended_at = $6, boot = NULL, lease_until = NULL
         WHERE id = $7 AND boot = $8 AND attempt = $9 AND state = 'running'"
    );
    let ended_at = state.is_ended().then_some(now);
    let (id, boot, attempt) = (job.id, job.boot, job.attempt);
    let (reason, code, params) = match why {
        Some(Why { code, params, detail }) => {
            (Some(detail), Some(code), Some(Value::Object(params)))
        }
        None => (None, None, None),
    };
    let values = args![state.as_str(), run_at, reason, code, params, ended_at, id, boot, attempt];
    tx.exec(update, values).await?;
    // What waited for this one to end may run now.
    tx.wake(WAKE);
    Ok(())
}

/// Removes jobs that ended long ago.
pub(crate) async fn prune(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.exec(sql!("DELETE FROM job WHERE ended_at < $1"), args![now.minus(KEPT)]).await
}
