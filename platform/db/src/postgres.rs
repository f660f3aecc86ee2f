//! PostgreSQL: a pool of connections, one transaction per unit.

use std::{
    panic::AssertUnwindSafe,
    str::FromStr,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures::FutureExt;

use crate::{
    Error, Options, Result, Tx,
    database::Shared,
    error::chain,
    origin, tls,
    unit::{Body, panicked},
};

/// The oldest version that tests run on.
const OLDEST: i64 = 150_000;

/// A pool of connections to one database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(crate) async fn open(url: &str, options: &Options) -> Result<Self> {
        let (url, roots) = tls::split(url);
        let mut config = tokio_postgres::Config::from_str(&url)
            .map_err(|e| Error::Db(format!("the address of the database: {}", chain(&e))))?;
        let asked = config.get_options().unwrap_or_default();
        let timeout = options.statement_timeout.as_millis();
        config
            .options(format!(
                "{asked} -c statement_timeout={timeout} -c lock_timeout={timeout} \
                 -c idle_in_transaction_session_timeout={timeout} -c timezone=UTC"
            ))
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(20))
            .keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("switchbell");
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match tls::connector(&mut config, roots.as_deref())? {
            Some(tls) => Manager::from_config(config, tls, recycling),
            None => Manager::from_config(config, tokio_postgres::NoTls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(options.connections.max(1))
            .wait_timeout(Some(options.patience))
            .create_timeout(Some(Duration::from_secs(10)))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| Error::Db(e.to_string()))?;
        let this = Self { pool };
        this.check().await?;
        Ok(this)
    }

    /// Refuses a server that is too old, or that acknowledges before it has stored.
    async fn check(&self) -> Result<()> {
        let client = self.pool.get().await?;
        let show = async |what: &str| -> Result<String> {
            Ok(client.query_one(what, &[]).await?.try_get(0)?)
        };
        let version = show("SHOW server_version_num").await?;
        if version.parse::<i64>().is_ok_and(|number| number < OLDEST) {
            return Err(Error::Db(format!("PostgreSQL 15 or later is needed, this is {version}")));
        }
        let commit = show("SHOW synchronous_commit").await?;
        if !["on", "remote_apply"].contains(&commit.as_str()) {
            return Err(Error::Db(format!(
                "synchronous_commit is {commit}, so a crash of the server would lose calls that \
                 were made: set it to on, for example ALTER DATABASE … SET synchronous_commit = on"
            )));
        }
        if show("SHOW fsync").await? != "on" {
            tracing::warn!("fsync is off on the server: a power cut there can destroy everything");
        }
        Ok(())
    }

    /// Does a unit in its own task, so that a caller who goes away leaves no half-done transaction.
    pub(crate) async fn write<T, F>(&self, body: F, shared: &Arc<Shared>) -> Result<T>
    where
        T: Send + 'static,
        F: Body<T>,
    {
        let waiting = shared.waiting();
        let client = self.pool.get().await?;
        drop(waiting);
        let shared = Arc::clone(shared);
        let origin = origin::present();
        let work = async move { write(Lease::new(client), origin, body, &shared).await };
        telemetry::spawn("db.write", work).await.map_err(|_| Error::Closed)?
    }

    pub(crate) async fn read<T, F>(&self, body: F, shared: &Arc<Shared>) -> Result<T>
    where
        T: Send + 'static,
        F: Body<T>,
    {
        let client = self.pool.get().await?;
        shared.counts.reads.fetch_add(1, Relaxed);
        let work = async move { read(Lease::new(client), body).await };
        telemetry::spawn("db.read", work).await.map_err(|_| Error::Closed)?
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// A connection in use. Unless it was settled, it may hold an open transaction: it is then closed
/// instead of going back to the pool, whatever the reason.
struct Lease {
    client: Option<Object>,
    settled: bool,
}

impl Lease {
    const fn new(client: Object) -> Self {
        Self { client: Some(client), settled: false }
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or(Error::Closed)
    }

    async fn command(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        match &self.client {
            Some(client) => client.batch_execute(sql).await,
            None => Ok(()),
        }
    }

    /// Ends the transaction without keeping anything.
    async fn undo(mut self) {
        self.settled = self.command("ROLLBACK").await.is_ok();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !self.settled
        {
            drop(Object::take(client));
        }
    }
}

/// What the body makes of the transaction that `lease` is in.
async fn run<T, F: Body<T>>(
    lease: &Lease,
    origin: Option<Arc<str>>,
    read_only: bool,
    body: F,
) -> (Result<T>, Wakes) {
    let client = match lease.client() {
        Ok(client) => client,
        Err(error) => return (Err(error), Wakes::new()),
    };
    let mut tx = Tx::postgres(client);
    tx.set_origin(origin);
    if read_only {
        tx = tx.reading();
    }
    let ran = AssertUnwindSafe(async { body(&mut tx).await }).catch_unwind().await;
    let outcome = match ran {
        Ok(outcome) => tx.sealed(outcome),
        Err(panic) => Err(panicked(panic.as_ref())),
    };
    (outcome, tx.take_wakes())
}

type Wakes = Vec<&'static str>;

async fn write<T, F: Body<T>>(
    mut lease: Lease,
    origin: Option<Arc<str>>,
    body: F,
    shared: &Shared,
) -> Result<T> {
    lease.command("BEGIN").await?;
    let (outcome, wakes) = run(&lease, origin, false, body).await;
    let value = match outcome {
        Ok(value) => value,
        Err(error) => {
            lease.undo().await;
            shared.counts.refused();
            return Err(error);
        }
    };
    if let Err(error) = lease.command("COMMIT").await {
        shared.counts.lost(1);
        let error = commit_failed(error);
        tracing::error!(%error, "a transaction was not acknowledged");
        return Err(error);
    }
    lease.settled = true;
    shared.counts.committed(1, shared.clock.now());
    shared.wake(&wakes);
    Ok(value)
}

async fn read<T, F: Body<T>>(lease: Lease, body: F) -> Result<T> {
    lease.command("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let (outcome, _) = run(&lease, None, true, body).await;
    lease.undo().await;
    outcome
}

/// A server that answers has decided; one that went away may have kept the unit or not.
fn commit_failed(error: tokio_postgres::Error) -> Error {
    let decided = error.code().is_some_and(|code| !["08", "57"].contains(&&code.code()[..2]));
    if decided { Error::from(error) } else { Error::CommitUnknown(chain(&error)) }
}
