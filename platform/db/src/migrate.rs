//! Changes of the schema, applied once each, per feature and in order.

use base::Timestamp;
use sha2::{Digest, Sha256};

use crate::{Db, Engine, Error, Result, Tx, args, sql};

/// One change of the schema. Once released it is never edited: its checksum is kept.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Time of writing and a word: `20261120120000_people`. Gives the order within the chain.
    pub name: &'static str,
    /// The statements; see the crate's page for what is portable.
    pub sql: &'static str,
}

/// The migrations of one feature and the views that it publishes.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    /// The feature's name.
    pub feature: &'static str,
    /// In rising order of their names.
    pub migrations: &'static [Migration],
    /// `CREATE VIEW` statements; dropped and made anew after all chains.
    pub views: &'static str,
}

/// This crate's own tables.
const OWN: Chain = Chain {
    feature: "db",
    migrations: &[Migration {
        name: "20261120120000_outbox",
        sql: include_str!("../migrations/20261120120000_outbox.sql"),
    }],
    views: "",
};

/// The ledger's row that stands for all views.
const VIEWS: &str = "views";

struct Step {
    feature: &'static str,
    name: &'static str,
    sql: &'static str,
    checksum: String,
}

pub(crate) async fn migrate(db: &Db, chains: &[Chain], now: Timestamp) -> Result<()> {
    let chains: Vec<Chain> = std::iter::once(OWN).chain(chains.iter().copied()).collect();
    let steps = steps(&chains)?;
    let views: Vec<&str> = chains.iter().map(|chain| chain.views).collect();
    db.write(move |tx| Box::pin(apply(tx, steps, views, now))).await
}

/// Every migration in the order of application.
fn steps(chains: &[Chain]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (n, chain) in chains.iter().enumerate() {
        if chains[..n].iter().any(|other| other.feature == chain.feature) {
            return Err(Error::Db(format!("two chains are named {}", chain.feature)));
        }
        if let Some(pair) = chain.migrations.windows(2).find(|pair| pair[0].name >= pair[1].name) {
            let (feature, name) = (chain.feature, pair[1].name);
            return Err(Error::Db(format!("migration {feature}/{name} is out of order")));
        }
        steps.extend(chain.migrations.iter().map(|migration| Step {
            feature: chain.feature,
            name: migration.name,
            sql: migration.sql,
            checksum: checksum(migration.sql),
        }));
    }
    Ok(steps)
}

/// SHA-256 of the text, blind to spaces at the ends of lines.
fn checksum(sql: &str) -> String {
    let mut hash = Sha256::new();
    for line in sql.trim().lines() {
        hash.update(line.trim_end());
        hash.update("\n");
    }
    hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

async fn apply(
    tx: &mut Tx<'_>,
    steps: Vec<Step>,
    views: Vec<&'static str>,
    now: Timestamp,
) -> Result<()> {
    tx.without_limit().await?;
    if tx.engine() == Engine::Postgres {
        // Nodes that start together wait for the first.
        tx.batch("SELECT pg_advisory_xact_lock(7235421905)").await?;
    }
    tx.batch(
        "CREATE TABLE IF NOT EXISTS migration (
           feature TEXT NOT NULL,
           name TEXT NOT NULL,
           checksum TEXT NOT NULL,
           applied_at BIGINT NOT NULL,
           PRIMARY KEY (feature, name)
         )",
    )
    .await?;
    let ledger = sql!("SELECT feature, name, checksum FROM migration ORDER BY feature, name");
    let applied: Vec<(String, String, String)> = tx.all(ledger, args![]).await?;
    let pending = pending(&steps, &applied)?;
    let wanted = checksum(&views.join("\n"));
    let made = applied.iter().any(|(f, n, sum)| f == OWN.feature && n == VIEWS && *sum == wanted);
    if pending.is_empty() && made {
        return Ok(());
    }
    // A view would stand in the way of a change to its table.
    drop_views(tx).await?;
    for step in pending {
        let text = for_engine(step.sql, tx.engine());
        let place = |error: Error| {
            let said = format!("migration {}/{}: {error}", step.feature, step.name);
            if matches!(error, Error::Unavailable(_)) { error } else { Error::Db(said) }
        };
        tx.batch(&text).await.map_err(place)?;
        record(tx, step.feature, step.name, &step.checksum, now).await?;
        tracing::info!(feature = step.feature, migration = step.name, "a migration was applied");
    }
    for text in views {
        tx.batch(&for_engine(text, tx.engine())).await?;
    }
    record(tx, OWN.feature, VIEWS, &wanted, now).await
}

