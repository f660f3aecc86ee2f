//! Numbers that must not be called.

mod add;
mod check;
mod entries;
mod export;
mod import;
mod number;
mod remove;

use std::{collections::BTreeMap, sync::Arc};

use access::Permission;
use base::{Id, Timestamp, kind};
use db::Tx;
use http_kit::{ApiRouter, Caller, Fields, Result, Time, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    do_not_call::By,
    problems::ContactProblem,
    store::{
        do_not_call::{EntryRow, Scope},
        lists,
    },
};

/// The largest file of numbers: 5 MB, about 250,000 of them.
const LARGEST: u64 = 5 * 1000 * 1000;

/// The routes.
pub(crate) fn routes() -> ApiRouter<Arc<crate::State>> {
    ApiRouter::new()
        .with(Permission::DoNotCallView, routes!(entries::list_do_not_call))
        .with(Permission::DoNotCallEdit, routes!(add::add_do_not_call))
        .with(Permission::DoNotCallEdit, routes!(remove::remove_do_not_call))
        .with(Permission::DoNotCallView, routes!(check::check_do_not_call))
        .upload(Permission::DoNotCallEdit, LARGEST, routes!(import::import_do_not_call))
        .with(Permission::DoNotCallExport, routes!(export::export_do_not_call))
        .with(Permission::DoNotCallEdit, routes!(number::forbid_calls))
        .with(Permission::DoNotCallEdit, routes!(number::allow_calls))
}

/// For whom an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScopeKind {
    /// Nobody in the account calls the number.
    #[default]
    Account,
    /// One campaign does not.
    Campaign,
    /// The campaigns that call one contact list do not.
    List,
}

/// An entry of the do-not-call list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DoNotCallEntry {
    id: String,
    /// In E.164 form.
    phone: String,
    scope: ScopeKind,
    /// The campaign or the list; absent for the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Its name, while it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_name: Option<String>,
    /// `by_hand`, `contact` (the button on a contact's row) or `file`.
    source: String,
    /// Empty when none was given.
    reason: String,
    /// The name of the person who put it there or changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    forbidden_at: Time,
    /// From then on the number may be called again; absent when never.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
}

/// The rows as they are shown; names of campaigns are asked for once each.
async fn shown(
    state: &crate::State,
    tx: &mut Tx<'_>,
    account: Id<kind::Account>,
    rows: Vec<EntryRow>,
) -> db::Result<Vec<DoNotCallEntry>> {
    let mut campaigns = BTreeMap::new();
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let scope = Scope::of(&row.scope, row.target)
            .ok_or_else(|| db::Error::Decode(format!("{:?} as a scope", row.scope)))?;
        let target_name = match scope {
            Scope::Account => None,
            Scope::List(_) => row.list,
            Scope::Campaign(id) => {
                if let Some(known) = campaigns.get(&row.target) {
                    Option::clone(known)
                } else {
                    let name = state.uses.campaign_name(tx, account, id).await?;
                    campaigns.insert(row.target, name.clone());
                    name
                }
            }
        };
        entries.push(DoNotCallEntry {
            id: row.id.to_string(),
            phone: row.phone.into(),
            scope: match scope {
                Scope::Account => ScopeKind::Account,
                Scope::Campaign(_) => ScopeKind::Campaign,
                Scope::List(_) => ScopeKind::List,
            },
            target: (scope != Scope::Account).then(|| row.target.to_string()),
            target_name,
            source: row.source,
            reason: row.reason,
            by: row.by,
            forbidden_at: row.forbidden_at.into(),
            expires_at: row.expires_at.map(Time),
        });
    }
    Ok(entries)
}

/// What a person said about an entry to be, looked over.
fn look_over(
    fields: &mut Fields,
    scope: ScopeKind,
    target: Option<&str>,
    reason: &str,
    expires_at: Option<Time>,
    now: Timestamp,
) -> Scope {
    fields.text("reason", reason, 0..=200);
    let future = expires_at.is_none_or(|Time(at)| at > now);
    fields.check("expires_at", future, "in_the_past", "This moment is over already.");
    let id = target.and_then(|id| id.parse::<i64>().ok());
    match (scope, id) {
        (ScopeKind::Account, _) => Scope::Account,
        (ScopeKind::Campaign, Some(id)) => Scope::Campaign(Id::from_raw(id)),
        (ScopeKind::List, Some(id)) => Scope::List(Id::from_raw(id)),
        (ScopeKind::Campaign | ScopeKind::List, None) => {
            fields.fault("target", "required", "Fill this in.");
            Scope::Account
        }
    }
}

/// Whether what the scope names is there; 422 otherwise.
async fn known(state: &Arc<crate::State>, account: Id<kind::Account>, scope: Scope) -> Result<()> {
    let asked = Arc::clone(state);
    let found = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                match scope {
                    Scope::Account => Ok(true),
                    Scope::Campaign(id) => {
                        Ok(asked.uses.campaign_name(tx, account, id).await?.is_some())
                    }
                    Scope::List(id) => match lists::get(tx, account, id).await {
                        Ok(_) => Ok(true),
                        Err(db::Error::NotFound) => Ok(false),
                        Err(error) => Err(error),
                    },
                }
            })
        })
        .await?;
    let mut fields = Fields::new();
    fields.check("target", found, "not_found", "There is no such campaign or list.");
    fields.finish()
}

/// Who acts, now.
fn by(state: &crate::State, caller: &Caller) -> By {
    By { account: caller.account, user: caller.user, now: state.handles.clock.now() }
}

/// 404 with the list's own code.
fn no_entry(error: db::Error) -> http_kit::Problem {
    super::or(ContactProblem::DoNotCallNotFound)(error)
}
