//! Takes jobs and has them done.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base::{Id, Timestamp, kind::Account};
use clock::{Clock, Ids};
use db::Db;
use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    Cause, Handler, JobContext, JobEnd, Ways, Why,
    handler::AnyHandler,
    schedule,
    store::{self, Claimed, LEASE, MOST_ATTEMPTS, WAKE},
};

/// Jobs that are done at the same time.
const AT_ONCE: usize = 4;
/// How often the table is looked at without being woken.
const LOOK: Duration = Duration::from_secs(1);
const PRUNE: Duration = Duration::from_hours(1);
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Does the jobs of one database. Clones share the handlers.
#[derive(Clone)]
pub struct Jobs {
    db: Db,
    clock: Clock,
    ids: Ids,
    boot: i64,
    handlers: Arc<Mutex<BTreeMap<&'static str, Arc<dyn AnyHandler>>>>,
    stopping: Arc<watch::Sender<bool>>,
    teller: Arc<OnceLock<Teller>>,
}

/// Hears whose jobs have changed.
type Teller = Box<dyn Fn(Id<Account>) + Send + Sync>;

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<_> = self.handlers.lock().keys().copied().collect();
        f.debug_struct("Jobs").field("kinds", &kinds).finish_non_exhaustive()
    }
}

impl Jobs {
    /// A worker without handlers. Made once per process: what earlier processes left unfinished is
    /// told by it.
    pub fn new(db: Db, ids: &Ids) -> Self {
        let boot = ids.next::<base::kind::Job>().raw();
        Self {
            db,
            clock: ids.clock().clone(),
            ids: ids.clone(),
            boot,
            handlers: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
            teller: Arc::default(),
        }
    }

    /// Has `tell` told the account whose jobs have changed: when one is taken or has ended, and
    /// every second while one is being done. It counts once, the first time.
    pub fn on_change(&self, tell: impl Fn(Id<Account>) + Send + Sync + 'static) {
        let _ = self.teller.set(Box::new(tell));
    }

    fn tell(&self, account: Id<Account>) {
        if let Some(tell) = self.teller.get() {
            tell(account);
        }
    }

