//! Rows of the table `audio`.

use std::time::Duration;

use base::{Id, Timestamp, kind};
use db::{Tx, args, record, sql};

record! {
    /// One audio of the library.
    #[derive(Debug, Clone, PartialEq)]
    pub(super) struct AudioRow {
        pub(super) id: Id<kind::Audio>,
        pub(super) name: String,
        pub(super) format: String,
        pub(super) channels: i64,
        pub(super) sample_rate: i64,
        pub(super) duration: i64,
        pub(super) bytes: i64,
        pub(super) loudness: Option<f64>,
        pub(super) gain: f64,
        pub(super) created_at: Timestamp,
    }
}

impl AudioRow {
    pub(super) fn duration(&self) -> Duration {
        Duration::from_micros(self.duration.unsigned_abs())
    }
}

/// The account's audio, the newest first.
pub(super) async fn list(tx: &mut Tx<'_>, account: Id<kind::Account>) -> db::Result<Vec<AudioRow>> {
    tx.all(
        sql!(
            "SELECT id, name, format, channels, sample_rate, duration, bytes, loudness, gain,
                    created_at
             FROM audio WHERE account = $1 ORDER BY created_at DESC, id DESC"
        ),
        args![account],
    )
    .await
}

pub(super) async fn get(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::Audio>,
) -> db::Result<AudioRow> {
    tx.one(
        sql!(
            "SELECT id, name, format, channels, sample_rate, duration, bytes, loudness, gain,
                    created_at
             FROM audio WHERE account = $1 AND id = $2"
        ),
        args![account, id],
    )
    .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    row: &AudioRow,
) -> db::Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO audio (id, account, name, format, channels, sample_rate, duration, bytes,
                                loudness, gain, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        args![
            row.id,
            account,
            &row.name,
            &row.format,
            row.channels,
            row.sample_rate,
            row.duration,
            row.bytes,
            row.loudness,
            row.gain,
            row.created_at
        ],
    )
    .await?;
    Ok(())
}

/// Gives another name; [`db::Error::NotFound`] when there is no such audio.
pub(super) async fn rename(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::Audio>,
    name: &str,
) -> db::Result<()> {
    let changed = tx
        .exec(
            sql!("UPDATE audio SET name = $3 WHERE account = $1 AND id = $2"),
            args![account, id, name],
        )
        .await?;
    if changed == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}

/// Removes the row; [`db::Error::NotFound`] when there is none.
pub(super) async fn delete(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    id: Id<kind::Audio>,
) -> db::Result<()> {
    let deleted = tx
        .exec(sql!("DELETE FROM audio WHERE account = $1 AND id = $2"), args![account, id])
        .await?;
    if deleted == 0 { Err(db::Error::NotFound) } else { Ok(()) }
}
