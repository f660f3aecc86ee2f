//! Hours under a name.

use axum::{extract::State as Extracted, http::StatusCode};
use base::{Id, Timestamp, kind};
use calendar::{Exception, Hours, Period, WeeklyHours, Window, Zone};
use http_kit::{Caller, Fields, Json, Path, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Over, PresetUser, Shown, by, delete, list, put};
use crate::{
    presets::By,
    problems::CampaignProblem,
    routes::State,
    setup::{ExceptionBody, Setup, check_hours},
    store::presets::CalendarRow,
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

impl CalendarBody {
    /// The calendar as it is to be stored.
    fn checked(mut self, id: Id<kind::Calendar>, by: By) -> Result<CalendarRow> {
        let mut fields = Fields::new();
        fields.text("name", &self.name, 1..=120);
        fields.text("notes", &self.notes, 0..=1_000);
        self.exceptions.sort_by_key(|exception| exception.date);
        let hours = Hours { week: self.hours, exceptions: self.exceptions };
        check_hours(&hours, &mut fields);
        fields.finish()?;
        Ok(CalendarRow {
            id,
            name: self.name.trim().to_owned(),
            notes: self.notes.trim().to_owned(),
            zone: self.time_zone,
            week: hours.week,
            exceptions: hours.exceptions,
            version: 1,
            updated_at: by.now,
        })
    }
}

impl Shown for CalendarRow {
    type View = Calendar;

    const SUBJECT: &'static str = "calendar";
    const CREATE: &'static str = "calendar.create";
    const CHANGE: &'static str = "calendar.change";
    const DELETED: &'static str = "calendar.delete";
    const MISSING: CampaignProblem = CampaignProblem::CalendarNotFound;

    fn version(&mut self) -> &mut i64 {
        &mut self.version
    }

    fn document(&self) -> db::Result<Value> {
        Ok(json!({
            "name": self.name, "notes": self.notes, "time_zone": self.zone, "hours": self.week,
            "exceptions": self.exceptions,
        }))
    }

    fn give(&self, setup: &mut Setup) {
        setup.take_calendar(self.clone());
    }

    fn shown(self, used_by: Vec<PresetUser>, now: Timestamp) -> Calendar {
        let hours = Hours { week: self.week.clone(), exceptions: self.exceptions.clone() };
        let window = Window::new(vec![self.zone.clone()], hours, Period::default());
        let open = window.is_open(now);
        let changes_at = if open { window.closes_at(now) } else { window.next_open(now) };
        Calendar {
            id: self.id,
            name: self.name,
            notes: self.notes,
            time_zone: self.zone,
            hours: self.week,
            exceptions: self.exceptions,
            version: self.version,
            updated_at: self.updated_at.into(),
            open,
            changes_at: changes_at.map(Time),
            used_by,
        }
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
    Ok(Json(list::<CalendarRow>(&dialers, &caller).await?))
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
    let by = by(&dialers, &caller);
    let calendar = body.checked(dialers.handles.ids.next(), by)?;
    Ok((StatusCode::CREATED, Json(put(&dialers, by, calendar, Over::Nothing).await?)))
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
    let (by, read) = (by(&dialers, &caller), body.version);
    let calendar = body.checked(id, by)?;
    Ok(Json(put(&dialers, by, calendar, Over::Read(read)).await?))
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
    delete::<CalendarRow>(&dialers, &caller, id).await
}
