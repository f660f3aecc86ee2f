//! Changes one's own profile.

use std::sync::Arc;

use axum::extract::State;
use base::Locale;
use host::audit;
use http_kit::{Caller, Fields, Json, Result, present};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{note, read_me};
use crate::{
    places,
    store::person::{self, PersonRow},
    view::{Me, Theme},
};

/// What is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMe {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// One of en, uk, ru, uz, vi.
    #[schema(value_type = Option<String>)]
    language: Option<Locale>,
    theme: Option<Theme>,
    /// A name of the IANA database; null for the account's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    time_zone: Option<Option<String>>,
}

/// Change my profile
#[utoipa::path(
    patch,
    path = "/me",
    operation_id = "change_me",
    tag = "people",
    request_body = ChangeMe,
    responses((status = 200, body = Me))
)]
pub(crate) async fn change_me(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Json(body): Json<ChangeMe>,
) -> Result<Json<Me>> {
    let mut fields = Fields::new();
    if let Some(name) = &body.name {
        fields.text("name", name, 1..=100);
    }
    if let Some(Some(time_zone)) = &body.time_zone {
        places::time_zone(&mut fields, "time_zone", time_zone);
    }
    fields.finish()?;
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let mut person = person::get(tx, caller.account, caller.user).await?;
                let before = set_by_oneself(&person);
                if let Some(name) = body.name {
                    name.trim().clone_into(&mut person.name);
                }
                if let Some(language) = body.language {
                    person.set_language(language);
                }
                if let Some(theme) = body.theme {
                    theme.as_str().clone_into(&mut person.theme);
                }
                if let Some(time_zone) = body.time_zone {
                    person.time_zone = time_zone;
                }
                person::update(tx, &person).await?;
                let changes = audit::changes(&before, &set_by_oneself(&person));
                let subject = format!("user:{}", caller.user);
                note(tx, &state, &caller, "user.profile", subject, changes.into()).await?;
                read_me(tx, &state, &person).await
            })
        }
    });
    Ok(Json(write.await?))
}

fn set_by_oneself(person: &PersonRow) -> Value {
    json!({
        "name": person.name, "language": person.language().ok(), "theme": person.theme,
        "time_zone": person.time_zone,
    })
}
