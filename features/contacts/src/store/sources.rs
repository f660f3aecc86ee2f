//! Sources of lists, and their loads.

use base::{Id, Timestamp, kind};
use db::{Error, FromRow, Result, Row, Tx, args, sql};
use serde_json::{Value, json};

use super::imports::Counts;
use crate::source::{Loaded, Settings, fault::SourceFault};

type Account = Id<kind::Account>;
type List = Id<kind::ContactList>;
type Source = Id<kind::ContactSource>;
type Pull = Id<kind::SourcePull>;

/// A source as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SourceRow {
    pub(crate) id: Source,
    pub(crate) account: Account,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) settings: Settings,
    /// Sealed.
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) every_min: Option<i64>,
    pub(crate) enabled: bool,
    pub(crate) tested: bool,
    pub(crate) version: i64,
    pub(crate) changed_by: Id<kind::User>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::Decode(error.to_string()))
}

impl FromRow for SourceRow {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.next()?,
            account: row.next()?,
            list: row.next()?,
            name: row.next()?,
            settings: decode(row.next()?)?,
            secret: row.next()?,
            every_min: row.next()?,
            enabled: row.next()?,
            tested: row.next()?,
            version: row.next()?,
            changed_by: row.next()?,
            created_at: row.next()?,
            updated_at: row.next()?,
        })
    }
}

/// A load as a page shows it, with the figures of its import.
#[derive(Debug, Clone)]
pub(crate) struct PullRow {
    pub(crate) id: Pull,
    pub(crate) state: String,
    pub(crate) import: Option<Id<kind::Import>>,
    pub(crate) fault: Option<SourceFault>,
    pub(crate) status: Option<i64>,
    pub(crate) bytes: i64,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    /// State, problem, end and figures of the import.
    pub(crate) import_state: Option<String>,
    pub(crate) import_problem: Option<String>,
    pub(crate) import_finished_at: Option<Timestamp>,
    pub(crate) counts: Counts,
}

impl FromRow for PullRow {
    fn from_row(row: &mut Row) -> Result<Self> {
        let fault = |value: Option<Value>| value.map(decode).transpose();
        Ok(Self {
            id: row.next()?,
            state: row.next()?,
            import: row.next()?,
            fault: fault(row.next()?)?,
            status: row.next()?,
            bytes: row.next()?,
            started_at: row.next()?,
            finished_at: row.next()?,
            import_state: row.next()?,
            import_problem: row.next()?,
            import_finished_at: row.next()?,
            counts: Counts::from_row(row)?,
        })
    }
}

/// One source of a list that is not deleted; `NotFound` otherwise.
pub(crate) async fn get(tx: &mut Tx<'_>, account: Account, id: Source) -> Result<SourceRow> {
    tx.one(
        sql!(
            "SELECT s.id, s.account, s.list, s.name, s.settings, s.secret, s.every_min, s.enabled,
                    s.tested, s.version, s.changed_by, s.created_at, s.updated_at
             FROM contact_source s JOIN contact_list l ON l.id = s.list AND l.deleted_at IS NULL
             WHERE s.account = $1 AND s.id = $2"
        ),
        args![account, id],
    )
    .await
}

/// The sources of a list, the oldest first.
pub(crate) async fn of_list(
    tx: &mut Tx<'_>,
    account: Account,
    list: List,
) -> Result<Vec<SourceRow>> {
    tx.all(
        sql!(
            "SELECT id, account, list, name, settings, secret, every_min, enabled, tested, version,
                    changed_by, created_at, updated_at
             FROM contact_source WHERE account = $1 AND list = $2 ORDER BY id"
        ),
        args![account, list],
    )
    .await
}

