//! Attempts, delays and caps under a name.

use axum::{extract::State as Extracted, http::StatusCode};
use base::{Id, Timestamp, kind};
use http_kit::{Caller, Fields, Json, Path, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Over, PresetUser, Shown, by, delete, list, put};
use crate::{
    presets::By,
    problems::CampaignProblem,
    routes::State,
    setup::{Attempts, Setup},
    store::{as_json, presets::RuleRow},
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

impl AttemptRuleBody {
    /// The rule as it is to be stored.
    fn checked(self, id: Id<kind::AttemptRule>, by: By) -> Result<RuleRow> {
        let mut fields = Fields::new();
        fields.text("name", &self.name, 1..=120);
        self.rule.check(&mut fields);
        fields.finish()?;
        let name = self.name.trim().to_owned();
        Ok(RuleRow { id, name, body: self.rule, version: 1, updated_at: by.now })
    }
}

impl Shown for RuleRow {
    type View = AttemptRule;

    const SUBJECT: &'static str = "attempt_rule";
    const CREATE: &'static str = "attempt_rule.create";
    const CHANGE: &'static str = "attempt_rule.change";
    const DELETED: &'static str = "attempt_rule.delete";
    const MISSING: CampaignProblem = CampaignProblem::AttemptRuleNotFound;

    fn version(&mut self) -> &mut i64 {
        &mut self.version
    }

    fn document(&self) -> db::Result<Value> {
        let mut document = as_json(&self.body)?;
        document["name"] = json!(self.name);
        Ok(document)
    }

    fn give(&self, setup: &mut Setup) {
        setup.take_rule(self);
    }

    fn shown(self, used_by: Vec<PresetUser>, _now: Timestamp) -> AttemptRule {
        AttemptRule {
            id: self.id,
            name: self.name,
            rule: self.body,
            version: self.version,
            updated_at: self.updated_at.into(),
            used_by,
        }
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
    Ok(Json(list::<RuleRow>(&dialers, &caller).await?))
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
    let by = by(&dialers, &caller);
    let rule = body.checked(dialers.handles.ids.next(), by)?;
    Ok((StatusCode::CREATED, Json(put(&dialers, by, rule, Over::Nothing).await?)))
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
    let (by, read) = (by(&dialers, &caller), body.version);
    let rule = body.checked(id, by)?;
    Ok(Json(put(&dialers, by, rule, Over::Read(read)).await?))
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
    delete::<RuleRow>(&dialers, &caller, id).await
}
