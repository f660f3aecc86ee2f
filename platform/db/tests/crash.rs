//! Killed without warning, again and again: what was acknowledged is there, and no unit is torn.
//!
//! The test starts itself as a child that writes with 32 writers and prints the id of each unit
//! that was acknowledged; the parent kills it and looks.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    time::Duration,
};

use db::{Chain, Db, Engine, Migration, args, sql, testing};

const CHAIN: Chain = Chain {
    feature: "ledger",
    migrations: &[Migration {
        name: "1_entry",
        sql: "CREATE TABLE entry (id BIGINT PRIMARY KEY, half BIGINT NOT NULL);
              CREATE TABLE other_half (id BIGINT PRIMARY KEY);
              CREATE TABLE figure (id BIGINT PRIMARY KEY, entries BIGINT NOT NULL);
              INSERT INTO figure (id, entries) VALUES (1, 0);",
    }],
    views: "",
};
const WRITERS: i64 = 32;
const ROUNDS: i64 = 4;
/// Names the child's database; its absence makes a run of the child a no-op.
const URL: &str = "SWITCHBELL_TEST_CRASH_URL";
const ROUND: &str = "SWITCHBELL_TEST_CRASH_ROUND";

async fn enter(db: &Db, id: i64) -> db::Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            tx.exec(sql!("INSERT INTO entry (id, half) VALUES ($1, $1)"), args![id]).await?;
            tx.exec(sql!("INSERT INTO other_half (id) VALUES ($1)"), args![id]).await?;
            tx.exec(sql!("UPDATE figure SET entries = entries + 1 WHERE id = 1"), args![]).await?;
            Ok(())
        })
    })
    .await
}

/// The child: does nothing unless the parent started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_writes_until_it_is_killed() {
    let (Ok(url), Ok(round)) = (std::env::var(URL), std::env::var(ROUND)) else { return };
    let round: i64 = round.parse().unwrap();
    let db = Db::open(&url, testing::Place::options()).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            telemetry::spawn("writer", async move {
                for n in 0.. {
                    let id = (round * WRITERS + writer) * 1_000_000 + n;
                    enter(&db, id).await.unwrap();
                    println!("acknowledged {id}");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs the child until it has written for a while, kills it, and returns what it acknowledged.
fn kill_one(url: &str, round: i64) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_writes_until_it_is_killed", "--nocapture"])
        .env(URL, url)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = child.stderr.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ids = Vec::new();
    let read = |line: std::io::Result<String>| {
        // The harness writes on the same line as the first id.
        line.ok()?.rsplit_once("acknowledged ")?.1.parse::<i64>().ok()
    };
    // At least so many: the moment of death then lies in the middle of the work.
    let least = 300 + 150 * round as usize;
    while ids.len() < least {
        let Some(line) = lines.next() else {
            let mut said = String::new();
            errors.read_to_string(&mut said).unwrap();
            panic!("the child ended early: {said}");
        };
        ids.extend(read(line));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had printed before it died was acknowledged as well; a last line may be cut short,
    // so it counts only when it is whole, which its fixed width tells.
    let width = |id: &i64| id.to_string().len();
    let widest = ids.iter().map(width).max().unwrap_or(0);
    let rest: Vec<i64> = lines.filter_map(read).collect();
    let cut = rest.last().is_some_and(|id| width(id) < widest);
    ids.extend(&rest[..rest.len() - usize::from(cut)]);
    ids
}

async fn check(db: &Db, acknowledged: &BTreeSet<i64>) {
    let (entries, halves, figure) = db
        .read(|tx| {
            Box::pin(async move {
                let all: Vec<(i64,)> = tx.all(sql!("SELECT id FROM entry"), args![]).await?;
                let halves: Vec<(i64,)> =
                    tx.all(sql!("SELECT id FROM other_half"), args![]).await?;
                let figure: (i64,) = tx.one(sql!("SELECT entries FROM figure"), args![]).await?;
                Ok((all, halves, figure.0))
            })
        })
        .await
        .unwrap();
    let entries: BTreeSet<i64> = entries.into_iter().map(|row| row.0).collect();
    let halves: BTreeSet<i64> = halves.into_iter().map(|row| row.0).collect();
    let lost: Vec<_> = acknowledged.difference(&entries).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(entries, halves, "torn units");
    assert_eq!(figure, entries.len() as i64, "a counter that does not count what is there");
    // Units in flight may have been kept without an answer, but no more than were in flight.
    let unknown = entries.len() - acknowledged.len();
    assert!(unknown as i64 <= WRITERS * ROUNDS, "{unknown}");
}

async fn crash(engine: Engine) {
    let place = testing::Place::make(engine).await;
    let db = place.open().await;
    db.migrate(&[CHAIN]).await.unwrap();
    db.close().await;
    let mut acknowledged = BTreeSet::new();
    for round in 1..=ROUNDS {
        let url = place.url.clone();
        let ids = tokio::task::spawn_blocking(move || kill_one(&url, round)).await.unwrap();
        acknowledged.extend(ids);
        let db = settled(&place).await;
        check(&db, &acknowledged).await;
        db.close().await;
    }
    assert!(acknowledged.len() >= 300 * ROUNDS as usize);
    place.remove().await;
}

/// Opens the database once nothing of the killed process is left: on a server, its sessions may
/// still be committing.
async fn settled(place: &testing::Place) -> Db {
    let clock = clock::Clock::system();
    let db = place.open().await;
    if db.engine() == Engine::Postgres {
        let others = sql!(
            pg: "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()
                   AND backend_type = 'client backend' AND state <> 'idle'"
        );
        let look = async || {
            db.read(move |tx| Box::pin(async move { tx.one::<(i64,)>(others, args![]).await }))
                .await
                .unwrap()
        };
        while look().await.0 > 0 {
            clock.sleep(Duration::from_millis(20)).await;
        }
    }
    db
}

#[tokio::test]
async fn sqlite_loses_nothing_that_it_acknowledged() {
    crash(Engine::Sqlite).await;
}

#[tokio::test]
async fn postgresql_loses_nothing_that_it_acknowledged() {
    crash(Engine::Postgres).await;
}
