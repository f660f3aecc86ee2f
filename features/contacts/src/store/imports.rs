//! Loads of files into lists.

use base::{Id, Timestamp, kind};
use db::{Error, FromRow, Result, Row, Tx, args, record, sql};
use serde_json::{Value, json};

use crate::{
    file::{Delimiter, Encoding, Format, Preview},
    mapping::Mapping,
};

type Account = Id<kind::Account>;
type List = Id<kind::ContactList>;
type Import = Id<kind::Import>;

record! {
    /// The figures of an import.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub(crate) struct Counts {
        pub(crate) rows: i64,
        pub(crate) added: i64,
        pub(crate) updated: i64,
        pub(crate) unchanged: i64,
        pub(crate) duplicates: i64,
        pub(crate) rejected: i64,
        pub(crate) warnings: i64,
        /// Rows that are kept with their reasons.
        pub(crate) kept: i64,
    }
}

/// An import as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct ImportRow {
    pub(crate) id: Import,
    pub(crate) account: Account,
    pub(crate) list: List,
    pub(crate) state: String,
    pub(crate) filename: String,
    pub(crate) blob_key: Option<String>,
    pub(crate) bytes: i64,
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: Delimiter,
    pub(crate) has_header: bool,
    pub(crate) columns: Vec<String>,
    pub(crate) sample: Vec<Vec<String>>,
    pub(crate) mapping: Mapping,
    pub(crate) region: String,
    pub(crate) next_byte: i64,
    pub(crate) next_line: i64,
    pub(crate) counts: Counts,
    pub(crate) problem: Option<String>,
    pub(crate) job: Option<Id<kind::Job>>,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    /// csv, xlsx, sheet or feed.
    pub(crate) source: String,
    /// The sheets of a workbook.
    pub(crate) sheets: Vec<String>,
    /// The one of them that is read.
    pub(crate) sheet: Option<String>,
    /// When the suggested mapping was last used; `None` for a guess.
    pub(crate) preset_at: Option<Timestamp>,
}

fn json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::Decode(error.to_string()))
}

impl FromRow for ImportRow {
    fn from_row(row: &mut Row) -> Result<Self> {
        let unknown = |what: String| Error::Decode(what);
        Ok(Self {
            id: row.next()?,
            account: row.next()?,
            list: row.next()?,
            state: row.next()?,
            filename: row.next()?,
            blob_key: row.next()?,
            bytes: row.next()?,
            encoding: {
                let name: String = row.next()?;
                Encoding::of(&name).ok_or_else(|| unknown(name))?
            },
            delimiter: {
                let name: String = row.next()?;
                Delimiter::of(&name).ok_or_else(|| unknown(name))?
            },
            has_header: row.next()?,
            columns: json(row.next()?)?,
            sample: json(row.next()?)?,
            mapping: json(row.next()?)?,
            region: row.next()?,
            next_byte: row.next()?,
            next_line: row.next()?,
            counts: Counts::from_row(row)?,
            problem: row.next()?,
            job: row.next()?,
            created_at: row.next()?,
            started_at: row.next()?,
            finished_at: row.next()?,
            source: row.next()?,
            sheets: json(row.next()?)?,
            sheet: row.next()?,
            preset_at: row.next()?,
        })
    }
}

impl ImportRow {
    /// How the file is written, apart from where its first row begins.
    pub(crate) const fn format(&self) -> Format {
        Format {
            encoding: self.encoding,
            delimiter: self.delimiter,
            has_header: self.has_header,
            first_byte: 0,
        }
    }
}

/// An upload that is about to begin.
pub(crate) struct Begun {
    pub(crate) id: Import,
    pub(crate) list: List,
    pub(crate) filename: String,
    pub(crate) blob_key: String,
    pub(crate) by: Id<kind::User>,
}

/// Makes the row of an upload.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    account: Account,
    begun: Begun,
    now: Timestamp,
) -> Result<()> {
    let Begun { id, list, filename, blob_key, by } = begun;
    tx.exec(
        sql!(
            "INSERT INTO import
               (id, account, list, state, filename, blob_key, bytes, encoding, delimiter,
                has_header, columns, sample, mapping, region, next_byte, next_line, row_count,
                added, updated, unchanged, duplicates, rejected, warnings, kept, created_by,
                created_at)
             VALUES ($1, $2, $3, 'previewing', $4, $5, 0, 'utf-8', ',', FALSE, $6, $6, $7, '',
                     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $8, $9)"
        ),
        args![id, account, list, filename, blob_key, json!([]), json!({ "phone": [] }), by, now],
    )
    .await
    .map(drop)
}

