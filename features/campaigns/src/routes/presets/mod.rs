//! What campaigns choose by name: calendars and attempt rules.

mod attempt_rules;
mod calendars;
mod preview;

use std::sync::Arc;

use access::Permission;
use axum::http::StatusCode;
use base::{Id, Timestamp, kind::Campaign};
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{ApiRouter, Caller, Problem, Result, routes};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    presets::{By, spread},
    problems::{CampaignProblem, or},
    runner::Dialers,
    setup::Setup,
    store::presets::{self, Preset, User},
};

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

/// What the routes must know of a sort of preset.
trait Shown: Preset + Clone {
    /// What a person sees of one.
    type View: Send + 'static;

    /// The kind before the id in the audit trail.
    const SUBJECT: &'static str;
    /// The audit trail's names for making, changing and deleting one.
    const CREATE: &'static str;
    const CHANGE: &'static str;
    const DELETED: &'static str;
    const MISSING: CampaignProblem;

    fn version(&mut self) -> &mut i64;
    /// What a person sets of it.
    fn document(&self) -> db::Result<Value>;
    /// Copies it into the settings of a campaign.
    fn give(&self, setup: &mut Setup);
    fn shown(self, used_by: Vec<PresetUser>, now: Timestamp) -> Self::View;
}

/// What came of a wish about a preset, decided within its unit of work.
type Answer<T> = db::Result<std::result::Result<T, Problem>>;

fn by(dialers: &Dialers, caller: &Caller) -> By {
    By { account: caller.account, user: caller.user, now: dialers.handles.clock.now() }
}

fn shown<P: Shown>(preset: P, users: Vec<User>, now: Timestamp) -> P::View {
    let users = users.into_iter().map(|(id, name)| PresetUser { id, name }).collect();
    preset.shown(users, now)
}

/// Every one of a sort, with the campaigns that go by it.
async fn list<P: Shown>(dialers: &Dialers, caller: &Caller) -> Result<Vec<P::View>> {
    let (account, now) = (caller.account, dialers.handles.clock.now());
    let read = dialers.handles.db.read(move |tx| {
        Box::pin(async move {
            let mut found = Vec::new();
            for preset in presets::all::<P>(tx, account).await? {
                let users = presets::users::<P>(tx, account, preset.id()).await?;
                found.push(shown(preset, users, now));
            }
            Ok(found)
        })
    });
    Ok(read.await?)
}

/// Which state of a preset a wish is about.
#[derive(Debug, Clone, Copy)]
enum Over {
    /// None: it is to be made.
    Nothing,
    /// The one that is there; refused when somebody saved another version than the one that was read.
    Read(Option<i64>),
}

/// Makes a preset, or changes it and the campaigns that go by it.
async fn put<P: Shown>(dialers: &Arc<Dialers>, by: By, preset: P, over: Over) -> Result<P::View> {
    let core = Arc::clone(dialers);
    let write = dialers
        .handles
        .db
        .write(move |tx| Box::pin(async move { put_in(tx, &core, by, preset, over).await }));
    let (view, changed) = write.await.map_err(or(P::MISSING))??;
    obey(dialers, by, changed).await;
    Ok(view)
}

async fn put_in<P: Shown>(
    tx: &mut Tx<'_>,
    dialers: &Dialers,
    by: By,
    mut preset: P,
    over: Over,
) -> Answer<(P::View, Vec<Id<Campaign>>)> {
    let id = preset.id();
    let (mut action, mut before) = (P::CREATE, None);
    if let Over::Read(read) = over {
        let mut there: P = presets::one(tx, by.account, id).await?;
        let version = *there.version();
        if read.is_some_and(|read| read != version) {
            return Ok(Err(CampaignProblem::PresetChanged { version }.into()));
        }
        *preset.version() = version + 1;
        (action, before) = (P::CHANGE, Some(there.document()?));
    }
    if !presets::put(tx, by.account, &preset).await? {
        return Ok(Err(CampaignProblem::PresetNameTaken.into()));
    }
    let subject = format!("{}:{id}", P::SUBJECT);
    let detail = told(preset.name(), before, &preset.document()?);
    note(tx, dialers, by, (action, subject.clone()), detail).await?;
    let users = presets::users::<P>(tx, by.account, id).await?;
    let ids = &dialers.handles.ids;
    let changed = spread(tx, ids, by, &users, &subject, |setup| preset.give(setup)).await?;
    Ok(Ok((shown(preset, users, by.now), changed)))
}

/// Deletes a preset, unless a campaign that is not over goes by it.
async fn delete<P: Shown>(
    dialers: &Arc<Dialers>,
    caller: &Caller,
    id: Id<P::Kind>,
) -> Result<StatusCode> {
    let (core, by) = (Arc::clone(dialers), by(dialers, caller));
    let write = dialers.handles.db.write(move |tx| {
        Box::pin(async move {
            let preset: P = presets::one(tx, by.account, id).await?;
            if let Some((_, campaign)) = presets::users::<P>(tx, by.account, id).await?.first() {
                let campaign = campaign.clone();
                return Ok(Err(CampaignProblem::PresetInUse { campaign }.into()));
            }
            presets::delete::<P>(tx, by.account, id).await?;
            let what = (P::DELETED, format!("{}:{id}", P::SUBJECT));
            note(tx, &core, by, what, json!({ "name": preset.name() })).await?;
            Ok(Ok::<_, Problem>(()))
        })
    });
    write.await.map_err(or(P::MISSING))??;
    Ok(StatusCode::NO_CONTENT)
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

/// Tells the diallers and the pages of campaigns whose settings a preset changed.
async fn obey(dialers: &Arc<Dialers>, by: By, changed: Vec<Id<Campaign>>) {
    for campaign in changed {
        dialers.changed(by.account, campaign).await;
        super::touch(dialers, by.account, campaign);
    }
}
