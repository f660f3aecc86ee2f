//! Hours under a name.

use std::sync::Arc;

use axum::{extract::State as Extracted, http::StatusCode};
use base::{
    Id, Timestamp,
    kind::{self, Campaign},
};
use calendar::{Exception, Hours, Period, WeeklyHours, Window, Zone};
use db::Tx;
use http_kit::{Caller, Fields, Json, Path, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use serde_json::{Value, json};

use super::{Answer, PresetUser, by, note, obey, told, unused, users};
use crate::{
    presets::{By, spread},
    problems::{CampaignProblem, or},
    routes::State,
    runner::Dialers,
    setup::{ExceptionBody, check_hours},
    store::presets::{self, CalendarRow},
};

/// A calendar as it is written.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarBody {
    /// 1 to 120 characters, unique in the account.
    name: String,
    /// Up to 1,000 characters.
    #[serde(default)]
    notes: String,
    /// An IANA name.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// Open hours by day: `{"mon": [["09:00", "13:00"], ["14:00", "20:00"]], …}`.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    hours: WeeklyHours,
    /// Dates with other hours than the week's, in order.
    #[serde(default)]
    #[schema(value_type = Vec<ExceptionBody>)]
    exceptions: Vec<Exception>,
    /// Of the calendar that was read; refused when somebody saved it since.
    #[serde(default)]
    version: Option<i64>,
}

/// A calendar.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Calendar {
    #[schema(value_type = String)]
    id: Id<kind::Calendar>,
    name: String,
    notes: String,
    #[schema(value_type = String)]
    time_zone: Zone,
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    hours: WeeklyHours,
    #[schema(value_type = Vec<ExceptionBody>)]
    exceptions: Vec<Exception>,
    version: i64,
    updated_at: Time,
    /// Whether its hours are open now.
    open: bool,
    /// When that changes; absent when it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_at: Option<Time>,
    /// The campaigns that go by it and are not over.
    used_by: Vec<PresetUser>,
}

fn shown(row: CalendarRow, used_by: Vec<presets::User>, now: Timestamp) -> Calendar {
    let hours = Hours { week: row.week.clone(), exceptions: row.exceptions.clone() };
    let window = Window::new(vec![row.zone.clone()], hours, Period::default());
    let open = window.is_open(now);
    let changes_at = if open { window.closes_at(now) } else { window.next_open(now) };
    Calendar {
        id: row.id,
        name: row.name,
        notes: row.notes,
        time_zone: row.zone,
        hours: row.week,
        exceptions: row.exceptions,
        version: row.version,
        updated_at: row.updated_at.into(),
        open,
        changes_at: changes_at.map(Time),
        used_by: users(used_by),
    }
}

/// List calendars
///
/// By name, each with whether it is open now and the campaigns that go by it.
#[utoipa::path(
    get, path = "/calendars", operation_id = "list_calendars", tag = "campaigns",
    responses((status = 200, body = Vec<Calendar>))
)]
pub(crate) async fn list_calendars(
    Extracted(dialers): State,
    caller: Caller,
) -> Result<Json<Vec<Calendar>>> {
    let (account, now) = (caller.account, dialers.handles.clock.now());
    let found = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let mut found = Vec::new();
                for row in presets::calendars(tx, account).await? {
                    let used_by = presets::users_of_calendar(tx, account, row.id).await?;
                    found.push(shown(row, used_by, now));
                }
                Ok(found)
            })
        })
        .await?;
    Ok(Json(found))
}

/// Make a calendar
#[utoipa::path(
    post, path = "/calendars", operation_id = "create_calendar", tag = "campaigns",
    request_body = CalendarBody,
    responses((status = 201, body = Calendar))
)]
pub(crate) async fn create_calendar(
    Extracted(dialers): State,
    caller: Caller,
    Json(body): Json<CalendarBody>,
) -> Result<(StatusCode, Json<Calendar>)> {
    let id = dialers.handles.ids.next();
    let made = put(&dialers, by(&dialers, &caller), id, body, false).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Change a calendar
///
/// Campaigns that go by it and are not over follow at once, each under a new version of its
/// settings. A call that is up is not cut.
#[utoipa::path(
    put, path = "/calendars/{id}", operation_id = "change_calendar", tag = "campaigns",
    params(("id" = String, Path, description = "The calendar.")),
    request_body = CalendarBody,
    responses((status = 200, body = Calendar))
)]
pub(crate) async fn change_calendar(
    Extracted(dialers): State,
    caller: Caller,
    Path(id): Path<Id<kind::Calendar>>,
    Json(body): Json<CalendarBody>,
) -> Result<Json<Calendar>> {
    Ok(Json(put(&dialers, by(&dialers, &caller), id, body, true).await?))
}

