//! Signs in with an address and a password.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use base::Id;
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{read_me, welcome};
use crate::{
    problems::PeopleProblem,
    sessions::{self, Browser},
    store::person::{self, PersonRow},
    token::Token,
    view::Me,
};

/// Who and with what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    #[schema(format = Email)]
    email: String,
    password: String,
    /// Whether the session outlives the closing of the browser: 30 days without use, 90 in all,
    /// instead of 12 hours and 7 days.
    #[serde(default)]
    stay: bool,
}

/// Sign in
///
/// A wrong address and a wrong password are answered alike, after the same time. After 8 failures
/// an address may try once a minute; a client has 20, then one every 6 seconds.
#[utoipa::path(
    post,
    path = "/session",
    operation_id = "sign_in",
    tag = "people",
    request_body = SignIn,
    responses((status = 200, body = Me))
)]
pub(crate) async fn sign_in(
    State(state): State<Arc<crate::State>>,
    browser: Browser,
    Json(body): Json<SignIn>,
) -> Result<Response> {
    let (client, key) = (browser.site.network(), person::email_key(&body.email));
    state.tries_by_address.take(&client)?;
    state.tries_by_email.take(&key)?;
    let db = &state.handles.db;
    let email = key.clone();
    let read = db.read(move |tx| Box::pin(async move { person::by_email(tx, &email).await }));
    let person = read.await?;
    let stored = person.as_ref().and_then(|person| person.password.clone());
    let right = state.hasher.verify(body.password, stored).await?;
    let admitted = person.clone().filter(|person| right && person.disabled_at.is_none());
    let Some(person) = admitted else {
        let write = db.write({
            let (state, browser) = (Arc::clone(&state), browser.clone());
            move |tx| Box::pin(async move { refused(tx, &state, &browser, person).await })
        });
        write.await?;
        let tries_left = state.tries_by_email.left(&key);
        return Err(PeopleProblem::WrongCredentials { tries_left }.into());
    };
    state.tries_by_address.give_back(&client);
    state.tries_by_email.give_back(&key);
    let session = Token::new();
    let write = db.write({
        let (state, browser, session) = (Arc::clone(&state), browser.clone(), session.clone());
        move |tx| {
            Box::pin(async move {
                sessions::open(tx, &state, &person, &browser, &session, body.stay).await?;
                read_me(tx, &state, &person).await
            })
        }
    });
    welcome(&browser, &session, body.stay, StatusCode::OK, write.await?)
}

/// Writes the failure down. For an unknown address too, under account 0: it must take as long, and
/// probing must be seen. The address itself is not kept then, for it may be a password typed into
/// the wrong field.
async fn refused(
    tx: &mut Tx<'_>,
    state: &crate::State,
    browser: &Browser,
    person: Option<PersonRow>,
) -> db::Result<()> {
    let entry = AuditEntry {
        account: person.as_ref().map_or(Id::from_raw(0), |person| person.account),
        user: person.as_ref().map(|person| person.id),
        action: "session.refuse",
        subject: "session".to_owned(),
        detail: json!({
            "address": browser.site.client().to_string(),
            "agent": browser.agent,
            "disabled": person.is_some_and(|person| person.disabled_at.is_some()),
        }),
    };
    audit::record(tx, &state.handles.ids, entry, state.handles.clock.now()).await
}
