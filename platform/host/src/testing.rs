//! A small world for the tests of features: their routes over a fresh database, a clock that is
//! moved by hand, and requests without a network.

use std::{path::PathBuf, sync::Arc};

use access::Role;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
};
use base::{Id, Locale, Timestamp, kind};
use blob::Blob;
use bus::Bus;
use clock::{Clock, Ids, ManualClock};
use db::Db;
use futures::future::BoxFuture;
use http_kit::{App, Caller, Front, Gate, Hub, Origins, Peer, Replies, Result, Route, Sessions};
use jobs::Jobs;
use outbound::{Allowed, Outbound};
use serde_json::Value;
use settings::Secrets;
use telemetry::Health;
use tower::ServiceExt as _;

use crate::{Feature, Handles, Running, Shutdown, Socket};

/// 2026-11-20T08:00:00Z, a Friday: where the clock of a [`World`] stands at first.
pub const START: Timestamp = Timestamp::from_seconds(1_795_161_600);

/// The platform over a database of [`db::testing`], with a folder of its own for bytes.
pub struct World {
    /// What features are made with.
    pub handles: Handles,
    /// The hand of the clock.
    pub hand: ManualClock,
    folder: PathBuf,
}

impl World {
    /// # Panics
    /// When the temporary folder cannot be made.
    pub fn new(db: Db) -> Self {
        let (clock, hand) = Clock::manual(START);
        let ids = Ids::new(0, clock.clone());
        let folder = std::env::temp_dir()
            .join(format!("switchbell_test_blob_{:032x}", rand::random::<u128>()));
        let handles = Handles {
            bus: Bus::new(db.clone(), clock.clone()),
            jobs: Jobs::new(db.clone(), &ids),
            blob: Blob::open(&folder).expect("a folder for bytes"),
            hub: Hub::new(clock.clone()),
            health: Health::new(clock.clone()),
            secrets: Secrets::from_key([7; 32]),
            shutdown: Shutdown::new(),
            outbound: Outbound::new(Allowed::default(), clock.clone()),
            ids,
            db,
            clock,
        };
        Self { handles, hand, folder }
    }

    /// The routes of `features` behind [`Badges`], plugged in, with nothing running: deliver facts
    /// with [`Bus::drain`] and do jobs with [`Jobs::drain`]. Tables must be there.
    pub fn desk(&self, features: &[&dyn Feature]) -> Desk {
        self.desk_with(features, Arc::new(Badges)).0
    }

    /// As [`World::desk`] with sessions of one's own, and the socket, to be started.
    pub fn desk_with(
        &self,
        features: &[&dyn Feature],
        sessions: Arc<dyn Sessions>,
    ) -> (Desk, Socket) {
        let mut socket = Socket::new(self.handles.clone());
        let mut api = http_kit::live_routes();
        for feature in features {
            feature.plug(&mut socket);
            api = api.merge(feature.routes());
        }
        let Handles { db, clock, secrets, hub, .. } = self.handles.clone();
        let gate = Gate { sessions, replies: Replies::new(db, clock, secrets), hub };
        let origins = Origins::new(([127, 0, 0, 1], 80).into(), None, None);
        let pages = |_: &_| Ok::<_, std::convert::Infallible>(Router::new());
        let Ok(App { router, table, .. }) =
            Front { origins, gate, version: "test" }.build(api.under("/api/v1"), pages);
        (Desk::new(router, table), socket)
    }

