//! Attempts of a campaign.

use std::collections::HashMap;

use base::{
    Id, Timestamp,
    kind::{Account, Attempt as AttemptKind, Campaign, CampaignContact, Line},
};
use http_kit::{Caller, Json, Page, PageQuery, Path, Query, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::{
    problems::{CampaignProblem, or},
    runner::Dialers,
    store::{
        attempts::{self, Filter},
        campaigns,
    },
};

/// The line of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AttemptLine {
    #[schema(value_type = String)]
    id: Id<Line>,
    /// Absent when the line no longer exists.
    name: Option<String>,
}

/// The contact of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AttemptContact {
    #[schema(value_type = String)]
    id: Id<CampaignContact>,
    name: String,
}

/// One try to reach a contact, or a test call.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = CampaignAttempt)]
pub(crate) struct Attempt {
    #[schema(value_type = String)]
    id: Id<AttemptKind>,
    /// Absent for a test call.
    contact: Option<AttemptContact>,
    phone: String,
    line: AttemptLine,
    /// Which attempt on the contact it is, from 1.
    ordinal: i64,
    claimed_at: Time,
    invited_at: Option<Time>,
    answered_at: Option<Time>,
    ended_at: Option<Time>,
    /// Absent while it is open.
    outcome: Option<String>,
    /// Final SIP status.
    sip_code: Option<i64>,
    /// Q.850 cause.
    q850: Option<i64>,
    /// What ended it on our side.
    local_cause: Option<String>,
    /// Seconds from answer to end.
    talk_s: Option<u64>,
    /// Seconds of ringing.
    ring_s: Option<u64>,
    /// Whether there is a recording to play.
    recording: bool,
    /// The version of the settings that it was made under.
    settings_version: i64,
    test: bool,
    /// The Call-ID on the wire.
    call_id: String,
}

impl Attempt {
    pub(super) fn new(row: attempts::Row, names: &HashMap<Id<Line>, String>) -> Self {
        let contact =
            row.contact.map(|id| AttemptContact { id, name: row.name.clone().unwrap_or_default() });
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.zip(to).map(|(from, to)| to.since(from).as_secs())
        };
        let rang = row.ringing_at.or(row.invited_at);
        Self {
            id: row.id,
            test: contact.is_none(),
            contact,
            phone: row.phone.to_string(),
            line: AttemptLine { id: row.line, name: names.get(&row.line).cloned() },
            ordinal: row.ordinal,
            claimed_at: Time(row.claimed_at),
            invited_at: row.invited_at.map(Time),
            answered_at: row.answered_at.map(Time),
            ended_at: row.ended_at.map(Time),
            outcome: row.outcome,
            sip_code: row.sip_code,
            q850: row.q850,
            local_cause: row.local_cause,
            talk_s: between(row.answered_at, row.ended_at),
            ring_s: between(rang, row.answered_at.or(row.ended_at)),
            recording: row.recording_key.is_some(),
            settings_version: row.settings_version,
            call_id: row.call_id,
        }
    }
}

/// The names of the account's lines.
pub(super) fn line_names(dialers: &Dialers, account: Id<Account>) -> HashMap<Id<Line>, String> {
    dialers.phones.lines(account).into_iter().map(|line| (line.id, line.name)).collect()
}

/// What the page shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttemptQuery {
    /// Only attempts with this outcome.
    outcome: Option<String>,
    /// Only attempts on this line.
    #[param(value_type = Option<String>)]
    line: Option<Id<Line>>,
    /// Only attempts that ended with this SIP status.
    sip_code: Option<i64>,
    /// Only attempts that were answered, or were not.
    answered: Option<bool>,
    /// Only attempts with a recording, or without.
    recorded: Option<bool>,
    /// Part of the number or of the contact's name.
    q: Option<String>,
    /// Only attempts from this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Only attempts before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
}

impl AttemptQuery {
    fn filter(self, below: i64) -> Filter {
        let first = |at: Time| Id::<AttemptKind>::first_at(at.0).raw();
        let said = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Filter {
            outcome: self.outcome.and_then(said),
            line: self.line,
            sip_code: self.sip_code,
            answered: self.answered,
            recorded: self.recorded,
            text: self.q.and_then(said),
            from: self.from.map_or(0, first),
            below: below.min(self.to.map_or(i64::MAX, first)),
        }
    }
}

/// List the attempts of a campaign
///
/// The newest first, test calls included. A page that searches looks at a few thousand attempts at
/// most: it may have no rows and a next page.
#[utoipa::path(
    get, path = "/campaigns/{id}/attempts", operation_id = "list_attempts", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign."), AttemptQuery, PageQuery),
    responses((status = 200, body = Page<Attempt>))
)]
pub(crate) async fn list_attempts(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Query(query): Query<AttemptQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<Attempt>>> {
    let account = caller.account;
    let filter = query.filter(paging.after()?.unwrap_or(i64::MAX));
    let limit = paging.fetch();
    let (rows, end) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                campaigns::get(tx, account, id).await?;
                attempts::page(tx, account, id, &filter, limit).await
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let names = line_names(&dialers, account);
    Ok(Json(paging.page_of(rows, end, |row| row.id.raw()).map(|row| Attempt::new(row, &names))))
}
