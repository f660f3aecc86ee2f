//! A database, whichever engine is underneath.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use clock::Clock;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Chain, Engine, Error, Options, Result, Stats, Tx, args, migrate,
    postgres::Postgres,
    sql,
    sqlite::Sqlite,
    stats::Counts,
    unit::{Unit, Waiting},
};

/// A commit this young proves that the database takes work.
const RECENT: Duration = Duration::from_secs(5);

/// An open database. Clones share it.
#[derive(Debug, Clone)]
pub struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: Link,
    shared: Arc<Shared>,
    patience: Duration,
}

#[derive(Debug)]
enum Link {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// What callers and the threads of the engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) counts: Counts,
    pub(crate) clock: Clock,
    wakes: Mutex<HashMap<&'static str, watch::Sender<u64>>>,
}

impl Shared {
    pub(crate) fn wake(&self, whom: &[&'static str]) {
        if whom.is_empty() {
            return;
        }
        let mut wakes = self.wakes.lock();
        for what in whom {
            wakes.entry(what).or_default().send_modify(|count| *count += 1);
        }
    }

    /// Counts one that waits, until it is dropped.
    pub(crate) fn waiting(&self) -> impl Drop + '_ {
        struct Waits<'a>(&'a Counts);
        impl Drop for Waits<'_> {
            fn drop(&mut self) {
                self.0.waits(-1);
            }
        }
        self.counts.waits(1);
        Waits(&self.counts)
    }
}

impl Db {
    /// Opens `sqlite:<path>` (made when it is not there; its folder too) or
    /// `postgres://user@host/name`.
    ///
    /// Fails when another process has the file open, when the server is older than 15, or when it
    /// acknowledges commits before they are stored.
    pub async fn open(url: &str, options: Options) -> Result<Self> {
        let shared = Arc::new(Shared {
            counts: Counts::default(),
            clock: options.clock.clone(),
            wakes: Mutex::default(),
        });
        let patience = options.patience;
        let link = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Link::Postgres(Postgres::open(url, &options).await?)
        } else if let Some(path) = url.strip_prefix("sqlite:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            let shared = Arc::clone(&shared);
            let open = move || Sqlite::open(&path, &options, &shared);
            let opened = tokio::task::spawn_blocking(open).await;
            Link::Sqlite(opened.map_err(|e| Error::Unavailable(e.to_string()))??)
        } else {
            return Err(Error::Db(format!(
                "{url:?} is no address of a database: write sqlite:<path> or postgres://…"
            )));
        };
        Ok(Self(Arc::new(Inner { link, shared, patience })))
    }

    /// Which database is underneath.
    pub fn engine(&self) -> Engine {
        match self.0.link {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// Does a unit of work and returns once it is durable:
    /// `db.write(move |tx| Box::pin(async move { … })).await`. Any error rolls it back.
    pub async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + 'static,
    {
        let shared = &self.0.shared;
        match &self.0.link {
            Link::Postgres(postgres) => postgres.write(body, shared).await,
            Link::Sqlite(sqlite) => {
                let (unit, answer) = Waiting::pair(body);
                let inbox = sqlite.writer()?;
                self.send(&inbox, unit, || shared.counts.waits(1)).await?;
                // The inbox is let go before the wait: `close` must not wait for callers.
                drop(inbox);
                answered(answer).await
            }
        }
    }

    /// Reads from one moment of the database; nothing can be written.
    pub async fn read<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + 'static,
    {
        match &self.0.link {
            Link::Postgres(postgres) => postgres.read(body, &self.0.shared).await,
            Link::Sqlite(sqlite) => {
                let (unit, answer) = Waiting::pair(body);
                let inbox = sqlite.reader()?;
                self.send(&inbox, unit, || ()).await?;
                drop(inbox);
                answered(answer).await
            }
        }
    }

    /// Sends when there is room, within the time that a unit may wait.
    async fn send(
        &self,
        inbox: &mpsc::Sender<Box<dyn Unit>>,
        unit: Box<dyn Unit>,
        before: impl FnOnce(),
    ) -> Result<()> {
        let busy = |_| Error::Unavailable("too much work is waiting".to_owned());
        let room = tokio::time::timeout(self.0.patience, inbox.reserve()).await.map_err(busy)?;
        let room = room.map_err(|_| Error::Closed)?;
        before();
        room.send(unit);
        Ok(())
    }

    /// Applies the migrations of this crate and of `chains`, in their order, and makes all views
    /// anew when anything changed. One transaction: all of it is applied, or nothing.
    pub async fn migrate(&self, chains: &[Chain]) -> Result<()> {
        migrate::migrate(self, chains, self.0.shared.clock.now()).await
    }

    /// Whether the database takes work, for readiness: a recent commit, or else one made now.
    pub async fn ping(&self) -> Result<()> {
        let now = self.0.shared.clock.now();
        if now.since(self.0.shared.counts.last_commit()) < RECENT {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let beat = sql!(
                    "INSERT INTO db_heartbeat (id, beat_at) VALUES (1, $1)
                     ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at"
                );
                tx.exec(beat, args![now]).await.map(drop)
            })
        })
        .await
    }

    /// What was done since the database was opened.
    pub fn stats(&self) -> Stats {
        self.0.shared.counts.read()
    }

    /// Changes whenever a unit that called [`Tx::wake`] with `what` was committed by this process.
    /// Only a hint to look: commits of other processes do not show.
    pub fn woken(&self, what: &'static str) -> watch::Receiver<u64> {
        self.0.shared.wakes.lock().entry(what).or_default().subscribe()
    }

    /// Takes no more work, finishes what was sent, and lets go of the file or the connections.
    pub async fn close(&self) {
        match &self.0.link {
            Link::Sqlite(sqlite) => sqlite.close().await,
            Link::Postgres(postgres) => postgres.close(),
        }
    }
}

async fn answered<T>(answer: oneshot::Receiver<Result<T>>) -> Result<T> {
    answer.await.map_err(|_| Error::Closed)?
}