/// What a look at the file found.
pub(crate) struct Look {
    /// The file that was looked at.
    pub(crate) blob_key: String,
    pub(crate) book: Option<Sheets>,
    pub(crate) bytes: i64,
    pub(crate) format: Format,
    pub(crate) columns: Vec<String>,
    pub(crate) preview: Preview,
    pub(crate) mapping: Mapping,
    pub(crate) region: String,
    pub(crate) preset_at: Option<Timestamp>,
}

/// The sheets of a workbook and the one that is read.
#[derive(Debug, Clone)]
pub(crate) struct Sheets {
    pub(crate) names: Vec<String>,
    pub(crate) chosen: usize,
}

impl Sheets {
    /// The name of the chosen one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.names.get(self.chosen).map(String::as_str)
    }
}

/// Keeps what a look at the file found; the import is then ready. False when it is past that, or
/// another look has put another file in the place of `before` meanwhile.
pub(crate) async fn keep_look(
    tx: &mut Tx<'_>,
    account: Account,
    id: Import,
    before: &str,
    look: &Look,
) -> Result<bool> {
    let source = if look.book.is_some() { "xlsx" } else { "csv" };
    let names = look.book.as_ref().map_or_else(Vec::new, |book| book.names.clone());
    let sheet = look.book.as_ref().and_then(Sheets::name).map(str::to_owned);
    let kept = tx
        .exec(
            sql!(
                "UPDATE import
                 SET state = 'ready', bytes = $3, encoding = $4, delimiter = $5, has_header = $6,
                     columns = $7, sample = $8, mapping = $9, region = $10, next_byte = $11,
                     next_line = $12, source = $13, sheets = $14, sheet = $15, preset_at = $16,
                     blob_key = $17
                 WHERE account = $1 AND id = $2 AND state IN ('previewing', 'ready')
                   AND blob_key = $18"
            ),
            args![
                account,
                id,
                look.bytes,
                look.format.encoding.as_str(),
                look.format.delimiter.as_str(),
                look.format.has_header,
                json!(look.columns),
                json!(look.preview.sample),
                json!(look.mapping),
                &*look.region,
                look.preview.data_byte as i64,
                look.preview.data_line as i64,
                source,
                json!(names),
                sheet,
                look.preset_at,
                &*look.blob_key,
                before
            ],
        )
        .await?;
    Ok(kept == 1)
}

/// The account's country, by its two letters.
pub(crate) async fn country(tx: &mut Tx<'_>, account: Account) -> Result<Option<String>> {
    let found: Option<(Option<String>,)> =
        tx.opt(sql!("SELECT country FROM v_account WHERE account = $1"), args![account]).await?;
    Ok(found.and_then(|(country,)| country))
}

/// One import of a list that is not deleted; `NotFound` otherwise.
pub(crate) async fn get(tx: &mut Tx<'_>, account: Account, id: Import) -> Result<ImportRow> {
    tx.one(
        sql!(
            "SELECT i.id, i.account, i.list, i.state, i.filename, i.blob_key, i.bytes, i.encoding,
                    i.delimiter, i.has_header, i.columns, i.sample, i.mapping, i.region,
                    i.next_byte, i.next_line, i.row_count, i.added, i.updated, i.unchanged,
                    i.duplicates, i.rejected, i.warnings, i.kept, i.problem, i.job, i.created_at,
                    i.started_at, i.finished_at, i.source, i.sheets, i.sheet, i.preset_at
             FROM import i JOIN contact_list l ON l.id = i.list AND l.deleted_at IS NULL
             WHERE i.account = $1 AND i.id = $2"
        ),
        args![account, id],
    )
    .await
}

/// The imports of a list, the newest first, before the one given.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    account: Account,
    list: List,
    before: i64,
    limit: i64,
) -> Result<Vec<ImportRow>> {
    tx.all(
        sql!(
            "SELECT id, account, list, state, filename, blob_key, bytes, encoding, delimiter,
                    has_header, columns, sample, mapping, region, next_byte, next_line, row_count,
                    added, updated, unchanged, duplicates, rejected, warnings, kept, problem, job,
                    created_at, started_at, finished_at, source, sheets, sheet, preset_at
             FROM import WHERE account = $1 AND list = $2 AND id < $3
             ORDER BY id DESC LIMIT $4"
        ),
        args![account, list, before, limit],
    )
    .await
}

/// Starts a ready import. False when it is not ready.
pub(crate) async fn start(
    tx: &mut Tx<'_>,
    account: Account,
    id: Import,
    mapping: &Mapping,
    region: &str,
    job: Id<kind::Job>,
    now: Timestamp,
) -> Result<bool> {
    let started = tx
        .exec(
            sql!(
                "UPDATE import
                 SET state = 'running', mapping = $3, region = $4, job = $5, started_at = $6
                 WHERE account = $1 AND id = $2 AND state = 'ready'"
            ),
            args![account, id, json!(mapping), region, job, now],
        )
        .await?;
    Ok(started == 1)
}

