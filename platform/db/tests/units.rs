//! What a unit of work may count on, told on both engines.

use std::{sync::Arc, time::Duration};

use base::{Id, PhoneNumber, Timestamp, kind::Account};
use db::{Chain, Db, Engine, Error, Migration, Options, args, record, sql, testing};

const ITEM: Chain = Chain {
    feature: "item",
    migrations: &[Migration {
        name: "1_item",
        sql: "CREATE TABLE item (
                id BIGINT PRIMARY KEY,
                account BIGINT NOT NULL,
                name TEXT NOT NULL,
                parent BIGINT REFERENCES item (id),
                size BIGINT NOT NULL CONSTRAINT item_size CHECK (size >= 0),
                ratio DOUBLE PRECISION,
                done BOOLEAN,
                data JSONB,
                raw BYTEA
              );
              CREATE UNIQUE INDEX item_name ON item (account, name);",
    }],
    views: "CREATE VIEW v_item AS SELECT id, name FROM item;",
};

async fn add(db: &Db, id: i64, name: &str) -> db::Result<u64> {
    let name = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let insert = sql!("INSERT INTO item (id, account, name, size) VALUES ($1, 7, $2, 0)");
            tx.exec(insert, args![id, name]).await
        })
    })
    .await
}

async fn count(db: &Db) -> i64 {
    db.read(|tx| {
        Box::pin(async move {
            tx.one::<(i64,)>(sql!("SELECT count(*) FROM item"), args![]).await.map(|row| row.0)
        })
    })
    .await
    .unwrap()
}

record! {
    #[derive(Debug, PartialEq)]
    struct Item {
        id: Id<Account>,
        name: String,
        ratio: Option<f64>,
        done: Option<bool>,
        data: Option<serde_json::Value>,
        raw: Option<Vec<u8>>,
        at: Timestamp,
    }
}

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    testing::each(&[ITEM], |db| async move {
        let phone: PhoneNumber = "+380931234567".parse().unwrap();
        let data = serde_json::json!({"a": [1, "ї", null]});
        let full = Item {
            id: Id::from_raw(i64::MAX),
            name: phone.to_string(),
            ratio: Some(2.5),
            done: Some(true),
            data: Some(data.clone()),
            raw: Some(vec![0, 255]),
            at: Timestamp::from_micros(12),
        };
        let insert = sql!(
            "INSERT INTO item (id, account, name, ratio, done, data, raw, size)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        );
        let row = db
            .write(move |tx| {
                Box::pin(async move {
                    let account = Id::<Account>::from_raw(7);
                    let at = Timestamp::from_micros(12);
                    let raw = vec![0_u8, 255];
                    let id = i64::MAX;
                    tx.exec(insert, args![id, account, phone, 2.5, true, data, raw, at]).await?;
                    let none: Option<bool> = None;
                    let bare = args![
                        1_i64,
                        account,
                        "bare",
                        None::<f64>,
                        none,
                        None::<String>,
                        None::<Vec<u8>>,
                        0_i64
                    ];
                    tx.exec(insert, bare).await?;
                    let select = sql!(
                        "SELECT id, name, ratio, done, data, raw, size FROM item ORDER BY id DESC"
                    );
                    tx.all::<Item>(select, args![]).await
                })
            })
            .await
            .unwrap();
        assert_eq!(row[0], full);
        assert_eq!((row[1].ratio, row[1].done, &row[1].data), (None, None, &None));
    })
    .await;
}

