//! Finding the person behind a cookie, and letting them in.

use std::time::Duration;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
};
use base::{Timestamp, kind};
use db::Tx;
use futures::future::BoxFuture;
use host::audit::{self, AuditEntry};
use http_kit::{Caller, Problem, Result, Sessions, Site, session_cookie, session_token};
use serde_json::json;

use crate::{
    State,
    store::{
        person::PersonRow,
        session::{self, FoundSession, NewSession},
    },
    token::{self, Token},
};

const DAY: Duration = Duration::from_hours(24);

/// How often the use of a session is written down.
const NOTED_EVERY: Duration = Duration::from_mins(5);

/// How long a session lasts: without use, and in all.
const fn lifetime(stay: bool) -> (Duration, Duration) {
    if stay {
        (DAY.saturating_mul(30), DAY.saturating_mul(90))
    } else {
        (Duration::from_hours(12), DAY.saturating_mul(7))
    }
}

/// The browser on the other side.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) site: Site,
    /// What it calls itself, at most 200 characters.
    pub(crate) agent: String,
    /// The session token that it brought, if any.
    pub(crate) token: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let site = Site::of(&parts.extensions)?;
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let agent = agent.unwrap_or_default().chars().take(200).collect();
        let token = session_token(&parts.headers, &site);
        Ok(Self { site, agent, token })
    }
}

impl Browser {
    /// The header that gives it `token`.
    pub(crate) fn cookie(&self, token: &Token, stay: bool) -> Result<HeaderValue> {
        let (_, most) = lifetime(stay);
        session_cookie(&self.site, &token.text, stay.then_some(most.as_secs()))
    }

    /// The header that takes its token away.
    pub(crate) fn no_cookie(&self) -> Result<HeaderValue> {
        session_cookie(&self.site, "", Some(0))
    }
}

/// Lets a person in: a session in place of the one that the browser brought, and an audit row.
pub(crate) async fn open(
    tx: &mut Tx<'_>,
    state: &State,
    person: &PersonRow,
    browser: &Browser,
    token: &Token,
    stay: bool,
) -> db::Result<()> {
    let now = state.handles.clock.now();
    let (_, most) = lifetime(stay);
    if let Some(old) = &browser.token {
        session::end_by_token(tx, token::hash(old)).await?;
    }
    let address = browser.site.client().to_string();
    let session = NewSession {
        id: state.handles.ids.next::<kind::Session>(),
        account: person.account,
        person: person.id,
        token: token.hash.clone(),
        stay,
        expires_at: now.plus(most),
        agent: browser.agent.clone(),
        address: address.clone(),
    };
    session::insert(tx, &session, now).await?;
    let entry = AuditEntry {
        account: person.account,
        user: Some(person.id),
        action: "session.create",
        subject: format!("session:{}", session.id),
        detail: json!({ "address": address, "agent": browser.agent, "stay": stay }),
    };
    audit::record(tx, &state.handles.ids, entry, now).await
}

/// Whether a session may still be used at `now`.
fn is_good(session: &FoundSession, now: Timestamp) -> bool {
    session.disabled_at.is_none() && lasts(session.stay, session.used_at, session.expires_at, now)
}

/// Whether a session that was used last at `used_at` lasts at `now`.
pub(crate) fn lasts(stay: bool, used_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> bool {
    let (idle, _) = lifetime(stay);
    now < expires_at && now < used_at.plus(idle)
}

fn caller_of(session: &FoundSession) -> db::Result<Caller> {
    let role = session.role()?;
    Ok(Caller {
        account: session.account,
        user: session.person,
        session: session.id,
        locale: session.language()?,
        role,
        permissions: role.permissions(),
        owner: session.owner,
        install_owner: session.owner && session.install,
    })
}

impl Sessions for State {
    fn caller<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Option<Caller>>> {
        Box::pin(async move {
            let (db, now) = (&self.handles.db, self.handles.clock.now());
            let hash = token::hash(text);
            let found = db
                .read(move |tx| Box::pin(async move { session::by_token(tx, hash).await }))
                .await?;
            let Some(found) = found.filter(|session| is_good(session, now)) else {
                return Ok(None);
            };
            let caller = caller_of(&found)?;
            if now.since(found.used_at) >= NOTED_EVERY {
                let noted = db
                    .write(move |tx| Box::pin(async move { session::used(tx, &found, now).await }))
                    .await;
                if let Err(error) = noted {
                    // Reading goes on while nothing can be written.
                    tracing::warn!(%error, "the use of a session was not noted");
                }
            }
            Ok(Some(caller))
        })
    }

    fn stands<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let (account, id, now) = (caller.account, caller.session, self.handles.clock.now());
            let read = self
                .handles
                .db
                .read(move |tx| Box::pin(async move { session::by_id(tx, account, id).await }));
            let Some(found) = read.await?.filter(|session| is_good(session, now)) else {
                return Ok(false);
            };
            let present = caller_of(&found)?;
            Ok(present.role == caller.role && present.owner == caller.owner)
        })
    }
}
