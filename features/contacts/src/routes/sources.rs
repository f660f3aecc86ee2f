//! Sources of a list: seen, tested, saved, loaded, removed.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, Timestamp, kind};
use db::Tx;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Page, PageQuery, Path, Query, Result, Time, present};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{ImportCounts, or};
use crate::{
    jobs::pull::{self, KIND},
    problems::ContactProblem,
    source::{Access, Settings, fault::SourceFault, google::KeyFile},
    store::{
        lists,
        sources::{self, PullRow, SourceRow},
    },
};

/// Sources of one list.
const MOST_SOURCES: usize = 20;
/// Characters of a secret; a key file has some 2,400.
const LONGEST_SECRET: usize = 8_000;

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PullState {
    /// The source is being asked.
    Fetching,
    /// The rows are being taken.
    Running,
    /// Every row was looked at.
    Done,
    /// The list is as it was, or as far as the import came.
    Failed,
}

/// One load of a source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Pull {
    pub(crate) id: String,
    pub(crate) state: PullState,
    /// Why there are no rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<SourceFault>,
    /// The import that took the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) import: Option<String>,
    pub(crate) counts: ImportCounts,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<i64>,
    /// Bytes of the answers, unpacked.
    pub(crate) bytes: i64,
    pub(crate) started_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Time>,
}

impl From<PullRow> for Pull {
    fn from(row: PullRow) -> Self {
        let state = match (row.state.as_str(), row.import_state.as_deref()) {
            ("fetching", _) => PullState::Fetching,
            ("taken", Some("running")) => PullState::Running,
            ("taken", Some("done" | "cancelled") | None) => PullState::Done,
            _ => PullState::Failed,
        };
        let gave_up = row.import_problem.map(|_| SourceFault::bare("gave_up"));
        Self {
            id: row.id.to_string(),
            state,
            fault: row.fault.or(gave_up),
            import: row.import.map(|id| id.to_string()),
            counts: row.counts.into(),
            status: row.status,
            bytes: row.bytes,
            started_at: row.started_at.into(),
            finished_at: row.import_finished_at.or(row.finished_at).map(Time),
        }
    }
}

/// Where a list is loaded from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) list: String,
    pub(crate) name: String,
    pub(crate) settings: Settings,
    /// Whether a secret is kept. It is never shown again.
    pub(crate) has_secret: bool,
    /// Minutes from one load to the next; absent when loads are asked for by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) every_min: Option<i64>,
    /// A source that is off is not loaded.
    pub(crate) enabled: bool,
    /// Whether these very settings were tested with success before they were saved.
    pub(crate) tested: bool,
    /// Rises with each change.
    pub(crate) version: i64,
    /// When it is loaded next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_pull: Option<Pull>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

