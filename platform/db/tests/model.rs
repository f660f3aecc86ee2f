//! Random units against a map in memory, on both engines: the database holds what was
//! acknowledged, and answers every refusal alike.

use std::collections::BTreeMap;

use db::{Chain, Db, Engine, Error, Migration, Tx, args, sql, testing};
use proptest::{prelude::*, test_runner::TestRunner};

const CHAIN: Chain = Chain {
    feature: "cells",
    migrations: &[Migration {
        name: "1_cell",
        sql: "CREATE TABLE cell (
                id BIGINT PRIMARY KEY,
                label TEXT NOT NULL,
                amount BIGINT NOT NULL CONSTRAINT cell_amount CHECK (amount < 100)
              );
              CREATE UNIQUE INDEX cell_label ON cell (label);",
    }],
    views: "",
};

type Cells = BTreeMap<i64, (String, i64)>;

#[derive(Debug, Clone)]
enum Step {
    Insert(i64, String, i64),
    Upsert(i64, String, i64),
    Add(i64, i64),
    Rename(i64, String),
    Delete(i64),
    /// Everything up to an id.
    Sweep(i64),
}

/// Steps of a unit, and whether it gives up at the end.
type Work = (Vec<Step>, bool);

fn step() -> impl Strategy<Value = Step> {
    let (id, label, amount) = (0..6_i64, "[ab]{1,2}", 0..60_i64);
    prop_oneof![
        (id.clone(), label, amount.clone()).prop_map(|(i, l, a)| Step::Insert(i, l, a)),
        (id.clone(), label, amount.clone()).prop_map(|(i, l, a)| Step::Upsert(i, l, a)),
        (id.clone(), amount).prop_map(|(i, a)| Step::Add(i, a)),
        (id.clone(), label).prop_map(|(i, l)| Step::Rename(i, l)),
        id.clone().prop_map(Step::Delete),
        id.prop_map(Step::Sweep),
    ]
}

/// What the step does to the map: rows changed, or what stands in the way.
fn model(cells: &mut Cells, step: &Step) -> Result<u64, &'static str> {
    let taken =
        |cells: &Cells, id: i64, label: &str| cells.iter().any(|(i, c)| *i != id && c.0 == label);
    match step {
        Step::Insert(id, label, amount) => {
            if cells.contains_key(id) {
                return Err("cell(id)");
            }
            if taken(cells, *id, label) {
                return Err("cell(label)");
            }
            cells.insert(*id, (label.clone(), *amount));
            Ok(1)
        }
        Step::Upsert(id, label, amount) => {
            if taken(cells, *id, label) {
                return Err("cell(label)");
            }
            cells.insert(*id, (label.clone(), *amount));
            Ok(1)
        }
        Step::Add(id, amount) => {
            let Some(cell) = cells.get_mut(id) else { return Ok(0) };
            if cell.1 + amount >= 100 {
                return Err("cell_amount");
            }
            cell.1 += amount;
            Ok(1)
        }
        Step::Rename(id, label) => {
            if !cells.contains_key(id) {
                return Ok(0);
            }
            if taken(cells, *id, label) {
                return Err("cell(label)");
            }
            cells.entry(*id).and_modify(|cell| cell.0.clone_from(label));
            Ok(1)
        }
        Step::Delete(id) => Ok(u64::from(cells.remove(id).is_some())),
        Step::Sweep(id) => {
            let before = cells.len();
            cells.retain(|i, _| i > id);
            Ok((before - cells.len()) as u64)
        }
    }
}

async fn real(tx: &mut Tx<'_>, step: Step) -> db::Result<u64> {
    match step {
        Step::Insert(id, label, amount) => {
            let insert = sql!("INSERT INTO cell (id, label, amount) VALUES ($1, $2, $3)");
            tx.exec(insert, args![id, label, amount]).await
        }
        Step::Upsert(id, label, amount) => {
            let upsert = sql!(
                "INSERT INTO cell (id, label, amount) VALUES ($1, $2, $3)
                 ON CONFLICT (id) DO UPDATE SET label = excluded.label, amount = excluded.amount"
            );
            tx.exec(upsert, args![id, label, amount]).await
        }
        Step::Add(id, amount) => {
            // The second placeholder stands first: numbers count, not places.
            let add = sql!("UPDATE cell SET amount = amount + $2 WHERE id = $1");
            tx.exec(add, args![id, amount]).await
        }
        Step::Rename(id, label) => {
            let rename = sql!("UPDATE cell SET label = $2 WHERE id = $1 RETURNING id");
            let renamed: Vec<(i64,)> = tx.all(rename, args![id, label]).await?;
            Ok(renamed.len() as u64)
        }
        Step::Delete(id) => tx.exec(sql!("DELETE FROM cell WHERE id = $1"), args![id]).await,
        Step::Sweep(id) => tx.exec(sql!("DELETE FROM cell WHERE id <= $1"), args![id]).await,
    }
}

/// Does the unit in the map and in the database, and compares answers and contents.
async fn play(db: &Db, cells: &mut Cells, work: Work) {
    let (steps, gives_up) = work;
    let mut draft = cells.clone();
    let mut expected = Ok(Vec::new());
    for step in &steps {
        match (model(&mut draft, step), &mut expected) {
            (Ok(rows), Ok(list)) => list.push(rows),
            (Err(key), _) => {
                expected = Err(Error::Conflict(key.to_owned()));
                break;
            }
            (Ok(_), Err(_)) => unreachable!("the loop ends with the first refusal"),
        }
    }
    if gives_up {
        expected = expected.and(Err(Error::NotFound));
    }
    if expected.is_ok() {
        *cells = draft;
    }
    let answer = db
        .write(move |tx| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for step in steps {
                    rows.push(real(tx, step).await?);
                }
                if gives_up { Err(Error::NotFound) } else { Ok(rows) }
            })
        })
        .await;
    assert_eq!(answer, expected);
    let all: Vec<(i64, String, i64)> = db
        .read(|tx| {
            Box::pin(async move {
                tx.all(sql!("SELECT id, label, amount FROM cell ORDER BY id"), args![]).await
            })
        })
        .await
        .unwrap();
    let held: Cells = all.into_iter().map(|(id, label, amount)| (id, (label, amount))).collect();
    assert_eq!(&held, cells);
}

fn compare(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (place, db) = runtime.block_on(async {
        let place = testing::Place::make(engine).await;
        let db = place.open().await;
        db.migrate(&[CHAIN]).await.unwrap();
        (place, db)
    });
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let unit = (prop::collection::vec(step(), 1..5), prop::bool::weighted(0.1));
    let outcome = TestRunner::new(config).run(&prop::collection::vec(unit, 1..16), |units| {
        runtime.block_on(async {
            let mut cells = Cells::new();
            let empty = db.write(|tx| Box::pin(real(tx, Step::Sweep(i64::MAX)))).await;
            empty.unwrap();
            for work in units {
                play(&db, &mut cells, work).await;
            }
        });
        Ok(())
    });
    runtime.block_on(async {
        db.close().await;
        place.remove().await;
    });
    outcome.unwrap();
}

#[test]
fn sqlite_holds_what_the_model_holds() {
    compare(Engine::Sqlite, 64);
}

#[test]
fn postgresql_holds_what_the_model_holds() {
    compare(Engine::Postgres, 32);
}