async fn put(
    dialers: &Arc<Dialers>,
    by: By,
    id: Id<kind::Calendar>,
    mut body: CalendarBody,
    there: bool,
) -> Result<Calendar> {
    let mut fields = Fields::new();
    fields.text("name", &body.name, 1..=120);
    fields.text("notes", &body.notes, 0..=1_000);
    body.exceptions.sort_by_key(|exception| exception.date);
    let hours = Hours { week: body.hours.clone(), exceptions: body.exceptions.clone() };
    check_hours(&hours, &mut fields);
    fields.finish()?;
    let core = Arc::clone(dialers);
    let write = dialers.handles.db.write(move |tx| {
        let (core, body) = (Arc::clone(&core), body.clone());
        Box::pin(async move { put_in(tx, &core, by, id, body, there).await })
    });
    let (calendar, changed) = write.await.map_err(or(CampaignProblem::CalendarNotFound))??;
    obey(dialers, by, changed).await;
    Ok(calendar)
}

async fn put_in(
    tx: &mut Tx<'_>,
    dialers: &Dialers,
    by: By,
    id: Id<kind::Calendar>,
    body: CalendarBody,
    there: bool,
) -> Answer<(Calendar, Vec<Id<Campaign>>)> {
    let (mut version, mut before) = (1, None);
    if there {
        let row = presets::calendar(tx, by.account, id).await?;
        if body.version.is_some_and(|read| read != row.version) {
            return Ok(Err(CampaignProblem::PresetChanged { version: row.version }.into()));
        }
        version = row.version + 1;
        before = Some(document(&row));
    }
    let row = CalendarRow {
        id,
        name: body.name.trim().to_owned(),
        notes: body.notes.trim().to_owned(),
        zone: body.time_zone,
        week: body.hours,
        exceptions: body.exceptions,
        version,
        updated_at: by.now,
    };
    if !presets::put_calendar(tx, by.account, &row).await? {
        return Ok(Err(CampaignProblem::PresetNameTaken.into()));
    }
    let action = if there { "calendar.change" } else { "calendar.create" };
    let subject = format!("calendar:{id}");
    let detail = told(&row.name, before, &document(&row));
    note(tx, dialers, by, (action, subject.clone()), detail).await?;
    let users = presets::users_of_calendar(tx, by.account, id).await?;
    let ids = &dialers.handles.ids;
    let take = |setup: &mut crate::setup::Setup| setup.take_calendar(row.clone());
    let changed = spread(tx, ids, by, &users, &subject, take).await?;
    Ok(Ok((shown(row, users, by.now), changed)))
}

/// What a person sets of a calendar.
fn document(row: &CalendarRow) -> Value {
    json!({
        "name": row.name, "notes": row.notes, "time_zone": row.zone, "hours": row.week,
        "exceptions": row.exceptions,
    })
}

/// Delete a calendar
///
/// Refused while a campaign that is not over goes by it.
#[utoipa::path(
    delete, path = "/calendars/{id}", operation_id = "delete_calendar", tag = "campaigns",
    params(("id" = String, Path, description = "The calendar.")),
    responses((status = 204))
)]
pub(crate) async fn delete_calendar(
    Extracted(dialers): State,
    caller: Caller,
    Path(id): Path<Id<kind::Calendar>>,
) -> Result<StatusCode> {
    let (core, by) = (Arc::clone(&dialers), by(&dialers, &caller));
    let write = dialers.handles.db.write(move |tx| {
        let core = Arc::clone(&core);
        Box::pin(async move {
            let row = presets::calendar(tx, by.account, id).await?;
            if let Err(used) = unused(&presets::users_of_calendar(tx, by.account, id).await?) {
                return Ok(Err(used));
            }
            presets::delete_calendar(tx, by.account, id).await?;
            let what = ("calendar.delete", format!("calendar:{id}"));
            note(tx, &core, by, what, json!({ "name": row.name })).await?;
            Ok(Ok(()))
        })
    });
    write.await.map_err(or(CampaignProblem::CalendarNotFound))??;
    Ok(StatusCode::NO_CONTENT)
}
