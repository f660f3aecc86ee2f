//! Changes the account.

use std::sync::Arc;

use axum::extract::State;
use base::Locale;
use http_kit::{Caller, Fields, Json, Result};
use serde::Deserialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use super::note;
use crate::{
    places,
    store::account,
    view::{self, Account},
};

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeAccount {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// A name of the IANA database.
    time_zone: Option<String>,
    /// One of en, uk, ru, uz, vi.
    #[schema(value_type = Option<String>)]
    language: Option<Locale>,
}

/// Change the account
#[utoipa::path(
    patch,
    path = "/account",
    operation_id = "change_account",
    tag = "people",
    request_body = ChangeAccount,
    responses((status = 200, body = Account))
)]
pub(crate) async fn change_account(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Json(body): Json<ChangeAccount>,
) -> Result<Json<Account>> {
    let mut fields = Fields::new();
    if let Some(name) = &body.name {
        fields.text("name", name, 1..=100);
    }
    if let Some(country) = &body.country {
        places::country(&mut fields, "country", country);
    }
    if let Some(time_zone) = &body.time_zone {
        places::time_zone(&mut fields, "time_zone", time_zone);
    }
    fields.finish()?;
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                account::lock(tx, caller.account).await?;
                let mut row = account::get(tx, caller.account).await?;
                let mut changes = Map::new();
                let mut change = |what: &str, before: &mut String, after: Option<String>| {
                    if let Some(after) = after.filter(|after| after != before) {
                        changes.insert(what.to_owned(), json!([&*before, &after]));
                        *before = after;
                    }
                };
                change("name", &mut row.name, body.name.map(|name| name.trim().to_owned()));
                change("country", &mut row.country, body.country);
                change("time_zone", &mut row.time_zone, body.time_zone);
                let before = row.language()?;
                if let Some(language) = body.language.filter(|after| *after != before) {
                    changes.insert("language".to_owned(), json!([before, language]));
                    row.set_language(language);
                }
                account::update(tx, &row).await?;
                let subject = format!("account:{}", row.id);
                note(tx, &state, &caller, "account.change", subject, changes.into()).await?;
                view::account_view(&row)
            })
        }
    });
    Ok(Json(write.await?))
}
