//! Rows of the table `line`.

use base::{Id, Timestamp, kind};
use db::{Tx, args, record, sql};
use dialer::Rate;
use serde_json::Value;

use super::{Codec, Line, Mode};

record! {
    struct LineRow {
        id: i64,
        account: i64,
        name: String,
        mode: String,
        host: String,
        port: i64,
        login: Option<String>,
        auth_login: Option<String>,
        password: Option<Vec<u8>>,
        realm: Option<String>,
        expires_s: i64,
        caller_id: Option<String>,
        channels: i64,
        rate: i64,
        codecs: Value,
        enabled: bool,
        demo: Option<Value>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
}

impl TryFrom<LineRow> for Line {
    type Error = db::Error;

    fn try_from(row: LineRow) -> db::Result<Self> {
        let codecs: Vec<Codec> = serde_json::from_value(row.codecs)
            .map_err(|error| db::Error::Decode(format!("codecs of a line: {error}")))?;
        let demo = row.demo.map(serde_json::from_value).transpose();
        let demo =
            demo.map_err(|error| db::Error::Decode(format!("the demo of a line: {error}")))?;
        Ok(Self {
            id: Id::from_raw(row.id),
            account: Id::from_raw(row.account),
            name: row.name,
            mode: row.mode.parse::<Mode>()?,
            host: row.host,
            port: row.port as u16,
            login: row.login,
            auth_login: row.auth_login,
            password: row.password,
            realm: row.realm,
            expires_s: row.expires_s as u32,
            caller_id: row.caller_id,
            channels: row.channels as u32,
            rate: Rate::per_mille(row.rate as u32),
            codecs,
            enabled: row.enabled,
            demo,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Every line of the installation, for the book.
pub(crate) async fn load_all(tx: &mut Tx<'_>) -> db::Result<Vec<Line>> {
    let rows: Vec<LineRow> = tx
        .all(
            sql!(
                "SELECT id, account, name, mode, host, port, login, auth_login, password, realm,
                        expires_s, caller_id, channels, rate, codecs, enabled, demo, version,
                        created_at, updated_at
                 FROM line ORDER BY id"
            ),
            args![],
        )
        .await?;
    rows.into_iter().map(Line::try_from).collect()
}

/// Stores a new line. [`db::Error::Conflict`] when its name is taken.
pub(crate) async fn insert(tx: &mut Tx<'_>, line: &Line) -> db::Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO line (id, account, name, mode, host, port, login, auth_login, password,
                               realm, expires_s, caller_id, channels, rate, codecs, enabled,
                               demo, version, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                     $18, $19, $20)"
        ),
        args![
            line.id,
            line.account,
            &line.name,
            line.mode.as_str(),
            &line.host,
            line.port,
            &line.login,
            &line.auth_login,
            &line.password,
            &line.realm,
            line.expires_s,
            &line.caller_id,
            line.channels,
            line.rate.thousandths(),
            codecs(line),
            line.enabled,
            demo(line),
            line.version,
            line.created_at,
            line.updated_at
        ],
    )
    .await?;
    Ok(())
}

/// Stores a changed line over version `before`; false when that is no longer the version.
pub(super) async fn update(tx: &mut Tx<'_>, line: &Line, before: i64) -> db::Result<bool> {
    let changed = tx
        .exec(
            sql!(
                "UPDATE line SET name = $3, mode = $4, host = $5, port = $6, login = $7,
                        auth_login = $8, password = $9, realm = $10, expires_s = $11,
                        caller_id = $12, channels = $13, rate = $14, codecs = $15, enabled = $16,
                        demo = $17, version = $18, updated_at = $19
                 WHERE account = $1 AND id = $2 AND version = $20"
            ),
            args![
                line.account,
                line.id,
                &line.name,
                line.mode.as_str(),
                &line.host,
                line.port,
                &line.login,
                &line.auth_login,
                &line.password,
                &line.realm,
                line.expires_s,
                &line.caller_id,
                line.channels,
                line.rate.thousandths(),
                codecs(line),
                line.enabled,
                demo(line),
                line.version,
                line.updated_at,
                before
            ],
        )
        .await?;
    Ok(changed == 1)
}

/// Removes a line; [`db::Error::NotFound`] when there is none.
pub(super) async fn delete(
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    line: Id<kind::Line>,
) -> db::Result<()> {
    let gone = tx
        .exec(sql!("DELETE FROM line WHERE account = $1 AND id = $2"), args![account, line])
        .await?;
    if gone == 1 { Ok(()) } else { Err(db::Error::NotFound) }
}

fn demo(line: &Line) -> Option<Value> {
    line.demo.and_then(|demo| serde_json::to_value(demo).ok())
}

fn codecs(line: &Line) -> Value {
    serde_json::to_value(&line.codecs).unwrap_or_default()
}
