//! Attempts, delays and caps under a name.

use std::sync::Arc;

use axum::{extract::State as Extracted, http::StatusCode};
use base::{
    Id,
    kind::{self, Campaign},
};
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
    setup::Attempts,
    store::{
        as_json,
        presets::{self, RuleRow},
    },
};

/// An attempt rule as it is written.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttemptRuleBody {
    /// 1 to 120 characters, unique in the account.
    name: String,
    rule: Attempts,
    /// Of the rule that was read; refused when somebody saved it since.
    #[serde(default)]
    version: Option<i64>,
}

/// An attempt rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AttemptRule {
    #[schema(value_type = String)]
    id: Id<kind::AttemptRule>,
    name: String,
    rule: Attempts,
    version: i64,
    updated_at: Time,
    /// The campaigns that go by it and are not over.
    used_by: Vec<PresetUser>,
}

fn shown(row: RuleRow, used_by: Vec<presets::User>) -> AttemptRule {
    AttemptRule {
        id: row.id,
        name: row.name,
        rule: row.body,
        version: row.version,
        updated_at: row.updated_at.into(),
        used_by: users(used_by),
    }
}

/// List attempt rules
///
/// By name, each with the campaigns that go by it.
#[utoipa::path(
    get, path = "/attempt-rules", operation_id = "list_attempt_rules", tag = "campaigns",
    responses((status = 200, body = Vec<AttemptRule>))
)]
pub(crate) async fn list_attempt_rules(
    Extracted(dialers): State,
    caller: Caller,
) -> Result<Json<Vec<AttemptRule>>> {
    let account = caller.account;
    let found = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let mut found = Vec::new();
                for row in presets::rules(tx, account).await? {
                    let used_by = presets::users_of_rule(tx, account, row.id).await?;
                    found.push(shown(row, used_by));
                }
                Ok(found)
            })
        })
        .await?;
    Ok(Json(found))
}

/// Make an attempt rule
#[utoipa::path(
    post, path = "/attempt-rules", operation_id = "create_attempt_rule", tag = "campaigns",
    request_body = AttemptRuleBody,
    responses((status = 201, body = AttemptRule))
)]
pub(crate) async fn create_attempt_rule(
    Extracted(dialers): State,
    caller: Caller,
    Json(body): Json<AttemptRuleBody>,
) -> Result<(StatusCode, Json<AttemptRule>)> {
    let id = dialers.handles.ids.next();
    let made = put(&dialers, by(&dialers, &caller), id, body, false).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Change an attempt rule
///
/// Campaigns that go by it and are not over follow at once, each under a new version of its
/// settings; attempts that were made are judged as they were.
#[utoipa::path(
    put, path = "/attempt-rules/{id}", operation_id = "change_attempt_rule", tag = "campaigns",
    params(("id" = String, Path, description = "The rule.")),
    request_body = AttemptRuleBody,
    responses((status = 200, body = AttemptRule))
)]
pub(crate) async fn change_attempt_rule(
    Extracted(dialers): State,
    caller: Caller,
    Path(id): Path<Id<kind::AttemptRule>>,
    Json(body): Json<AttemptRuleBody>,
) -> Result<Json<AttemptRule>> {
    Ok(Json(put(&dialers, by(&dialers, &caller), id, body, true).await?))
}

async fn put(
    dialers: &Arc<Dialers>,
    by: By,
    id: Id<kind::AttemptRule>,
    body: AttemptRuleBody,
    there: bool,
) -> Result<AttemptRule> {
    let mut fields = Fields::new();
    fields.text("name", &body.name, 1..=120);
    body.rule.check(&mut fields);
    fields.finish()?;
    let core = Arc::clone(dialers);
    let write = dialers.handles.db.write(move |tx| {
        let (core, body) = (Arc::clone(&core), body.clone());
        Box::pin(async move { put_in(tx, &core, by, id, body, there).await })
    });
    let (rule, changed) = write.await.map_err(or(CampaignProblem::AttemptRuleNotFound))??;
    obey(dialers, by, changed).await;
    Ok(rule)
}

async fn put_in(
    tx: &mut Tx<'_>,
    dialers: &Dialers,
    by: By,
    id: Id<kind::AttemptRule>,
    body: AttemptRuleBody,
    there: bool,
) -> Answer<(AttemptRule, Vec<Id<Campaign>>)> {
    let (mut version, mut before) = (1, None);
    if there {
        let row = presets::rule(tx, by.account, id).await?;
        if body.version.is_some_and(|read| read != row.version) {
            return Ok(Err(CampaignProblem::PresetChanged { version: row.version }.into()));
        }
        version = row.version + 1;
        before = Some(document(&row)?);
    }
    let name = body.name.trim().to_owned();
    let row = RuleRow { id, name, body: body.rule, version, updated_at: by.now };
    if !presets::put_rule(tx, by.account, &row).await? {
        return Ok(Err(CampaignProblem::PresetNameTaken.into()));
    }
    let action = if there { "attempt_rule.change" } else { "attempt_rule.create" };
    let subject = format!("attempt_rule:{id}");
    let detail = told(&row.name, before, &document(&row)?);
    note(tx, dialers, by, (action, subject.clone()), detail).await?;
    let users = presets::users_of_rule(tx, by.account, id).await?;
    let ids = &dialers.handles.ids;
    let take = |setup: &mut crate::setup::Setup| setup.take_rule(&row);
    let changed = spread(tx, ids, by, &users, &subject, take).await?;
    Ok(Ok((shown(row, users), changed)))
}

/// What a person sets of a rule.
fn document(row: &RuleRow) -> db::Result<Value> {
    let mut document = as_json(&row.body)?;
    document["name"] = json!(row.name);
    Ok(document)
}

/// Delete an attempt rule
///
/// Refused while a campaign that is not over goes by it.
#[utoipa::path(
    delete, path = "/attempt-rules/{id}", operation_id = "delete_attempt_rule", tag = "campaigns",
    params(("id" = String, Path, description = "The rule.")),
    responses((status = 204))
)]
pub(crate) async fn delete_attempt_rule(
    Extracted(dialers): State,
    caller: Caller,
    Path(id): Path<Id<kind::AttemptRule>>,
) -> Result<StatusCode> {
    let (core, by) = (Arc::clone(&dialers), by(&dialers, &caller));
    let write = dialers.handles.db.write(move |tx| {
        let core = Arc::clone(&core);
        Box::pin(async move {
            let row = presets::rule(tx, by.account, id).await?;
            if let Err(used) = unused(&presets::users_of_rule(tx, by.account, id).await?) {
                return Ok(Err(used));
            }
            presets::delete_rule(tx, by.account, id).await?;
            let what = ("attempt_rule.delete", format!("attempt_rule:{id}"));
            note(tx, &core, by, what, json!({ "name": row.name })).await?;
            Ok(Ok(()))
        })
    });
    write.await.map_err(or(CampaignProblem::AttemptRuleNotFound))??;
    Ok(StatusCode::NO_CONTENT)
}
