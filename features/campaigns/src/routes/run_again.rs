//! Runs a campaign that is over again, as a new one.

use axum::http::StatusCode;
use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use db::{Tx, args, sql};
use dialer::CampaignState;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{State, show};
use crate::{
    problems::{CampaignProblem, or},
    store::{
        campaigns::{self, Again, Row},
        counts,
        presets::{self, CalendarRow, RuleRow},
    },
    view,
};

/// How many would be called again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunAgainCounts {
    /// Everybody but those whom a person excluded.
    all: i64,
    /// Of these, those who were not reached with success.
    unsuccessful: i64,
}

/// Whom to call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunAgainContacts {
    All,
    Unsuccessful,
}

/// What the new campaign is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunAgain {
    /// 1 to 200 characters.
    name: String,
    contacts: RunAgainContacts,
}

/// Count whom a run again would call
///
/// Contacts that have left their list meanwhile are still among them.
#[utoipa::path(
    get, path = "/campaigns/{id}/run-again", operation_id = "count_run_again", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = RunAgainCounts))
)]
pub(crate) async fn count_run_again(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<RunAgainCounts>> {
    let account = caller.account;
    let read = dialers.handles.db.read(move |tx| {
        Box::pin(async move {
            campaigns::get(tx, account, id).await?;
            counts::of(tx, account, id).await
        })
    });
    let found = read.await.map_err(or(CampaignProblem::NotFound))?;
    let (all, unsuccessful) = (found.again(true), found.again(false));
    Ok(Json(RunAgainCounts { all, unsuccessful }))
}

/// Run a campaign again
///
/// Makes a draft with the settings of a campaign that is over, and without its period. When it is
/// started it takes up those contacts of the same lists whom the first campaign had, all or only
/// those without success; whoever was excluded by hand, or has left the list, is left out.
#[utoipa::path(
    post, path = "/campaigns/{id}/run-again", operation_id = "run_campaign_again",
    tag = "campaigns",
    params(("id" = String, Path, description = "The campaign that is over.")),
    request_body = RunAgain,
    responses((status = 201, body = view::Campaign))
)]
pub(crate) async fn run_campaign_again(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Json(body): Json<RunAgain>,
) -> Result<(StatusCode, Json<view::Campaign>)> {
    let mut fields = Fields::new();
    fields.text("name", &body.name, 1..=200);
    fields.finish()?;
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let fresh = ids.next::<Campaign>();
    db.write(move |tx| {
        Box::pin(async move {
            let row = campaigns::get(tx, account, id).await?;
            let again = Again { campaign: id, all: body.contacts == RunAgainContacts::All };
            if let Some(problem) = refusal(tx, &row, again).await? {
                return Ok(Err(problem));
            }
            let row = anew(tx, row, fresh, &body.name, now).await?;
            campaigns::insert(tx, &row).await?;
            campaigns::set_again(tx, fresh, again).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "campaign.run_again",
                subject: format!("campaign:{fresh}"),
                detail: json!({ "name": row.name, "of": id, "all": again.all }),
            };
            audit::record(tx, &ids, entry, now).await?;
            Ok(Ok(()))
        })
    })
    .await
    .map_err(or(CampaignProblem::NotFound))??;
    super::touch(&dialers, account, fresh);
    Ok((StatusCode::CREATED, show(&dialers, account, fresh).await?))
}

async fn refusal(tx: &mut Tx<'_>, row: &Row, again: Again) -> db::Result<Option<CampaignProblem>> {
    if row.deleted_at.is_some() {
        return Ok(Some(CampaignProblem::NotFound));
    }
    if !matches!(row.state, CampaignState::Completed | CampaignState::Stopped) {
        return Ok(Some(CampaignProblem::NotOver));
    }
    let left = counts::of(tx, row.account, row.id).await?.again(again.all);
    Ok((left == 0).then_some(CampaignProblem::NobodyLeft))
}

/// The draft, over those lists that are still there. A calendar or a rule that was deleted
/// meanwhile leaves the settings that were copied from it.
async fn anew(
    tx: &mut Tx<'_>,
    mut row: Row,
    id: Id<Campaign>,
    name: &str,
    now: Timestamp,
) -> db::Result<Row> {
    let mut lists = Vec::with_capacity(row.lists.len());
    for list in row.lists {
        let select = sql!("SELECT list FROM v_contact_list WHERE account = $1 AND list = $2");
        if tx.opt::<(i64,)>(select, args![row.account, list]).await?.is_some() {
            lists.push(list);
        }
    }
    let account: Id<Account> = row.account;
    if let Some(calendar) = row.setup.calendar_id
        && gone(presets::one::<CalendarRow>(tx, account, calendar).await)?
    {
        row.setup.calendar_id = None;
    }
    if let Some(rule) = row.setup.attempt_rule_id
        && gone(presets::one::<RuleRow>(tx, account, rule).await)?
    {
        row.setup.attempt_rule_id = None;
    }
    row.setup.period = crate::setup::PeriodBody::default();
    // Nobody joins it later, so there is nothing to wait for.
    row.setup.always_active = false;
    Ok(Row {
        id,
        name: name.trim().to_owned(),
        state: CampaignState::Draft,
        preparing: false,
        lists,
        again: None,
        version: 1,
        created_at: now,
        updated_at: now,
        started_at: None,
        completed_at: None,
        deleted_at: None,
        ..row
    })
}

fn gone<T>(found: db::Result<T>) -> db::Result<bool> {
    match found {
        Ok(_) => Ok(false),
        Err(db::Error::NotFound) => Ok(true),
        Err(error) => Err(error),
    }
}
