//! Rows of the table `recording`.

use std::collections::BTreeSet;

use base::{Id, Timestamp, kind};
use db::{Tx, args, record, sql};

record! {
    /// One recording that is whole on the disk.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(super) struct RecordingRow {
        pub(super) attempt: Id<kind::Attempt>,
        pub(super) account: Id<kind::Account>,
        pub(super) file: String,
        pub(super) duration: i64,
        pub(super) bytes: i64,
        pub(super) created_at: Timestamp,
        pub(super) heard_at: Option<Timestamp>,
        pub(super) kept_at: Option<Timestamp>,
    }
}

pub(super) async fn get(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempt: Id<kind::Attempt>,
) -> db::Result<RecordingRow> {
    tx.one(
        sql!(
            "SELECT attempt, account, file, duration, bytes, created_at, heard_at, kept_at
             FROM recording WHERE account = $1 AND attempt = $2 AND expires_at IS NULL"
        ),
        args![account, attempt],
    )
    .await
}

/// Notes a recording; one that is noted already stays as it is.
pub(super) async fn insert(tx: &mut Tx<'_>, row: &RecordingRow) -> db::Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO recording (attempt, account, file, duration, bytes, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (attempt) DO NOTHING"
        ),
        args![row.attempt, row.account, &row.file, row.duration, row.bytes, row.created_at],
    )
    .await?;
    Ok(())
}

/// The attempts whose recordings were noted since then, of every account.
pub(super) async fn noted_since(
    tx: &mut Tx<'_>,
    since: Timestamp,
) -> db::Result<BTreeSet<Id<kind::Attempt>>> {
    let rows: Vec<(Id<kind::Attempt>,)> =
        tx.all(sql!("SELECT attempt FROM recording WHERE created_at >= $1"), args![since]).await?;
    Ok(rows.into_iter().map(|(attempt,)| attempt).collect())
}

/// Recordings that are marked, of every account.
pub(super) async fn all_marked(tx: &mut Tx<'_>, limit: i64) -> db::Result<Vec<RecordingRow>> {
    tx.all(
        sql!(
            "SELECT attempt, account, file, duration, bytes, created_at, heard_at, kept_at
             FROM recording WHERE expires_at IS NOT NULL ORDER BY expires_at, attempt LIMIT $1"
        ),
        args![limit],
    )
    .await
}

/// Recordings of an account that are marked.
pub(super) async fn marked(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    limit: i64,
) -> db::Result<Vec<RecordingRow>> {
    tx.all(
        sql!(
            "SELECT attempt, account, file, duration, bytes, created_at, heard_at, kept_at
             FROM recording WHERE account = $1 AND expires_at IS NOT NULL
             ORDER BY expires_at, attempt LIMIT $2"
        ),
        args![account, limit],
    )
    .await
}

/// Marks the oldest recordings of an account that were made before then and that nobody keeps.
pub(super) async fn mark(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    before: Timestamp,
    now: Timestamp,
    limit: i64,
) -> db::Result<()> {
    let mark = sql!(
        "UPDATE recording SET expires_at = $3 WHERE attempt IN (
           SELECT attempt FROM recording
           WHERE account = $1 AND created_at < $2 AND kept_at IS NULL AND expires_at IS NULL
           ORDER BY created_at, attempt LIMIT $4)"
    );
    tx.exec(mark, args![account, before, now, limit]).await.map(drop)
}

/// How many recordings were made before then: those that nobody keeps, and those that somebody does.
pub(super) async fn count_before(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    before: Timestamp,
) -> db::Result<(i64, i64)> {
    let free = sql!(
        "SELECT COUNT(*) FROM recording
         WHERE account = $1 AND created_at < $2 AND kept_at IS NULL"
    );
    let (free,): (i64,) = tx.one(free, args![account, before]).await?;
    let kept = sql!(
        "SELECT COUNT(*) FROM recording
         WHERE account = $1 AND created_at < $2 AND kept_at IS NOT NULL"
    );
    let (kept,): (i64,) = tx.one(kept, args![account, before]).await?;
    Ok((free, kept))
}

/// For how many days an account keeps its recordings; 0 is for ever.
pub(super) async fn days(tx: &mut Tx<'_>, account: Id<kind::Account>) -> db::Result<u32> {
    let select = sql!("SELECT days FROM recording_retention WHERE account = $1");
    let found: Option<(u32,)> = tx.opt(select, args![account]).await?;
    Ok(found.map_or(0, |(days,)| days))
}

pub(super) async fn set_days(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    days: u32,
    now: Timestamp,
) -> db::Result<()> {
    let put = sql!(
        "INSERT INTO recording_retention (account, days, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (account) DO UPDATE SET days = excluded.days, updated_at = excluded.updated_at"
    );
    tx.exec(put, args![account, i64::from(days), now]).await.map(drop)
}

/// Keeps a recording, and names who does, or lets it go.
pub(super) async fn set_kept(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempt: Id<kind::Attempt>,
    kept: Option<(Timestamp, Id<kind::User>)>,
) -> db::Result<()> {
    let (at, by) = (kept.map(|(at, _)| at), kept.map(|(_, by)| by));
    let update = sql!(
        "UPDATE recording SET kept_at = $3, kept_by = $4
         WHERE account = $1 AND attempt = $2 AND expires_at IS NULL"
    );
    tx.exec(update, args![account, attempt, at, by]).await.map(drop)
}

/// Notes that somebody listened, the first time.
pub(super) async fn set_heard(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempt: Id<kind::Attempt>,
    now: Timestamp,
) -> db::Result<()> {
    tx.exec(
        sql!(
            "UPDATE recording SET heard_at = $3
             WHERE account = $1 AND attempt = $2 AND heard_at IS NULL"
        ),
        args![account, attempt, now],
    )
    .await?;
    Ok(())
}

/// Has the recordings of attempts that are being forgotten removed soon; those that a person keeps
/// stay.
pub async fn forget_recordings(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempts: &[Id<kind::Attempt>],
    now: Timestamp,
) -> db::Result<()> {
    for attempt in attempts {
        let mark = sql!(
            "UPDATE recording SET expires_at = $3
             WHERE account = $1 AND attempt = $2 AND kept_at IS NULL AND expires_at IS NULL"
        );
        tx.exec(mark, args![account, *attempt, now]).await?;
    }
    Ok(())
}

pub(super) async fn delete(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempt: Id<kind::Attempt>,
) -> db::Result<()> {
    tx.exec(
        sql!("DELETE FROM recording WHERE account = $1 AND attempt = $2"),
        args![account, attempt],
    )
    .await?;
    Ok(())
}
