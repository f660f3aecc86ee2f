//! Work that comes back.

use std::time::Duration;

use base::{
    Id, Timestamp,
    kind::{Account, Job},
};
use clock::Ids;
use db::{Result, Tx, args, record, sql};
use serde_json::Value;

use crate::store::{WAKE, insert};

/// Schedules that are looked after at a time.
const MOST: i64 = 100;

/// Has a job of `kind` enqueued every so often, from `first` on, in place of an earlier schedule of
/// the kind with this key. Moments that pass while no process runs are made up for by one job.
pub async fn schedule(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    kind: &'static str,
    key: &str,
    payload: Value,
    every: Duration,
    first: Timestamp,
) -> Result<()> {
    let put = sql!(
        "INSERT INTO job_schedule (account, kind, dedupe, payload, every, next_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account, kind, dedupe)
           DO UPDATE SET payload = excluded.payload, every = excluded.every,
             next_at = excluded.next_at"
    );
    let every = every.as_micros() as i64;
    tx.exec(put, args![account, kind, key, payload, every, first]).await?;
    tx.wake(WAKE);
    Ok(())
}

/// As [`schedule`], unless there is such a schedule: then it keeps its beat and its payload.
pub async fn ensure(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    kind: &'static str,
    key: &str,
    payload: Value,
    every: Duration,
    first: Timestamp,
) -> Result<()> {
    let put = sql!(
        "INSERT INTO job_schedule (account, kind, dedupe, payload, every, next_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, kind, dedupe) DO NOTHING"
    );
    let every = every.as_micros() as i64;
    tx.exec(put, args![account, kind, key, payload, every, first]).await?;
    tx.wake(WAKE);
    Ok(())
}

/// Ends a schedule, if there is one. Jobs that it enqueued are left alone.
pub async fn unschedule(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    kind: &'static str,
    key: &str,
) -> Result<()> {
    let end = sql!("DELETE FROM job_schedule WHERE account = $1 AND kind = $2 AND dedupe = $3");
    tx.exec(end, args![account, kind, key]).await.map(drop)
}

/// When a schedule has its next job enqueued; `None` when there is no such schedule.
pub async fn next_at(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    kind: &'static str,
    key: &str,
) -> Result<Option<Timestamp>> {
    let select =
        sql!("SELECT next_at FROM job_schedule WHERE account = $1 AND kind = $2 AND dedupe = $3");
    let found: Option<(Timestamp,)> = tx.opt(select, args![account, kind, key]).await?;
    Ok(found.map(|(at,)| at))
}

record! {
    /// A schedule as people may see it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ScheduleView {
        /// Which handler does its jobs.
        pub kind: String,
        /// What tells it from others of the kind.
        pub key: String,
        /// What its jobs are given.
        pub payload: Value,
        /// Microseconds from one moment to the next.
        pub every: i64,
        /// When the next job is enqueued.
        pub next_at: Timestamp,
    }
}

/// The schedules of an account in the order of kind and key, behind those given.
pub async fn schedules(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    (kind, key): (&str, &str),
    limit: i64,
) -> Result<Vec<ScheduleView>> {
    let select = sql!(
        "SELECT kind, dedupe, payload, every, next_at FROM job_schedule
         WHERE account = $1 AND (kind, dedupe) > ($2, $3) ORDER BY kind, dedupe LIMIT $4"
    );
    tx.all(select, args![account, kind, key, limit]).await
}

/// Enqueues a job of a schedule out of turn; its beat stays. [`db::Error::NotFound`] when the account
/// has no such schedule.
pub async fn run_now(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<Account>,
    kind: &str,
    key: &str,
    now: Timestamp,
) -> Result<Id<Job>> {
    let select =
        sql!("SELECT payload FROM job_schedule WHERE account = $1 AND kind = $2 AND dedupe = $3");
    let (payload,): (Value,) = tx.one(select, args![account, kind, key]).await?;
    insert(tx, ids, account, kind, payload, Some(key), now).await
}

record! {
    /// A schedule whose moment has come.
    #[derive(Debug, Clone)]
    pub(crate) struct Due {
        pub(crate) account: Id<Account>,
        kind: String,
        key: String,
        payload: Value,
        every: i64,
        next_at: Timestamp,
    }
}

/// Schedules whose moment has come.
pub(crate) async fn due(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Due>> {
    let select = sql!(
        "SELECT account, kind, dedupe, payload, every, next_at FROM job_schedule
         WHERE next_at <= $1 ORDER BY next_at LIMIT $2"
    );
    tx.all(select, args![now, MOST]).await
}

/// Sets the next moment of a schedule and enqueues its job, unless another process has.
pub(crate) async fn fire(tx: &mut Tx<'_>, ids: &Ids, due: Due, now: Timestamp) -> Result<()> {
    let Due { account, kind, key, payload, every, next_at } = due;
    let every = every.max(1);
    // On the beat that it has, the first moment that is still to come.
    let missed = now.micros().saturating_sub(next_at.micros()) / every;
    let next = next_at.plus(Duration::from_micros(every.saturating_mul(missed + 1) as u64));
    let claim = sql!(
        "UPDATE job_schedule SET next_at = $5
         WHERE account = $1 AND kind = $2 AND dedupe = $3 AND next_at = $4"
    );
    if tx.exec(claim, args![account, &*kind, &*key, next_at, next]).await? == 1 {
        insert(tx, ids, account, &kind, payload, Some(&key), now).await?;
    }
    Ok(())
}
