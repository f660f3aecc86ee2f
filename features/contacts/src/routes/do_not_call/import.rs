//! A file of numbers joins the do-not-call list.

use std::{io::Cursor, sync::Arc};

use axum::extract::State;
use base::{Locale, PhoneNumber, Timestamp};
use bytes::Bytes;
use host::audit::{self, AuditEntry};
use http_kit::{Caller, Fields, Json, Query, Result, Time, Upload};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task;
use utoipa::{IntoParams, ToSchema};

use super::{ScopeKind, by, export, known, look_over};
use crate::{
    do_not_call::{self, Added, By},
    file::{self, Detector, Format, Kind, NotText, Row, Transcoder},
    mapping::{self, Mapping},
    phone::{self, Region},
    problems::ContactProblem,
    reason::Reason,
    routes::{
        upload::{disk, not_text},
        workbook,
    },
    store::{
        do_not_call::{Scope, Terms, UNIT, lists_with},
        imports,
    },
    workbook::{Book, Fault},
};

/// Rows whose faults the answer tells; more are counted only.
const MOST_TOLD: usize = 100;

/// Bytes of the rows of a workbook's sheet.
const MOST_ROWS: usize = 50 * 1000 * 1000;

/// What holds for every number of the file that says nothing else.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct About {
    /// For whom; the whole account when absent.
    #[serde(default)]
    #[param(inline)]
    scope: ScopeKind,
    /// The campaign or the list.
    target: Option<String>,
    /// Up to 200 characters; a column `reason` of the file wins over it.
    #[serde(default)]
    reason: String,
    /// Until when; a column `until` of the file wins over it.
    #[param(value_type = Option<String>)]
    expires_at: Option<Time>,
    /// The country of numbers without an international prefix, ISO 3166-1; the account's when
    /// absent.
    region: Option<String>,
}

/// A row that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotTaken {
    /// The line of the file, from 1.
    line: u64,
    /// What stood there instead of a number.
    text: String,
    /// The reason as a code, such as `phone_too_short`.
    code: String,
    /// The same in the caller's language.
    sentence: String,
}

/// What became of a file of numbers.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct DoNotCallImport {
    /// Rows with something in them.
    rows: u64,
    /// Numbers that may not be called from now on.
    added: u64,
    /// Numbers that had an entry of this scope, or came twice.
    known: u64,
    /// Rows that hold no number.
    rejected: u64,
    /// The first 100 of these.
    problems: Vec<NotTaken>,
}

/// Put the numbers of a file on the do-not-call list
///
/// CSV or a workbook (XLSX) up to 5 MB, with or without a header; the column of numbers is found by
/// its name or by what is in it. Numbers are taken in units of 500 that are each whole: after a break send the file
/// again, what has an entry keeps it.
#[utoipa::path(
    post, path = "/do-not-call/import", operation_id = "import_do_not_call", tag = "contacts",
    params(About),
    request_body(content = Vec<u8>, content_type = "text/csv"),
    responses((status = 200, body = DoNotCallImport))
)]
pub(crate) async fn import_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Query(about): Query<About>,
    upload: Upload,
) -> Result<Json<DoNotCallImport>> {
    let by = by(&state, &caller);
    let mut fields = Fields::new();
    let target = about.target.as_deref();
    let expires = about.expires_at;
    let scope = look_over(&mut fields, about.scope, target, &about.reason, expires, by.now);
    let region = region(&state, &caller, about.region.as_deref()).await?;
    if region.is_none() {
        fields.fault("region", "required", "Fill this in.");
    }
    fields.finish()?;
    known(&state, by.account, scope).await?;
    let Some(region) = region else { return Ok(Json(DoNotCallImport::default())) };
    let (bytes, format) = understood(&state, upload.whole().await?).await?;
    let sheet = Sheet::open(&bytes, format, region)?;
    let expires_at = expires.map(|Time(at)| at);
    let terms = Terms { scope, source: "file", reason: about.reason, expires_at };
    let mut told = DoNotCallImport::default();
    let (mut at, mut line) = (sheet.first_byte, sheet.first_line);
    while at < bytes.len() {
        let cut = file::cut(&bytes[at..], sheet.format, line, UNIT as usize, true);
        if cut.bytes == 0 {
            break;
        }
        at += cut.bytes;
        line += cut.lines;
        let unit = sheet.read(cut.rows, &terms, by.now, caller.locale, &mut told);
        let added = put(&state, by, unit, scope).await?;
        told.added += added.added;
        told.known += added.known;
    }
    note(&state, by, scope, &told).await?;
    Ok(Json(told))
}

