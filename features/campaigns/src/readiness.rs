//! Whether a campaign may start: one list of what is missing, for the check and for Start.

use std::sync::Arc;

use base::{Id, kind::Account};
use calendar::Window;
use db::{args, sql};
use dialer::LineHealth;
use http_kit::{FieldError, Problem, Result};
use serde_json::{Map, Value, json};

use crate::{
    phones::PromptsAway,
    runner::Dialers,
    store::{self, campaigns::Row},
};

/// What stands in the way of a start, and what is worth knowing before it.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    pub(crate) problems: Vec<FieldError>,
    pub(crate) warnings: Vec<FieldError>,
    /// Contacts that will be called, as far as is known before they are taken up.
    pub(crate) will_call: i64,
}

impl Readiness {
    fn problem(&mut self, field: &str, code: &'static str, detail: &'static str) {
        self.problems.push(fault(field, code, detail, []));
    }

    fn warning<const N: usize>(
        &mut self,
        field: &str,
        code: &'static str,
        detail: &'static str,
        params: [(&str, Value); N],
    ) {
        self.warnings.push(fault(field, code, detail, params));
    }
}

fn fault<const N: usize>(
    field: &str,
    code: &'static str,
    detail: &'static str,
    params: [(&str, Value); N],
) -> FieldError {
    let params: Map<_, _> =
        params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    FieldError { field: field.to_owned(), code: code.into(), detail: detail.to_owned(), params }
}

/// Looks at everything that a start needs (ALO-16, ALO-20).
pub(crate) async fn look(dialers: &Arc<Dialers>, row: &Row) -> Result<Readiness> {
    let mut found = Readiness::default();
    if row.name.trim().is_empty() {
        found.problem("name", "required", "The campaign has no name.");
    }
    look_at_line(dialers, row, &mut found);
    look_at_action(dialers, row, &mut found).await?;
    look_at_hours(dialers, row, &mut found);
    look_at_contacts(dialers, row.account, row, &mut found).await?;
    Ok(found)
}

fn look_at_line(dialers: &Dialers, row: &Row, found: &mut Readiness) {
    let Some(id) = row.setup.line_id else {
        return found.problem("line_id", "required", "No line is chosen.");
    };
    let lines = dialers.phones.lines(row.account);
    let Some(line) = lines.into_iter().find(|line| line.id == id) else {
        return found.problem("line_id", "line_gone", "The line no longer exists.");
    };
    if !line.enabled {
        found.problem("line_id", "line_disabled", "The line is switched off.");
    }
    if matches!(line.health, LineHealth::Down | LineHealth::Registering) {
        let detail = "The line does not answer at the moment; calls begin when it does.";
        found.warning("line_id", "line_down", detail, []);
    }
    if line.channels < row.setup.concurrency {
        let detail = "The line has fewer channels than the campaign may use.";
        let params = [("channels", json!(line.channels))];
        found.warning("concurrency", "line_has_fewer_channels", detail, params);
    }
}

async fn look_at_action(dialers: &Dialers, row: &Row, found: &mut Readiness) -> Result<()> {
    if row.setup.on_answer.is_none() {
        found.problem("on_answer", "required", "Choose what the callee hears.");
        return Ok(());
    }
    let Some(audio) = row.setup.audio() else {
        found.problem("on_answer.audio_id", "required", "No recording is chosen.");
        return Ok(());
    };
    let duration = dialers
        .prompts
        .duration(row.account, audio)
        .await
        .map_err(|PromptsAway(why)| Problem::from(db::Error::Unavailable(why)))?;
    match duration {
        None => {
            let detail = "The recording no longer exists.";
            found.problem("on_answer.audio_id", "audio_gone", detail);
        }
        Some(duration) if u64::from(row.setup.min_talk_s) > duration.as_secs() => {
            let detail = "Success asks for more talk than the recording lasts.";
            let params = [("audio_s", json!(duration.as_secs()))];
            found.warning("min_talk_s", "min_talk_beyond_audio", detail, params);
        }
        Some(_) => {}
    }
    Ok(())
}

fn look_at_hours(dialers: &Dialers, row: &Row, found: &mut Readiness) {
    let setup = &row.setup;
    let period = calendar::Period { from: setup.period.from, to: setup.period.to };
    let window = Window::new(vec![setup.time_zone.clone()], setup.whole_hours(), period);
    let now = dialers.handles.clock.now();
    if setup.hours.check().is_err() {
        found.problem("hours", "hours_never_open", "The week has no open hours.");
    } else if window.is_over(now) {
        found.problem("period.to", "period_over", "The period is over.");
    } else if window.next_open(now).is_none() {
        let detail = "No open hour lies within the period.";
        found.problem("period", "never_opens", detail);
    }
}

async fn look_at_contacts(
    dialers: &Dialers,
    account: Id<Account>,
    row: &Row,
    found: &mut Readiness,
) -> Result<()> {
    if row.lists.is_empty() {
        found.problem("lists", "required", "No contact list is chosen.");
        return Ok(());
    }
    let (lists, id, again) = (row.lists.clone(), row.id, row.again);
    let (missing, waiting, taken_up) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let (mut missing, mut waiting) = (false, 0);
                for list in lists {
                    let known: Option<(i64,)> = tx
                        .opt(
                            sql!(
                                "SELECT list FROM v_contact_list WHERE account = $1 AND list = $2"
                            ),
                            args![account, list],
                        )
                        .await?;
                    missing |= known.is_none();
                    let (n,): (i64,) = tx
                        .one(
                            sql!(
                                "SELECT COUNT(*) FROM v_list_contact
                                 WHERE account = $1 AND list = $2"
                            ),
                            args![account, list],
                        )
                        .await?;
                    waiting += n;
                }
                if let Some(again) = again {
                    // As far as is known: some may have left their list meanwhile.
                    let before = store::counts::of(tx, account, again.campaign).await?;
                    waiting = waiting.min(before.again(again.all));
                }
                Ok((missing, waiting, store::counts::of(tx, account, id).await?))
            })
        })
        .await?;
    if missing {
        found.problem("lists", "list_gone", "One of the contact lists no longer exists.");
    }
    found.will_call = if row.started_at.is_some() {
        taken_up.of(dialer::ContactState::Callable)
    } else {
        waiting
    };
    if row.started_at.is_none() && waiting == 0 && !row.setup.always_active {
        found.problem("lists", "no_contacts", "The lists hold no contacts.");
    }
    Ok(())
}
