//! Runs a campaign ahead: who will be called, who is skipped and why, when it ends.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base::{Id, Timestamp, kind::Campaign};
use dialer::{ContactState, LineFact, LineHealth, Rules};
use http_kit::{Caller, Json, Path, Problem, Result, Time};
use rehearsal::{Forecast, Guest, Habits, Listed, Plan, Sieve, Skip, Span};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::State;
use crate::{
    phones::{LineView, PromptsAway},
    problems::{CampaignProblem, or},
    readiness,
    runner::Dialers,
    store::{self, ahead, campaigns, campaigns::Row, word},
};

/// Contacts that are looked at one by one; what lies beyond is taken to be like them.
const LOOKED_AT: usize = 200_000;
/// Guests of a rehearsal. More contacts than this share them.
const GUESTS: usize = 100_000;
/// How far ahead is looked.
const HORIZON: Duration = Duration::from_hours(24 * 60);
/// The same campaign gives the same forecast.
const SEED: u64 = 1;

/// A rehearsal takes a core for seconds: one at a time, so that calls go on undisturbed.
static ONE: Semaphore = Semaphore::const_new(1);

/// A number between two others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Band {
    /// With fewer answers than expected, or more: the least of it.
    low: u64,
    /// As likely as not.
    likely: u64,
    /// The most of it.
    high: u64,
}

/// A moment between two others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Moments {
    /// At the earliest.
    low: Time,
    /// As likely as not.
    likely: Time,
    /// At the latest.
    high: Time,
}

/// Calls begun in one hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RehearsedHour {
    /// When it begins; hours are those of UTC.
    from: Time,
    /// How many calls.
    calls: Band,
}

/// Contacts that will not be called, for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Skipped {
    /// `do_not_call`, `no_number`, `invalid_number`, `duplicate`, `demo_number`, `real_number`,
    /// `never_open`, `excluded` or `done`.
    reason: &'static str,
    /// How many.
    contacts: u64,
}

/// A campaign run ahead.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CampaignRehearsal)]
pub(crate) struct Rehearsal {
    /// Contacts in all.
    contacts: u64,
    /// Contacts that will be called.
    will_call: u64,
    /// Contacts that will not, by reason.
    skipped: Vec<Skipped>,
    /// Whether every contact was looked at. Otherwise the rest is taken to be like those.
    exact: bool,
    /// When the last contact is done with; nothing when some still wait after 60 days.
    finish: Option<Moments>,
    /// Contacts that still wait after 60 days.
    left: u64,
    /// Calls in all.
    calls: Band,
    /// Answered calls in all.
    answered: Band,
    /// The hours that see calls.
    hours: Vec<RehearsedHour>,
    /// Earlier calls of this campaign that it goes by; 0 when it goes by the usual mix.
    earlier_calls: u64,
    /// Other campaigns that run on the same line; their calls are not in it.
    others_on_line: u64,
}

/// Rehearse a campaign
///
/// Runs the dialler ahead over the campaign's contacts: who will be called, who is skipped and why,
/// when it ends and how many calls each hour sees, each with a band. Calls nobody and changes
/// nothing.
#[utoipa::path(
    get, path = "/campaigns/{id}/rehearsal", operation_id = "rehearse_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Rehearsal))
)]
pub(crate) async fn rehearse_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<Rehearsal>> {
    let account = caller.account;
    let (row, running) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = campaigns::get(tx, account, id).await?;
                Ok((row, campaigns::running(tx, account).await?))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let Some(rules) = row.setup.rules(row.version) else {
        return Err(CampaignProblem::NotReady.into());
    };
    let line = dialers.phones.lines(account).into_iter().find(|line| line.id == rules.line);
    let Some(line) = line else { return Err(CampaignProblem::NotReady.into()) };
    let others =
        running.iter().filter(|other| other.id != id && other.setup.line_id == Some(rules.line));
    let others_on_line = others.count() as u64;
    let _turn = ONE.acquire().await.map_err(Problem::unexpected)?;
    let habits = habits(&dialers, &row).await?;
    let mut found = if row.started_at.is_some() {
        taken_up(&dialers, &row).await?
    } else {
        listed(&dialers, &row, &rules, line.demo.is_some()).await?
    };
    let plan = plan(&mut found, rules, &line, dialers.handles.clock.now());
    let forecast = tokio::task::spawn_blocking(move || rehearsal::forecast(&plan, &habits, SEED))
        .await
        .map_err(Problem::unexpected)?;
    let Forecast { finish, calls, answered, left, hours } = forecast;
    let hour =
        |hour: rehearsal::Hour| RehearsedHour { from: Time(hour.from), calls: hour.calls.into() };
    Ok(Json(Rehearsal {
        contacts: found.contacts,
        will_call: found.will_call,
        skipped: found
            .skipped
            .into_iter()
            .filter(|(_, contacts)| *contacts > 0)
            .map(|(skip, contacts)| Skipped { reason: skip.code(), contacts })
            .collect(),
        exact: found.exact,
        finish: finish.map(Moments::from),
        left,
        calls: calls.into(),
        answered: answered.into(),
        hours: hours.into_iter().map(hour).collect(),
        earlier_calls: if habits.seen { habits.calls() } else { 0 },
        others_on_line,
    }))
}

