//! Makes the owner of an account, with the link that the server printed.

use std::sync::Arc;

use access::Role;
use axum::{extract::State, http::StatusCode, response::Response};
use base::Locale;
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{Fields, Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{email_taken, read_me, welcome};
use crate::{
    password, places,
    problems::PeopleProblem,
    sessions::{self, Browser},
    store::{
        account::{self, AccountRow},
        person::{self, NewPerson},
        setup as store,
    },
    token::{self, Token},
    view::Me,
};

/// The first steps.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setup {
    /// From the link's fragment.
    token: String,
    /// One of en, uk, ru, uz, vi.
    #[schema(value_type = String)]
    language: Locale,
    /// A name of the IANA database.
    time_zone: String,
    /// ISO 3166-1 alpha-2.
    country: String,
    #[schema(min_length = 1, max_length = 100)]
    account_name: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(format = Email)]
    email: String,
    #[schema(min_length = 10, max_length = 200)]
    password: String,
}

impl Setup {
    fn check(&self) -> Result<()> {
        let mut fields = Fields::new();
        places::time_zone(&mut fields, "time_zone", &self.time_zone);
        places::country(&mut fields, "country", &self.country);
        fields.text("account_name", &self.account_name, 1..=100);
        fields.text("name", &self.name, 1..=100);
        fields.email("email", &self.email);
        password::check(&mut fields, "password", &self.password, &self.email);
        fields.finish()
    }
}

/// Make the owner
///
/// Uses the one-time token of the set-up link up, makes the account and its owner, and signs in.
#[utoipa::path(
    post,
    path = "/setup",
    operation_id = "setup",
    tag = "people",
    request_body = Setup,
    responses((status = 201, body = Me))
)]
pub(crate) async fn setup(
    State(state): State<Arc<crate::State>>,
    browser: Browser,
    Json(body): Json<Setup>,
) -> Result<Response> {
    state.tries_by_address.take(&browser.site.network())?;
    body.check()?;
    let (db, now, hash) = (&state.handles.db, state.handles.clock.now(), token::hash(&body.token));
    let read = db.read(move |tx| Box::pin(async move { store::find(tx, hash, now).await }));
    // Looked at before the password is hashed, which costs something.
    read.await?.ok_or(PeopleProblem::SetupTokenInvalid)?;
    let password = state.hasher.hash(body.password.clone()).await?;
    let session = Token::new();
    let write = db.write({
        let (state, browser, session) = (Arc::clone(&state), browser.clone(), session.clone());
        move |tx| {
            Box::pin(async move { make(tx, &state, &browser, &session, body, password).await })
        }
    });
    let me = write.await.map_err(email_taken)?.ok_or(PeopleProblem::SetupTokenInvalid)?;
    state.tries_by_address.give_back(&browser.site.network());
    welcome(&browser, &session, false, StatusCode::CREATED, me)
}

/// Everything that set-up makes; nothing when the token was used meanwhile.
async fn make(
    tx: &mut Tx<'_>,
    state: &crate::State,
    browser: &Browser,
    session: &Token,
    body: Setup,
    password: String,
) -> db::Result<Option<Me>> {
    let (now, ids) = (state.handles.clock.now(), &state.handles.ids);
    let Some(whose) = store::take(tx, token::hash(&body.token), now).await? else {
        return Ok(None);
    };
    let first = whose == store::FIRST;
    let mut row = if first {
        AccountRow::new(ids.next(), String::new(), true)
    } else {
        account::get(tx, whose).await?
    };
    body.account_name.trim().clone_into(&mut row.name);
    (row.country, row.time_zone) = (body.country, body.time_zone);
    row.set_language(body.language);
    if first {
        account::insert(tx, &row, now).await?;
    } else {
        account::update(tx, &row).await?;
    }
    let owner = NewPerson {
        id: ids.next(),
        account: row.id,
        name: body.name.trim().to_owned(),
        email: body.email,
        password: Some(password),
        role: Role::Administrator,
        owner: true,
        language: body.language,
    };
    person::insert(tx, &owner, now).await?;
    let entry = AuditEntry {
        account: row.id,
        user: Some(owner.id),
        action: "account.setup",
        subject: format!("account:{}", row.id),
        detail: json!({ "name": row.name, "country": row.country, "time_zone": row.time_zone }),
    };
    audit::record(tx, ids, entry, now).await?;
    let person = person::get(tx, row.id, owner.id).await?;
    sessions::open(tx, state, &person, browser, session, false).await?;
    Ok(Some(read_me(tx, state, &person).await?))
}