    /// Starts what is in `socket`.
    pub fn start(&self, socket: Socket) -> Running {
        socket.start()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A folder that is left behind in a temporary place does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Sessions whose token says who they are: `account.user.role`.
#[derive(Debug, Clone, Copy)]
pub struct Badges;

impl Badges {
    /// The token of a user of an account.
    pub fn token(account: i64, user: i64, role: Role) -> String {
        format!("{account}.{user}.{role}")
    }

    /// The user of an account whom [`Desk::of`] is, to look at live topics with.
    pub fn caller(account: i64, role: Role) -> Option<Caller> {
        Self::holder(&Self::token(account, account * 10, role))
    }

    /// Who holds `token`.
    fn holder(token: &str) -> Option<Caller> {
        let mut parts = token.split('.');
        let account: Id<kind::Account> = parts.next()?.parse().ok()?;
        let user: Id<kind::User> = parts.next()?.parse().ok()?;
        let role: Role = parts.next()?.parse().ok()?;
        Some(Caller {
            account,
            user,
            session: Id::from_raw(user.raw()),
            locale: Locale::En,
            role,
            permissions: role.permissions(),
            owner: false,
            install_owner: false,
        })
    }
}

impl Sessions for Badges {
    fn caller<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>>> {
        Box::pin(async move { Ok(Self::holder(token)) })
    }

    fn stands<'a>(&'a self, _: &'a Caller) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(true) })
    }
}

/// Somebody in front of the routes, with or without a session. Clones sit elsewhere but share the
/// server.
#[derive(Clone)]
pub struct Desk {
    router: Router,
    table: Arc<[Route]>,
    cookie: Option<String>,
    client: u8,
    host: HeaderValue,
}

impl Desk {
    /// In front of any router that answers for `127.0.0.1`.
    pub fn new(router: Router, table: Vec<Route>) -> Self {
        let host = HeaderValue::from_static("127.0.0.1");
        Self { router, table: table.into(), cookie: None, client: 1, host }
    }

    /// The same server under another address; port 80 is left out, as browsers do.
    ///
    /// # Panics
    /// When `host` cannot be a header.
    pub fn at(&self, host: &str) -> Self {
        let host = host.strip_suffix(":80").unwrap_or(host).parse().expect("a host");
        Self { host, ..self.clone() }
    }

    /// The session token, if there is one.
    pub fn token(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// The same server as seen by a user of an account, with [`Badges`].
    pub fn of(&self, account: i64, role: Role) -> Self {
        self.with_token(&Badges::token(account, account * 10, role))
    }

    /// The same server as seen with a session token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { cookie: Some(token.to_owned()), ..self.clone() }
    }

    /// The same server without a session.
    pub fn outside(&self) -> Self {
        Self { cookie: None, ..self.clone() }
    }

    /// The same, from the address 10.0.0.`client`.
    pub fn from(&self, client: u8) -> Self {
        Self { client, ..self.clone() }
    }

    /// Every operation.
    pub fn table(&self) -> &[Route] {
        &self.table
    }

    /// `GET /api/v1` and `path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty(), &[]).await
    }

    /// `DELETE /api/v1` and `path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Body::empty(), &[]).await
    }

    /// `POST` with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body, &[]).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body, &[]).await
    }

    /// `PUT` with JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, body, &[]).await
    }

    /// Any method with JSON and more headers.
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let headers: Vec<_> =
            [("content-type", "application/json")].into_iter().chain(headers.to_vec()).collect();
        self.send(method, path, Body::from(body.to_string()), &headers).await
    }

    /// Any request to `/api/v1` and `path`.
    ///
    /// # Panics
    /// When the request cannot be made of these.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Body,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = format!("/api/v1{path}").parse().expect("a path");
        let all = request.headers_mut();
        all.insert(header::HOST, self.host.clone());
        if let Some(cookie) = &self.cookie {
            let cookie = format!("sb_session={cookie}").parse().expect("a cookie");
            all.insert(header::COOKIE, cookie);
        }
        for (name, value) in headers {
            all.insert(*name, value.parse().expect("a header"));
        }
        let remote = ([10, 0, 0, self.client], 40_000).into();
        request.extensions_mut().insert(ConnectInfo(Peer { remote, local: None, secure: false }));
        let response = self.router.clone().oneshot(request).await.expect("never fails");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The body of a success.
    ///
    /// # Panics
    /// When it is not one.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.value());
        self.value()
    }

    /// Status and code of a problem.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        let body = self.value();
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{} {body}", self.status);
        assert_eq!(body["status"], self.status.as_u16(), "{body}");
        (self.status.as_u16(), body["code"].as_str().unwrap_or_default().to_owned())
    }

    /// `field: code` of every fault of a `validation_failed`, in order.
    pub fn faults(&self) -> Vec<String> {
        let body = self.value();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|e| format!("{}: {}", text(e, "field"), text(e, "code"))).collect()
    }

    /// The session token that it sets; empty when it takes it away, nothing when neither.
    pub fn token(&self) -> Option<String> {
        let cookie = self.headers.get(header::SET_COOKIE)?.to_str().ok()?;
        let (_, rest) = cookie.split_once('=')?;
        Some(rest.split(';').next().unwrap_or_default().to_owned())
    }
}
