//! Imports: seen, looked at again, started, cancelled.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Page, PageQuery, Path, Query, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Import, or,
    upload::{self, Arrived, Wish},
    workbook,
};
use crate::{
    file::{self, Delimiter, Encoding, LOOK},
    jobs,
    mapping::{Fault, Mapping},
    phone::Region,
    problems::ContactProblem,
    store::{
        imports::{self, ImportRow, Sheets},
        lists, presets,
    },
};

/// List the imports of a contact list
///
/// The newest first.
#[utoipa::path(
    get, path = "/lists/{id}/imports", operation_id = "list_imports", tag = "contacts",
    params(("id" = String, Path, description = "The list."), PageQuery),
    responses((status = 200, body = Page<Import>))
)]
pub(crate) async fn list_imports(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Import>>> {
    let account = caller.account;
    let before = query.after::<i64>()?.unwrap_or(i64::MAX);
    let fetch = query.fetch();
    let rows = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                lists::get(tx, account, list).await?;
                imports::page(tx, account, list, before, fetch).await
            })
        })
        .await
        .map_err(or(ContactProblem::ListNotFound))?;
    Ok(Json(query.page(rows, |row| row.id.raw()).map(Import::from)))
}

/// Read an import
#[utoipa::path(
    get, path = "/imports/{id}", operation_id = "get_import", tag = "contacts",
    params(("id" = String, Path, description = "The import.")),
    responses((status = 200, body = Import))
)]
pub(crate) async fn get_import(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Import>>,
) -> Result<Json<Import>> {
    Ok(Json(upload::find(&state, caller.account, id).await?.into()))
}

/// How the file is to be read instead of as was guessed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// Of a text; one in UTF-16 says so itself.
    encoding: Option<Encoding>,
    /// Of a text.
    delimiter: Option<Delimiter>,
    has_header: Option<bool>,
    /// Of a workbook: the name of the sheet to be read.
    sheet: Option<String>,
    /// Whether what was last used for such columns is suggested, with its region; true when absent.
    preset: Option<bool>,
}

/// Look at the file again
///
/// With another encoding, delimiter or sheet, with or without a header, or without the mapping of
/// the last time. The mapping is suggested anew.
#[utoipa::path(
    patch, path = "/imports/{id}", operation_id = "change_import", tag = "contacts",
    params(("id" = String, Path, description = "The import.")),
    request_body = Reading,
    responses((status = 200, body = Import))
)]
pub(crate) async fn change_import(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Import>>,
    Json(body): Json<Reading>,
) -> Result<Json<Import>> {
    let account = caller.account;
    let import = upload::find(&state, account, id).await?;
    let before = match &import.blob_key {
        Some(key) if import.state == "ready" => key.clone(),
        _ => return Err(ContactProblem::ImportNotReady { state: import.state }.into()),
    };
    let arrived = if import.sheets.is_empty() {
        text_again(&state, &import, &before, &body).await?
    } else {
        sheet_again(&state, &import, &before, &body).await?
    };
    let region = Some(import.region).filter(|region| !region.is_empty() && body.preset.is_none());
    let wish = Wish { region, preset: body.preset.unwrap_or(true) };
    let after = arrived.key.clone();
    upload::look(&state, account, id, &before, arrived, wish).await?;
    if after != before
        && let Err(error) = state.handles.blob.remove(&before).await
    {
        // It goes with the import's other files.
        tracing::warn!(%error, key = before, "a sheet that was left could not be removed");
    }
    Ok(Json(upload::find(&state, account, id).await?.into()))
}

/// The beginning of a text, as it is to be read now.
async fn text_again(
    state: &crate::State,
    import: &ImportRow,
    key: &str,
    body: &Reading,
) -> Result<Arrived> {
    let mut fields = Fields::new();
    let wished = body.encoding.unwrap_or(import.encoding);
    // What is kept of UTF-16 is UTF-8.
    let possible =
        wished == import.encoding || !(wished.is_certain() || import.encoding.is_certain());
    fields.check("encoding", possible, "unknown", "This file is in another encoding.");
    fields.check("sheet", body.sheet.is_none(), "unknown", "This file has no sheets.");
    fields.finish()?;
    let (start, bytes) = beginning(state, import, key).await?;
    let mut format = file::sniff(&start, wished, bytes == start.len() as u64);
    format.delimiter = body.delimiter.unwrap_or(import.delimiter);
    format.has_header = body.has_header.unwrap_or(import.has_header);
    Ok(Arrived { key: key.to_owned(), bytes, start, format, book: None })
}

/// The beginning of a sheet: the one that is read already, or another one.
async fn sheet_again(
    state: &crate::State,
    import: &ImportRow,
    key: &str,
    body: &Reading,
) -> Result<Arrived> {
    let wished = body.sheet.as_ref().or(import.sheet.as_ref());
    let Some(chosen) = import.sheets.iter().position(|name| Some(name) == wished) else {
        let mut fields = Fields::new();
        fields.fault("sheet", "unknown", "The workbook has no such sheet.");
        return Err(fields.finish().err().unwrap_or_else(|| ContactProblem::ImportNoSheet.into()));
    };
    let mut arrived = if import.sheet.as_ref() == wished {
        let (start, bytes) = beginning(state, import, key).await?;
        let format = file::of_table(&start, bytes == start.len() as u64);
        let book = Some(Sheets { names: import.sheets.clone(), chosen });
        let mut same = Arrived { key: key.to_owned(), bytes, start, format, book };
        same.format.has_header = import.has_header;
        same
    } else {
        let packed = imports::workbook_key(import.account, import.id);
        let other = imports::sheet_key(import.account, import.id, chosen);
        workbook::unpack(state, &packed, &other, Some(chosen)).await?
    };
    arrived.format.has_header = body.has_header.unwrap_or(arrived.format.has_header);
    Ok(arrived)
}

