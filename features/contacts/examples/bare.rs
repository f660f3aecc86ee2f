//! What the disk and the indexes alone cost an import: its rows, written in units of 500 that are
//! each one commit, without being read from a file, compared with anything or counted.
//!
//! `cargo run --release -p contacts --example bare -- rows=1000000 engine=postgres`

use std::{
    error::Error,
    io::Write as _,
    time::{Duration, Instant},
};

use clock::Clock;
use db::{Db, Engine, Keyed, Options, Tx, args, sql, testing::Place};
use serde_json::json;

/// Rows of one commit, as an import has them.
const UNIT: i64 = 500;
const ACCOUNT: i64 = 1;
const LIST: i64 = 2;
const IMPORT: i64 = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args().find_map(|argument| argument.strip_prefix("rows=")?.parse().ok());
    let rows: i64 = given.unwrap_or(1_000_000);
    let postgres = std::env::args().any(|argument| argument == "engine=postgres");
    let place = Place::make(if postgres { Engine::Postgres } else { Engine::Sqlite }).await;
    let db = Db::open(&place.url, Options::new(Clock::system())).await?;
    db.migrate(&[contacts::chain()]).await?;
    db.write(|tx| Box::pin(list(tx))).await?;
    let began = now();
    for first in (0..rows).step_by(UNIT as usize) {
        let last = (first + UNIT).min(rows);
        db.write(move |tx| Box::pin(unit(tx, first, last))).await?;
    }
    let spent: Duration = began.elapsed();
    place.remove().await;
    writeln!(std::io::stdout(), "bare rows={rows} seconds={:.3}", spent.as_secs_f64())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

async fn list(tx: &mut Tx<'_>) -> db::Result<()> {
    let insert = sql!(
        "INSERT INTO contact_list (id, account, name, name_key, contacts, numbers, do_not_call,
                                   version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 0, 0, 0, 1, $5, $5)"
    );
    tx.exec(insert, args![LIST, ACCOUNT, "People", "people", 0]).await.map(drop)
}

/// The two statements of an import's unit that bring rows in, with nothing around them.
async fn unit(tx: &mut Tx<'_>, first: i64, last: i64) -> db::Result<()> {
    let (mut contacts, mut numbers) = (Keyed::default(), Keyed::default());
    for n in first..last {
        let (id, phone) = (n + 1_000, format!("+38093{:07}", 1_000_000 + n));
        let search = format!("p{n} person {n} {}", &phone[1..]);
        let fields = json!({
            "external_id": format!("p{n}"), "name": format!("Person {n}"), "first_phone": phone,
            "zone": null, "variables": {}, "search": search,
        });
        contacts.put(id, &fields)?;
        let number = json!({ "contact": id, "ordinal": 0, "phone": phone, "kind": "mobile" });
        numbers.put(0, &number)?;
    }
    tx.exec(
        sql!(
            "INSERT INTO list_contact (id, account, list, external_id, name, first_phone, zone,
                                       variables, source, import, search, created_at, updated_at)
             SELECT CAST(key AS BIGINT), $1, $2, value ->> 'external_id', value ->> 'name',
                    value ->> 'first_phone', value ->> 'zone', value -> 'variables', $6, $3,
                    value ->> 'search', $4, $4
             FROM json_each($5)"
        ),
        args![ACCOUNT, LIST, IMPORT, 0, contacts, "csv"],
    )
    .await?;
    tx.exec(
        sql!(
            "INSERT INTO list_number (account, list, contact, ordinal, phone, kind)
                 SELECT $1, $2, CAST(value ->> 'contact' AS BIGINT),
                        CAST(value ->> 'ordinal' AS BIGINT), value ->> 'phone', value ->> 'kind'
                 FROM json_each($3)"
        ),
        args![ACCOUNT, LIST, numbers],
    )
    .await
    .map(drop)
}