impl Source {
    fn of(row: SourceRow, next_at: Option<Timestamp>, last: Option<PullRow>) -> Self {
        Self {
            id: row.id.to_string(),
            list: row.list.to_string(),
            name: row.name,
            settings: row.settings,
            has_secret: row.secret.is_some(),
            every_min: row.every_min,
            enabled: row.enabled,
            tested: row.tested,
            version: row.version,
            next_at: next_at.map(Time),
            last_pull: last.map(Pull::from),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A source as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceWish {
    /// 1 to 80 characters; shown in the history of the list.
    name: String,
    settings: Settings,
    /// Absent keeps what is there, `null` forgets it. One that is kept is used for the same host
    /// only.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    secret: Option<Option<String>>,
    /// Minutes from one load to the next, 1 to 10,080; `null` or absent loads by hand only.
    #[serde(default)]
    every_min: Option<i64>,
    /// On when absent.
    #[serde(default = "on")]
    enabled: bool,
    /// `proof` of a test of these very settings.
    #[serde(default)]
    proof: Option<String>,
}

const fn on() -> bool {
    true
}

impl SourceWish {
    fn check(&mut self, fields: &mut Fields) {
        self.name = self.name.trim().to_owned();
        self.settings.tidy();
        fields.text("name", &self.name, 1..=80);
        self.settings.check(fields);
        if let Some(every) = self.every_min {
            fields.number("every_min", every, 1..=10_080);
        }
    }
}

/// The secret that settings are used with: the one given, else the one kept for the same place.
pub(crate) fn secret(
    state: &crate::State,
    settings: &Settings,
    given: Option<Option<String>>,
    kept: Option<&SourceRow>,
    fields: &mut Fields,
) -> String {
    let secret = match given {
        Some(secret) => secret.unwrap_or_default().trim().to_owned(),
        None => kept
            .filter(|row| row.settings.audience() == settings.audience())
            .and_then(|row| pull::open(state, row).ok())
            .unwrap_or_default(),
    };
    if !settings.needs_secret() {
        return String::new();
    }
    if secret.is_empty() {
        fields.fault("secret", "required", "Fill this in.");
    } else {
        fields.text("secret", &secret, 1..=LONGEST_SECRET);
        if let Settings::Sheet(_) = settings {
            let words = "This is no key file of a service account.";
            fields.check("secret", KeyFile::of(&secret).is_ok(), "invalid_key_file", words);
        } else {
            let plain = !secret.chars().any(char::is_control);
            let words = "A line break cannot be part of it.";
            fields.check("secret", plain, "invalid_characters", words);
        }
    }
    secret
}

/// Notes the address of the service account, to share the sheet with.
pub(crate) fn note_robot(settings: &mut Settings, secret: &str) {
    if let Settings::Sheet(sheet) = settings {
        sheet.robot = match sheet.access {
            Access::Link => None,
            Access::ServiceAccount => KeyFile::of(secret).ok().map(|file| file.client_email),
        };
    }
}

/// What a test with success proves: these settings with this secret worked.
pub(crate) fn fingerprint(settings: &Settings, secret: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(json!(settings).to_string());
    hash.update([0]);
    hash.update(secret);
    hash.finalize().to_vec()
}

/// What the proof of an account is sealed for.
pub(crate) fn proof_context(account: Id<kind::Account>) -> String {
    format!("contact_source.proof:{account}")
}

fn is_proof(
    state: &crate::State,
    account: Id<kind::Account>,
    proof: Option<&str>,
    print: &[u8],
) -> bool {
    let Some(proof) = proof else { return false };
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, proof);
    let Ok(sealed) = bytes else { return false };
    state.handles.secrets.open(&proof_context(account), &sealed).is_ok_and(|plain| plain == print)
}

async fn view(tx: &mut Tx<'_>, row: SourceRow) -> db::Result<Source> {
    let (account, id) = (row.account, row.id);
    let next_at = ::jobs::next_at(tx, account, KIND, &pull::key(id)).await?;
    let last = sources::pulls(tx, account, id, i64::MAX, 1).await?.into_iter().next();
    Ok(Source::of(row, next_at, last))
}

/// The source, or 404.
pub(crate) async fn find(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::ContactSource>,
) -> Result<SourceRow> {
    let db = &state.handles.db;
    db.read(move |tx| Box::pin(async move { sources::get(tx, account, id).await }))
        .await
        .map_err(or(ContactProblem::SourceNotFound))
}

/// The source as its page shows it, or 404.
pub(crate) async fn read(
    state: &crate::State,
    account: Id<kind::Account>,
    id: Id<kind::ContactSource>,
) -> Result<Source> {
    let db = &state.handles.db;
    db.read(move |tx| {
        Box::pin(async move {
            let row = sources::get(tx, account, id).await?;
            view(tx, row).await
        })
    })
    .await
    .map_err(or(ContactProblem::SourceNotFound))
}

/// List the sources of a contact list
///
/// The oldest first.
#[utoipa::path(
    get, path = "/lists/{id}/sources", operation_id = "list_sources", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    responses((status = 200, body = Vec<Source>))
)]
pub(crate) async fn list_sources(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
) -> Result<Json<Vec<Source>>> {
    let account = caller.account;
    let found = state.handles.db.read(move |tx| {
        Box::pin(async move {
            lists::get(tx, account, list).await?;
            let mut found = Vec::new();
            for row in sources::of_list(tx, account, list).await? {
                found.push(view(tx, row).await?);
            }
            Ok(found)
        })
    });
    Ok(Json(found.await.map_err(or(ContactProblem::ListNotFound))?))
}