async fn region(
    state: &crate::State,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Option<Region>> {
    if let Some(code) = named.filter(|code| !code.is_empty()) {
        return Ok(Region::of(code));
    }
    let account = caller.account;
    let read = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { imports::country(tx, account).await }));
    Ok(read.await?.as_deref().and_then(Region::of))
}

/// One unit of work.
async fn put(
    state: &crate::State,
    by: By,
    unit: Vec<(PhoneNumber, Terms)>,
    scope: Scope,
) -> Result<Added> {
    let ids = state.handles.ids.clone();
    let (added, lists) = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let added = do_not_call::add(tx, &ids, by, &unit, scope).await?;
                let phones: Vec<_> = unit.into_iter().map(|(phone, _)| phone).collect();
                Ok((added, lists_with(tx, by.account, &phones).await?))
            })
        })
        .await?;
    for list in lists {
        state.handles.hub.touch(by.account, &format!("list:{list}"));
    }
    tokio::task::yield_now().await;
    Ok(added)
}

/// Writes who loaded how many numbers.
async fn note(state: &crate::State, by: By, scope: Scope, told: &DoNotCallImport) -> Result<()> {
    let ids = state.handles.ids.clone();
    let entry = AuditEntry {
        account: by.account,
        user: Some(by.user),
        action: "do_not_call.import",
        subject: "do_not_call".to_owned(),
        detail: json!({
            "scope": scope.word(),
            "target": (scope != Scope::Account).then(|| scope.target().to_string()),
            "rows": told.rows,
            "added": told.added,
            "known": told.known,
            "rejected": told.rejected,
        }),
    };
    let write = state.handles.db.write(move |tx| {
        let (ids, entry) = (ids.clone(), entry.clone());
        Box::pin(async move { audit::record(tx, &ids, entry, by.now).await })
    });
    Ok(write.await?)
}

/// The rows of the file, and how they are written.
async fn understood(state: &crate::State, bytes: Bytes) -> Result<(Bytes, Format)> {
    match file::kind(&bytes[..bytes.len().min(4096)]) {
        Ok(Kind::Text) => {
            let mut detector = Detector::default();
            detector.feed(&bytes);
            let format = file::sniff(&bytes, detector.encoding(), true);
            Ok((bytes, format))
        }
        Ok(Kind::Wide(encoding)) => {
            let plain = Transcoder::new(encoding).feed(&bytes, true);
            let format = file::sniff(&plain, encoding, true);
            Ok((plain.into(), format))
        }
        Ok(Kind::Archive) => {
            let turn = Arc::clone(&state.unpacking).acquire_owned().await.map_err(disk)?;
            let work = task::spawn_blocking(move || {
                let _turn = turn;
                rows_of(bytes)
            });
            // A file that broke the reader is as little a workbook as one that it refuses.
            let rows = work.await.unwrap_or(Err(Fault::NotAWorkbook)).map_err(workbook::problem)?;
            let format = file::of_table(&rows, true);
            Ok((rows.into(), format))
        }
        Err(NotText::Compound) => {
            let mut search = workbook::Search::default();
            search.feed(&bytes);
            Err(search.verdict().into())
        }
        Err(other) => Err(not_text(other).into()),
    }
}

