//! What an attempt rule would do with one contact.

use axum::extract::State as Extracted;
use base::PhoneNumber;
use calendar::{Exception, WeeklyHours, Zone};
use call::Outcome;
use dialer::{Refusal, Tried, preview};
use http_kit::{Caller, Fields, Json, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    routes::State,
    setup::{Attempts, ExceptionBody, Setup},
};

/// What to look ahead with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    rule: Attempts,
    #[schema(value_type = String)]
    time_zone: Zone,
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    hours: WeeklyHours,
    #[serde(default)]
    #[schema(value_type = Vec<ExceptionBody>)]
    exceptions: Vec<Exception>,
    /// When the contact becomes due; now when absent.
    #[serde(default)]
    start: Option<Time>,
    /// How many numbers the contact has, 1 to 10.
    numbers: u32,
    /// How the attempts end, one after the other; the last holds for those that follow. 1 to 20 of
    /// the outcomes of attempts.
    #[schema(value_type = Vec<String>)]
    outcomes: Vec<Outcome>,
}

/// One attempt that would be made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedAttempt {
    at: Time,
    /// On which of the contact's numbers, from 1.
    number: usize,
    /// How it ends.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// `day_cap` or `week_cap` when the cap of the number moved it to later.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<&'static str>,
}

/// Every attempt on one contact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptPreview {
    attempts: Vec<PreviewedAttempt>,
    /// The contact's state in the end: `attempted`, `success` …; `callable` when no further moment
    /// is ever open.
    ends: String,
}

/// Preview an attempt rule
///
/// The dialler's own judgement, run ahead for one contact: when each attempt would be made if the
/// attempts before it ended as given. Nothing is called and nothing is stored.
#[utoipa::path(
    post, path = "/attempt-rules/preview", operation_id = "preview_attempts", tag = "campaigns",
    request_body = PreviewBody,
    responses((status = 200, body = AttemptPreview))
)]
pub(crate) async fn preview_attempts(
    Extracted(dialers): State,
    _caller: Caller,
    Json(body): Json<PreviewBody>,
) -> Result<Json<AttemptPreview>> {
    let mut fields = Fields::new();
    fields.number("numbers", body.numbers, 1..=10);
    fields.number("outcomes", body.outcomes.len(), 1..=20);
    let mut setup = Setup::new(body.time_zone);
    (setup.hours, setup.exceptions) = (body.hours, body.exceptions);
    setup.set_attempts(body.rule);
    setup.check(&mut fields);
    fields.finish()?;
    // Numbers of no country: their own zones play no part here.
    let numbers: Vec<PhoneNumber> =
        (0..body.numbers).filter_map(|n| format!("+9990000000{n}").parse().ok()).collect();
    let start = body.start.map_or_else(|| dialers.handles.clock.now(), |Time(at)| at);
    let rules = setup.rules_of_nothing();
    let done = preview(&rules, &numbers, None, start, &body.outcomes);
    let attempts = done.attempts.iter().map(shown).collect();
    Ok(Json(AttemptPreview { attempts, ends: done.ends.to_string() }))
}

fn shown(tried: &Tried) -> PreviewedAttempt {
    PreviewedAttempt {
        at: tried.at.into(),
        number: tried.number + 1,
        outcome: tried.outcome,
        moved: tried.moved.as_ref().map(Refusal::code),
    }
}
