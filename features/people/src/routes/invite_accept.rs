//! Comes in by an invitation, or sets a forgotten password anew.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use base::{Id, Locale, kind};
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{Fields, Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{read_me, welcome};
use crate::{
    password,
    problems::PeopleProblem,
    sessions::{self, Browser},
    store::{invite, person, session},
    token::{self, Token},
    view::Me,
};

/// The token of a link and what is set with it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptInvite {
    /// From the link's fragment.
    token: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(min_length = 10, max_length = 200)]
    password: String,
    /// One of en, uk, ru, uz, vi.
    #[schema(value_type = String)]
    language: Locale,
}

/// What was made: the answer, and the sessions that ended with it.
struct Accepted {
    me: Me,
    ended: Vec<Id<kind::Session>>,
}

/// Accept an invitation
///
/// Uses the link up, sets name, language and password, ends older sessions, and signs in.
#[utoipa::path(
    post,
    path = "/invites/accept",
    operation_id = "accept_invite",
    tag = "people",
    request_body = AcceptInvite,
    responses((status = 200, body = Me))
)]
pub(crate) async fn accept_invite(
    State(state): State<Arc<crate::State>>,
    browser: Browser,
    Json(body): Json<AcceptInvite>,
) -> Result<Response> {
    let client = browser.site.network();
    state.tries_by_address.take(&client)?;
    let (db, now, hash) = (&state.handles.db, state.handles.clock.now(), token::hash(&body.token));
    let read = db.read(move |tx| {
        Box::pin(async move {
            let Some(found) = invite::find(tx, hash, now).await? else { return Ok(None) };
            person::opt(tx, found.account, found.person).await
        })
    });
    // Looked at before the password is hashed, which costs something.
    let person = read.await?.ok_or(PeopleProblem::InviteInvalid)?;
    let mut fields = Fields::new();
    fields.text("name", &body.name, 1..=100);
    password::check(&mut fields, "password", &body.password, &person.email);
    fields.finish()?;
    let password = state.hasher.hash(body.password.clone()).await?;
    let token = Token::new();
    let write = db.write({
        let (state, browser, token) = (Arc::clone(&state), browser.clone(), token.clone());
        move |tx| {
            Box::pin(async move { accept(tx, &state, &browser, &token, body, password).await })
        }
    });
    let accepted = write.await?.ok_or(PeopleProblem::InviteInvalid)?;
    state.tries_by_address.give_back(&client);
    for session in accepted.ended {
        state.handles.hub.close_session(session);
    }
    welcome(&browser, &token, false, StatusCode::OK, accepted.me)
}

/// Everything that the link makes; nothing when it was used meanwhile.
async fn accept(
    tx: &mut Tx<'_>,
    state: &crate::State,
    browser: &Browser,
    token: &Token,
    body: AcceptInvite,
    password: String,
) -> db::Result<Option<Accepted>> {
    let now = state.handles.clock.now();
    let Some(used) = invite::take(tx, token::hash(&body.token), now).await? else {
        return Ok(None);
    };
    let mut person = person::get(tx, used.account, used.person).await?;
    let action = if person.password.is_some() { "user.password" } else { "user.join" };
    body.name.trim().clone_into(&mut person.name);
    person.password = Some(password);
    person.set_language(body.language);
    person::update(tx, &person).await?;
    let ended = session::end_others(tx, person.account, person.id, None).await?;
    let entry = AuditEntry {
        account: person.account,
        user: Some(person.id),
        action,
        subject: format!("user:{}", person.id),
        detail: json!({ "by": "link" }),
    };
    audit::record(tx, &state.handles.ids, entry, now).await?;
    sessions::open(tx, state, &person, browser, token, false).await?;
    Ok(Some(Accepted { me: read_me(tx, state, &person).await?, ended }))
}
