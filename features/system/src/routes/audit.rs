//! The audit trail: who did what, to what, from where and when.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use base::{
    Id, Locale,
    kind::{Account, AuditRow, User},
};
use db::{Tx, args, sql};
use host::{
    Handles,
    audit::{self, AuditEntry, AuditFilter, Audited},
    retention,
};
use http_kit::{Caller, CommonProblem, Csv, Json, Page, PageQuery, Query, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::retention::Trail;

/// Rows that are read from the database at a time for a file.
const PIECE: i64 = 500;

/// Which rows of the trail.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only what this person did.
    #[param(value_type = Option<String>)]
    person: Option<Id<User>>,
    /// Only this action: `campaign.start`.
    action: Option<String>,
    /// Only what was done to this: `campaign:123`.
    subject: Option<String>,
    /// From this moment on.
    from: Option<Time>,
    /// Before this moment.
    to: Option<Time>,
}

impl AuditQuery {
    fn filter(self, below: Option<i64>) -> Result<AuditFilter> {
        let bound =
            |moment: Option<Time>| moment.map(|Time(at)| Id::<AuditRow>::first_at(at).raw());
        let (from, to) = (bound(self.from).unwrap_or(0), bound(self.to).unwrap_or(i64::MAX));
        if from > to {
            let reason = "from lies behind to".to_owned();
            return Err(CommonProblem::InvalidQuery { reason }.into());
        }
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(AuditFilter {
            user: self.person,
            action: text(self.action),
            subject: text(self.subject),
            from,
            below: below.unwrap_or(i64::MAX).min(to),
        })
    }
}

/// One row of the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEvent {
    #[schema(value_type = String)]
    id: Id<AuditRow>,
    at: Time,
    /// Who; absent where nobody was signed in or the program acted by itself.
    person: Option<AuditPerson>,
    /// Noun and verb: `campaign.start`.
    action: String,
    /// What it was done to: kind and id.
    subject: String,
    /// From which address; absent where the program acted by itself.
    address: Option<String>,
    /// The fields that changed.
    changes: Vec<AuditChange>,
    /// What else was noted.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    facts: BTreeMap<String, Value>,
}

/// Somebody who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPerson {
    #[schema(value_type = String)]
    id: Id<User>,
    /// Absent for somebody who is not in the account.
    name: Option<String>,
}

/// A field that changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditChange {
    field: String,
    #[schema(value_type = Option<Value>)]
    before: Value,
    #[schema(value_type = Option<Value>)]
    after: Value,
}

impl AuditEvent {
    fn new(row: Audited, names: &BTreeMap<Id<User>, String>) -> Self {
        let person = row.user.map(|id| AuditPerson { id, name: names.get(&id).cloned() });
        let (mut changes, mut facts) = (Vec::new(), BTreeMap::new());
        if let Value::Object(detail) = row.detail {
            for (field, value) in detail {
                // Two values are one before and one after; see `host::audit`.
                if let Some([before, after]) = value.as_array().map(Vec::as_slice) {
                    let (before, after) = (before.clone(), after.clone());
                    changes.push(AuditChange { field, before, after });
                } else {
                    facts.insert(field, value);
                }
            }
        }
        Self {
            id: row.id,
            at: row.at.into(),
            person,
            action: row.action,
            subject: row.subject,
            address: row.address,
            changes,
            facts,
        }
    }
}

/// See the audit trail
///
/// The newest first.
#[utoipa::path(
    get, path = "/audit", operation_id = "list_audit", tag = "system",
    params(AuditQuery, PageQuery),
    responses((status = 200, body = Page<AuditEvent>))
)]
pub(crate) async fn list_audit(
    axum::extract::State(state): State,
    caller: Caller,
    Query(query): Query<AuditQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<AuditEvent>>> {
    let (account, limit) = (caller.account, paging.fetch());
    let filter = query.filter(paging.after()?)?;
    let read = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { events(tx, account, &filter, limit).await }));
    Ok(Json(paging.page(read.await?, |event| event.id.raw())))
}

/// Rows with the names of those who did it.
async fn events(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    filter: &AuditFilter,
    limit: i64,
) -> db::Result<Vec<AuditEvent>> {
    let rows = audit::page(tx, account, filter, limit).await?;
    let mut names = BTreeMap::new();
    for user in rows.iter().filter_map(|row| row.user) {
        if !names.contains_key(&user) {
            let select = sql!("SELECT name FROM v_person WHERE account = $1 AND person = $2");
            let found: Option<(String,)> = tx.opt(select, args![account, user]).await?;
            names.extend(found.map(|(name,)| (user, name)));
        }
    }
    Ok(rows.into_iter().map(|row| AuditEvent::new(row, &names)).collect())
}