/// The rows of the first sheet that has any.
fn rows_of(bytes: Bytes) -> std::result::Result<Vec<u8>, Fault> {
    let mut rows = Vec::new();
    Book::open(Cursor::new(bytes))?.convert_first(|piece| {
        rows.extend(piece);
        if rows.len() > MOST_ROWS { Err(Fault::TooLarge) } else { Ok(()) }
    })?;
    Ok(rows)
}

/// The file as it was understood.
struct Sheet {
    format: Format,
    region: Region,
    phone: usize,
    reason: Option<usize>,
    until: Option<usize>,
    first_byte: usize,
    first_line: u64,
}

impl Sheet {
    fn open(bytes: &[u8], format: Format, region: Region) -> Result<Self> {
        let preview = file::preview(bytes, format, true).ok_or(ContactProblem::ImportNoRows)?;
        let columns = mapping::names(&preview.columns);
        let guess = Mapping::guess(&columns, &preview.sample, Some(region));
        let places = guess.places(&columns).map_err(|_| ContactProblem::NumbersNoPhone)?;
        let phone = *places.phone.first().ok_or(ContactProblem::NumbersNoPhone)?;
        let named = |at: usize| {
            columns.iter().position(|column| {
                let column = column.trim().to_lowercase();
                Locale::ALL.into_iter().any(|language| export::heads(language)[at] == column)
            })
        };
        Ok(Self {
            format,
            region,
            phone,
            reason: named(2),
            until: named(5),
            first_byte: usize::try_from(preview.data_byte).unwrap_or(bytes.len()),
            first_line: preview.data_line,
        })
    }

    /// The numbers of some rows, each once; what is none is told.
    fn read(
        &self,
        rows: Vec<Row>,
        terms: &Terms,
        now: Timestamp,
        language: Locale,
        told: &mut DoNotCallImport,
    ) -> Vec<(PhoneNumber, Terms)> {
        let mut unit: Vec<(PhoneNumber, Terms)> = Vec::new();
        for row in rows {
            let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
            if row.fault.is_none() && row.cells.iter().all(String::is_empty) {
                continue;
            }
            told.rows += 1;
            let read = match row.fault {
                Some(fault) => Err(fault),
                None => phone::read_cell(cell(self.phone), self.region)
                    .and_then(|phones| Ok((phones, self.terms(&cell, terms, now)?))),
            };
            match read {
                Ok((phones, terms)) => {
                    for phone in phones {
                        unit.push((phone.number, terms.clone()));
                    }
                }
                Err(reason) => {
                    told.rejected += 1;
                    if told.problems.len() < MOST_TOLD {
                        told.problems.push(NotTaken {
                            line: row.line,
                            text: cell(self.phone).chars().take(100).collect(),
                            code: reason.code().to_owned(),
                            sentence: reason.sentence(language).to_owned(),
                        });
                    }
                }
            }
        }
        unit
    }

    /// What the row says beside its number. An end that is over, or that cannot be read, does not
    /// let a number through: the first takes the file's end, the second refuses the row.
    fn terms<'a>(
        &self,
        cell: &impl Fn(usize) -> &'a str,
        terms: &Terms,
        now: Timestamp,
    ) -> std::result::Result<Terms, Reason> {
        let mut terms = terms.clone();
        if let Some(reason) = self.reason.map(cell).filter(|text| !text.is_empty()) {
            terms.reason = reason.chars().take(200).collect();
        }
        if let Some(text) = self.until.map(cell).filter(|text| !text.is_empty()) {
            let at = moment(text).ok_or(Reason::UntilUnreadable)?;
            if at > now {
                terms.expires_at = Some(at);
            }
        }
        Ok(terms)
    }
}

/// `2026-12-31T09:00:00Z`, or a date, which ends with its last second in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let read = |text: String| serde_json::from_value::<Time>(json!(text)).ok().map(|Time(at)| at);
    read(text.to_owned()).or_else(|| read(format!("{text}T23:59:59Z")))
}