/// Ends an import that has not ended: `cancelled`, or `failed` with a problem's code. False when it
/// had ended.
pub(crate) async fn end(
    tx: &mut Tx<'_>,
    account: Account,
    id: Import,
    state: &str,
    problem: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let ended = tx
        .exec(
            sql!(
                "UPDATE import SET state = $3, problem = $4, finished_at = $5
                 WHERE account = $1 AND id = $2 AND state IN ('previewing', 'ready', 'running')"
            ),
            args![account, id, state, problem, now],
        )
        .await?;
    Ok(ended == 1)
}

/// Gives up uploads and looks that nobody went on with since `before`.
pub(crate) async fn expire(
    tx: &mut Tx<'_>,
    account: Account,
    before: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        sql!(
            "UPDATE import SET state = 'failed', problem = 'import_expired', finished_at = $3
             WHERE account = $1 AND created_at < $2 AND state IN ('previewing', 'ready')"
        ),
        args![account, before, now],
    )
    .await
    .map(drop)
}

record! {
    /// An import that has files.
    pub(crate) struct Left {
        pub(crate) id: Import,
        pub(crate) account: Account,
        pub(crate) blob_key: String,
        pub(crate) sheets: Value,
    }
}

impl Left {
    /// Where its files may be: what is read, the workbook that it came from, and other sheets of it
    /// that somebody looked at.
    pub(crate) fn keys(&self) -> Vec<String> {
        let sheets = self.sheets.as_array().map_or(0, Vec::len);
        let mut keys = vec![self.blob_key.clone()];
        keys.push(upload_key(self.account, self.id));
        keys.push(workbook_key(self.account, self.id));
        keys.extend((0..sheets).map(|sheet| sheet_key(self.account, self.id, sheet)));
        keys
    }
}

/// Where a file that was uploaded is kept, or the rows of the first sheet of it that has any.
pub(crate) fn upload_key(account: Account, id: Import) -> String {
    format!("{account}/import/{id}")
}

/// Where a workbook is kept until the import starts, for its other sheets.
pub(crate) fn workbook_key(account: Account, id: Import) -> String {
    format!("{account}/import/{id}.xlsx")
}

/// Where the rows of a sheet are kept that somebody chose. The same sheet gives the same file, so
/// that it does no harm to write it twice.
pub(crate) fn sheet_key(account: Account, id: Import, sheet: usize) -> String {
    format!("{account}/import/{id}.{sheet}")
}

/// Files of imports that have ended, which nobody needs any more.
pub(crate) async fn files_left(tx: &mut Tx<'_>, account: Account) -> Result<Vec<Left>> {
    tx.all(
        sql!(
            "SELECT id, account, blob_key, sheets FROM import
             WHERE account = $1 AND blob_key IS NOT NULL
             AND state IN ('done', 'cancelled', 'failed') LIMIT 100"
        ),
        args![account],
    )
    .await
}

/// The files of a list's imports, whatever their state.
pub(crate) async fn files_of_list(
    tx: &mut Tx<'_>,
    account: Account,
    list: List,
) -> Result<Vec<Left>> {
    tx.all(
        sql!(
            "SELECT id, account, blob_key, sheets FROM import
             WHERE account = $1 AND list = $2 AND blob_key IS NOT NULL LIMIT 1000"
        ),
        args![account, list],
    )
    .await
}

/// Notes that the file is gone.
pub(crate) async fn forget_file(tx: &mut Tx<'_>, account: Account, id: Import) -> Result<()> {
    tx.exec(
        sql!("UPDATE import SET blob_key = NULL WHERE account = $1 AND id = $2"),
        args![account, id],
    )
    .await
    .map(drop)
}

record! {
    /// A row of the file that was not taken, or not whole.
    pub(crate) struct Rejected {
        pub(crate) line: i64,
        pub(crate) reason: String,
        pub(crate) cells: Value,
    }
}

/// Rejected rows in the order of the file, after the line given.
pub(crate) async fn rejected(
    tx: &mut Tx<'_>,
    account: Account,
    id: Import,
    after: i64,
    limit: i64,
) -> Result<Vec<Rejected>> {
    tx.all(
        sql!(
            "SELECT line, reason, cells FROM import_row
             WHERE account = $1 AND import = $2 AND line > $3 ORDER BY line LIMIT $4"
        ),
        args![account, id, after, limit],
    )
    .await
}

/// Has PostgreSQL measure the tables that imports fill ("Populating a Database" in its manual).
pub(crate) async fn measure(tx: &mut Tx<'_>) -> Result<()> {
    tx.exec(sql!(pg: "ANALYZE list_contact"), args![]).await?;
    tx.exec(sql!(pg: "ANALYZE list_number"), args![]).await.map(drop)
}