/// Download the audit trail
///
/// As text for a spreadsheet, filtered as the page is. Cells that a spreadsheet would run as formulas
/// have an apostrophe in front. That it was downloaded is in the trail, too.
#[utoipa::path(
    get, path = "/audit/export.csv", operation_id = "export_audit", tag = "system",
    params(AuditQuery),
    responses((status = 200, content_type = "text/csv", body = String))
)]
pub(crate) async fn export_audit(
    axum::extract::State(state): State,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Response> {
    let Handles { db, ids, clock, .. } = state.handles.clone();
    let (account, now) = (caller.account, clock.now());
    let entry = AuditEntry {
        account,
        user: Some(caller.user),
        action: "audit.export",
        subject: format!("account:{account}"),
        detail: json!({
            "person": query.person, "action": query.action, "subject": query.subject,
            "from": query.from, "to": query.to,
        }),
    };
    let filter = query.filter(None)?;
    db.write(move |tx| Box::pin(async move { audit::record(tx, &ids, entry, now).await })).await?;
    let mut file = Csv::new(delimiter(caller.locale));
    file.row(["time", "person", "action", "object", "address", "changes"]);
    let rows = futures::stream::try_unfold(Some((filter, file)), move |next| {
        let db = db.clone();
        async move {
            let Some((mut filter, mut file)) = next else { return Ok(None) };
            let wanted = filter.clone();
            let read = db
                .read(move |tx| Box::pin(async move { events(tx, account, &wanted, PIECE).await }));
            let found = read.await?;
            let last = found.last().map(|event| event.id.raw());
            let is_last = (found.len() as i64) < PIECE;
            for event in found {
                write(&mut file, event);
            }
            let text = axum::body::Bytes::from(file.take());
            let next = last.filter(|_| !is_last).map(|below| {
                filter.below = below;
                (filter, file)
            });
            Ok::<_, db::Error>(Some((text, next)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"audit.csv\""),
        ),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}

/// What spreadsheets of the language's countries take apart by themselves.
const fn delimiter(language: Locale) -> &'static str {
    match language {
        Locale::En | Locale::Vi => ",",
        Locale::Uk | Locale::Ru | Locale::Uz => ";",
    }
}

fn write(file: &mut Csv, event: AuditEvent) {
    let at = match serde_json::to_value(event.at) {
        Ok(Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    };
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let changes = event.changes.iter().map(|AuditChange { field, before, after }| {
        format!("{field}: {} → {}", words(before), words(after))
    });
    let facts = event.facts.iter().map(|(field, value)| format!("{field}: {}", words(value)));
    let told = changes.chain(facts).collect::<Vec<_>>().join("; ");
    let person = event.person.map(|person| person.name.unwrap_or_else(|| person.id.to_string()));
    file.row([
        at.as_str(),
        &person.unwrap_or_default(),
        &event.action,
        &event.subject,
        &event.address.unwrap_or_default(),
        &told,
    ]);
}

/// How long the trail is kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditRetention {
    /// Days; 0 is for ever.
    #[schema(maximum = 36_500)]
    days: u32,
}

/// Which choice is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditDays {
    /// Days; 0 is for ever.
    days: u32,
}

/// What a choice would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditRetentionEffect {
    /// Rows that would be removed at once.
    removed: i64,
}

/// See how long the audit trail is kept
#[utoipa::path(
    get, path = "/audit/retention", operation_id = "get_audit_retention", tag = "system",
    responses((status = 200, body = AuditRetention))
)]
pub(crate) async fn get_audit_retention(
    axum::extract::State(state): State,
    caller: Caller,
) -> Result<Json<AuditRetention>> {
    let account = caller.account;
    let read = state.handles.db.read(move |tx| Box::pin(audit::days(tx, account)));
    Ok(Json(AuditRetention { days: read.await? }))
}

/// See what a choice would remove from the audit trail
///
/// Nothing is changed.
#[utoipa::path(
    get, path = "/audit/retention/effect", operation_id = "get_audit_retention_effect",
    tag = "system",
    params(AuditDays),
    responses((status = 200, body = AuditRetentionEffect))
)]
pub(crate) async fn get_audit_effect(
    axum::extract::State(state): State,
    caller: Caller,
    Query(query): Query<AuditDays>,
) -> Result<Json<AuditRetentionEffect>> {
    retention::check(query.days)?;
    if query.days == 0 {
        return Ok(Json(AuditRetentionEffect { removed: 0 }));
    }
    let before = retention::limit(state.handles.clock.now(), query.days);
    let account = caller.account;
    let read = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { audit::count_before(tx, account, before).await }));
    Ok(Json(AuditRetentionEffect { removed: read.await? }))
}

/// Choose how long the audit trail is kept
///
/// Older rows are removed in the background, at once and from then on every day. The choice itself is
/// in the trail.
#[utoipa::path(
    put, path = "/audit/retention", operation_id = "set_audit_retention", tag = "system",
    request_body = AuditRetention,
    responses((status = 200, body = AuditRetention))
)]
pub(crate) async fn set_audit_retention(
    axum::extract::State(state): State,
    caller: Caller,
    Json(body): Json<AuditRetention>,
) -> Result<Json<AuditRetention>> {
    retention::choose::<Trail>(&state.handles, &caller, body.days).await?;
    Ok(Json(body))
}
