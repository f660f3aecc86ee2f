//! Stories on both engines, for the tests of whoever has tables.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use clock::Clock;
use futures::FutureExt;
use tokio_postgres::NoTls;

use crate::{Chain, Db, Engine, Options, Result};

/// Tells `story` on SQLite and then on PostgreSQL, each time with a fresh database that has the
/// tables of `chains`: `testing::each(&[people::CHAIN], |db| async move { … }).await`.
///
/// # Panics
/// When the story does, and when no PostgreSQL answers at `SWITCHBELL_TEST_POSTGRES`.
pub async fn each<F, Fut>(chains: &[Chain], story: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        one(engine, chains, &story).await;
    }
}

/// As [`each`], on one engine.
///
/// # Panics
/// As [`each`].
pub async fn one<F, Fut>(engine: Engine, chains: &[Chain], story: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    at(engine, |place| {
        let story = &story;
        async move {
            let db = place.open().await;
            db.migrate(chains).await.expect("the migrations apply");
            story(db.clone()).await;
            db.close().await;
        }
    })
    .await;
}

/// Tells `story` at a fresh, empty place on both engines; the story opens the database itself, as
/// often as it likes.
///
/// # Panics
/// As [`each`].
pub async fn each_place<F, Fut>(story: F)
where
    F: Fn(Place) -> Fut,
    Fut: Future<Output = ()>,
{
    for engine in [Engine::Sqlite, Engine::Postgres] {
        at(engine, &story).await;
    }
}

async fn at<F, Fut>(engine: Engine, story: F)
where
    F: Fn(Place) -> Fut,
    Fut: Future<Output = ()>,
{
    let place = Place::make(engine).await;
    let told = AssertUnwindSafe(story(place.clone())).catch_unwind().await;
    place.remove().await;
    if let Err(panic) = told {
        tracing::error!(engine = engine.name(), "the story failed on this engine");
        std::panic::resume_unwind(panic);
    }
}

/// Where a database of a test is.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which engine.
    pub engine: Engine,
    /// The address to open.
    pub url: String,
    name: String,
}

impl Place {
    /// A fresh place; [`Place::remove`] takes it away.
    ///
    /// # Panics
    /// When no PostgreSQL answers at `SWITCHBELL_TEST_POSTGRES`.
    pub async fn make(engine: Engine) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "switchbell_test_{}_{}_{}",
            std::process::id(),
            Clock::system().now().micros(),
            COUNT.fetch_add(1, Relaxed)
        );
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder(&name).join("test.db").display()),
            Engine::Postgres => {
                admin(&format!("CREATE DATABASE {name} TEMPLATE template0")).await;
                let server = server();
                match server.split_once('?') {
                    Some((base, query)) => format!("{base}/{name}?{query}"),
                    None => format!("{server}/{name}"),
                }
            }
        };
        Self { engine, url, name }
    }

    /// Opens the database there, with few connections.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Db {
        self.try_open().await.expect("the database opens")
    }

    /// Opens the database there, with few connections.
    pub async fn try_open(&self) -> Result<Db> {
        Db::open(&self.url, Self::options()).await
    }

    /// The options that [`Place::open`] takes.
    pub fn options() -> Options {
        Options { readers: 2, connections: 4, ..Options::new(Clock::system()) }
    }

    /// Takes the place away with all that is in it.
    ///
    /// # Panics
    /// When it cannot be taken away.
    pub async fn remove(self) {
        match self.engine {
            Engine::Sqlite => {
                let folder = folder(&self.name);
                if folder.exists() {
                    std::fs::remove_dir_all(folder).expect("a temporary folder can be removed");
                }
            }
            Engine::Postgres => admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await,
        }
    }
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(name)
}

/// The address of the server for tests, without a database name.
fn server() -> String {
    let url = std::env::var("SWITCHBELL_TEST_POSTGRES");
    let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432".to_owned());
    url.trim_end_matches('/').to_owned()
}

async fn admin(sql: &str) {
    let server = server();
    let connected = tokio_postgres::connect(&server, NoTls).await;
    let (client, connection) = connected.unwrap_or_else(|error| {
        panic!(
            "tests need a PostgreSQL server and {server} gives: {}. \
             Start one, or name another in SWITCHBELL_TEST_POSTGRES",
            crate::error::chain(&error)
        )
    });
    let driver = telemetry::spawn("testing.admin", connection);
    client.batch_execute(sql).await.expect("the server for tests obeys");
    drop(client);
    driver.await.expect("the connection ends well").expect("the connection ends well");
}
