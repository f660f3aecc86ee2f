//! What xtask needs the product's own crates for: databases with all tables in them.
//!
//! `house prepare` and `house schema` read a request as JSON on the standard input and print the
//! answer as JSON. Only `cargo xtask sql` and `cargo xtask gen` start it, so that xtask itself is
//! built quickly.

#![expect(clippy::print_stdout, reason = "the answer goes to the program that started this one")]

use std::io::stdin;

use anyhow::{Context, Result, bail};
use db::{Chain, Db, Engine, Migration, args, testing::Place};
use serde::{Deserialize, Serialize};

/// The migrations of all crates and, for `prepare`, the texts.
#[derive(Deserialize)]
struct Request {
    chains: Vec<GivenChain>,
    #[serde(default)]
    texts: Vec<GivenText>,
}

#[derive(Deserialize)]
struct GivenChain {
    feature: String,
    migrations: Vec<(String, String)>,
    views: String,
}

#[derive(Deserialize)]
struct GivenText {
    /// `sqlite` or `pg`; absent for both.
    engine: Option<String>,
    text: String,
}

/// A text that an engine did not accept.
#[derive(Serialize)]
struct Refused {
    /// Its place in the request.
    text: usize,
    engine: &'static str,
    why: String,
}

/// A table, an index or a view: its kind, its name, the table that it belongs to, its definition.
type Part = (String, String, String, String);

fn main() -> Result<()> {
    let request: Request = serde_json::from_reader(stdin().lock())?;
    let command = std::env::args().nth(1);
    let runtime = tokio::runtime::Runtime::new()?;
    let answer = match command.as_deref() {
        Some("prepare") => serde_json::to_string(&runtime.block_on(prepare(request))?)?,
        Some("schema") => serde_json::to_string(&runtime.block_on(schema(request))?)?,
        _ => bail!("started by cargo xtask only: prepare or schema"),
    };
    println!("{answer}");
    Ok(())
}

/// `db` takes texts that live as long as the program, which this one does.
fn chains(given: Vec<GivenChain>) -> Vec<Chain> {
    let leak = |text: String| -> &'static str { text.leak() };
    given
        .into_iter()
        .map(|GivenChain { feature, migrations, views }| {
            let migrations: Vec<Migration> = migrations
                .into_iter()
                .map(|(name, sql)| Migration { name: leak(name), sql: leak(sql) })
                .collect();
            Chain { feature: leak(feature), migrations: migrations.leak(), views: leak(views) }
        })
        .collect()
}

/// Opens a fresh database on `engine` with all tables and does `work` there.
async fn with_tables<T, F>(engine: Engine, chains: &[Chain], work: F) -> Result<T>
where
    F: AsyncFnOnce(Db) -> Result<T>,
{
    let place = Place::make(engine).await;
    let done = async {
        let db = place.try_open().await?;
        db.migrate(chains).await.with_context(|| format!("migrate {}", engine.name()))?;
        let done = work(db.clone()).await;
        db.close().await;
        done
    }
    .await;
    place.remove().await;
    done
}

/// Every text that its engine refuses.
async fn prepare(request: Request) -> Result<Vec<Refused>> {
    let chains = chains(request.chains);
    let mut refused = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let name = engine.name();
        let texts: Vec<(usize, String)> = request
            .texts
            .iter()
            .enumerate()
            .filter(|(_, given)| given.engine.as_deref().is_none_or(|only| only == name))
            .map(|(n, given)| (n, given.text.clone()))
            .collect();
        refused.extend(
            with_tables(engine, &chains, async |db| {
                let mut refused = Vec::new();
                for (n, text) in texts {
                    // A transaction of its own: PostgreSQL refuses everything after a failure.
                    let done = db.read(move |tx| Box::pin(async move { tx.prepare(&text).await }));
                    if let Err(error) = done.await {
                        refused.push(Refused { text: n, engine: name, why: error.to_string() });
                    }
                }
                Ok(refused)
            })
            .await?,
        );
    }
    Ok(refused)
}

/// Everything that the migrations make, in the order of tables.
async fn schema(request: Request) -> Result<Vec<Part>> {
    let chains = chains(request.chains);
    with_tables(Engine::Sqlite, &chains, async |db| {
        let parts = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL
            ORDER BY tbl_name, type = 'index', name";
        let read = db.read(move |tx| Box::pin(async move { tx.all(parts, args![]).await }));
        Ok(read.await?)
    })
    .await
}
