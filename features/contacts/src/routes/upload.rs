//! A file arrives, is told apart from what is no file of contacts, and is looked at.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use blob::Writer;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Problem, Query, Result, Upload};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::{Import, or, workbook};
use crate::{
    file::{self, Detector, Encoding, Format, Kind, LOOK, NotText, Transcoder},
    mapping::{self, Mapping},
    phone::Region,
    problems::ContactProblem,
    store::{
        imports::{self, Begun, ImportRow, Look, Sheets},
        lists, presets,
    },
};

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
/// The body is the file itself, up to 200 MB: CSV in UTF-8, UTF-16 or Windows-1251, or a workbook
/// (XLSX), of which the first sheet with rows is read. It is not imported yet: the answer shows how
/// it was understood, a sample, and a suggested mapping.
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
    let key = imports::upload_key(account, id);
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
    let looked = match receive(&state, account, id, upload).await {
        Ok(arrived) => look(&state, account, id, &key, arrived, Wish::default()).await,
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
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) start: Vec<u8>,
    pub(crate) format: Format,
    /// Where the rows are a sheet's.
    pub(crate) book: Option<Sheets>,
}

/// Writes a file to the disk and keeps its beginning in memory.
pub(crate) struct Sink {
    writer: Writer,
    pub(crate) start: Vec<u8>,
    pub(crate) bytes: u64,
}

impl Sink {
    /// A file that will be seen under `key` when it is whole.
    pub(crate) async fn create(state: &crate::State, key: &str) -> Result<Self> {
        let writer = state.handles.blob.create(key).await.map_err(disk)?;
        Ok(Self { writer, start: Vec::new(), bytes: 0 })
    }

    /// Adds a piece.
    pub(crate) async fn write(&mut self, piece: bytes::Bytes) -> Result<()> {
        self.bytes += piece.len() as u64;
        let room = LOOK - self.start.len();
        self.start.extend_from_slice(&piece[..piece.len().min(room)]);
        self.writer.write(piece).await.map_err(disk)
    }

    /// The file is whole; its beginning and its length.
    pub(crate) async fn finish(self) -> Result<(Vec<u8>, u64)> {
        self.writer.finish().await.map_err(disk)?;
        Ok((self.start, self.bytes))
    }
}

/// The body of a request of which the first pieces were looked at.
struct Incoming {
    ahead: std::vec::IntoIter<bytes::Bytes>,
    upload: Upload,
}

impl Incoming {
    /// Reads enough to tell what it is.
    async fn open(mut upload: Upload) -> Result<(Self, Vec<u8>)> {
        let (mut ahead, mut start) = (Vec::new(), Vec::new());
        while start.len() < ENOUGH
            && let Some(piece) = upload.next().await?
        {
            let room = ENOUGH - start.len();
            start.extend_from_slice(&piece[..piece.len().min(room)]);
            ahead.push(piece);
        }
        Ok((Self { ahead: ahead.into_iter(), upload }, start))
    }

    async fn next(&mut self) -> Result<Option<bytes::Bytes>> {
        match self.ahead.next() {
            Some(piece) => Ok(Some(piece)),
            None => self.upload.next().await,
        }
    }
}

/// Writes the body to the disk as it comes, in a form that rows are cut from.
async fn receive(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::Import>,
    upload: Upload,
) -> Result<Arrived> {
    let key = imports::upload_key(account, id);
    let (mut incoming, start) = Incoming::open(upload).await?;
    match file::kind(&start) {
        Ok(Kind::Text) => text(state, key, incoming).await,
        Ok(Kind::Wide(encoding)) => wide(state, key, incoming, encoding).await,
        Ok(Kind::Archive) => {
            let packed = imports::workbook_key(account, id);
            let mut sink = Sink::create(state, &packed).await?;
            while let Some(piece) = incoming.next().await? {
                sink.write(piece).await?;
            }
            sink.finish().await?;
            workbook::unpack(state, &packed, &key, None).await
        }
        Err(NotText::Compound) => {
            let mut search = workbook::Search::default();
            while let Some(piece) = incoming.next().await? {
                search.feed(&piece);
            }
            Err(search.verdict().into())
        }
        Err(other) => Err(not_text(other).into()),
    }
}

