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
    upload::{self, Arrived, LOOK},
};
use crate::{
    file::{self, Delimiter, Encoding},
    jobs,
    mapping::{Fault, Mapping},
    phone::Region,
    problems::ContactProblem,
    store::{imports, lists},
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
    encoding: Option<Encoding>,
    delimiter: Option<Delimiter>,
    has_header: Option<bool>,
}

/// Look at the file again
///
/// With another encoding or delimiter, or with or without a header. The mapping is suggested anew.
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
    let key = match import.blob_key {
        Some(key) if import.state == "ready" => key,
        _ => return Err(ContactProblem::ImportNotReady { state: import.state }.into()),
    };
    let bytes = import.bytes as u64;
    let end = bytes.min(LOOK as u64);
    let start = state
        .handles
        .blob
        .read_range(&key, 0..end)
        .await
        .map_err(|_| ContactProblem::ImportFileLost)?
        .to_vec();
    let encoding = body.encoding.unwrap_or(import.encoding);
    let mut format = file::sniff(&start, encoding, bytes == end);
    format.delimiter = body.delimiter.unwrap_or(import.delimiter);
    format.has_header = body.has_header.unwrap_or(import.has_header);
    let region = Some(import.region).filter(|region| !region.is_empty());
    upload::look(&state, account, id, Arrived { bytes, start, format }, region).await?;
    Ok(Json(upload::find(&state, account, id).await?.into()))
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