/// What is rehearsed: the contacts found, or as many of them as a rehearsal takes.
fn plan(found: &mut Found, rules: Rules, line: &LineView, now: Timestamp) -> Plan {
    let every = found.guests.len().div_ceil(GUESTS).max(1);
    let guests: Vec<Guest> = std::mem::take(&mut found.guests).into_iter().step_by(every).collect();
    let share = (found.will_call as f64 / guests.len().max(1) as f64).round() as u32;
    let (id, channels, rate, demo) = (line.id, line.channels, line.rate, line.demo);
    Plan {
        rules: Arc::new(rules),
        line: LineFact { id, channels, rate, enabled: true, health: LineHealth::Up, demo },
        demo_line: demo.is_some(),
        now,
        horizon: now.plus(HORIZON),
        guests,
        share: share.max(1),
    }
}

impl From<Span<Timestamp>> for Moments {
    fn from(span: Span<Timestamp>) -> Self {
        Self { low: Time(span.low), likely: Time(span.likely), high: Time(span.high) }
    }
}

impl From<Span<u64>> for Band {
    fn from(span: Span<u64>) -> Self {
        Self { low: span.low, likely: span.likely, high: span.high }
    }
}

/// Who would be called.
struct Found {
    contacts: u64,
    will_call: u64,
    skipped: BTreeMap<Skip, u64>,
    /// Those of `will_call` that were looked at.
    guests: Vec<Guest>,
    /// Whether every contact was looked at.
    exact: bool,
}

/// Contacts of the lists, before a start takes them up, judged as the start will.
async fn listed(
    dialers: &Arc<Dialers>,
    row: &Row,
    rules: &Rules,
    demo_line: bool,
) -> Result<Found> {
    let (mut skipped, mut guests) = (BTreeMap::<_, u64>::new(), Vec::new());
    let (mut looked_at, mut read) = (0_usize, 0);
    let now = dialers.handles.clock.now();
    let mut sieve = Sieve::new(rules, demo_line, now);
    let whose = (row.account, row.id);
    for list in row.lists.iter().copied() {
        let mut above = 0;
        while read < LOOKED_AT {
            let unit = dialers
                .handles
                .db
                .read(move |tx| {
                    Box::pin(async move { ahead::listed(tx, whose, list, above, now).await })
                })
                .await?;
            let Some(last) = unit.last() else { break };
            above = last.contact;
            read += unit.len();
            for contact in unit.into_iter().filter(|contact| contact.wanted) {
                looked_at += 1;
                let zone = contact.zone.as_deref().map(word).transpose()?;
                let ahead::Listed { external_id, first, phone, .. } = contact;
                match sieve.judge(Listed { external_id, first, phone, zone }) {
                    Ok(guest) => guests.push(guest),
                    Err(skip) => *skipped.entry(skip).or_default() += 1,
                }
            }
        }
    }
    let in_all = readiness::look(dialers, row).await?.will_call.unsigned_abs();
    // What lies beyond those looked at is taken to be like them.
    let beyond = (in_all as f64 / looked_at.max(1) as f64).max(1.0);
    let whole = |part: u64| (part as f64 * beyond).round() as u64;
    Ok(Found {
        contacts: in_all.max(looked_at as u64),
        will_call: whole(guests.len() as u64),
        skipped: skipped.into_iter().map(|(reason, contacts)| (reason, whole(contacts))).collect(),
        guests,
        exact: beyond <= 1.0,
    })
}

/// Contacts that were taken up and wait; the others are counted by what became of them.
async fn taken_up(dialers: &Arc<Dialers>, row: &Row) -> Result<Found> {
    let mut guests = Vec::new();
    let (account, id) = (row.account, row.id);
    let mut after = (Timestamp::EPOCH, 0);
    while guests.len() < LOOKED_AT {
        let unit = dialers
            .handles
            .db
            .read(move |tx| Box::pin(async move { ahead::waiting(tx, id, after).await }))
            .await?;
        let Some(last) = unit.last() else { break };
        after = (last.next_at, last.id);
        for contact in unit {
            let zone = contact.zone.as_deref().map(word).transpose()?;
            let (due, attempts) = (contact.next_at, contact.attempts);
            guests.push(Guest { phone: contact.phone, zone, due, attempts });
        }
    }
    let counts = dialers
        .handles
        .db
        .read(move |tx| Box::pin(async move { store::counts::of(tx, account, id).await }))
        .await?;
    let of = |state| counts.of(state).unsigned_abs();
    let mut skipped = BTreeMap::<_, u64>::new();
    for state in ContactState::ALL {
        if let Some(skip) = Skip::of(*state) {
            *skipped.entry(skip).or_default() += of(*state);
        }
    }
    let will_call = of(ContactState::Callable).max(guests.len() as u64);
    Ok(Found {
        contacts: skipped.values().sum::<u64>() + will_call + of(ContactState::InAttempt),
        will_call,
        exact: will_call == guests.len() as u64,
        skipped,
        guests,
    })
}

/// How this campaign's callees have behaved, or callees in general.
async fn habits(dialers: &Arc<Dialers>, row: &Row) -> Result<Habits> {
    let recording = match row.setup.audio() {
        Some(audio) => dialers
            .prompts
            .duration(row.account, audio)
            .await
            .map_err(|PromptsAway(why)| Problem::from(db::Error::Unavailable(why)))?,
        None => None,
    };
    let id = row.id;
    let calls = dialers
        .handles
        .db
        .read(move |tx| Box::pin(async move { ahead::behaviour(tx, id).await }))
        .await?;
    Ok(Habits::of(calls, Habits::hearing(recording.unwrap_or_default())))
}