/// UTF-8 or Windows-1251, kept as it comes.
async fn text(state: &crate::State, key: String, mut incoming: Incoming) -> Result<Arrived> {
    let mut sink = Sink::create(state, &key).await?;
    let mut detector = Detector::default();
    while let Some(piece) = incoming.next().await? {
        detector.feed(&piece);
        sink.write(piece).await?;
    }
    let (start, bytes) = sink.finish().await?;
    let format = file::sniff(&start, detector.encoding(), bytes == start.len() as u64);
    Ok(Arrived { key, bytes, start, format, book: None })
}

/// UTF-16, kept as UTF-8.
async fn wide(
    state: &crate::State,
    key: String,
    mut incoming: Incoming,
    encoding: Encoding,
) -> Result<Arrived> {
    let mut sink = Sink::create(state, &key).await?;
    let mut coder = Transcoder::new(encoding);
    while let Some(piece) = incoming.next().await? {
        sink.write(coder.feed(&piece, false).into()).await?;
    }
    sink.write(coder.feed(&[], true).into()).await?;
    let (start, bytes) = sink.finish().await?;
    let format = file::sniff(&start, encoding, bytes == start.len() as u64);
    Ok(Arrived { key, bytes, start, format, book: None })
}

/// A disk that takes nothing is told like a database that does not.
pub(crate) fn disk(error: impl std::fmt::Display) -> Problem {
    db::Error::Unavailable(error.to_string()).into()
}

pub(crate) fn not_text(fault: NotText) -> ContactProblem {
    match fault {
        NotText::Compound => ContactProblem::ImportSpreadsheet,
        NotText::Utf16 => ContactProblem::ImportUtf16,
        NotText::Binary => ContactProblem::ImportBinary,
    }
}

/// What the person who looks has said.
pub(crate) struct Wish {
    /// The country of numbers without a prefix stays.
    pub(crate) region: Option<String>,
    /// The mapping that was last used for such heads is suggested.
    pub(crate) preset: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { region: None, preset: true }
    }
}

/// Looks at the beginning of a file and keeps what was found, if the import has the file `before`
/// still. The region is the one wished, the one used last for such columns, or the account's
/// country.
pub(crate) async fn look(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::Import>,
    before: &str,
    arrived: Arrived,
    wish: Wish,
) -> Result<()> {
    let Arrived { key, bytes, start, format, book } = arrived;
    let is_whole = bytes == start.len() as u64;
    let preview = file::preview(&start, format, is_whole).ok_or(ContactProblem::ImportNoRows)?;
    let columns = mapping::names(&preview.columns);
    let before = before.to_owned();
    // Numbers instead of heads say nothing of what is below them.
    let wants_preset = wish.preset && format.has_header;
    let kept = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let preset =
                    if wants_preset { presets::find(tx, account, &columns).await? } else { None };
                let country = imports::country(tx, account).await?;
                let last_region = preset.as_ref().map(|preset| preset.region.clone());
                let region = wish.region.or(last_region).or(country).unwrap_or_default();
                let preset_at = preset.as_ref().map(|preset| preset.used_at);
                let mapping = match preset {
                    Some(preset) => preset.mapping,
                    None => Mapping::guess(&columns, &preview.sample, Region::of(&region)),
                };
                let look = Look {
                    blob_key: key,
                    book,
                    bytes: bytes as i64,
                    format,
                    columns,
                    preview,
                    mapping,
                    region,
                    preset_at,
                };
                imports::keep_look(tx, account, id, &before, &look).await
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
    for left in left {
        if let Err(error) = remove(blob, &left).await {
            // They stay in the row, and the next upload tries again.
            tracing::warn!(%error, import.id = %left.id, "files of an import could not be removed");
            continue;
        }
        let id = left.id;
        db.write(move |tx| Box::pin(async move { imports::forget_file(tx, account, id).await }))
            .await?;
    }
    Ok(())
}

/// Takes away every file of an import.
pub(crate) async fn remove(blob: &blob::Blob, left: &imports::Left) -> blob::Result<()> {
    for key in left.keys() {
        blob.remove(&key).await?;
    }
    Ok(())
}
