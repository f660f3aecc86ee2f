//! Who is calling, and whether they may: decided before a byte of the body is read.

use std::sync::Arc;

use access::{Permission, PermissionSet, Role};
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base::{Id, Locale, kind};
use futures::future::BoxFuture;

use crate::{
    Access, CommonProblem, Hub, Problem, Result, Site, extract::Limit, idempotency::Replies,
};

/// The signed-in person behind a request.
///
/// As an extractor it gives what the permission check found; on a public route it refuses with 401.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Their account: every statement of theirs is bounded by it.
    pub account: Id<kind::Account>,
    /// The person.
    pub user: Id<kind::User>,
    /// The browser's session.
    pub session: Id<kind::Session>,
    /// The language of their pages.
    pub locale: Locale,
    /// Their preset.
    pub role: Role,
    /// What they may do.
    pub permissions: PermissionSet,
    /// Whether they own the account.
    pub owner: bool,
    /// Whether they own the installation: the owner of the first account.
    pub install_owner: bool,
}

impl Caller {
    /// Whether they have `permission`.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// 403 unless they have `permission`.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            Ok(())
        } else {
            Err(CommonProblem::Forbidden { permission: permission.to_string() }.into())
        }
    }
}

/// Where sessions are kept. Implemented by the feature that owns people.
pub trait Sessions: Send + Sync + 'static {
    /// The person who holds the session `token`, or nobody when it is unknown or has ended.
    /// Counts as use of the session.
    fn caller<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>>>;

    /// Whether what was true of `caller` when they were found still is: session, role, person.
    /// Does not count as use.
    fn stands<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<bool>>;
}

/// What the permission check needs, put into every request by [`crate::Front`].
#[derive(Clone)]
pub struct Gate {
    /// Where sessions are kept.
    pub sessions: Arc<dyn Sessions>,
    /// Answers kept for `Idempotency-Key`.
    pub replies: Replies,
    /// The live topics.
    pub hub: Hub,
}

/// Checks the caller, then hands the request on with a [`Caller`] in it.
pub(crate) async fn guard(
    access: Access,
    max_bytes: u64,
    idempotent: bool,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Limit(max_bytes));
    let permission = match access {
        Access::Public(_) => return next.run(request).await,
        Access::Permission(permission) => permission,
    };
    let Some(gate) = request.extensions().get::<Gate>().cloned() else {
        return Problem::unexpected("the gate is missing from the request").into_response();
    };
    let token = Site::of(request.extensions()).and_then(|site| {
        Ok(session_token(request.headers(), &site).ok_or(CommonProblem::SignInRequired)?)
    });
    match admit(&gate, permission, token).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            if idempotent && *request.method() == Method::POST {
                gate.replies.once(&caller, request, next).await
            } else {
                next.run(request).await
            }
        }
        Err(problem) => problem.into_response(),
    }
}

/// Tells the units of work of a request from which address it was made. It stands next to the
/// handler, since the task may be another one than that of [`guard`].
pub(crate) async fn attribute(request: Request, next: Next) -> Response {
    let peer = Site::of(request.extensions()).ok().and_then(|site| site.peer);
    match peer {
        Some(peer) => db::origin::scope(peer.to_string().into(), next.run(request)).await,
        None => next.run(request).await,
    }
}

async fn admit(gate: &Gate, permission: Permission, token: Result<String>) -> Result<Caller> {
    let caller = gate.sessions.caller(&token?).await?.ok_or(CommonProblem::SignInRequired)?;
    caller.require(permission)?;
    Ok(caller)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(parts.extensions.get::<Self>().cloned().ok_or(CommonProblem::SignInRequired)?)
    }
}

/// The name of the session cookie. Browsers keep a `__Host-` cookie only with `Secure`, which
/// needs HTTPS; the names differ so that one cannot be taken for the other.
const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-sb_session" } else { "sb_session" }
}

/// The session token of a request; nothing when there is none or more than one.
pub fn session_token(headers: &HeaderMap, site: &Site) -> Option<String> {
    let name = cookie_name(site.secure);
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned());
    let token = found.next()?;
    found.next().is_none().then_some(token)
}

/// The header that gives the browser a session token. It is kept until the browser is closed, or
/// for `max_age_s` seconds.
pub fn session_cookie(site: &Site, token: &str, max_age_s: Option<u64>) -> Result<HeaderValue> {
    let secure = if site.secure { "; Secure" } else { "" };
    let age = max_age_s.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let name = cookie_name(site.secure);
    HeaderValue::try_from(format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
        .map_err(Problem::unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(secure: bool) -> Site {
        Site { origin: String::new(), secure, peer: None }
    }

    #[test]
    fn the_cookie_is_named_by_scheme_and_only_one_is_taken() {
        let headers = |cookie: &'static str| {
            HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))])
        };
        let both = headers("a=b; sb_session=plain; __Host-sb_session=tls");
        assert_eq!(session_token(&both, &site(false)).as_deref(), Some("plain"));
        assert_eq!(session_token(&both, &site(true)).as_deref(), Some("tls"));
        assert_eq!(session_token(&headers("sb_session=1; sb_session=2"), &site(false)), None);
        assert_eq!(session_token(&headers("xsb_session=1"), &site(false)), None);
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let text = |secure, age| {
            session_cookie(&site(secure), "t", age).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(text(false, None), "sb_session=t; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(
            text(true, Some(60)),
            "__Host-sb_session=t; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
    }
}
