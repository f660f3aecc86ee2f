//! A wish that is sent twice is fulfilled once: `Idempotency-Key` on `POST`.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base::Timestamp;
use clock::Clock;
use db::{Db, args, record, sql};
use settings::Secrets;
use sha2::{Digest as _, Sha256};

use crate::{Caller, CommonProblem, Problem, Result, Upload};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long an answer is kept.
const KEPT: Duration = Duration::from_hours(24);

/// After this long, a request without an answer is taken to have died with its process.
const ABANDONED: Duration = Duration::from_mins(5);

/// The answers that were given to requests with a key, for 24 hours.
///
/// A key belongs to one person. It is used up by a success only: after a refusal the same key may
/// be sent again with the mistake corrected. Answers are sealed at rest.
#[derive(Clone)]
pub struct Replies(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    secrets: Secrets,
}

record! {
    struct Row {
        request: Vec<u8>,
        status: Option<i64>,
        content_type: Option<String>,
        response: Option<Vec<u8>>,
        created_at: i64,
    }
}

/// One use of a key by one person.
#[derive(Clone)]
struct Wish {
    account: i64,
    person: i64,
    key: String,
    request: Vec<u8>,
}

enum Claim {
    /// Nobody has asked this before.
    Ours,
    /// It was answered.
    Answered(Row),
    /// It is being worked on.
    Pending,
    /// The key belongs to another request.
    Other,
}

impl Replies {
    /// Answers kept in `db`, sealed with `secrets`.
    pub fn new(db: Db, clock: Clock, secrets: Secrets) -> Self {
        Self(Arc::new(Inner { db, clock, secrets }))
    }

    /// Runs the request, unless one with its key was answered before.
    pub(crate) async fn once(&self, caller: &Caller, request: Request, next: Next) -> Response {
        match key(request.headers()) {
            Ok(None) => next.run(request).await,
            Ok(Some(key)) => self
                .keyed(caller, key, request, next)
                .await
                .unwrap_or_else(IntoResponse::into_response),
            Err(problem) => problem.into_response(),
        }
    }

    async fn keyed(
        &self,
        caller: &Caller,
        key: String,
        request: Request,
        next: Next,
    ) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let whole = Request::from_parts(parts.clone(), body);
        let body = Upload::from_request(whole, &()).await?.whole().await?;
        let mut hash = Sha256::new();
        hash.update(parts.method.as_str());
        hash.update([b' ']);
        hash.update(parts.uri.to_string());
        hash.update([b'\n']);
        hash.update(&body);
        let wish = Wish {
            account: caller.account.raw(),
            person: caller.user.raw(),
            key,
            request: hash.finalize().to_vec(),
        };
        match self.claim(wish.clone()).await? {
            Claim::Other => Err(CommonProblem::IdempotencyKeyReused.into()),
            Claim::Pending => Err(Problem::from(CommonProblem::IdempotencyInProgress)
                .retry_after(Duration::from_secs(1))),
            Claim::Answered(row) => self.replay(&wish, row),
            Claim::Ours => {
                let request = Request::from_parts(parts, Body::from(body));
                let replies = self.clone();
                // In a task of its own, so that a client who hangs up does not leave half a wish.
                telemetry::spawn("http.idempotent", async move {
                    replies.run(wish, request, next).await
                })
                .await
                .map_err(Problem::unexpected)?
            }
        }
    }

    async fn run(&self, wish: Wish, request: Request, next: Next) -> Result<Response> {
        let handled = telemetry::spawn("http.handler", next.run(request)).await;
        let response = match handled {
            Ok(response) => response,
            Err(panic) => Problem::unexpected(panic).into_response(),
        };
        if !response.status().is_success() {
            self.release(wish).await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.map_err(Problem::unexpected)?;
        self.keep(wish, parts.status, &parts.headers, &body).await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn claim(&self, wish: Wish) -> Result<Claim> {
        let now = self.0.clock.now();
        let claim =
            self.0.db.write(move |tx| Box::pin(async move { claim(tx, wish, now).await })).await?;
        Ok(claim)
    }

    async fn keep(
        &self,
        wish: Wish,
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<()> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.map(str::to_owned);
        let sealed = self.0.secrets.seal(&context(&wish), body);
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    tx.exec(
                        sql!(
                            "UPDATE reply SET status = $4, content_type = $5, response = $6
                             WHERE account = $1 AND person = $2 AND idempotency_key = $3"
                        ),
                        args![
                            wish.account,
                            wish.person,
                            wish.key,
                            i64::from(status.as_u16()),
                            kind,
                            sealed
                        ],
                    )
                    .await
                })
            })
            .await?;
        Ok(())
    }

    async fn release(&self, wish: Wish) -> Result<()> {
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    tx.exec(
                        sql!(
                            "DELETE FROM reply
                             WHERE account = $1 AND person = $2 AND idempotency_key = $3
                               AND status IS NULL"
                        ),
                        args![wish.account, wish.person, wish.key],
                    )
                    .await
                })
            })
            .await?;
        Ok(())
    }

    fn replay(&self, wish: &Wish, row: Row) -> Result<Response> {
        let sealed = row.response.unwrap_or_default();
        let body = self.0.secrets.open(&context(wish), &sealed).map_err(Problem::unexpected)?;
        let status = row.status.and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        let status = StatusCode::from_u16(status).map_err(Problem::unexpected)?;
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if let Some(kind) = row.content_type {
            let kind = HeaderValue::try_from(kind).map_err(Problem::unexpected)?;
            headers.insert(header::CONTENT_TYPE, kind);
        }
        headers.insert("idempotent-replay", HeaderValue::from_static("true"));
        Ok(response)
    }
}

