//! What campaigns choose by name: calendars and attempt rules.

mod attempt_rules;
mod calendars;
mod preview;

use std::sync::Arc;

use access::Permission;
use base::{Id, kind::Campaign};
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{ApiRouter, Caller, Problem, routes};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{presets::By, problems::CampaignProblem, runner::Dialers, store::presets::User};

/// The routes.
pub(super) fn routes() -> ApiRouter<Arc<Dialers>> {
    use Permission::{CampaignEdit, CampaignView};
    ApiRouter::new()
        .with(CampaignView, routes!(calendars::list_calendars))
        .with(CampaignEdit, routes!(calendars::create_calendar))
        .with(CampaignEdit, routes!(calendars::change_calendar))
        .with(CampaignEdit, routes!(calendars::delete_calendar))
        .with(CampaignView, routes!(attempt_rules::list_attempt_rules))
        .with(CampaignEdit, routes!(attempt_rules::create_attempt_rule))
        .with(CampaignEdit, routes!(attempt_rules::change_attempt_rule))
        .with(CampaignEdit, routes!(attempt_rules::delete_attempt_rule))
        .with(CampaignView, routes!(preview::preview_attempts))
}

/// A campaign that is not over and goes by a preset.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PresetUser {
    #[schema(value_type = String)]
    id: Id<Campaign>,
    name: String,
}

fn users(rows: Vec<User>) -> Vec<PresetUser> {
    rows.into_iter().map(|(id, name)| PresetUser { id, name }).collect()
}

/// What came of a wish about a preset, decided within its unit of work.
type Answer<T> = db::Result<std::result::Result<T, Problem>>;

fn by(dialers: &Dialers, caller: &Caller) -> By {
    By { account: caller.account, user: caller.user, now: dialers.handles.clock.now() }
}

/// Writes who did what to a preset.
async fn note(
    tx: &mut Tx<'_>,
    dialers: &Dialers,
    by: By,
    (action, subject): (&'static str, String),
    detail: Value,
) -> db::Result<()> {
    let entry = AuditEntry { account: by.account, user: Some(by.user), action, subject, detail };
    audit::record(tx, &dialers.handles.ids, entry, by.now).await
}

/// The name of a preset, and what of it was changed if it was there before.
fn told(name: &str, before: Option<Value>, after: &Value) -> Value {
    let mut detail = before.map(|before| audit::changes(&before, after)).unwrap_or_default();
    detail.entry("name").or_insert_with(|| json!(name));
    detail.into()
}

/// Refuses while a campaign that is not over goes by it.
fn unused(users: &[User]) -> std::result::Result<(), Problem> {
    match users.first() {
        None => Ok(()),
        Some((_, campaign)) => {
            Err(CampaignProblem::PresetInUse { campaign: campaign.clone() }.into())
        }
    }
}

/// Tells the diallers and the pages of campaigns whose settings a preset changed.
async fn obey(dialers: &Arc<Dialers>, by: By, changed: Vec<Id<Campaign>>) {
    for campaign in changed {
        dialers.changed(by.account, campaign).await;
        super::touch(dialers, by.account, campaign);
    }
}