/// The steps not yet applied. An applied one that has changed is an error that names it.
fn pending<'a>(steps: &'a [Step], applied: &[(String, String, String)]) -> Result<Vec<&'a Step>> {
    for (feature, name, _) in applied.iter().filter(|row| row.1 != VIEWS) {
        if !steps.iter().any(|step| step.feature == feature && step.name == name) {
            tracing::warn!(%feature, migration = %name, "applied by a newer version of the program");
        }
    }
    let mut pending = Vec::new();
    for step in steps {
        match applied.iter().find(|row| row.0 == step.feature && row.1 == step.name) {
            None => pending.push(step),
            Some((.., sum)) if *sum == step.checksum => {}
            Some(_) => {
                return Err(Error::Db(format!(
                    "migration {}/{} was changed after it had been applied",
                    step.feature, step.name
                )));
            }
        }
    }
    Ok(pending)
}

async fn record(
    tx: &mut Tx<'_>,
    feature: &str,
    name: &str,
    checksum: &str,
    now: Timestamp,
) -> Result<()> {
    let insert = sql!(
        "INSERT INTO migration (feature, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (feature, name) DO UPDATE
           SET checksum = excluded.checksum, applied_at = excluded.applied_at"
    );
    tx.exec(insert, args![feature, name, checksum, now]).await.map(drop)
}

async fn drop_views(tx: &mut Tx<'_>) -> Result<()> {
    let list = tx.pick(
        sql!(sqlite: "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name"),
        sql!(pg: "SELECT viewname FROM pg_views WHERE schemaname = current_schema() ORDER BY 1"),
    );
    let cascade = if tx.engine() == Engine::Postgres { " CASCADE" } else { "" };
    for (view,) in tx.all::<(String,)>(list, args![]).await? {
        let name = view.replace('"', "\"\"");
        tx.batch(&format!("DROP VIEW IF EXISTS \"{name}\"{cascade}")).await?;
    }
    Ok(())
}

/// The text as `engine` takes it: blocks of the other left out, types by their names there.
fn for_engine(text: &str, engine: Engine) -> String {
    let mut only: Option<&str> = None;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match line.trim() {
            "-- @sqlite" => only = Some(Engine::Sqlite.name()),
            "-- @pg" => only = Some(Engine::Postgres.name()),
            "-- @end" => only = None,
            _ if only.is_some_and(|name| name != engine.name()) => {}
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    match engine {
        // Only INTEGER PRIMARY KEY makes a column the key of SQLite's own tree, and so saves one.
        Engine::Sqlite => out
            .replace("JSONB", "TEXT")
            .replace("BYTEA", "BLOB")
            .replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"),
        Engine::Postgres => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_seen_by_its_engine_only() {
        let text = "A BYTEA;\n-- @sqlite\nB;\n-- @pg\nC JSONB;\n-- @end\nid BIGINT PRIMARY KEY;\n";
        let sqlite = for_engine(text, Engine::Sqlite);
        assert_eq!(sqlite, "A BLOB;\nB;\nid INTEGER PRIMARY KEY;\n");
        let pg = for_engine(text, Engine::Postgres);
        assert_eq!(pg, "A BYTEA;\nC JSONB;\nid BIGINT PRIMARY KEY;\n");
    }

    #[test]
    fn names_out_of_order_or_twice_are_refused() {
        const A: Migration = Migration { name: "1_a", sql: "" };
        const B: Migration = Migration { name: "2_b", sql: "" };
        let chain = |migrations| Chain { feature: "x", migrations, views: "" };
        assert!(steps(&[chain(&[A, B])]).is_ok());
        for wrong in [&[B, A], &[A, A]] {
            let error = steps(&[chain(wrong)]).err().unwrap();
            assert!(error.to_string().contains("x/1_a is out of order"), "{error}");
        }
        assert!(steps(&[chain(&[A]), chain(&[B])]).is_err());
    }

    #[test]
    fn spaces_at_the_ends_of_lines_do_not_count() {
        assert_eq!(checksum("A;\r\nB;  \n\n"), checksum("A;\nB;"));
        assert_ne!(checksum("A;"), checksum("B;"));
    }
}
