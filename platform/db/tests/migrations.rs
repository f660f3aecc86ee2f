//! How schemas change, told on both engines.

use db::{Chain, Db, Error, Migration, args, sql, testing};

const ONE: Migration = Migration {
    name: "1_bell",
    sql: "CREATE TABLE bell (id BIGINT PRIMARY KEY, words TEXT NOT NULL);
          -- @sqlite
          INSERT INTO bell (id, words) VALUES (1, 'sqlite');
          -- @pg
          INSERT INTO bell (id, words) VALUES (1, 'pg');
          -- @end",
};
const TWO: Migration =
    Migration { name: "2_loud", sql: "ALTER TABLE bell ADD COLUMN loud BOOLEAN;" };
const BROKEN: Migration = Migration {
    name: "2_broken",
    sql: "CREATE TABLE kept (id BIGINT PRIMARY KEY); CREATE TABLE bell (id BIGINT);",
};
const VIEW: &str = "CREATE VIEW v_bell AS SELECT id, words FROM bell;";

const fn chain(migrations: &'static [Migration], views: &'static str) -> Chain {
    Chain { feature: "bells", migrations, views }
}

async fn words(db: &Db) -> db::Result<(String,)> {
    db.read(|tx| {
        Box::pin(
            async move { tx.one(sql!("SELECT words FROM v_bell WHERE id = 1"), args![]).await },
        )
    })
    .await
}

#[tokio::test]
async fn each_engine_sees_its_blocks_and_a_second_start_changes_nothing() {
    testing::each(&[chain(&[ONE], VIEW)], |db| async move {
        assert_eq!(words(&db).await, Ok((db.engine().name().to_owned(),)));
        let applied = sql!("SELECT name, applied_at FROM migration ORDER BY feature, name");
        let read = async || {
            db.read(move |tx| {
                Box::pin(async move { tx.all::<(String, i64)>(applied, args![]).await })
            })
            .await
            .unwrap()
        };
        let before = read().await;
        assert_eq!(before.len(), 3, "{before:?}");
        db.migrate(&[chain(&[ONE], VIEW)]).await.unwrap();
        assert_eq!(read().await, before);
    })
    .await;
}

#[tokio::test]
async fn views_follow_the_tables_and_chains_may_use_the_views_of_others() {
    testing::each(&[chain(&[ONE], VIEW)], |db| async move {
        const OTHER: Chain = Chain {
            feature: "other",
            migrations: &[],
            views: "CREATE VIEW v_other AS SELECT words AS said FROM v_bell;",
        };
        const LOUD: &str = "CREATE VIEW v_bell AS SELECT id, words, loud FROM bell;";
        db.migrate(&[chain(&[ONE, TWO], LOUD), OTHER]).await.unwrap();
        let loud: (Option<bool>, String) = db
            .read(|tx| {
                Box::pin(async move {
                    tx.one(sql!("SELECT loud, said FROM v_bell, v_other"), args![]).await
                })
            })
            .await
            .unwrap();
        assert_eq!(loud, (None, db.engine().name().to_owned()));
        // A view that is no longer published goes.
        db.migrate(&[chain(&[ONE, TWO], LOUD)]).await.unwrap();
        // Executed, not only prepared: a connection of SQLite may still know the schema of before,
        // which it looks at again when the statement begins to run.
        let said = sql!("SELECT said FROM v_other");
        let gone = db
            .read(move |tx| Box::pin(async move { tx.all::<(String,)>(said, args![]).await }))
            .await;
        assert!(matches!(gone, Err(Error::Db(_))), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_was_changed_is_named() {
    testing::each(&[chain(&[ONE], VIEW)], |db| async move {
        const CHANGED: Migration =
            Migration { name: "1_bell", sql: "CREATE TABLE bell (id BIGINT PRIMARY KEY);" };
        let error = db.migrate(&[chain(&[CHANGED], VIEW)]).await.unwrap_err().to_string();
        assert!(error.contains("bells/1_bell was changed"), "{error}");
        assert!(words(&db).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_is_named() {
    testing::each(&[chain(&[ONE], VIEW)], |db| async move {
        let error = db.migrate(&[chain(&[ONE, BROKEN], VIEW)]).await.unwrap_err().to_string();
        assert!(error.contains("bells/2_broken"), "{error}");
        assert!(words(&db).await.is_ok(), "the view is still there");
        let kept = db
            .read(|tx| Box::pin(async move { tx.prepare(sql!("SELECT id FROM kept")).await }))
            .await;
        assert!(kept.is_err());
        db.migrate(&[chain(&[ONE, TWO], VIEW)]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn programs_that_start_together_migrate_once() {
    testing::each_place(|place| async move {
        const CHAINS: &[Chain] = &[chain(&[ONE, TWO], VIEW)];
        let db = place.open().await;
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let db = db.clone();
                telemetry::spawn("start", async move { db.migrate(CHAINS).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        assert!(words(&db).await.is_ok());
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_newer_version_applied_does_not_stop_an_older_one() {
    testing::each(&[chain(&[ONE, TWO], VIEW)], |db| async move {
        db.migrate(&[chain(&[ONE], VIEW)]).await.unwrap();
        assert!(words(&db).await.is_ok());
    })
    .await;
}
