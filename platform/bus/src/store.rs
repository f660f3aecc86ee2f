//! The outbox, from the side of the relay.

use std::time::Duration;

use base::{
    Id, Timestamp,
    kind::{Account, OutboxRow},
};
use db::{Db, args, record, sql};

use crate::Fact;

/// Rows at the head of the outbox that are looked at for subjects.
const HEAD: i64 = 256;
/// Facts of one subject that are taken at a time.
const RUN: i64 = 64;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What orders facts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    pub(crate) account: Id<Account>,
    pub(crate) name: String,
}

/// What is in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Facts not yet delivered.
    pub facts: u64,
    /// Those that a listener has refused at least once.
    pub refused: u64,
}

record! {
    struct Stored {
        id: Id<OutboxRow>,
        version: i64,
        payload: serde_json::Value,
        at: Timestamp,
        failures: i64,
    }
}

/// Subjects with facts to deliver, the one that has waited longest first.
pub(crate) async fn due(db: &Db, now: Timestamp) -> db::Result<Vec<Subject>> {
    let rows: Vec<(Id<Account>, String)> = db
        .read(move |tx| {
            Box::pin(async move {
                let head = sql!(
                    "SELECT account, subject FROM outbox o
                     WHERE NOT EXISTS (SELECT 1 FROM outbox b
                       WHERE b.account = o.account AND b.subject = o.subject
                         AND b.retry_at > 0 AND b.retry_at > $1)
                     ORDER BY id LIMIT $2"
                );
                tx.all(head, args![now, HEAD]).await
            })
        })
        .await?;
    let mut subjects: Vec<Subject> = Vec::new();
    for (account, name) in rows {
        let subject = Subject { account, name };
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    Ok(subjects)
}

/// The next facts of a subject in their order, each with its failures so far.
pub(crate) async fn next(db: &Db, subject: &Subject) -> db::Result<Vec<(Fact, i64)>> {
    let Subject { account, name } = subject.clone();
    let stored: Vec<Stored> = db
        .read(move |tx| {
            Box::pin(async move {
                let run = sql!(
                    "SELECT id, version, payload, created_at, failures FROM outbox
                     WHERE account = $1 AND subject = $2 ORDER BY version, id LIMIT $3"
                );
                tx.all(run, args![account, name, RUN]).await
            })
        })
        .await?;
    let facts = stored.into_iter().map(|row| {
        let Stored { id, version, payload, at, failures } = row;
        let (account, name) = (subject.account, subject.name.clone());
        (Fact { id, account, subject: name, version, payload, at }, failures)
    });
    Ok(facts.collect())
}

/// Takes delivered facts out.
pub(crate) async fn delivered(db: &Db, facts: Vec<Id<OutboxRow>>) -> db::Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            for id in facts {
                tx.exec(sql!("DELETE FROM outbox WHERE id = $1"), args![id]).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Lets a subject wait after its fact `id` was refused for the `failures`-th time.
pub(crate) async fn refused(
    db: &Db,
    id: Id<OutboxRow>,
    failures: i64,
    now: Timestamp,
) -> db::Result<()> {
    let retry_at = now.plus(pause(failures));
    db.write(move |tx| {
        Box::pin(async move {
            let update = sql!("UPDATE outbox SET failures = $1, retry_at = $2 WHERE id = $3");
            tx.exec(update, args![failures, retry_at, id]).await.map(drop)
        })
    })
    .await
}

fn pause(failures: i64) -> Duration {
    let doublings = failures.clamp(1, 16) as u32 - 1;
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

pub(crate) async fn waiting(db: &Db) -> db::Result<Waiting> {
    let (facts, refused): (u64, u64) = db
        .read(|tx| {
            Box::pin(async move {
                let figures = sql!("SELECT count(*), count(NULLIF(failures, 0)) FROM outbox");
                tx.one(figures, args![]).await
            })
        })
        .await?;
    Ok(Waiting { facts, refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let pauses: Vec<_> = [1, 2, 3, 9, 10, 1_000].map(|n| pause(n).as_secs()).into();
        assert_eq!(pauses, [1, 2, 4, 256, 300, 300]);
    }
}
