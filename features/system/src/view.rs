//! Background work as the API shows it.

use base::{Id, kind};
use http_kit::Time;
use jobs::{JobState, JobView, Jobs, ScheduleView};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackgroundJob {
    #[schema(value_type = String)]
    pub(crate) id: Id<kind::Job>,
    /// Which work it is: `contacts.import`.
    kind: String,
    /// What it is about, where that has a page.
    about: Option<JobAbout>,
    /// One of ready, retry, running, done, failed, cancelled.
    #[schema(value_type = String)]
    state: &'static str,
    /// How often it was begun.
    attempts: i64,
    /// How far it is, in units of its kind.
    done: u64,
    /// Of how many, when that is known.
    total: Option<u64>,
    /// Why it failed, or why it is tried again; in English, for whoever looks after the server.
    reason: Option<String>,
    /// The same in a form that can be said in any language; absent for work of earlier versions.
    cause: Option<JobCause>,
    /// Whether somebody asked it to stop and it goes on meanwhile.
    stopping: bool,
    /// When it is begun or tried again; absent while it runs and after its end.
    next_at: Option<Time>,
    created_at: Time,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    /// Whether it can be tried at once.
    may_retry: bool,
    /// Whether it can be stopped.
    may_stop: bool,
}

/// Why a job failed or is tried again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobCause {
    /// One of `database_away`, `in_the_way`, `disk_full`, `disk`, `stopping`, `source_refused`,
    /// `gave_up`, `mistake`, or the code of a problem.
    code: String,
    /// The values of its sentence.
    #[schema(value_type = Object)]
    params: Value,
}

/// What a job is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobAbout {
    /// One of campaign, list.
    #[schema(value_type = String)]
    what: &'static str,
    id: String,
}

/// The thing with a page that a payload names.
fn about(payload: &Value) -> Option<JobAbout> {
    ["campaign", "list"].into_iter().find_map(|what| {
        let id = payload.get(what)?.as_str()?.to_owned();
        Some(JobAbout { what, id })
    })
}

impl BackgroundJob {
    pub(crate) fn new(row: JobView, jobs: &Jobs) -> Self {
        let ways = jobs.ways(&row.kind);
        let waits = matches!(row.state, JobState::Ready | JobState::Retry);
        Self {
            about: about(&row.payload),
            state: row.state.as_str(),
            attempts: row.attempt,
            done: row.done,
            total: row.total,
            stopping: row.cancel_at.is_some() && !row.state.is_ended(),
            next_at: waits.then(|| row.run_at.into()),
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Into::into),
            ended_at: row.ended_at.map(Into::into),
            may_retry: may_retry(row.state, ways.again),
            may_stop: ways.stop && !row.state.is_ended() && row.cancel_at.is_none(),
            id: row.id,
            kind: row.kind,
            reason: row.reason,
            cause: row.reason_code.map(|code| JobCause {
                code,
                params: row.reason_params.unwrap_or_else(|| json!({})),
            }),
        }
    }
}

/// Whether a job in this state can be tried at once.
pub(crate) const fn may_retry(state: JobState, again: bool) -> bool {
    match state {
        JobState::Retry => true,
        JobState::Failed => again,
        JobState::Ready | JobState::Running | JobState::Done | JobState::Cancelled => false,
    }
}

/// Work that comes back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobSchedule {
    /// Which work it is.
    kind: String,
    /// What tells it from others of the kind.
    key: String,
    /// What it is about, where that has a page.
    about: Option<JobAbout>,
    /// From one moment to the next.
    every_s: i64,
    /// When it is done next.
    next_at: Time,
}

impl From<ScheduleView> for JobSchedule {
    fn from(row: ScheduleView) -> Self {
        Self {
            about: about(&row.payload),
            every_s: row.every / 1_000_000,
            next_at: row.next_at.into(),
            kind: row.kind,
            key: row.key,
        }
    }
}