#[tokio::test]
async fn sums_placeholders_and_optional_filters_work_alike() {
    testing::each(&[ITEM], |db| async move {
        for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
            add(&db, id, name).await.unwrap();
        }
        let figures = db
            .read(|tx| {
                Box::pin(async move {
                    let sum = sql!("SELECT sum(id), avg(id), max(name) FROM item WHERE id > $1");
                    let figures: (i64, f64, String) = tx.one(sum, args![1_i64]).await?;
                    let empty = sql!("SELECT sum(id) FROM item WHERE id > 99");
                    assert_eq!(tx.one::<(Option<i64>,)>(empty, args![]).await?, (None,));
                    let filter = sql!(
                        "SELECT id FROM item
                         WHERE (id < $2 OR $2 IS NULL) AND (name = $1 OR $1 IS NULL) ORDER BY id"
                    );
                    let none: Option<i64> = None;
                    let all: Vec<(i64,)> = tx.all(filter, args![None::<String>, none]).await?;
                    assert_eq!(all.len(), 3);
                    let some: Vec<(i64,)> = tx.all(filter, args!["b", 3_i64]).await?;
                    assert_eq!(some, [(2,)]);
                    let page = sql!(
                        "SELECT name, id FROM item WHERE (size, id) < ($1, $2)
                         ORDER BY size DESC, id DESC LIMIT $3"
                    );
                    let rows: Vec<(String, i64)> = tx.all(page, args![0_i64, 3_i64, 5_i64]).await?;
                    assert_eq!(rows, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
                    let limit = sql!("SELECT name, id FROM v_item WHERE sum_is_no_column = 1");
                    assert!(matches!(tx.prepare(limit).await, Err(Error::Db(_))));
                    Ok(figures)
                })
            })
            .await;
        assert_eq!(figures, Ok((5, 2.5, "c".to_owned())));
    })
    .await;
}

