//! One file per endpoint.

pub(crate) mod account_change;
pub(crate) mod account_get;
pub(crate) mod invite_accept;
pub(crate) mod invite_check;
pub(crate) mod me_change;
pub(crate) mod me_get;
pub(crate) mod password_change;
pub(crate) mod role_list;
pub(crate) mod session_end;
pub(crate) mod session_list;
pub(crate) mod setup;
pub(crate) mod setup_needed;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod user_add;
pub(crate) mod user_change;
pub(crate) mod user_invite;
pub(crate) mod user_list;

use std::time::Duration;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base::{Id, Timestamp, kind};
use db::Tx;
use host::audit::{self, AuditEntry};
use http_kit::{Caller, Json, Problem, Result};
use serde_json::Value;

use crate::{
    State,
    problems::PeopleProblem,
    sessions::Browser,
    store::{account, invite::NewInvite, person::PersonRow},
    token::Token,
    view::{self, Invite, Me},
};

/// How long an invitation is good.
const INVITE: Duration = Duration::from_hours(7 * 24);

/// How long a link for a forgotten password is good (CONE-27).
const RESET: Duration = Duration::from_hours(1);

/// Writes an audit row about something that `caller` does.
async fn note(
    tx: &mut Tx<'_>,
    state: &State,
    caller: &Caller,
    action: &'static str,
    subject: String,
    detail: Value,
) -> db::Result<()> {
    let (account, user) = (caller.account, Some(caller.user));
    let entry = AuditEntry { account, user, action, subject, detail };
    audit::record(tx, &state.handles.ids, entry, state.handles.clock.now()).await
}

/// A conflict about an address becomes a sentence.
fn email_taken(error: db::Error) -> Problem {
    if matches!(&error, db::Error::Conflict(what) if what == "person(email_key)") {
        PeopleProblem::EmailTaken.into()
    } else {
        error.into()
    }
}

/// The signed-in person, as `tx` sees them.
async fn read_me(tx: &mut Tx<'_>, state: &State, person: &PersonRow) -> db::Result<Me> {
    let account = account::get(tx, person.account).await?;
    view::me(person, &account, state.insecure_http)
}

/// Lets the browser in that has just proved itself.
fn welcome(
    browser: &Browser,
    token: &Token,
    stay: bool,
    status: StatusCode,
    me: Me,
) -> Result<Response> {
    let cookie = browser.cookie(token, stay)?;
    Ok((status, [(header::SET_COOKIE, cookie)], Json(me)).into_response())
}

/// A fresh link for a person, and the row behind it. For somebody who has joined, it sets a new
/// password and is good for an hour.
fn new_invite(
    caller: &Caller,
    person: Id<kind::User>,
    joined: bool,
    browser: &Browser,
    now: Timestamp,
) -> (NewInvite, Invite) {
    let token = Token::new();
    let expires_at = now.plus(if joined { RESET } else { INVITE });
    let invite_link = format!("{}/invite#token={}", browser.site.origin, token.text);
    let row = NewInvite {
        account: caller.account,
        person,
        token: token.hash,
        invited_by: caller.user,
        expires_at,
    };
    (row, Invite { invite_link, expires_at: expires_at.into() })
}