/// Keeps a source, a new one or in place of what it was.
pub(crate) async fn put(tx: &mut Tx<'_>, source: &SourceRow) -> Result<()> {
    tx.exec(
        sql!(
            "INSERT INTO contact_source (id, account, list, kind, name, settings, secret, every_min,
               enabled, tested, version, changed_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, name = excluded.name,
               settings = excluded.settings, secret = excluded.secret,
               every_min = excluded.every_min, enabled = excluded.enabled,
               tested = excluded.tested, version = excluded.version,
               changed_by = excluded.changed_by, updated_at = excluded.updated_at"
        ),
        args![
            source.id,
            source.account,
            source.list,
            source.settings.kind(),
            &*source.name,
            json!(source.settings),
            source.secret.clone(),
            source.every_min,
            source.enabled,
            source.tested,
            source.version,
            source.changed_by,
            source.created_at,
            source.updated_at
        ],
    )
    .await
    .map(drop)
}

/// Removes a source with its history. Contacts and imports stay.
pub(crate) async fn remove(tx: &mut Tx<'_>, account: Account, id: Source) -> Result<()> {
    tx.exec(sql!("DELETE FROM source_pull WHERE account = $1 AND source = $2"), args![account, id])
        .await?;
    tx.exec(sql!("DELETE FROM contact_source WHERE account = $1 AND id = $2"), args![account, id])
        .await
        .map(drop)
}

/// Loads of a source, the newest first, before the one given.
pub(crate) async fn pulls(
    tx: &mut Tx<'_>,
    account: Account,
    source: Source,
    before: i64,
    limit: i64,
) -> Result<Vec<PullRow>> {
    tx.all(
        sql!(
            "SELECT p.id, p.state, p.import, p.fault, p.status, p.bytes, p.started_at,
                    p.finished_at, i.state, i.problem, i.finished_at, COALESCE(i.row_count, 0),
                    COALESCE(i.added, 0), COALESCE(i.updated, 0), COALESCE(i.unchanged, 0),
                    COALESCE(i.duplicates, 0), COALESCE(i.rejected, 0), COALESCE(i.warnings, 0),
                    COALESCE(i.kept, 0)
             FROM source_pull p LEFT JOIN import i ON i.id = p.import
             WHERE p.account = $1 AND p.source = $2 AND p.id < $3
             ORDER BY p.id DESC LIMIT $4"
        ),
        args![account, source, before, limit],
    )
    .await
}

/// The beginning of the answer of a load, if it is still kept.
pub(crate) async fn sample(
    tx: &mut Tx<'_>,
    account: Account,
    source: Source,
    pull: Pull,
) -> Result<Option<String>> {
    let select =
        sql!("SELECT sample FROM source_pull WHERE account = $1 AND source = $2 AND id = $3");
    let (sample,): (Option<String>,) = tx.one(select, args![account, source, pull]).await?;
    Ok(sample)
}

/// Begins a load, or finds the one that the same job began: its id, and whether its rows are on
/// their way already.
pub(crate) async fn begin(
    tx: &mut Tx<'_>,
    source: &SourceRow,
    id: Pull,
    job: Id<kind::Job>,
    now: Timestamp,
) -> Result<(Pull, bool)> {
    tx.exec(
        sql!(
            "INSERT INTO source_pull (id, account, source, job, state, bytes, started_at)
             VALUES ($1, $2, $3, $4, 'fetching', 0, $5) ON CONFLICT (job) DO NOTHING"
        ),
        args![id, source.account, source.id, job, now],
    )
    .await?;
    let select = sql!("SELECT id, state FROM source_pull WHERE account = $1 AND job = $2");
    let (id, state): (Pull, String) = tx.one(select, args![source.account, job]).await?;
    Ok((id, state != "fetching"))
}

/// How a load ended, as far as asking goes.
pub(crate) struct Ended {
    pub(crate) fault: Option<SourceFault>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: u64,
    pub(crate) sample: String,
    pub(crate) import: Option<Id<kind::Import>>,
}

/// Ends the asking. False when it has ended before.
pub(crate) async fn end(
    tx: &mut Tx<'_>,
    account: Account,
    id: Pull,
    ended: Ended,
    now: Timestamp,
) -> Result<bool> {
    let state = if ended.fault.is_some() { "failed" } else { "taken" };
    let sample = (!ended.sample.is_empty()).then_some(ended.sample);
    let done = tx
        .exec(
            sql!(
                "UPDATE source_pull
                 SET state = $3, fault = $4, status = $5, bytes = $6, sample = $7, import = $8,
                     finished_at = $9
                 WHERE account = $1 AND id = $2 AND state = 'fetching'"
            ),
            args![
                account,
                id,
                state,
                ended.fault.map(|fault| json!(fault)),
                ended.status.map(i64::from),
                ended.bytes as i64,
                sample,
                ended.import,
                now
            ],
        )
        .await?;
    Ok(done == 1)
}

