//! A file arrives, is told apart from what is no file of contacts, and is looked at.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Problem, Query, Result, Upload};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{Import, or};
use crate::{
    file::{self, Detector, Format, NotText},
    mapping::{self, Mapping},
    phone::Region,
    problems::ContactProblem,
    store::{
        imports::{self, Begun, ImportRow, Look},
        lists,
    },
};

/// The part of a file that is looked at before an import starts, in bytes.
pub(crate) const LOOK: usize = 256 * 1024;

/// So much of a file tells whether it is text, in bytes.
const ENOUGH: usize = 4 * 1024;

/// How long an upload or a look waits for somebody to go on with it.
const WAITS: Duration = Duration::from_hours(24);

/// The name of the file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileName {
    /// 1 to 200 characters; shown in the history of the list.
    filename: String,
}

/// Upload a file of contacts
///
/// The body is the file itself, up to 200 MB of CSV in UTF-8 or Windows-1251. It is not imported
/// yet: the answer shows how it was understood, a sample, and a suggested mapping.
#[utoipa::path(
    post, path = "/lists/{id}/imports", operation_id = "create_import", tag = "contacts",
    params(("id" = String, Path, description = "The list."), FileName),
    request_body(content = Vec<u8>, content_type = "text/csv"),
    responses((status = 201, body = Import))
)]
pub(crate) async fn create_import(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
    Query(file): Query<FileName>,
    upload: Upload,
) -> Result<(StatusCode, Json<Import>)> {
    let mut fields = Fields::new();
    fields.text("filename", &file.filename, 1..=200);
    fields.finish()?;
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let id = ids.next::<kind::Import>();
    let key = format!("{account}/import/{id}");
    let begun = Begun { id, list, filename: file.filename, blob_key: key.clone(), by: user };
    db.write(move |tx| {
        Box::pin(async move {
            lists::get(tx, account, list).await?;
            imports::expire(tx, account, now.minus(WAITS), now).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "import.upload",
                subject: format!("import:{id}"),
                detail: json!({ "list": list, "filename": begun.filename }),
            };
            audit::record(tx, &ids, entry, now).await?;
            imports::insert(tx, account, begun, now).await
        })
    })
    .await
    .map_err(or(ContactProblem::ListNotFound))?;
    remove_files(&state, account).await?;
    let looked = match receive(&state, &key, upload).await {
        Ok(arrived) => look(&state, account, id, arrived, None).await,
        Err(problem) => Err(problem),
    };
    if let Err(problem) = looked {
        give_up(&state, account, id, problem.code()).await?;
        return Err(problem);
    }
    let row = find(&state, account, id).await?;
    hub.touch(account, &format!("list:{list}"));
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// A file on the disk: its length, its beginning, and how it seems to be written.
pub(crate) struct Arrived {
    pub(crate) bytes: u64,
    pub(crate) start: Vec<u8>,
    pub(crate) format: Format,
}

/// Writes the body to `key` as it comes.
async fn receive(state: &crate::State, key: &str, mut upload: Upload) -> Result<Arrived> {
    let mut writer = state.handles.blob.create(key).await.map_err(disk)?;
    let mut detector = Detector::default();
    let mut start = Vec::new();
    let mut bytes = 0;
    let mut is_text = false;
    while let Some(piece) = upload.next().await? {
        bytes += piece.len() as u64;
        let room = LOOK - start.len();
        start.extend_from_slice(&piece[..piece.len().min(room)]);
        if !is_text && start.len() >= ENOUGH {
            file::refuse_binary(&start[..ENOUGH]).map_err(not_text)?;
            is_text = true;
        }
        detector.feed(&piece);
        writer.write(piece).await.map_err(disk)?;
    }
    file::refuse_binary(&start[..start.len().min(ENOUGH)]).map_err(not_text)?;
    writer.finish().await.map_err(disk)?;
    let format = file::sniff(&start, detector.encoding(), bytes == start.len() as u64);
    Ok(Arrived { bytes, start, format })
}

/// A disk that takes nothing is told like a database that does not.
pub(crate) fn disk(error: impl std::fmt::Display) -> Problem {
    db::Error::Unavailable(error.to_string()).into()
}

pub(crate) fn not_text(fault: NotText) -> ContactProblem {
    match fault {
        NotText::Spreadsheet => ContactProblem::ImportSpreadsheet,
        NotText::Utf16 => ContactProblem::ImportUtf16,
        NotText::Binary => ContactProblem::ImportBinary,
    }
}

/// Looks at the beginning of a file and keeps what was found. A `region` given stays; otherwise it
/// is the one used last for such columns, or the account's country.
pub(crate) async fn look(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::Import>,
    arrived: Arrived,
    region: Option<String>,
) -> Result<()> {
    let is_whole = arrived.bytes == arrived.start.len() as u64;
    let preview = file::preview(&arrived.start, arrived.format, is_whole)
        .ok_or(ContactProblem::ImportNoRows)?;
    let columns = mapping::names(&preview.columns);
    let kept = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let remembered = imports::remembered(tx, account, &columns).await?;
                let country = imports::country(tx, account).await?;
                let (known, last_region) = remembered.unzip();
                let region = region.or(last_region).or(country).unwrap_or_default();
                let known = known.filter(|mapping| mapping.places(&columns).is_ok());
                let mapping = known.unwrap_or_else(|| {
                    Mapping::guess(&columns, &preview.sample, Region::of(&region))
                });
                let (bytes, format) = (arrived.bytes as i64, arrived.format);
                let look = Look { bytes, format, columns, preview, mapping, region };
                imports::keep_look(tx, account, id, &look).await
            })
        })
        .await?;
    if kept {
        return Ok(());
    }
    let state = find(state, account, id).await?.state;
    Err(ContactProblem::ImportNotReady { state }.into())
}

/// The import, or 404.
pub(crate) async fn find(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::Import>,
) -> Result<ImportRow> {
    let db = &state.handles.db;
    db.read(move |tx| Box::pin(async move { imports::get(tx, account, id).await }))
        .await
        .map_err(or(ContactProblem::ImportNotFound))
}

/// Ends an import that cannot be, and takes its file away.
async fn give_up(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::Import>,
    problem: &'static str,
) -> Result<()> {
    let Handles { db, clock, .. } = &state.handles;
    let now = clock.now();
    db.write(move |tx| {
        Box::pin(async move { imports::end(tx, account, id, "failed", Some(problem), now).await })
    })
    .await?;
    remove_files(state, account).await
}

/// Takes away the files of the account's imports that have ended.
pub(crate) async fn remove_files(state: &crate::State, account: Id<kind::Account>) -> Result<()> {
    let Handles { db, blob, .. } = &state.handles;
    let left =
        db.read(move |tx| Box::pin(async move { imports::files_left(tx, account).await })).await?;
    for (id, key) in left {
        if let Err(error) = blob.remove(&key).await {
            // It stays in the row, and the next upload tries again.
            tracing::warn!(%error, key, "the file of an import could not be removed");
            continue;
        }
        db.write(move |tx| Box::pin(async move { imports::forget_file(tx, account, id).await }))
            .await?;
    }
    Ok(())
}