    /// The kinds that have a handler.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.handlers.lock().keys().copied().collect()
    }

    /// What a person may ask of the jobs of a kind.
    pub fn ways(&self, kind: &str) -> Ways {
        self.handlers.lock().get(kind).map(|handler| handler.ways()).unwrap_or_default()
    }

    /// Adds the handler of a kind, in place of an earlier one of the same kind.
    pub fn add(&self, handler: impl Handler) {
        self.handlers.lock().insert(handler.kind(), Arc::new(handler));
    }

    /// Does jobs until `stop` ends; then takes no more, tells those that run that the process is
    /// about to end, and returns when they have. When it is dropped instead, they are dropped, and
    /// are taken up again at the next start.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut woken = self.db.woken(WAKE);
        let mut running = FuturesUnordered::new();
        let mut pruned = Timestamp::EPOCH;
        loop {
            woken.borrow_and_update();
            if let Err(error) = self.fire().await {
                tracing::warn!(%error, "the schedules could not be looked after");
            }
            if running.len() < AT_ONCE {
                match self.claim(AT_ONCE - running.len()).await {
                    Ok(jobs) => running.extend(jobs.into_iter().map(|job| self.start(job))),
                    Err(error) => tracing::warn!(%error, "no job could be taken"),
                }
            }
            if self.clock.now().since(pruned) >= PRUNE {
                pruned = self.clock.now();
                self.prune(pruned).await;
            }
            tokio::select! {
                () = &mut stop => break,
                Some(()) = running.next() => {}
                // The sender lives as long as the database.
                _ = woken.changed(), if running.len() < AT_ONCE => {}
                () = self.clock.sleep(LOOK) => {}
            }
        }
        self.stopping.send_replace(true);
        while running.next().await.is_some() {}
    }

    /// Does whatever is due now, one after the other, and returns how many attempts were made; for
    /// tests, which then know that no job is left.
    pub async fn drain(&self) -> db::Result<usize> {
        let mut attempts = 0;
        loop {
            self.fire().await?;
            let jobs = self.claim(1).await?;
            if jobs.is_empty() {
                return Ok(attempts);
            }
            for job in jobs {
                self.work(job).await;
                attempts += 1;
            }
        }
    }

    /// Enqueues the jobs of schedules whose moment has come.
    async fn fire(&self) -> db::Result<()> {
        let now = self.clock.now();
        let due = self.db.read(move |tx| Box::pin(schedule::due(tx, now))).await?;
        for due in due {
            let (ids, account) = (self.ids.clone(), due.account);
            let fire = self
                .db
                .write(move |tx| Box::pin(async move { schedule::fire(tx, &ids, due, now).await }));
            fire.await?;
            self.tell(account);
        }
        Ok(())
    }

    async fn claim(&self, most: usize) -> db::Result<Vec<Claimed>> {
        let kinds = self.kinds();
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let (boot, now) = (self.boot, self.clock.now());
        let claim = self.db.write(move |tx| Box::pin(store::claim(tx, boot, kinds, most, now)));
        claim.await
    }

    async fn prune(&self, now: Timestamp) {
        if let Err(error) = self.db.write(move |tx| Box::pin(store::prune(tx, now))).await {
            tracing::warn!(%error, "ended jobs could not be removed");
        }
    }

    /// Works in a task of its own, which ends with the future that is returned.
    fn start(&self, job: Claimed) -> impl Future<Output = ()> + use<> {
        let this = self.clone();
        let task = telemetry::spawn_held("jobs.work", async move { this.work(job).await });
        async move {
            // A panic was logged by the task; the lease runs out by itself.
            let _ = task.await;
        }
    }

    /// One attempt, to its end.
    async fn work(&self, claimed: Claimed) {
        let handler = self.handlers.lock().get(claimed.kind.as_str()).cloned();
        let Some(handler) = handler else { return };
        let (kind, account) = (claimed.kind.clone(), claimed.account);
        let own = handler.ways().stop;
        self.tell(account);
        let stopping = self.stopping.subscribe();
        let job =
            JobContext::new(claimed, self.boot, self.db.clone(), self.clock.clone(), stopping);
        let end = if job.fruitless >= MOST_ATTEMPTS {
            // Its last attempts did not come to an end at all.
            let detail = format!("given up after {MOST_ATTEMPTS} attempts");
            let why = Why::new(Cause::GaveUp, detail).param("attempts", MOST_ATTEMPTS);
            JobEnd::Fail { why }
        } else {
            tokio::select! {
                end = attempt(handler.as_ref(), &job) => end,
                () = self.hold(&job) => {
                    tracing::warn!(job.id = %job.id, kind, "a job was lost to another process");
                    return;
                }
                never = self.show(account) => match never {},
            }
        };
        report(&job, &kind, &end);
        self.end(job, end, own).await;
        self.tell(account);
    }

    /// Tells every second that a job goes on, if anybody listens; never returns.
    async fn show(&self, account: Id<Account>) -> Infallible {
        if self.teller.get().is_none() {
            return std::future::pending().await;
        }
        loop {
            self.clock.sleep(LOOK).await;
            self.tell(account);
        }
    }

    /// Keeps the lease; returns when it is lost.
    async fn hold(&self, job: &JobContext) {
        loop {
            self.clock.sleep(LEASE / 3).await;
            match job.renew().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(job.id = %job.id, %error, "a lease was not renewed"),
            }
        }
    }

    /// Writes the end down, however long the database is away.
    async fn end(&self, job: JobContext, end: JobEnd, own: bool) {
        loop {
            let (job, end, now) = (job.clone(), end.clone(), self.clock.now());
            let written = self
                .db
                .write(move |tx| Box::pin(async move { store::end(tx, &job, end, own, now).await }))
                .await;
            match written {
                Err(error @ (db::Error::Unavailable(_) | db::Error::Retry(_))) => {
                    tracing::warn!(%error, "the end of a job could not be written yet");
                }
                // An answer that was lost is looked up by the same statement: it changes nothing
                // the second time.
                Err(db::Error::CommitUnknown(_)) => {}
                Err(error) => {
                    tracing::error!(%error, "the end of a job could not be written");
                    return;
                }
                Ok(()) => return,
            }
            self.clock.sleep(LOOK).await;
        }
    }
}

async fn attempt(handler: &dyn AnyHandler, job: &JobContext) -> JobEnd {
    let ran = AssertUnwindSafe(async { handler.run(job).await }).catch_unwind().await;
    ran.unwrap_or_else(|_| JobEnd::Retry {
        after: pause(job.attempt),
        why: Why::new(Cause::Mistake, "the handler fell over; see the log"),
    })
}

fn pause(attempt: i64) -> Duration {
    let doublings = attempt.clamp(1, 16) as u32 - 1;
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

fn report(job: &JobContext, kind: &str, end: &JobEnd) {
    let word = match end {
        JobEnd::Done => "done",
        JobEnd::Retry { .. } => "retry",
        JobEnd::Fail { .. } => "fail",
        JobEnd::Cancelled => "cancelled",
    };
    metrics::counter!("job_attempts_total", "kind" => kind.to_owned(), "end" => word).increment(1);
    match end {
        JobEnd::Done | JobEnd::Cancelled => {
            tracing::info!(job.id = %job.id, kind, "job {} of {kind} is {word}", job.id);
        }
        JobEnd::Retry { why, .. } | JobEnd::Fail { why } => {
            let (id, code) = (job.id, why.code);
            tracing::warn!(job.id = %id, kind, job.attempt, code, %why, "job {id}: {word}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_minutes() {
        let pauses: Vec<_> = [1, 2, 3, 10, 11, 1_000].map(|n| pause(n).as_secs()).into();
        assert_eq!(pauses, [1, 2, 4, 512, 600, 600]);
    }
}
