//! Extractors whose refusals are problems.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures::StreamExt as _;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{BODY_LIMIT, CommonProblem, Fields, Problem, Result};

/// A JSON body, read or written.
///
/// Text that is not JSON is refused with 400, JSON of another shape with 422 and the path of the
/// field, another content type with 415.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            let expected = "application/json".to_owned();
            return Err(CommonProblem::UnsupportedMediaType { expected }.into());
        }
        read_json(&Upload::from_request(request, state).await?.whole().await?).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads `bytes`, telling broken JSON from JSON of the wrong shape.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let mut fields = Fields::new();
                let field = if path == "." { String::new() } else { path };
                fields.fault(field, "invalid_value", sentence(&inner));
                fields.finish().err().unwrap_or_else(|| Problem::unexpected(&inner))
            }
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => {
                CommonProblem::MalformedJson { reason: inner.to_string() }.into()
            }
        }
    })?;
    reader.end().map_err(|error| CommonProblem::MalformedJson { reason: error.to_string() })?;
    Ok(value)
}

/// What serde says, without the position in the text.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before).to_owned()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => Problem::unexpected(error).into_response(),
        }
    }
}

/// A value of the path. One that cannot be read names nothing, which is 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        Ok(read.map(|value| Self(value.0)).map_err(|_| CommonProblem::NotFound)?)
    }
}

/// The query string; 400 when it cannot be read.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        Ok(read
            .map(|value| Self(value.0))
            .map_err(|rejection| CommonProblem::InvalidQuery { reason: rejection.body_text() })?)
    }
}

/// A body that is read as it arrives, up to the limit that its route was added with
/// ([`crate::ApiRouter::upload`]).
pub struct Upload {
    stream: axum::body::BodyDataStream,
    limit: u64,
    read: u64,
    /// The length that the client announced, in bytes.
    pub announced: Option<u64>,
    /// The content type that the client named; nothing is trusted to it.
    pub content_type: Option<String>,
}

/// The body limit of the route, put into the request by its guard.
#[derive(Clone, Copy)]
pub(crate) struct Limit(pub(crate) u64);

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let limit = request.extensions().get::<Limit>().map_or(BODY_LIMIT, |limit| limit.0);
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let announced = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let content_type = text(header::CONTENT_TYPE).map(str::to_owned);
        if announced.is_some_and(|length| length > limit) {
            return Err(CommonProblem::BodyTooLarge { max_bytes: limit }.into());
        }
        let stream = request.into_body().into_data_stream();
        Ok(Self { stream, limit, read: 0, announced, content_type })
    }
}

impl Upload {
    /// The next bytes; nothing at the end. 413 past the limit, 400 when the client breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(bytes) = self.stream.next().await else { return Ok(None) };
        let bytes = bytes.map_err(|_| CommonProblem::BodyBroken)?;
        self.read += bytes.len() as u64;
        if self.read > self.limit {
            return Err(CommonProblem::BodyTooLarge { max_bytes: self.limit }.into());
        }
        Ok(Some(bytes))
    }

    /// Everything at once, for routes whose bodies are small.
    pub async fn whole(mut self) -> Result<Bytes> {
        let mut whole = BytesMut::new();
        while let Some(bytes) = self.next().await? {
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    }
}

/// Tells an absent field from one that is null, for `PATCH`:
/// `#[serde(default, deserialize_with = "http_kit::present")] note: Option<Option<String>>`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Hours {
        #[expect(dead_code, reason = "only its reading is looked at")]
        mon: Vec<u8>,
    }

    #[derive(Debug, Deserialize)]
    struct Body {
        #[expect(dead_code, reason = "only its reading is looked at")]
        hours: Hours,
    }

    #[test]
    fn a_wrong_field_is_named_by_its_path_and_broken_text_is_not_a_field() {
        let problem = read_json::<Body>(br#"{"hours":{"mon":[1,"x"]}}"#).unwrap_err();
        assert_eq!(problem.code(), "validation_failed");
        assert_eq!(problem.fields()[0].field, "hours.mon[1]");
        for broken in ["{", "", "{} x", "\u{1}"] {
            let problem = read_json::<serde_json::Value>(broken.as_bytes()).unwrap_err();
            assert_eq!(problem.code(), "malformed_json", "{broken}");
        }
        let problem = read_json::<Body>(b"[]").unwrap_err();
        assert_eq!(problem.status().as_u16(), 422);
    }

    #[test]
    fn absent_and_null_are_told_apart() {
        #[derive(Deserialize)]
        struct Change {
            #[serde(default, deserialize_with = "present")]
            note: Option<Option<String>>,
        }
        let read = |text| serde_json::from_str::<Change>(text).unwrap().note;
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"note":null}"#), Some(None));
        assert_eq!(read(r#"{"note":"a"}"#), Some(Some("a".to_owned())));
    }
}