/// Add a source to a contact list
///
/// It is loaded at once, and then every `every_min` minutes.
#[utoipa::path(
    post, path = "/lists/{id}/sources", operation_id = "create_source", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    request_body = SourceWish,
    responses((status = 201, body = Source))
)]
pub(crate) async fn create_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
    Json(wish): Json<SourceWish>,
) -> Result<(StatusCode, Json<Source>)> {
    let Handles { db, ids, clock, .. } = &state.handles;
    let account = caller.account;
    let there = db.read(move |tx| {
        Box::pin(async move {
            lists::get(tx, account, list).await?;
            sources::of_list(tx, account, list).await
        })
    });
    if there.await.map_err(or(ContactProblem::ListNotFound))?.len() >= MOST_SOURCES {
        return Err(ContactProblem::SourcesFull { most: MOST_SOURCES as i64 }.into());
    }
    let (id, now) = (ids.next::<kind::ContactSource>(), clock.now());
    let blank = SourceRow {
        id,
        account,
        list,
        name: String::new(),
        settings: wish.settings.clone(),
        secret: None,
        every_min: None,
        enabled: true,
        tested: false,
        version: 0,
        changed_by: caller.user,
        created_at: now,
        updated_at: now,
    };
    let row = changed(&state, &blank, wish, None, &caller)?;
    save(&state, row, None, "source.create").await?;
    Ok((StatusCode::CREATED, Json(read(&state, account, id).await?)))
}

/// Read a source
#[utoipa::path(
    get, path = "/sources/{id}", operation_id = "get_source", tag = "contacts",
    params(("id" = String, Path, description = "The source.")),
    responses((status = 200, body = Source))
)]
pub(crate) async fn get_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactSource>>,
) -> Result<Json<Source>> {
    read(&state, caller.account, id).await.map(Json)
}

/// Change a source
///
/// The whole of it, but for a secret that is left out. It is loaded at once when it is on.
#[utoipa::path(
    put, path = "/sources/{id}", operation_id = "change_source", tag = "contacts",
    params(("id" = String, Path, description = "The source.")),
    request_body = SourceWish,
    responses((status = 200, body = Source))
)]
pub(crate) async fn change_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactSource>>,
    Json(wish): Json<SourceWish>,
) -> Result<Json<Source>> {
    let kept = find(&state, caller.account, id).await?;
    let row = changed(&state, &kept, wish, Some(&kept), &caller)?;
    save(&state, row, Some(&kept), "source.change").await?;
    read(&state, caller.account, id).await.map(Json)
}

/// Lays a wish over a source and checks the whole.
fn changed(
    state: &crate::State,
    row: &SourceRow,
    mut wish: SourceWish,
    kept: Option<&SourceRow>,
    caller: &Caller,
) -> Result<SourceRow> {
    let mut fields = Fields::new();
    wish.check(&mut fields);
    let typed = wish.secret.is_some();
    let secret = secret(state, &wish.settings, wish.secret.take(), kept, &mut fields);
    fields.finish()?;
    note_robot(&mut wish.settings, &secret);
    let print = fingerprint(&wish.settings, &secret);
    let same = |kept: &SourceRow| kept.tested && kept.settings == wish.settings;
    let tested = is_proof(state, row.account, wish.proof.as_deref(), &print)
        || (!typed && kept.is_some_and(same));
    let sealed = || state.handles.secrets.seal(&pull::context(row.id), secret.as_bytes());
    Ok(SourceRow {
        name: wish.name,
        secret: (!secret.is_empty()).then(sealed),
        settings: wish.settings,
        every_min: wish.every_min,
        enabled: wish.enabled,
        tested,
        version: row.version + 1,
        changed_by: caller.user,
        updated_at: state.handles.clock.now(),
        ..row.clone()
    })
}

/// What a person sets of a source, but for its secret.
fn told(row: &SourceRow) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("name".to_owned(), json!(row.name));
    told.insert("settings".to_owned(), json!(row.settings));
    told.insert("every_min".to_owned(), json!(row.every_min));
    told.insert("enabled".to_owned(), json!(row.enabled));
    told.insert("tested".to_owned(), json!(row.tested));
    told
}

