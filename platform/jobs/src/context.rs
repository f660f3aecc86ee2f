//! What a handler is given.

use base::{
    Id, Timestamp,
    kind::{Account, Job},
};
use clock::Clock;
use db::{Db, Error, Result, Tx};
use serde_json::Value;
use tokio::sync::watch;

use crate::store::{self, Claimed, LEASE};

/// One attempt at a job. Clones are the same attempt.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// The job.
    pub id: Id<Job>,
    /// Whose it is.
    pub account: Id<Account>,
    /// What [`crate::enqueue`] was given.
    pub payload: Value,
    /// What was saved last, by an earlier attempt.
    pub cursor: Option<Value>,
    /// 1 for the first attempt.
    pub attempt: i64,
    /// Attempts before this one that got nowhere, since one last did; crashes included.
    pub fruitless: i64,
    /// The start of the process.
    pub(crate) boot: i64,
    db: Db,
    clock: Clock,
    stopping: watch::Receiver<bool>,
}

impl JobContext {
    pub(crate) fn new(
        claimed: Claimed,
        boot: i64,
        db: Db,
        clock: Clock,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let Claimed { id, account, payload, cursor, attempt, progressed, .. } = claimed;
        // The attempt that got somewhere was no fruitless one, though it did not end the job.
        let fruitless = attempt - 1 - progressed;
        Self { id, account, payload, cursor, attempt, fruitless, boot, db, clock, stopping }
    }

    /// Tells how far the work is; `total` when it is known.
    pub async fn progress(&self, done: u64, total: Option<u64>) -> Result<()> {
        let job = self.clone();
        self.db
            .write(move |tx| Box::pin(async move { job.progress_in(tx, done, total).await }))
            .await
    }

    /// As [`JobContext::progress`], in a unit of work of the handler.
    pub async fn progress_in(&self, tx: &mut Tx<'_>, done: u64, total: Option<u64>) -> Result<()> {
        held(store::progress(tx, self, done, total).await?)
    }

    /// Saves where the next attempt is to go on.
    pub async fn save(&self, cursor: Value) -> Result<()> {
        let job = self.clone();
        self.db.write(move |tx| Box::pin(async move { job.save_in(tx, cursor).await })).await
    }

    /// As [`JobContext::save`], in the unit of work that did what the cursor says is done. Fails,
    /// and so undoes that unit, when the job is no longer this process's.
    pub async fn save_in(&self, tx: &mut Tx<'_>, cursor: Value) -> Result<()> {
        held(store::save(tx, self, cursor, self.lease()).await?)
    }

    /// Whether somebody asked the job to stop.
    pub async fn is_cancelled(&self) -> Result<bool> {
        let id = self.id;
        self.db.read(move |tx| Box::pin(store::is_cancelled(tx, id))).await
    }

    /// Whether the process is about to end: a long job saves, and returns [`crate::JobEnd::Retry`].
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Holds the job for longer. False when it is no longer this process's.
    pub(crate) async fn renew(&self) -> Result<bool> {
        let (job, until) = (self.clone(), self.lease());
        self.db.write(move |tx| Box::pin(async move { store::renew(tx, &job, until).await })).await
    }

    fn lease(&self) -> Timestamp {
        self.clock.now().plus(LEASE)
    }
}

fn held(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Conflict("the job is another's by now".to_owned())) }
}
