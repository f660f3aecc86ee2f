//! One number joins the do-not-call list.

use std::sync::Arc;

use axum::extract::State;
use base::PhoneNumber;
use http_kit::{Caller, Fields, Json, Result, Time};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{DoNotCallEntry, ScopeKind, by, known, look_over, no_entry, shown};
use crate::{
    do_not_call,
    jobs::expire,
    phone::{self, Region},
    store::{
        do_not_call::{self as store, Terms},
        imports,
    },
};

/// A number that must not be called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    /// In international form, or as it is written in the account's country.
    phone: String,
    #[serde(default)]
    scope: ScopeKind,
    /// The campaign or the list.
    #[serde(default)]
    target: Option<String>,
    /// Up to 200 characters.
    #[serde(default)]
    reason: String,
    /// Until when; for ever when absent.
    #[serde(default)]
    expires_at: Option<Time>,
}

/// Put a number on the do-not-call list
///
/// From now on it is not called. A number that has an entry of this scope gets the new reason and
/// the new end.
#[utoipa::path(
    post, path = "/do-not-call", operation_id = "add_do_not_call", tag = "contacts",
    request_body = Add,
    responses((status = 200, body = DoNotCallEntry))
)]
pub(crate) async fn add_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Json(body): Json<Add>,
) -> Result<Json<DoNotCallEntry>> {
    let by = by(&state, &caller);
    let mut fields = Fields::new();
    let scope = look_over(
        &mut fields,
        body.scope,
        body.target.as_deref(),
        &body.reason,
        body.expires_at,
        by.now,
    );
    let phone = match read(&state, &caller, &body.phone).await? {
        Ok(phone) => Some(phone),
        Err(reason) => {
            fields.fault("phone", reason.code(), reason.sentence(base::Locale::En));
            None
        }
    };
    fields.finish()?;
    known(&state, by.account, scope).await?;
    let Some(phone) = phone else { return Err(no_entry(db::Error::NotFound)) };
    let terms = Terms {
        scope,
        source: "by_hand",
        reason: body.reason.trim().to_owned(),
        expires_at: body.expires_at.map(|Time(at)| at),
    };
    let (ids, asked) = (state.handles.ids.clone(), Arc::clone(&state));
    let (entry, lists) = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let one = [(phone.clone(), terms.clone())];
                let added = do_not_call::add(tx, &ids, by, &one, scope).await?.added;
                let action = if added == 1 { "do_not_call.add" } else { "do_not_call.change" };
                if added == 0 {
                    let version = store::change(tx, by.account, &phone, &terms, by.user).await?;
                    let version = version.ok_or(db::Error::NotFound)?;
                    do_not_call::tell(tx, &ids, by.account, &phone, scope, version).await?;
                    if let Some(at) = terms.expires_at {
                        expire::enqueue(tx, &ids, by.account, at).await?;
                    }
                }
                do_not_call::record(tx, &ids, by, action, &phone, Some(&terms), scope).await?;
                let rows = store::about(tx, by.account, &phone, by.now).await?;
                let same =
                    |row: &store::EntryRow| store::Scope::of(&row.scope, row.target) == Some(scope);
                let row = rows.into_iter().find(same).ok_or(db::Error::NotFound)?;
                let entry = shown(&asked, tx, by.account, vec![row]).await?.pop();
                Ok((entry, store::lists_with(tx, by.account, &[phone]).await?))
            })
        })
        .await?;
    for list in lists {
        state.handles.hub.touch(by.account, &format!("list:{list}"));
    }
    entry.map(Json).ok_or_else(|| no_entry(db::Error::NotFound))
}

/// A number as a person of the account writes it.
pub(super) async fn read(
    state: &crate::State,
    caller: &Caller,
    text: &str,
) -> Result<std::result::Result<PhoneNumber, crate::reason::Reason>> {
    let account = caller.account;
    let country = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { imports::country(tx, account).await }))
        .await?;
    // A country that is none only understands international notation.
    let region = country.as_deref().and_then(Region::of).or_else(|| Region::of("US"));
    Ok(match region {
        Some(region) => phone::read(text, region).map(|phone| phone.number),
        None => Err(crate::reason::Reason::PhoneUnreadable),
    })
}