/// Stores the source, sets its schedule and has it loaded.
async fn save(
    state: &crate::State,
    row: SourceRow,
    before: Option<&SourceRow>,
    action: &'static str,
) -> Result<()> {
    let mut detail = match before {
        Some(before) => audit::changes(&told(before), &told(&row)),
        None => told(&row),
    };
    detail.entry("name").or_insert_with(|| json!(row.name));
    detail.insert("list".to_owned(), json!(row.list));
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, list, id, now) = (row.account, row.list, row.id, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            lists::get(tx, account, list).await?;
            sources::put(tx, &row).await?;
            let key = pull::key(id);
            match row.every_min.filter(|_| row.enabled) {
                Some(minutes) => {
                    let every = std::time::Duration::from_secs(60 * minutes as u64);
                    let payload = json!({ "source": id });
                    let first = now.plus(every);
                    ::jobs::schedule(tx, account, KIND, &key, payload, every, first).await?;
                }
                None => ::jobs::unschedule(tx, account, KIND, &key).await?,
            }
            if row.enabled {
                pull::enqueue(tx, &ids, account, id, now).await?;
            }
            let entry = AuditEntry {
                account,
                user: Some(row.changed_by),
                action,
                subject: format!("source:{id}"),
                detail: detail.into(),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await
    .map_err(or(ContactProblem::ListNotFound))?;
    hub.touch(account, &format!("source:{id}"));
    Ok(())
}

/// Remove a source
///
/// With its history. The contacts that it brought stay in the list.
#[utoipa::path(
    delete, path = "/sources/{id}", operation_id = "delete_source", tag = "contacts",
    params(("id" = String, Path, description = "The source.")),
    responses((status = 204))
)]
pub(crate) async fn delete_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactSource>>,
) -> Result<StatusCode> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            let source = sources::get(tx, account, id).await?;
            ::jobs::unschedule(tx, account, KIND, &pull::key(id)).await?;
            sources::remove(tx, account, id).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "source.delete",
                subject: format!("source:{id}"),
                detail: json!({ "list": source.list, "name": source.name }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await
    .map_err(or(ContactProblem::SourceNotFound))?;
    hub.touch(account, &format!("source:{id}"));
    Ok(StatusCode::NO_CONTENT)
}

/// Load a source now
#[utoipa::path(
    post, path = "/sources/{id}/pull", operation_id = "pull_source", tag = "contacts",
    params(("id" = String, Path, description = "The source.")),
    responses((status = 200, body = Source))
)]
pub(crate) async fn pull_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactSource>>,
) -> Result<Json<Source>> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let busy = db
        .write(move |tx| {
            Box::pin(async move {
                let source = sources::get(tx, account, id).await?;
                if !source.enabled || sources::is_busy(tx, account, id).await? {
                    return Ok(Some(source.enabled));
                }
                pull::enqueue(tx, &ids, account, id, now).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "source.pull",
                    subject: format!("source:{id}"),
                    detail: json!({ "list": source.list, "name": source.name }),
                };
                audit::record(tx, &ids, entry, now).await?;
                Ok(None)
            })
        })
        .await
        .map_err(or(ContactProblem::SourceNotFound))?;
    match busy {
        Some(true) => return Err(ContactProblem::SourceBusy.into()),
        Some(false) => return Err(ContactProblem::SourceOff.into()),
        None => {}
    }
    hub.touch(account, &format!("source:{id}"));
    read(&state, account, id).await.map(Json)
}

/// List the loads of a source
///
/// The newest first; they are kept for 30 days.
#[utoipa::path(
    get, path = "/sources/{id}/pulls", operation_id = "list_pulls", tag = "contacts",
    params(("id" = String, Path, description = "The source."), PageQuery),
    responses((status = 200, body = Page<Pull>))
)]
pub(crate) async fn list_pulls(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::ContactSource>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Pull>>> {
    let account = caller.account;
    let before = query.after::<i64>()?.unwrap_or(i64::MAX);
    let fetch = query.fetch();
    let rows = state.handles.db.read(move |tx| {
        Box::pin(async move {
            sources::get(tx, account, id).await?;
            sources::pulls(tx, account, id, before, fetch).await
        })
    });
    let rows = rows.await.map_err(or(ContactProblem::SourceNotFound))?;
    Ok(Json(query.page(rows, |row| row.id.raw()).map(Pull::from)))
}

/// The beginning of an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PullSample {
    /// Up to 64 KiB of the answer; absent once it is older than a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

/// Read the answer of a load
#[utoipa::path(
    get, path = "/sources/{id}/pulls/{pull}/raw", operation_id = "get_pull_raw", tag = "contacts",
    params(
        ("id" = String, Path, description = "The source."),
        ("pull" = String, Path, description = "The load."),
    ),
    responses((status = 200, body = PullSample))
)]
pub(crate) async fn get_pull_raw(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path((id, pull)): Path<(Id<kind::ContactSource>, Id<kind::SourcePull>)>,
) -> Result<Json<PullSample>> {
    let account = caller.account;
    let raw = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { sources::sample(tx, account, id, pull).await }));
    Ok(Json(PullSample { raw: raw.await.map_err(or(ContactProblem::SourceNotFound))? }))
}