async fn claim(tx: &mut db::Tx<'_>, wish: Wish, now: Timestamp) -> db::Result<Claim> {
    let (account, person) = (wish.account, wish.person);
    tx.exec(sql!("DELETE FROM reply WHERE created_at < $1"), args![now.minus(KEPT).micros()])
        .await?;
    let inserted = tx
        .exec(
            sql!(
                "INSERT INTO reply (account, person, idempotency_key, request, created_at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (account, person, idempotency_key) DO NOTHING"
            ),
            args![account, person, wish.key.clone(), wish.request.clone(), now.micros()],
        )
        .await?;
    if inserted == 1 {
        return Ok(Claim::Ours);
    }
    let row: Row = tx
        .one(
            sql!(
                "SELECT request, status, content_type, response, created_at FROM reply
                 WHERE account = $1 AND person = $2 AND idempotency_key = $3"
            ),
            args![account, person, wish.key.clone()],
        )
        .await?;
    if row.request != wish.request {
        return Ok(Claim::Other);
    }
    if row.status.is_some() {
        return Ok(Claim::Answered(row));
    }
    if row.created_at > now.minus(ABANDONED).micros() {
        return Ok(Claim::Pending);
    }
    let taken = tx
        .exec(
            sql!(
                "UPDATE reply SET created_at = $4
                 WHERE account = $1 AND person = $2 AND idempotency_key = $3
                   AND created_at = $5 AND status IS NULL"
            ),
            args![account, person, wish.key, now.micros(), row.created_at],
        )
        .await?;
    Ok(if taken == 1 { Claim::Ours } else { Claim::Pending })
}

/// The key of a request, if it has one.
fn key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut keys = headers.get_all(KEY).iter();
    let (Some(key), second) = (keys.next(), keys.next()) else { return Ok(None) };
    let visible = key.as_bytes().iter().all(u8::is_ascii_graphic);
    let fits = second.is_none() && visible && (1..=200).contains(&key.len());
    let key = key.to_str().ok().filter(|_| fits).ok_or(CommonProblem::IdempotencyKeyInvalid)?;
    Ok(Some(key.to_owned()))
}

fn context(wish: &Wish) -> String {
    format!("reply:{}:{}:{}", wish.account, wish.person, wish.key)
}