async fn beginning(state: &crate::State, import: &ImportRow, key: &str) -> Result<(Vec<u8>, u64)> {
    let bytes = import.bytes as u64;
    let read = state.handles.blob.read_range(key, 0..bytes.min(LOOK as u64)).await;
    Ok((read.map_err(|_| ContactProblem::ImportFileLost)?.to_vec(), bytes))
}

/// How the columns are to be understood.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    mapping: Mapping,
    /// The country of numbers without an international prefix: two letters of ISO 3166-1.
    region: String,
}

impl Start {
    fn check(&self, columns: &[String]) -> Result<()> {
        let mut fields = Fields::new();
        fields.check(
            "region",
            Region::of(&self.region).is_some(),
            "unknown_region",
            "There is no such country.",
        );
        match self.mapping.places(columns) {
            Ok(_) => {}
            Err(Fault::NoPhone) => {
                fields.fault("mapping.phone", "required", "Choose the column with the number.");
            }
            Err(Fault::TooMany { field, most }) => fields.fault_with(
                format!("mapping.{field}"),
                "too_many",
                format!("At most {most}."),
                [("max", most.into())],
            ),
            Err(Fault::NoSuchColumn { field }) => fields.fault(
                format!("mapping.{field}"),
                "unknown_column",
                "The file has no such column.",
            ),
            Err(Fault::UsedTwice { field }) => fields.fault(
                format!("mapping.{field}"),
                "column_used_twice",
                "This column has another meaning already.",
            ),
            Err(Fault::BadKey { field }) => fields.fault(
                format!("mapping.{field}"),
                "invalid_key",
                "Give each column a different key of 1 to 64 characters.",
            ),
        }
        fields.finish()
    }
}

/// Start an import
///
/// Rows are taken in units of 500 in the background. The mapping is remembered for files with the
/// same columns.
#[utoipa::path(
    post, path = "/imports/{id}/start", operation_id = "start_import", tag = "contacts",
    params(("id" = String, Path, description = "The import.")),
    request_body = Start,
    responses((status = 200, body = Import))
)]
pub(crate) async fn start_import(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Import>>,
    Json(body): Json<Start>,
) -> Result<Json<Import>> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let import = upload::find(&state, account, id).await?;
    if import.state != "ready" {
        return Err(ContactProblem::ImportNotReady { state: import.state }.into());
    }
    body.check(&import.columns)?;
    let region = body.region.to_ascii_uppercase();
    let list = import.list;
    let started = db
        .write(move |tx| {
            Box::pin(async move {
                let job = jobs::import::enqueue(tx, &ids, account, id, now).await?;
                if !imports::start(tx, account, id, &body.mapping, &region, job, now).await? {
                    // Undoes the job: somebody else was quicker.
                    return Err(db::Error::NotFound);
                }
                if import.has_header {
                    let (columns, mapping) = (&import.columns, &body.mapping);
                    presets::remember(tx, account, columns, mapping, &region, now).await?;
                }
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "import.start",
                    subject: format!("import:{id}"),
                    detail: json!({ "list": list, "filename": import.filename }),
                };
                audit::record(tx, &ids, entry, now).await
            })
        })
        .await;
    match started {
        Err(db::Error::NotFound) => {
            let state = upload::find(&state, account, id).await?.state;
            return Err(ContactProblem::ImportNotReady { state }.into());
        }
        other => other?,
    }
    // Its other sheets are not looked at any more.
    if let Err(error) = state.handles.blob.remove(&imports::workbook_key(account, id)).await {
        tracing::warn!(%error, import.id = %id, "a workbook stays until its import ends");
    }
    hub.touch(account, &format!("import:{id}"));
    hub.touch(account, &format!("list:{list}"));
    Ok(Json(upload::find(&state, account, id).await?.into()))
}

/// Cancel an import
///
/// What was committed stays, and the counts say how much that is. Cancelling an import that has
/// ended changes nothing.
#[utoipa::path(
    post, path = "/imports/{id}/cancel", operation_id = "cancel_import", tag = "contacts",
    params(("id" = String, Path, description = "The import.")),
    responses((status = 200, body = Import))
)]
pub(crate) async fn cancel_import(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Import>>,
) -> Result<Json<Import>> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let row = db
        .write(move |tx| {
            Box::pin(async move {
                let import = imports::get(tx, account, id).await?;
                // A unit that is being committed holds the row: this waits for it, and the next
                // unit finds the import cancelled.
                if !imports::end(tx, account, id, "cancelled", None, now).await? {
                    return Ok(import);
                }
                if let Some(job) = import.job {
                    ::jobs::cancel(tx, account, job, now).await?;
                }
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "import.cancel",
                    subject: format!("import:{id}"),
                    detail: json!({ "list": import.list, "filename": import.filename }),
                };
                audit::record(tx, &ids, entry, now).await?;
                imports::get(tx, account, id).await
            })
        })
        .await
        .map_err(or(ContactProblem::ImportNotFound))?;
    upload::remove_files(&state, account).await?;
    hub.touch(account, &format!("import:{id}"));
    hub.touch(account, &format!("list:{}", row.list));
    Ok(Json(row.into()))
}
