//! Changes a campaign's settings.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use base::{
    Id,
    kind::{Campaign, ContactList},
};
use dialer::CampaignState;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Problem, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{State, show};
use crate::{
    presets::Chosen,
    problems::{CampaignProblem, or},
    setup::{Action, BatchS, CapsBody, DelaysS, ExceptionBody, PeriodBody, Setup},
    store::{
        as_json,
        campaigns::{self, Row},
    },
    view,
};

/// A change of settings: RFC 7386, so what is absent stays and `null` empties what may be empty.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which is merged as JSON")]
pub(crate) struct CampaignChange {
    /// The version that the change is based on; also accepted as `If-Match`.
    version: Option<i64>,
    /// 1 to 200 characters.
    name: Option<String>,
    /// Up to 5000 characters.
    notes: Option<String>,
    /// The contact lists that are called.
    lists: Option<Vec<String>>,
    /// The line that calls leave on.
    line_id: Option<String>,
    /// What the callee hears.
    on_answer: Option<Action>,
    /// Days on which calls may be made.
    period: Option<PeriodBody>,
    /// The campaign's time zone, an IANA name.
    time_zone: Option<String>,
    /// Whether the hours are read on the contact's own clock.
    use_contact_zone: Option<bool>,
    /// Open hours of each weekday, `{"mon": [["09:00", "20:00"]], …}`.
    hours: Option<BTreeMap<String, Vec<Vec<String>>>>,
    /// Attempts per contact, the first one included.
    max_attempts: Option<u32>,
    /// Calls at once.
    concurrency: Option<u32>,
    /// Calls begun per second.
    calls_per_second: Option<f64>,
    /// How long a phone may ring.
    ring_s: Option<u32>,
    /// Talk from which an answered call is a success.
    min_talk_s: Option<u32>,
    /// When to try again.
    delays_s: Option<DelaysS>,
    /// Whether a talk that was too short is tried again.
    retry_short_talk: Option<bool>,
    /// How often a number may be called.
    caps: Option<CapsBody>,
    /// Whether calls are recorded.
    record: Option<bool>,
    /// Goes first among equally served campaigns when higher.
    priority: Option<i32>,
    /// Waits for more contacts instead of completing.
    always_active: Option<bool>,
    /// The calendar that zone, hours and exceptions are copied from; null for hours of its own.
    calendar_id: Option<String>,
    /// Dates with other hours than the week's.
    exceptions: Option<Vec<ExceptionBody>>,
    /// The rule that attempts, delays, caps, waves and the order of numbers are copied from; null
    /// for its own.
    attempt_rule_id: Option<String>,
    /// Calls in waves; null for steadily.
    batch: Option<BatchS>,
    /// Each attempt goes to the contact's next number.
    every_number: Option<bool>,
    /// Only of a new campaign: the one that it is a copy of. When that one is run again, so is the
    /// copy, over the same contacts of the lists that both have.
    copy_of: Option<String>,
}

/// Everything of a campaign that can be changed, in one document.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    name: String,
    notes: String,
    lists: Vec<Id<ContactList>>,
    #[serde(flatten)]
    setup: Map<String, Value>,
}

/// Change a campaign
///
/// Possible at any time before it is over; attempts that are made from then on follow it. The line
/// is changed only while the campaign does not run.
#[utoipa::path(
    patch, path = "/campaigns/{id}", operation_id = "edit_campaign", tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign."),
        ("If-Match" = Option<String>, Header, description = "The version that was read.")
    ),
    request_body = CampaignChange,
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn edit_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Json<view::Campaign>> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let edited = db
        .write(move |tx| {
            Box::pin(async move {
                let row = campaigns::get_locked(tx, account, id).await?;
                let chosen = match Chosen::read(tx, account, &row.setup, &body).await? {
                    Ok(chosen) => chosen,
                    Err(problem) => return Ok(Err(problem)),
                };
                let change = match change(row, body, &headers, chosen) {
                    Ok(change) => change,
                    Err(problem) => return Ok(Err(problem)),
                };
                if change.fields.is_empty() {
                    return Ok(Ok(false));
                }
                // The row is locked, so the version is still the one that was compared.
                campaigns::edit(tx, &change.row, now).await?;
                let mut detail = change.fields;
                detail.insert("version".to_owned(), json!(change.row.version + 1));
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "campaign.edit",
                    subject: format!("campaign:{id}"),
                    detail: detail.into(),
                };
                audit::record(tx, &ids, entry, now).await?;
                if change.lists_changed && change.row.state != CampaignState::Draft {
                    campaigns::set_preparing(tx, account, id, true).await?;
                    crate::jobs::prepare::enqueue(tx, &ids, account, id, now).await?;
                }
                Ok(Ok(true))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))??;
    if edited {
        dialers.changed(account, id).await;
        super::touch(&dialers, account, id);
    }
    show(&dialers, account, id).await
}