/// Whether the rows of an earlier load are still being taken.
pub(crate) async fn is_busy(tx: &mut Tx<'_>, account: Account, source: Source) -> Result<bool> {
    let (count,): (i64,) = tx
        .one(
            sql!(
                "SELECT COUNT(*) FROM source_pull p JOIN import i ON i.id = p.import
                 WHERE p.account = $1 AND p.source = $2 AND i.state = 'running'"
            ),
            args![account, source],
        )
        .await?;
    Ok(count > 0)
}

/// An import of what a load brought, which its job takes at once.
pub(crate) struct Arrival<'a> {
    pub(crate) id: Id<kind::Import>,
    pub(crate) source: &'a SourceRow,
    pub(crate) blob_key: &'a str,
    pub(crate) loaded: &'a Loaded,
    pub(crate) job: Id<kind::Job>,
}

/// Makes the import, running.
pub(crate) async fn arrive(tx: &mut Tx<'_>, arrival: Arrival<'_>, now: Timestamp) -> Result<()> {
    let Arrival { id, source, blob_key, loaded, job } = arrival;
    tx.exec(
        sql!(
            "INSERT INTO import
               (id, account, list, state, filename, blob_key, bytes, encoding, delimiter,
                has_header, columns, sample, mapping, region, next_byte, next_line, row_count,
                added, updated, unchanged, duplicates, rejected, warnings, kept, created_by,
                created_at, started_at, job, source)
             VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                     0, 0, 0, 0, 0, 0, 0, 0, $16, $17, $17, $18, $19)"
        ),
        args![
            id,
            source.account,
            source.list,
            &*source.name,
            blob_key,
            loaded.bytes as i64,
            loaded.format.encoding.as_str(),
            loaded.format.delimiter.as_str(),
            loaded.format.has_header,
            json!(loaded.columns),
            json!([]),
            json!(loaded.mapping),
            source.settings.region(),
            loaded.data_byte as i64,
            loaded.data_line as i64,
            source.changed_by,
            now,
            job,
            source.settings.kind()
        ],
    )
    .await
    .map(drop)
}

/// Forgets what is older than it is kept: answers before `samples`, loads of the source before
/// `pulls` with their imports and rejected rows.
pub(crate) async fn prune(
    tx: &mut Tx<'_>,
    account: Account,
    source: Source,
    samples: Timestamp,
    pulls: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE source_pull SET sample = NULL
             WHERE account = $1 AND source = $2 AND started_at < $3 AND sample IS NOT NULL"
        ),
        args![account, source, samples],
    )
    .await?;
    tx.exec(
        sql!(
            "DELETE FROM import_row WHERE account = $1 AND import IN
             (SELECT p.import FROM source_pull p JOIN import i ON i.id = p.import
              WHERE p.source = $2 AND p.started_at < $3 AND i.state <> 'running')"
        ),
        args![account, source, pulls],
    )
    .await?;
    tx.exec(
        sql!(
            "DELETE FROM source_pull
             WHERE account = $1 AND source = $2 AND started_at < $3 AND state <> 'fetching'"
        ),
        args![account, source, pulls],
    )
    .await
    .map(drop)
}

/// Removes the sources of a list that is deleted, and their loads.
pub(crate) async fn remove_of_list(tx: &mut Tx<'_>, account: Account, list: List) -> Result<()> {
    tx.exec(
        sql!(
            "DELETE FROM source_pull WHERE account = $1 AND source IN
             (SELECT id FROM contact_source WHERE account = $1 AND list = $2)"
        ),
        args![account, list],
    )
    .await?;
    tx.exec(
        sql!("DELETE FROM contact_source WHERE account = $1 AND list = $2"),
        args![account, list],
    )
    .await
    .map(drop)
}