#[tokio::test]
async fn an_error_rolls_the_unit_back_and_no_other() {
    testing::each(&[ITEM], |db| async move {
        let refused: db::Result<()> = db
            .write(|tx| {
                Box::pin(async move {
                    let insert =
                        sql!("INSERT INTO item (id, account, name, size) VALUES (9, 7, 'x', 0)");
                    tx.exec(insert, args![]).await?;
                    Err(Error::NotFound)
                })
            })
            .await;
        assert_eq!(refused, Err(Error::NotFound));
        assert_eq!(add(&db, 1, "a").await, Ok(1));
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_conflict_names_the_key_alike_on_both_engines() {
    testing::each(&[ITEM], |db| async move {
        add(&db, 1, "a").await.unwrap();
        assert_eq!(add(&db, 2, "a").await, Err(Error::Conflict("item(account, name)".to_owned())));
        assert_eq!(add(&db, 1, "b").await, Err(Error::Conflict("item(id)".to_owned())));
        let insert =
            sql!("INSERT INTO item (id, account, name, parent, size) VALUES ($1, 7, $2, $3, $4)");
        let with = async |parent: Option<i64>, size: i64| {
            db.write(move |tx| {
                Box::pin(async move { tx.exec(insert, args![5_i64, "e", parent, size]).await })
            })
            .await
        };
        assert_eq!(with(Some(99), 0).await, Err(Error::Conflict("foreign key".to_owned())));
        assert_eq!(with(None, -1).await, Err(Error::Conflict("item_size".to_owned())));
        assert_eq!(with(Some(1), 1).await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn a_unit_whose_statement_failed_is_over() {
    testing::each(&[ITEM], |db| async move {
        add(&db, 1, "a").await.unwrap();
        let outcome = db
            .write(|tx| {
                Box::pin(async move {
                    let insert =
                        sql!("INSERT INTO item (id, account, name, size) VALUES ($1, 7, 'z', 0)");
                    tx.exec(insert, args![2_i64]).await?;
                    let first = tx.exec(insert, args![3_i64]).await;
                    assert!(matches!(first, Err(Error::Conflict(_))));
                    let second = tx.exec(sql!("DELETE FROM item"), args![]).await;
                    assert_eq!(first, second);
                    Ok(())
                })
            })
            .await;
        assert!(matches!(outcome, Err(Error::Conflict(_))), "{outcome:?}");
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_told_as_mistakes() {
    testing::each(&[ITEM], |db| async move {
        let wrong = async |sql: &'static str, args: Vec<db::Value>| {
            db.write(move |tx| Box::pin(async move { tx.exec(sql, &args).await })).await
        };
        let cases = [
            (sql!("UPDATE item SET nosuch = 1"), args![].to_vec()),
            (sql!("UPDATE item SET size = $1"), args![].to_vec()),
            (sql!("UPDATE item SET size = $1"), args![1_i64, 2_i64].to_vec()),
            (sql!("UPDATE item SET name = $1"), args!["a\0b"].to_vec()),
            (sql!("UPDATE item SET name = NULL"), args![].to_vec()),
        ];
        add(&db, 1, "a").await.unwrap();
        for (sql, args) in cases {
            let outcome = wrong(sql, args).await;
            assert!(matches!(outcome, Err(Error::Db(_))), "{sql}: {outcome:?}");
        }
        let written = db
            .read(|tx| Box::pin(async move { tx.exec(sql!("DELETE FROM item"), args![]).await }))
            .await;
        assert!(matches!(written, Err(Error::Db(_))), "{written:?}");
        let missing = db
            .read(|tx| {
                Box::pin(async move {
                    tx.one::<(i64,)>(sql!("SELECT id FROM item WHERE id = 99"), args![]).await
                })
            })
            .await;
        assert_eq!(missing, Err(Error::NotFound));
        let many = db
            .read(|tx| {
                Box::pin(async move {
                    tx.one::<(i64,)>(sql!("SELECT id, name FROM item"), args![]).await
                })
            })
            .await;
        assert!(matches!(many, Err(Error::Decode(_))), "{many:?}");
        assert_eq!(count(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_panic_rolls_its_unit_back_and_the_next_one_works() {
    testing::each(&[ITEM], |db| async move {
        let outcome: db::Result<()> = db
            .write(|tx| {
                Box::pin(async move {
                    let insert =
                        sql!("INSERT INTO item (id, account, name, size) VALUES (1, 7, 'p', 0)");
                    tx.exec(insert, args![]).await?;
                    panic!("on purpose")
                })
            })
            .await;
        assert_eq!(outcome, Err(Error::Db("a unit of work panicked: on purpose".to_owned())));
        assert_eq!(count(&db).await, 0);
        assert_eq!(add(&db, 1, "a").await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_awaits_something_else_is_rolled_back_on_sqlite() {
    testing::one(Engine::Sqlite, &[ITEM], |db| async move {
        let outcome = db
            .write(|tx| {
                Box::pin(async move {
                    let insert =
                        sql!("INSERT INTO item (id, account, name, size) VALUES (1, 7, 'p', 0)");
                    tx.exec(insert, args![]).await?;
                    tokio::task::yield_now().await;
                    Ok(())
                })
            })
            .await;
        assert!(
            matches!(outcome, Err(Error::Db(said)) if said.contains("await the database only"))
        );
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

/// A unit that writes and then fails.
async fn clumsy(db: &Db, n: i64) -> db::Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let insert = sql!("INSERT INTO item (id, account, name, size) VALUES ($1, 7, $2, 0)");
            tx.exec(insert, args![1_000 + n, format!("undone {n}")]).await?;
            tx.exec(insert, args![2_000, "taken"]).await?;
            tx.exec(insert, args![2_001, "taken"]).await
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn units_that_wait_together_share_a_commit() {
    testing::one(Engine::Sqlite, &[ITEM], |db| async move {
        let before = db.stats();
        // The writer is held by the first unit until all others wait behind it.
        let (held, release) = (Arc::new(tokio::sync::Notify::new()), std::sync::mpsc::channel());
        let (go, wait) = release;
        let first = {
            let (db, held) = (db.clone(), Arc::clone(&held));
            telemetry::spawn("first", async move {
                db.write(move |_| {
                    Box::pin(async move {
                        held.notify_one();
                        wait.recv().map_err(|_| Error::Closed)
                    })
                })
                .await
            })
        };
        held.notified().await;
        let rest: Vec<_> = (0..64_i64)
            .map(|n| {
                let db = db.clone();
                telemetry::spawn("one", async move {
                    if n % 8 < 7 { add(&db, n, &n.to_string()).await } else { clumsy(&db, n).await }
                })
            })
            .collect();
        while db.stats().queued < 64 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        let mut kept = 0;
        for unit in rest {
            match unit.await.unwrap() {
                Ok(_) => kept += 1,
                Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error}"),
            }
        }
        let after = db.stats();
        assert_eq!(kept, 56);
        assert_eq!(count(&db).await, kept, "what a failed unit wrote is gone");
        assert_eq!(after.kept - before.kept, kept as u64 + 1);
        assert_eq!(after.refused - before.refused, 64 - kept as u64);
        assert_eq!(after.commits - before.commits, 2, "{after:?}");
    })
    .await;
}

#[tokio::test]
async fn a_file_belongs_to_one_process_and_is_let_go_by_close() {
    let place = testing::Place::make(Engine::Sqlite).await;
    let db = place.open().await;
    let second = place.try_open().await;
    assert!(matches!(second, Err(Error::Unavailable(said)) if said.contains("another process")));
    db.close().await;
    assert_eq!(add(&db, 1, "late").await, Err(Error::Closed));
    let again = place.open().await;
    again.close().await;
    place.remove().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_in_words() {
    let options = || Options::new(clock::Clock::system());
    for wrong in ["", "mysql://x", "data.db"] {
        let error = Db::open(wrong, options()).await.unwrap_err();
        assert!(error.to_string().contains("is no address"), "{error}");
    }
    let nobody = Db::open("postgres://a@127.0.0.1:1/x", options()).await.unwrap_err();
    assert!(matches!(nobody, Error::Unavailable(_)), "{nobody}");
}

#[tokio::test]
async fn figures_of_a_smaller_database_mislead_nobody() {
    let place = testing::Place::make(Engine::Sqlite).await;
    let db = place.open().await;
    db.migrate(&[ITEM]).await.unwrap();
    db.write(|tx| Box::pin(async move { tx.exec(sql!("ANALYZE"), args![]).await })).await.unwrap();
    db.close().await;
    let db = place.open().await;
    let figures = sql!("SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'");
    let (left,): (i64,) =
        db.read(move |tx| Box::pin(async move { tx.one(figures, args![]).await })).await.unwrap();
    assert_eq!(left, 0);
    db.close().await;
    place.remove().await;
}

#[tokio::test]
async fn a_server_that_acknowledges_too_early_is_refused() {
    let place = testing::Place::make(Engine::Postgres).await;
    let separator = if place.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-c%20synchronous_commit%3Doff", place.url);
    let refused = Db::open(&url, testing::Place::options()).await.unwrap_err();
    assert!(refused.to_string().contains("synchronous_commit is off"), "{refused}");
    place.remove().await;
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_open_transaction() {
    let place = testing::Place::make(Engine::Postgres).await;
    let (db, watch) = (place.open().await, place.open().await);
    db.migrate(&[ITEM]).await.unwrap();
    for n in 0..20_i64 {
        let unit = db.write(move |tx| {
            Box::pin(async move {
                let insert =
                    sql!("INSERT INTO item (id, account, name, size) VALUES ($1, 7, $2, 0)");
                tx.exec(insert, args![n, n.to_string()]).await?;
                tx.one::<(String,)>(sql!(pg: "SELECT pg_sleep(0.05)::text"), args![]).await
            })
        });
        // Dropped at different points on its way.
        let _ = tokio::time::timeout(Duration::from_millis(n as u64 * 3), unit).await;
    }
    let at_work = sql!(
        pg: "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND backend_type = 'client backend' AND state <> 'idle'"
    );
    // Units run to their end after their callers have gone; an open transaction would stay.
    let clock = clock::Clock::system();
    let mut looks = 0;
    while watch
        .read(move |tx| Box::pin(async move { tx.one::<(i64,)>(at_work, args![]).await }))
        .await
        .unwrap()
        .0
        > 0
    {
        looks += 1;
        assert!(looks < 500, "a transaction stays open");
        clock.sleep(Duration::from_millis(10)).await;
    }
    add(&db, 100, "after").await.unwrap();
    db.close().await;
    watch.close().await;
    place.remove().await;
}

#[tokio::test]
async fn a_connection_that_dies_in_a_commit_leaves_the_outcome_unknown() {
    testing::one(Engine::Postgres, &[ITEM], |db| async move {
        let outcome: db::Result<()> = db
            .write(|tx| {
                Box::pin(async move {
                    let end = sql!(pg: "SELECT pg_terminate_backend(pg_backend_pid())");
                    tx.exec(end, args![]).await.map(drop)
                })
            })
            .await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "in the unit: {outcome:?}");
        // A trigger that runs at the commit ends the session in the middle of it.
        db.write(|tx| {
            Box::pin(async move {
                tx.exec(
                    sql!(pg: "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"),
                    args![],
                )
                .await?;
                tx.exec(
                    sql!(pg: "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON item
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"),
                    args![],
                )
                .await
            })
        })
        .await
        .unwrap();
        let outcome = add(&db, 1, "a").await;
        assert!(matches!(outcome, Err(Error::CommitUnknown(_))), "{outcome:?}");
        assert_eq!(count(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_refuses_the_unit_and_says_so() {
    testing::one(Engine::Sqlite, &[ITEM], |db| async move {
        add(&db, 1, "a").await.unwrap();
        db.write(|tx| {
            Box::pin(async move {
                tx.one::<(i64,)>(sql!(sqlite: "PRAGMA max_page_count = 12"), args![]).await
            })
        })
        .await
        .unwrap();
        let mut full = None;
        for n in 2..2_000_i64 {
            if let Err(error) = add(&db, n, &"x".repeat(500 + n as usize)).await {
                full = Some(error);
                break;
            }
        }
        assert!(matches!(full, Some(Error::Unavailable(_))), "{full:?}");
        let kept = count(&db).await;
        db.write(|tx| {
            Box::pin(async move {
                tx.one::<(i64,)>(sql!(sqlite: "PRAGMA max_page_count = 1000000"), args![]).await
            })
        })
        .await
        .unwrap();
        add(&db, 5_000, "there is room again").await.unwrap();
        assert_eq!(count(&db).await, kept + 1);
    })
    .await;
}

#[tokio::test]
async fn a_commit_that_fails_undoes_its_units_and_says_so() {
    testing::one(Engine::Sqlite, &[ITEM], |db| async move {
        let outcome = db
            .write(|tx| {
                Box::pin(async move {
                    // The one way to make SQLite find a fault as late as in the commit.
                    tx.exec(sql!(sqlite: "PRAGMA defer_foreign_keys = ON"), args![]).await?;
                    let insert = sql!(
                        "INSERT INTO item (id, account, name, parent, size)
                         VALUES (1, 7, 'orphan', 99, 0)"
                    );
                    tx.exec(insert, args![]).await
                })
            })
            .await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
        assert_eq!(db.stats().lost, 1);
        let commits = db.stats().commits;
        db.ping().await.unwrap();
        assert_eq!(db.stats().commits, commits + 1, "what was proved before counts no more");
        assert_eq!(count(&db).await, 0);
        assert_eq!(add(&db, 1, "a").await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_takes_too_long_is_stopped() {
    testing::each_place(|place| async move {
        let patient = testing::Place::options();
        let options = Options { statement_timeout: Duration::from_millis(200), ..patient };
        let db = Db::open(&place.url, options).await.unwrap();
        db.migrate(&[ITEM]).await.unwrap();
        let endless = sql!(
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n)
             SELECT count(*) FROM n"
        );
        let read = db
            .read(move |tx| Box::pin(async move { tx.one::<(i64,)>(endless, args![]).await }))
            .await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
        let written = db
            .write(move |tx| Box::pin(async move { tx.one::<(i64,)>(endless, args![]).await }))
            .await;
        assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
        assert_eq!(add(&db, 1, "a").await, Ok(1));
        assert_eq!(count(&db).await, 1);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_is_woken_by_the_commit_only() {
    testing::each(&[ITEM], |db| async move {
        let mut woken = db.woken("bell");
        let undone: db::Result<()> = db
            .write(|tx| {
                Box::pin(async move {
                    tx.wake("bell");
                    Err(Error::NotFound)
                })
            })
            .await;
        assert!(undone.is_err());
        assert!(!woken.has_changed().unwrap());
        db.write(|tx| {
            Box::pin(async move {
                tx.wake("bell");
                Ok(())
            })
        })
        .await
        .unwrap();
        woken.changed().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn readiness_needs_a_commit() {
    testing::each_place(|place| async move {
        let (clock, hand) = clock::Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let db = Db::open(&place.url, Options::new(clock)).await.unwrap();
        db.migrate(&[]).await.unwrap();
        let commits = db.stats().commits;
        db.ping().await.unwrap();
        assert_eq!(db.stats().commits, commits, "a recent commit is proof enough");
        hand.advance(Duration::from_mins(1));
        db.ping().await.unwrap();
        assert_eq!(db.stats().commits, commits + 1);
        db.close().await;
        assert_eq!(db.ping().await, Ok(()), "still recent");
        hand.advance(Duration::from_mins(1));
        assert_eq!(db.ping().await, Err(Error::Closed));
    })
    .await;
}

#[tokio::test]
async fn small_letters_are_made_in_every_script() {
    testing::each(&[ITEM], |db| async move {
        let (low,): (String,) = db
            .read(|tx| {
                Box::pin(async move {
                    tx.one(sql!("SELECT LOWER($1)"), args!["ОЛЕНА Їжак Oʻgʻil ĐẶNG"]).await
                })
            })
            .await
            .unwrap();
        assert_eq!(low, "олена їжак oʻgʻil đặng");
    })
    .await;
}