struct Change {
    row: Row,
    fields: Map<String, Value>,
    lists_changed: bool,
}

fn change(row: Row, mut body: Value, headers: &HeaderMap, chosen: Chosen) -> Result<Change> {
    if row.deleted_at.is_some() {
        return Err(CampaignProblem::NotFound.into());
    }
    if matches!(row.state, CampaignState::Completed | CampaignState::Stopped) {
        return Err(CampaignProblem::Over.into());
    }
    let expected = expected(&mut body, headers)?;
    if expected.is_some_and(|version| version != row.version) {
        return Err(CampaignProblem::Changed { version: row.version }.into());
    }
    let (line, running) = (row.setup.line_id, row.state == CampaignState::Running);
    let lists = row.lists.clone();
    let (mut row, fields) = apply(row, body)?;
    chosen.copy(&mut row.setup);
    if running && row.setup.line_id != line {
        return Err(CampaignProblem::LineLocked.into());
    }
    check(&row)?;
    if running && row.setup.rules(row.version).is_none() {
        let mut missing = Fields::new();
        missing.fault("on_answer", "required", "A running campaign needs what it plays.");
        missing.finish()?;
    }
    let lists_changed = row.lists != lists;
    Ok(Change { row, fields, lists_changed })
}

/// The version that the change is based on, taken out of the body or the header.
fn expected(body: &mut Value, headers: &HeaderMap) -> Result<Option<i64>> {
    let of_body = body.as_object_mut().and_then(|fields| fields.remove("version"));
    let of_header = headers.get(header::IF_MATCH).map(|value| {
        value.to_str().ok().and_then(|text| text.trim_matches('"').parse::<i64>().ok())
    });
    let mut fields = Fields::new();
    let version = match (of_header, of_body) {
        (Some(version), _) => version,
        (None, Some(version)) => version.as_i64(),
        (None, None) => return Ok(None),
    };
    fields.check("version", version.is_some(), "not_a_number", "The version is a number.");
    fields.finish()?;
    Ok(version)
}

/// The row with the change merged in, and what differs: field → values before and after.
pub(super) fn apply(mut row: Row, mut body: Value) -> Result<(Row, Map<String, Value>)> {
    let mut fields = Fields::new();
    let Some(wanted) = body.as_object_mut().map(std::mem::take) else {
        fields.fault("", "invalid_value", "Send an object.");
        return Err(fields.finish().err().unwrap_or_else(|| Problem::unexpected("no fault")));
    };
    let setup = as_json(&row.setup)?;
    let before = json!({ "name": row.name, "notes": row.notes, "lists": row.lists });
    let mut document = merged(before.clone(), setup.clone());
    let present = merged(before, setup);
    merge(&mut document, Value::Object(wanted));
    let changed = audit::changes(&present, &document);
    let read: Document = read(document)?;
    let setup: Setup = self::read(Value::Object(read.setup))?;
    read.name.trim().clone_into(&mut row.name);
    row.notes = read.notes;
    row.lists = read.lists;
    row.setup = setup;
    Ok((row, changed))
}

fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// RFC 7386, save that `null` stays as a value: the fields of the form are all there always.
/// The hours are replaced whole: a day that is absent is shut.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                let slot = target.entry(key.clone()).or_insert(Value::Null);
                if slot.is_object() && value.is_object() && key != "hours" && key != "on_answer" {
                    merge(slot, value);
                } else {
                    *slot = value;
                }
            }
        }
        (target, patch) => *target = patch,
    }
}

fn read<T: serde::de::DeserializeOwned>(document: Value) -> Result<T> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        let mut fields = Fields::new();
        fields.fault(field, "invalid_value", error.into_inner().to_string());
        fields.finish().err().unwrap_or_else(|| Problem::unexpected("no fault"))
    })
}

/// What is wrong with the values that are there.
pub(super) fn check(row: &Row) -> Result<()> {
    let mut fields = Fields::new();
    fields.text("name", &row.name, 1..=200);
    fields.text("notes", &row.notes, 0..=5_000);
    fields.check("lists", row.lists.len() <= 100, "too_many", "At most 100 lists.");
    let mut lists = row.lists.clone();
    lists.sort_unstable();
    lists.dedup();
    fields.check("lists", lists.len() == row.lists.len(), "repeated", "A list stands twice.");
    row.setup.check(&mut fields);
    fields.finish()
}
