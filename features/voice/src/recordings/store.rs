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
        pub(super) expires_at: Option<Timestamp>,
        pub(super) heard_at: Option<Timestamp>,
    }
}

pub(super) async fn get(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    attempt: Id<kind::Attempt>,
) -> db::Result<RecordingRow> {
    tx.one(
        sql!(
            "SELECT attempt, account, file, duration, bytes, created_at, expires_at, heard_at
             FROM recording WHERE account = $1 AND attempt = $2"
        ),
        args![account, attempt],
    )
    .await
}

/// Notes a recording; one that is noted already stays as it is.
pub(super) async fn insert(tx: &mut Tx<'_>, row: &RecordingRow) -> db::Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO recording (attempt, account, file, duration, bytes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (attempt) DO NOTHING"
        ),
        args![
            row.attempt,
            row.account,
            &row.file,
            row.duration,
            row.bytes,
            row.created_at,
            row.expires_at
        ],
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

/// Recordings whose time is over, of every account.
pub(super) async fn expired(
    tx: &mut Tx<'_>,
    now: Timestamp,
    limit: i64,
) -> db::Result<Vec<RecordingRow>> {
    tx.all(
        sql!(
            "SELECT attempt, account, file, duration, bytes, created_at, expires_at, heard_at
             FROM recording WHERE expires_at <= $1 ORDER BY expires_at, attempt LIMIT $2"
        ),
        args![now, limit],
    )
    .await
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
